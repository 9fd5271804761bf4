"""Tables whose rows are written once: the database itself refuses to change or delete one, whoever asks.

A migration that makes such a table says the same again, because it must read the same for ever.
"""

from sqlalchemy import DDL, Table, event


def freeze(table: Table, *, deletable: bool = False) -> None:
    """Let the database refuse every UPDATE and DELETE on the table; with `deletable` only every UPDATE."""
    verbs = ("UPDATE",) if deletable else ("UPDATE", "DELETE")
    written = (("sqlite", _sqlite(table.name, verbs)), ("postgresql", _postgresql(table.name, verbs)))
    for dialect, statements in written:
        for statement in statements:
            ddl = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl)


def _sqlite(name: str, verbs: tuple[str, ...]) -> list[str]:
    return [
        f'CREATE TRIGGER {name}_frozen_{verb} BEFORE {verb} ON "{name}" '
        f"BEGIN SELECT RAISE(ABORT, 'rows of {name} are frozen'); END"
        for verb in verbs
    ]


def _postgresql(name: str, verbs: tuple[str, ...]) -> list[str]:
    function = (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'this row is frozen'; END $$"
    )
    trigger = (
        f'CREATE TRIGGER {name}_frozen BEFORE {" OR ".join(verbs)} ON "{name}" '
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    return [function, trigger]

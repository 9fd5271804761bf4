"""Tables whose rows are written once: the database itself refuses to change or delete one, whoever asks.

A migration that makes such a table says the same again, because it must read the same for ever.
"""

from sqlalchemy import DDL, Table, event


def freeze(table: Table) -> None:
    """Let the database refuse every UPDATE and DELETE on the table."""
    for dialect, statements in (("sqlite", _sqlite(table.name)), ("postgresql", _postgresql(table.name))):
        for statement in statements:
            ddl = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl)


def _sqlite(name: str) -> list[str]:
    return [
        f'CREATE TRIGGER {name}_frozen_{verb} BEFORE {verb} ON "{name}" '
        f"BEGIN SELECT RAISE(ABORT, 'rows of {name} are frozen'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def _postgresql(name: str) -> list[str]:
    function = (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'this row is frozen'; END $$"
    )
    trigger = (
        f'CREATE TRIGGER {name}_frozen BEFORE UPDATE OR DELETE ON "{name}" '
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    return [function, trigger]

"""Tables whose rows are written once: the database itself refuses to change or delete one, whoever asks.

A migration that makes such a table says the same again, because it must read the same for ever.
"""

from sqlalchemy import DDL, Table, event


def freeze(table: Table, *, deletable: bool = False, kept_while: str = "") -> None:
    """Let the database refuse every UPDATE and DELETE on the table; with `deletable` only every UPDATE.

    PostgreSQL refuses a TRUNCATE of it, too, which asks no trigger of rows; SQLite has none.

    `kept_while`: a condition in SQL about the row OLD, under which alone a DELETE is refused.
    """
    verbs = ("UPDATE",) if deletable or kept_while else ("UPDATE", "DELETE")
    sqlite, postgresql = _sqlite(table.name, verbs), _postgresql(table.name, verbs)
    if kept_while:
        sqlite += [_kept_sqlite(table.name, kept_while)]
        postgresql += _kept_postgresql(table.name, kept_while)
    for dialect, statements in (("sqlite", sqlite), ("postgresql", postgresql)):
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
    emptied = (
        f'CREATE TRIGGER {name}_frozen_truncate BEFORE TRUNCATE ON "{name}" '
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    return [function, trigger, emptied]


def _kept_sqlite(name: str, condition: str) -> str:
    return (
        f'CREATE TRIGGER {name}_frozen_DELETE BEFORE DELETE ON "{name}" WHEN {condition} '
        f"BEGIN SELECT RAISE(ABORT, 'rows of {name} are frozen'); END"
    )


def _kept_postgresql(name: str, condition: str) -> list[str]:
    function = (
        f"CREATE OR REPLACE FUNCTION refuse_deletion_of_{name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {condition} THEN RAISE EXCEPTION 'this row is frozen'; END IF; RETURN OLD; END $$"
    )
    trigger = (
        f'CREATE TRIGGER {name}_kept BEFORE DELETE ON "{name}" '
        f"FOR EACH ROW EXECUTE FUNCTION refuse_deletion_of_{name}()"
    )
    return [function, trigger]

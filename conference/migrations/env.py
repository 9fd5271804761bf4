"""Alembic's environment: our engine, our metadata."""

from contextlib import nullcontext

from alembic import context
from flask import current_app

database = current_app.extensions["migrate"].db


def run() -> None:
    """Migrate on the connection that was given (a restore brings its own), else on a new one."""
    given = context.config.attributes.get("connection")
    with nullcontext(given) if given is not None else database.engine.connect() as connection:
        arguments = current_app.extensions["migrate"].configure_args
        context.configure(connection=connection, target_metadata=database.metadata, **arguments)
        with context.begin_transaction():
            context.run_migrations()


run()

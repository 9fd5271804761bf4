from contextlib import nullcontext

from alembic import context
from flask import current_app

from conference.kit.db import migrating

database = current_app.extensions["migrate"].db


def run() -> None:
    """Migrate in the transaction of the connection that was given (a restore brings its own), else in one of our own."""
    given = context.config.attributes.get("connection")
    with nullcontext(given) if given is not None else migrating(current_app) as connection:
        arguments = current_app.extensions["migrate"].configure_args
        context.configure(connection=connection, target_metadata=database.metadata, **arguments)
        context.run_migrations()


run()

"""The product without its locks, for the test that shows what they are good for. Served by gunicorn as `tests.unlocked:app`."""

import fcntl
import time

from sqlalchemy import Connection, Select

from conference.registrations import queries

_counts = {name: getattr(queries, name) for name in ("seat_counts", "allotment_of")}
_driver_sql = Connection.exec_driver_sql


def _slow(count):
    """Leave time between counting and taking, in which somebody else counts."""

    def slowly(*words, **named):
        counts = count(*words, **named)
        time.sleep(0.05)
        return counts

    return slowly


def _begin_late(connection, statement, *words, **named):
    return _driver_sql(connection, "BEGIN" if statement == "BEGIN IMMEDIATE" else statement, *words, **named)


for name, count in _counts.items():
    setattr(queries, name, _slow(count))
Select.with_for_update = lambda self, *_words, **_named: self
Connection.exec_driver_sql = _begin_late
fcntl.flock = lambda *_words: None

from wsgi import app  # noqa: E402, F401 – only now, so that all of it is without

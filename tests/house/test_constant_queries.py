"""Promise 9 for every page: with more of everything, a page asks the database no more often."""

from sqlalchemy import event

from conference.kit.db import db

from .. import world

# Renews itself or is a file; what it lists is counted in its room's tests.
NO_LIST = ("/healthz",)


def queries_of(app, client, path):
    """How many statements a page runs."""
    seen = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note := lambda *words: seen.append(words[2]))
    try:
        status = client.get(path).status_code
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen) if status == 200 else None


def test_f23_pages_ask_no_more_often_when_there_is_more(garden):
    asked = [
        (visitor, path) for visitor, paths in garden.paths.items() for path in paths if path not in NO_LIST
    ]
    clients = garden.world.visitors
    before = {pair: queries_of(garden.app, clients[pair[0]], pair[1]) for pair in asked}
    world.grow(garden.app)
    more = []
    for visitor, path in asked:
        first, then = before[visitor, path], queries_of(garden.app, clients[visitor], path)
        if first is not None and then is not None and then > first:
            more.append(f"{path} ({visitor}): {first} queries, {then} with three rows more")
    assert not more, "Load what a list shows in one query (joinedload, in_), not row by row:\n" + "\n".join(
        more
    )

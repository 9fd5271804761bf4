"""T25: nothing that is stored, written or handed out leads from a ballot to the person who gave it."""

import json
import logging
import re
import zipfile
from collections import Counter

import pytest
from sqlalchemy import inspect, text

from conference.kit import clock
from conference.kit.db import db
from conference.outbox.models import Mail
from conference.privacy.dossier import of_person
from conference.providers.models import Contact
from conference.upkeep import backups
from conference.voting import operations, queries
from conference.voting.models import Ballot, Vote

from ..browser import Browser
from ..builders import NOW, a_participant
from .conftest import OPENED


@pytest.fixture
def papers(options):
    """Five papers of which each is unlike the others: whoever finds one, knows it."""
    paper, devices, time = (str(options[words]) for words in ("Papier", "Geräte", "Zeit"))
    return [{paper: 1}, {devices: 2}, {time: 1}, {paper: 2, time: 2}, {devices: 1, time: 1}]


def cast_all(app, people, vote, papers):
    for link, paper in zip(people, papers, strict=True):
        fields = {f"option-{option}": str(dots) for option, dots in paper.items()}
        Browser(app).enter(link).submit("voting.cast_ballot", fields, vote_id=vote.id)


def rows_as_they_lie(in_house, table):
    """The rows of a table as the database hands them out by itself, with what it knows about their age."""
    with in_house():
        age = ", xmin::text AS age" if db.engine.dialect.name == "postgresql" else ""
        return [dict(row) for row in db.session.execute(text(f"SELECT *{age} FROM {table}")).mappings()]


def is_mine(row, paper):
    choices = row["choices"]
    return (json.loads(choices) if isinstance(choices, str) else choices) == paper


def test_t25_ballots_and_voters_have_no_column_in_common_but_the_vote_and_no_number(app):
    with app.app_context():
        tables = inspect(db.engine)
        columns = {name: {one["name"] for one in tables.get_columns(name)} for name in ("ballot", "voter")}
        assert columns == {"ballot": {"id", "vote_id", "choices"}, "voter": {"vote_id", "contact_id"}}
        for name in tables.get_table_names():
            referred = {key["referred_table"] for key in tables.get_foreign_keys(name)}
            assert not referred & {"ballot", "voter"}, name
        if db.engine.dialect.name == "sqlite":
            for name in columns:
                with pytest.raises(Exception, match="no such column"):
                    db.session.execute(text(f"SELECT rowid FROM {name}"))
                db.session.rollback()


@pytest.mark.parametrize("closed", [False, True])
def test_t25_neither_order_nor_age_of_rows_leads_from_a_ballot_to_its_voter(
    app, in_house, people, vote, papers, closed
):
    seen = []
    for number, (link, paper) in enumerate(zip(people, papers, strict=True)):
        cast_all(app, [link], vote, [paper])
        rows = rows_as_they_lie(in_house, "ballot")
        assert len(rows) == number + 1
        assert not {row["id"] for row in rows} & {id_ for ids in seen for id_ in ids}, (
            "all are laid down anew"
        )
        seen.append([row["id"] for row in rows])
    if closed:
        with in_house():
            operations.close_vote(db.session.get(Vote, vote.id), at=OPENED)
    rows, voters = rows_as_they_lie(in_house, "ballot"), rows_as_they_lie(in_house, "voter")
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert all(re.fullmatch(r"[0-9a-f]{32}", row["id"]) for row in rows)
    if "age" in rows[0]:
        assert len({row["age"] for row in rows}) == 1, "every paper is as young as every other"
        assert len({row["age"] for row in voters}) == len(people)
    # Which paper lies where must not follow from who came when: the places of the first voter's paper differ.
    assert Counter(len(ids) for ids in seen) == Counter(range(1, len(people) + 1))


def test_t25_where_a_paper_lies_is_chance(app, in_house, people, vote, papers, monkeypatch):
    """With ids that count downwards the papers lie the other way round: their place is the id's and nothing else's."""
    numbers = iter(range(10_000, 0, -1))
    monkeypatch.setattr(operations.secrets, "token_hex", lambda _bytes: f"{next(numbers):032x}")
    cast_all(app, people, vote, papers)
    rows = rows_as_they_lie(in_house, "ballot")
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)


def test_t25_record_letters_logs_and_pages_know_of_no_ballot(
    app, in_house, people, vote, papers, caplog, organiser
):
    with in_house():
        before = db.session.execute(text("SELECT count(*) FROM audit_entry")).scalar()
        letters = db.session.query(Mail).count()
    with caplog.at_level(logging.DEBUG):
        cast_all(app, people, vote, papers)
    with in_house():
        assert db.session.execute(text("SELECT count(*) FROM audit_entry")).scalar() == before
        assert db.session.query(Mail).count() == letters
        told = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
        assert "option-" not in told and '"choices"' not in told
        for table in db.metadata.tables:
            if table in ("ballot", "vote_option"):
                continue
            for row in db.session.execute(text(f'SELECT * FROM "{table}"')).mappings():
                assert not any(json.dumps(paper) in str(dict(row)) for paper in papers), table
        for link in people:
            told = json.dumps(of_person(db.session.get(Contact, link.contact_id), NOW), default=str)
            assert vote.title in told and "choices" not in told


@pytest.mark.parametrize("closed", [False, True])
def test_t25_a_backup_tells_no_more_than_the_database(app, in_house, people, vote, papers, tmp_path, closed):
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    try:
        cast_all(app, people, vote, papers)
        if closed:
            with in_house():
                operations.close_vote(db.session.get(Vote, vote.id), at=OPENED)
        with app.app_context():
            kept, _manifest = backups.make(app, tmp_path / "kept", at=clock.now())
            ids = [ballot.id for ballot in queries.ballots_in(db.session.get(Vote, vote.id))]
            on_server = db.engine.dialect.name == "postgresql"
        with zipfile.ZipFile(kept.path) as file:
            content = {name: file.read(name) for name in file.namelist()}
        if on_server:
            found = [line.split("\t")[0] for line in content["tables/ballot"].decode().splitlines()]
            assert found == ids
        else:
            # SQLite fills a page from its end: laid down in the order of their ids they lie the other way round.
            pages = next(value for name, value in content.items() if name.endswith(".sqlite3"))
            places = [pages.find(id_.encode()) for id_ in ids]
            assert min(places) > 0 and places == sorted(places, reverse=True)
    finally:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(text("DROP TABLE alembic_version"))


def test_t25_few_ballots_of_a_vote_that_hides_them_are_counted_shown_and_kept_nowhere(
    app, in_house, june, people, vote, papers, browser, organiser
):
    with in_house():
        db.session.get(Vote, vote.id).hides_few = True
    cast_all(app, people[:4], vote, papers[:4])
    voter = Browser(app).enter(people[0])
    voter.open("voting.show_thanks", vote_id=vote.id)
    assert "mindestens fünf Stimmzettel" in voter.text
    browser.sign_in(organiser).open("voting.show_vote", slug="june-2023", vote_id=vote.id)
    assert "werden die Stimmzettel gelöscht" in browser.text
    browser.submit("voting.close_vote", slug="june-2023", vote_id=vote.id)
    assert "sieht niemand die Punkte" in browser.text and "steht fest" not in browser.text
    Browser(app).enter(people[0]).open("voting.cast_ballot", vote_id=vote.id)
    with in_house():
        closed = db.session.get(Vote, vote.id)
        assert (closed.result["voted"], closed.result["rows"]) == (4, [])
        assert db.session.query(Ballot).count() == 0


def test_t25_five_ballots_of_such_a_vote_are_a_result(
    app, in_house, people, vote, papers, browser, organiser
):
    with in_house():
        db.session.get(Vote, vote.id).hides_few = True
    cast_all(app, people, vote, papers)
    browser.sign_in(organiser).open("voting.show_vote", slug="june-2023", vote_id=vote.id)
    assert "werden die Stimmzettel gelöscht" not in browser.text
    with in_house():
        closed = operations.close_vote(db.session.get(Vote, vote.id), at=OPENED)
        assert sum(row["dots"] for row in closed.result["rows"]) == 10


def test_t25_only_who_may_vote_votes_also_after_rights_have_changed(app, in_house, june, vote, ballot):
    from conference.registrations import operations as registrations
    from conference.registrations.models import Presence

    with in_house():
        link = a_participant(june)
        registrations.record_attendance(june, link.contact_id, Presence.EXCUSED, at=NOW)
    guest = Browser(app).enter(link)
    guest.submit("voting.cast_ballot", ballot(Papier=1), status=409, vote_id=vote.id)
    with in_house():
        registrations.record_attendance(june, link.contact_id, Presence.PRESENT, at=NOW)
    guest.submit("voting.cast_ballot", ballot(Papier=1), vote_id=vote.id)

"""The page of the minutes counts what it says of the draft, instead of compiling it."""

from conference.ideas import operations as ideas
from conference.minutes import operations, queries

from ..builders import NOW, a_conference, an_account
from .conftest import a_day, write_frame


def compiled(conference):
    draft = queries.compile_draft(conference, at=NOW)
    return queries.DraftCounts(
        version=draft.version,
        present=len(draft.attendance.present),
        guests=len(draft.attendance.guests),
        ideas=draft.ideas,
        decisions=len(draft.decisions),
        actions=len(draft.actions),
    )


def test_the_counts_are_those_of_the_compiled_draft(house):
    day = a_day()
    ideas.hide(day.parked, at=NOW)
    assert queries.draft_counts(day.june) == compiled(day.june)
    assert queries.draft_counts(day.june).present == queries.draft_counts(day.june).guests == 1


def test_of_a_conference_without_anything_the_counts_are_those_of_its_draft_too(house):
    empty = a_conference(an_account())
    assert queries.draft_counts(empty) == compiled(empty) == queries.DraftCounts(1, 0, 0, 0, 0, 0)


def test_after_a_release_both_speak_of_the_next_version(house):
    account = an_account()
    day = a_day(account)
    write_frame(day.june)
    draft = queries.compile_draft(day.june, at=NOW)
    document = operations.as_released(draft, number=1, released_by=account.name, at=NOW)
    operations.release(day.june, document, b"%PDF-", account, at=NOW)
    assert queries.draft_counts(day.june).version == compiled(day.june).version == 2

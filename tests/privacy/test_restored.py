"""An old backup brings nobody back who was erased since: not in rows, not in letters, not in what others wrote (T38, REQ-21)."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from conference.kit import unit
from conference.kit.db import db
from conference.providers.models import Contact
from conference.record import operations as record
from conference.registrations import operations as registrations
from conference.registrations import queries
from conference.registrations.models import Registration
from conference.upkeep import backups, restoring

from ..builders import NOW, a_conference, a_participant, an_account, an_answer
from ..upkeep.test_backups import folder, here  # noqa: F401 - fixtures
from .test_privacy import FRIEDA, everywhere, granted, invitation_of, settings, traces  # noqa: F401 - fixtures


@pytest.fixture
def backup(here, in_house, folder):  # noqa: F811
    """A backup in which somebody stands wherever a person can stand; gives it with the conference's and the person's id."""
    with in_house():
        account = an_account()
        conference = a_conference(account)
        link = a_participant(conference, **FRIEDA)
        a_participant(conference)
        everywhere(conference, link, account)
        registrations.accept(
            invitation_of(conference, link.contact), an_answer(name="Frieda Wunderlich"), at=NOW
        )
        ids = conference, link.contact_id, account
    made = backups.make(here, folder, at=NOW)[0].path
    db.session.remove()
    return made, ids


@pytest.mark.parametrize("is_over", [True, False], ids=["after the conference", "before it"])
def test_t38_an_erased_person_does_not_come_back_with_an_old_backup(here, in_house, backup, is_over):  # noqa: F811
    path, (conference, contact_id, account) = backup
    at = conference.ends_at + timedelta(days=1) if is_over else NOW
    with in_house():
        granted(
            db.session.merge(conference), db.session.get(Contact, contact_id), db.session.merge(account), at
        )
    db.session.remove()
    report = restoring.restore(here, path, at=at)
    assert report.erased >= 2
    forget_what_was_there(here)
    assert traces(here) == []
    with here.app_context(), unit.reading():
        assert record.verify(here).broken is None, "the chain is whole"
        others = db.session.scalars(select(Contact.last_name).where(Contact.id != contact_id)).all()
        assert all(name.startswith("Muster") for name in others)
        left = db.session.scalars(select(Registration.name)).all()
        assert [name[:2] for name in left] == (["P-"] if is_over else [])
        assert queries.seat_counts(db.session.merge(conference)).confirmed == len(left)
    restoring.restore(here, path, at=at)
    forget_what_was_there(here)
    assert traces(here) == []


def forget_what_was_there(app):
    """As the guide says: the file beside it holds personal data."""
    for kept in Path(app.instance_path).glob("*-before-restore-*"):
        kept.unlink()

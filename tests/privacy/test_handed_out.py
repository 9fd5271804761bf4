"""Who fetches a file with people's data stands in the log, by numbers only; the database is not written to (REQ-24)."""

import pytest
from sqlalchemy import func, select

from conference.accounts.models import Role
from conference.kit import unit
from conference.kit.audit import AuditEntry
from conference.kit.db import db

from ..builders import a_conference, a_participant, an_account, an_invitation

FILES = {
    "registrations.csv": "registrations",
    "attendance/signature-list.pdf": "signature-list",
    "badges.pdf": "badges",
    "guests/{guest}/data": "all-data",
}


@pytest.mark.parametrize("path", FILES)
def test_req24_who_fetches_a_file_with_peoples_data_stands_in_the_log(app, in_house, browser, told, path):
    with in_house():
        account = an_account(Role.ADMIN)
        conference = a_conference(account)
        guest = an_invitation(conference, contact=a_participant(conference).contact)
        number, contact = guest.id, guest.contact_id
        expected = {
            "event": "handed-out",
            "what": FILES[path],
            "conference": conference.id,
            "account": account.id,
        }
    address = f"/conferences/{conference.slug}/{path.format(guest=number)}"
    browser.sign_in(account)
    lines = count(app)
    if path.endswith("/data"):
        answer = browser.client.post(address, data={"csrf_token": browser.csrf_token()})
        expected["contact"] = contact
    else:
        answer = browser.client.get(address)
    assert answer.status_code == 200
    assert [one for one in told() if one.get("event") == "handed-out"] == [expected]
    assert count(app) == lines


def count(app):
    with app.app_context(), unit.reading():
        return db.session.scalar(select(func.count(AuditEntry.number)))

"""Letters to everybody responsible: their personal link after the conference, later reminders."""

import secrets
from collections import defaultdict
from datetime import date, datetime

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from ..conferences.models import Conference
from ..conferences.operations import letter
from ..core.actions import reminder_kind
from ..invitations.models import LinkPurpose
from ..invitations.operations import link_url, personal_link
from ..kit import outage
from ..kit.dates import local
from ..kit.db import db, one_locked
from ..outbox.operations import queue
from ..providers.models import Contact
from . import queries
from .models import ASSIGNED, ENDED, Action, ActionReminder

Due = list[tuple[Action, str]]


def notify_responsible(conference: Conference, *, at: datetime) -> int:
    """Write to everybody responsible with their personal link, about the actions that they have not been written to about.

    A mailing: it waits a while before it leaves and can be stopped. Returns the number of letters.
    """
    one_locked(select(Conference).where(Conference.id == conference.id))
    actions = [
        action
        for action in queries.actions_of(conference)
        if action.status not in ENDED and action.responsible.may_be_written_to
    ]
    told = {(action_id, kind) for action_id, kind, _due_on in queries.sent_reminders(actions)}
    people: dict[int, Due] = defaultdict(list)
    for action in actions:
        kind = f"{ASSIGNED}-{action.responsible_id}"
        if (action.id, kind) not in told:
            people[action.responsible_id].append((action, kind))
    batch = f"actions-{conference.slug}-{secrets.token_hex(4)}"
    for contact_id, new in people.items():
        purpose = f"actions:{contact_id}:" + ",".join(str(action.id) for action, _kind in new)
        _write("actions_assigned", purpose, new, at, batch)
    return len(people)


def remind(*, now: datetime) -> int:
    """Send what reminders are due: 7 days before, on the day, each week while overdue; once per action, kind and date.

    One letter a day per person holds all actions of that person (handbook outcomes O24). Safe to run twice, in parallel
    and after missed days. Returns the number of letters.
    """
    return sum(remind_person(contact_id, now=now) for contact_id in people_to_remind(now=now))


def people_to_remind(*, now: datetime) -> list[int]:
    """Whose reminders are due. Where one row of all cannot be read, everybody who has something to do."""
    try:
        return sorted({action.responsible_id for action, _kind in due_reminders(now=now)})
    except Exception as error:
        if outage.judged(error) is not None:
            raise
        current_app.logger.exception("a reminder cannot be read")
        return queries.responsible_ids()


def remind_person(contact_id: int, *, now: datetime) -> int:
    """Remind one person of what is due; returns the number of letters."""
    # A run beside this one waits at the lock and then finds nothing left to say.
    one_locked(select(Contact).where(Contact.id == contact_id))
    due = due_reminders(now=now, contact_id=contact_id)
    if due:
        _write("actions_due", f"action-reminder:{contact_id}:{_today(due[0][0], now)}", due, now)
    return int(bool(due))


def due_reminders(*, now: datetime, contact_id: int | None = None) -> Due:
    """The reminders that are due and have not gone out: (action, kind). Who was reminded today is left alone until tomorrow."""
    actions = [
        action for action in queries.unfinished_actions(contact_id) if action.responsible.may_be_written_to
    ]
    sent = queries.sent_reminders(actions)
    last = queries.last_reminders()
    due = []
    for action in actions:
        today = _today(action, now)
        kind = reminder_kind(action.due_on, today, made_on=_today(action, action.created_at))
        before = last.get(action.responsible_id)
        if before is not None and _today(action, before) == today:
            continue
        if kind is not None and (action.id, kind, action.due_on) not in sent:
            due.append((action, kind))
    return due


def _today(action: Action, moment: datetime) -> date:
    return local(moment, action.conference.zone).date()


def _write(template: str, purpose: str, due: Due, at: datetime, batch: str | None = None) -> None:
    """Queue one letter about the actions and note that it was written."""
    actions = [action for action, _kind in due]
    contact = actions[0].responsible
    conferences = list({action.conference_id: action.conference for action in actions}.values())
    conference = conferences[0]
    urls = [link_url(personal_link(one, contact, LinkPurpose.ACTION, at=at)) for one in conferences]
    others = [(one.title, url) for one, url in zip(conferences, urls, strict=True)][1:]
    today = _today(actions[0], at)
    new = letter(
        conference,
        template,
        (contact.name, str(contact.email)),
        purpose=purpose,
        context={"contact": contact, "actions": actions, "others": others, "today": today},
        button=(_l("Report on my actions"), urls[0]),
        batch=batch,
    )
    queue(new, at=at)
    for action, kind in due:
        db.session.add(ActionReminder(action_id=action.id, kind=kind, due_on=action.due_on, sent_at=at))
    db.session.flush()  # the next look at what is due must see it

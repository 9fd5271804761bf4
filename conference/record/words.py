"""What tables, columns and values are called on the screen."""

from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Boolean, Date, Enum

from ..kit.dates import show_date, show_datetime, show_duration, show_last_day
from ..kit.db import Moment, Seconds, db

VERBS = {"created": _l("added"), "changed": _l("changed"), "deleted": _l("removed")}

KINDS = {
    "account": _l("Account"),
    "role_grant": _l("Role"),
    "facilitation": _l("Group of a facilitator"),
    "hold": _l("Letters held"),
    "dead_address": _l("Address without a mailbox"),
    "passkey": _l("Passkey"),
    "sign_in_identity": _l("Link with the sign-in service"),
    "provider": _l("Provider"),
    "contact": _l("Person"),
    "former_details": _l("Earlier name or address"),
    "series": _l("Series"),
    "conference": _l("Conference"),
    "room": _l("Room"),
    "topic": _l("Topic"),
    "invitation": _l("Invitation"),
    "letter": _l("Letter"),
    "personal_link": _l("Personal link"),
    "list_import": _l("Import of a list"),
    "registration": _l("Registration"),
    "seat_rules": _l("How seats are given"),
    "provider_limit": _l("Limit for one organisation"),
    "seat_offer": _l("Offer of a seat"),
    "consent": _l("Consent"),
    "attendance": _l("Attendance"),
    "agenda_item": _l("Agenda item"),
    "note": _l("Notes"),
    "round": _l("Round"),
    "breakout_group": _l("Group"),
    "seat": _l("Seat in a group"),
    "groups_release": _l("Published groups"),
    "groups_setting": _l("Method of the groups"),
    "groups_rule": _l("Rule for the groups"),
    "rule_person": _l("Person in a rule"),
    "round_timer": _l("Time of a round"),
    "concern": _l("Concern"),
    "capture_point": _l("Capture point"),
    "collection": _l("Collection of ideas"),
    "cluster": _l("Cluster"),
    "idea": _l("Idea"),
    "group_sheet": _l("Results sheet"),
    "sheet_state": _l("Results sheet"),
    "inbound_mail": _l("Answer by e-mail"),
    "sheet_closure": _l("Results sheets closed"),
    "vote": _l("Vote"),
    "vote_option": _l("Option of a vote"),
    "decision": _l("Decision"),
    "action": _l("Action"),
    "report": _l("Report on an action"),
    "minutes": _l("Minutes"),
    "release": _l("Release of the minutes"),
    "privacy_request": _l("Request about data"),
    "retention_period": _l("Retention period"),
    "archive_step": _l("Offer to the archive"),
    "statement": _l("Statement of the house"),
    "feedback": _l("Report of a barrier"),
}

COLUMNS = {
    "title": _l("Title"), "name": _l("Name"), "first_name": _l("First name"), "last_name": _l("Last name"),
    "email": _l("E-mail address"), "function": _l("Function"), "side": _l("Side"), "team": _l("Team"),
    "salutation": _l("Salutation"), "provider_id": _l("Organisation"), "role": _l("Role"), "active": _l("active"),
    "password_hash": _l("Password"), "session_key": _l("Sessions"), "focus_question": _l("Focus question"),
    "venue": _l("Venue"), "address": _l("Address"), "starts_at": _l("Beginning"), "ends_at": _l("End"),
    "answer_by": _l("Answer by"), "seats": _l("Seats"), "organiser_name": _l("Contact person"),
    "organiser_email": _l("E-mail address of the contact person"), "organiser_phone": _l("Telephone of the contact person"),
    "description": _l("Description"), "duration": _l("Duration"), "room_id": _l("Room"), "person": _l("Person"),
    "internal": _l("internal"), "kind": _l("Kind"), "text": _l("Text"), "wording": _l("Wording"), "manner": _l("How decided"),
    "responsible_id": _l("Responsible"), "supporters": _l("Together with"), "due_on": _l("Due"), "status": _l("Status"),
    "reply": _l("Reply"), "replied_at": _l("Replied"), "decline_reason": _l("Reason"), "sent_at": _l("Sent"),
    "reminded_at": _l("Reminded"), "wave": _l("Letters so far"), "standing": _l("Standing"), "diet": _l("Food"),
    "access_needs": _l("Needs"), "queue_number": _l("Place in line"), "registered_at": _l("Registered"),
    "withdrawn_at": _l("Withdrawn"), "given_at": _l("Given"), "presence": _l("Attendance"), "arrived_at": _l("Arrived"),
    "left_at": _l("Left"), "contact_id": _l("Person"), "group_id": _l("Group"), "topic_id": _l("Topic"), "pinned": _l("pinned"),
    "number": _l("Number"), "heading": _l("Heading"), "cluster_id": _l("Cluster"), "hidden_at": _l("Hidden"),
    "edited_at": _l("Corrected"), "table": _l("Table"), "subject": _l("Subject"), "body": _l("Text"), "capacity": _l("Capacity"),
    "revoked_at": _l("Blocked"), "expires_at": _l("Valid until"), "opened_at": _l("Opened"), "closed_at": _l("Closed"),
    "decided_at": _l("Decided"), "idea_id": _l("Idea"), "agenda_item_id": _l("Agenda item"), "decision_id": _l("Decision"),
    "summary": _l("Summary"), "chair": _l("Chair"), "moderator": _l("Facilitation"), "minute_taker": _l("Minute taker"),
    "released_at": _l("Released"), "state": _l("State"), "method": _l("Method"),
    "restricted_at": _l("Restricted"), "outcome": _l("Decision"), "days": _l("Days"),
}  # fmt: skip

COLUMNS |= {
    "hides_few": _l("Show no result with fewer than five ballots"),
    "per_provider": _l("Seats of one organisation"),
    "offer_hours": _l("Hours to answer an offer"),
    "made_at": _l("Offered"),
    "ended_at": _l("Ended"),
    "with_names": _l("reads the names of participants"),
    "grant_id": _l("Role"),
    "totp_nonce": _l("Second factor"),
    "issuer": _l("Sign-in service"),
    "linked_at": _l("Since"),
    "closed_at": _l("Closed"),
    "reopened_at": _l("Reopened"),
    "forgotten_at": _l("Name and address deleted"),
    "since": _l("Since"),
    "released_by_id": _l("Released by"),
    "released_by": _l("Released by"),
    "round_id": _l("Round"),
    "round": _l("Round"),
    "words": _l("In their words"),
    "asked_at": _l("Asked"),
    "reason": _l("Reason"),
    "account_id": _l("Account"),
    "granted_by_id": _l("Given by"),
    "assigned_by_id": _l("Assigned by"),
    "concern_id": _l("Concern"),
    "started_at": _l("Beginning"),
    "paused_at": _l("Paused"),
    "tables": _l("Tables"),
    "aims": _l("Goals"),
    "spread": _l("Spread evenly"),
    "saved_at": _l("Saved"),
    "walk_in": _l("came without being on the list"),
    "recorded_at": _l("Recorded"),
    "vote_id": _l("Vote"),
    "position": _l("Position"),
    "postcode": _l("Postcode"),
    "city": _l("City"),
    "dots": _l("Dots"),
    "per_option": _l("Dots for one option"),
    "sentence": _l("Description"),
    "merged_into_id": _l("Merged into"),
    "proposed_at": _l("Proposed"),
    "registration_id": _l("Registration"),
    "text_version": _l("Version of the text"),
    "channel": _l("Way"),
    "withdrawn_by": _l("Way of withdrawing"),
    "notice_version": _l("Version of the notice"),
    "attribute": _l("Detail"),
    "value": _l("Value"),
    "added_at": _l("Added"),
    "filename": _l("File"),
    "slug": _l("Short name"),
    "host": _l("Host"),
    "purpose": _l("Purpose"),
    "nonce": _l("Secret"),
    "token_hash": _l("Check value of the secret"),
    "rule_id": _l("Rule for the groups"),
    "series_id": _l("Series"),
    "previous_id": _l("Conference before"),
    "zone": _l("Time zone"),
    "language": _l("Language"),
    "page": _l("Page"),
    "action_id": _l("Action"),
    "reported_at": _l("Reported"),
    "answered_at": _l("Answered"),
    "sha256": _l("Seal of the PDF"),
    "code": _l("Code"),
    "note": _l("Official note"),
    "noted_at": _l("Noted"),
    "conference": _l("Conference"),
    "consents": _l("Consents"),
    "created_at": _l("Created"),
    "group": _l("Group"),
    "handed_in": _l("Handed in"),
    "has_voted": _l("Has voted"),
    "line": _l("Line of the list"),
    "no_reminders_at": _l("No reminders since"),
    "open_points": _l("Open points"),
    "organisation": _l("Organisation"),
    "proposal": _l("Proposal"),
    "question": _l("Question"),
    "reports": _l("Reports"),
    "offers": _l("Offers of a seat"),
    "results": _l("Results"),
    "version": _l("Version"),
    "vote": _l("Vote"),
    "wishes": _l("Wishes"),
    "writer": _l("Written by"),
    "read_at": _l("Read"),
    "lines": _l("Passages"),
    "notice": _l("Notice"),
    "author": _l("Written by"),
}


def kind_of(table: str) -> str:
    """A table's name for people."""
    return str(KINDS.get(table, table))


def column_of(name: str, table: str = "") -> str:
    """A column's name for people; in some tables it means something of its own."""
    if (table, name) == ("vote", "subject"):
        return str(_("Vote on"))
    return str(COLUMNS.get(name, _("another detail")))


def value_of(table: str, name: str, value: Any, zone: str | None) -> str:
    """A recorded value for people."""
    if value is None or value == "":
        return "–"
    found = db.metadata.tables[table].columns.get(name) if table in db.metadata.tables else None
    kind = None if found is None else found.type
    if isinstance(kind, Enum) and kind.enum_class is not None:
        return _choice(kind.enum_class, value)
    if (table, name) == ("role_grant", "expires_at"):
        return show_last_day(datetime.fromisoformat(value), zone)
    if isinstance(kind, Moment | Date | Seconds):
        return _time(kind, value, zone)
    if isinstance(kind, Boolean):
        return _("yes") if value else _("no")
    return _("no. %(number)s", number=value) if name.endswith("_id") else str(value)


def _time(kind: Any, value: Any, zone: str | None) -> str:
    if isinstance(kind, Seconds):
        return show_duration(timedelta(seconds=int(value)))
    moment = datetime.fromisoformat(value)
    return show_datetime(moment, zone) if isinstance(kind, Moment) else show_date(moment.date())


def _choice(choices: Any, value: Any) -> str:
    try:
        return str(choices(value).label)
    except ValueError:  # a choice of an older version
        return str(value)

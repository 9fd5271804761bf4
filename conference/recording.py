"""What of each table goes into the record (`kit.audit`). A table that is in neither list makes a test red.

Of columns that are not named here, numbers, dates and choices are recorded as they are, and of texts only that they
changed: they may hold names, addresses or what somebody needs.
"""

from flask import Flask

from .kit import audit
from .kit.audit import Recorded


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _recorded(
    texts: str = "",
    *,
    secrets: str = "",
    left_out: str = "",
    parent: tuple[str, str] | None = None,
    anonymous: bool = False,
) -> Recorded:
    return Recorded(_words(texts), _words(secrets), _words(left_out), parent, anonymous)


TABLES = {
    "account": _recorded(secrets="password_hash totp_nonce", left_out="email_key totp_step last_sign_in_at"),
    "passkey": _recorded(
        left_out="credential_id handle public_key sign_count last_used_at", parent=("account_id", "account")
    ),
    "sign_in_identity": _recorded("issuer", left_out="subject", parent=("account_id", "account")),
    "role_grant": _recorded(),
    "facilitation": _recorded("table", parent=("grant_id", "role_grant")),
    "hold": _recorded(),
    "dead_address": _recorded(left_out="address_key"),
    "provider": _recorded("name postcode city", left_out="name_key"),
    "contact": _recorded(left_out="email_key"),
    "series": _recorded("title host slug"),
    "conference": _recorded(
        "title focus_question venue address slug zone language", left_out="calendar_sequence"
    ),
    "room": _recorded("name"),
    "topic": _recorded("title"),
    "invitation": _recorded(left_out="calendar_uid calendar_sequence entry_state first_message_id partstat"),
    "letter": _recorded("subject body"),
    "personal_link": _recorded(secrets="nonce token_hash"),
    "list_import": _recorded(left_out="content mapping"),
    "registration": _recorded(),
    "seat_rules": _recorded("reason"),
    "provider_limit": _recorded("reason"),
    "seat_offer": _recorded(left_out="reminded_at", parent=("registration_id", "registration")),
    "consent": _recorded(parent=("registration_id", "registration")),
    "attendance": _recorded(),
    "agenda_item": _recorded("title description", left_out="uid sequence"),
    "note": _recorded(parent=("agenda_item_id", "agenda_item")),
    "round": _recorded(),
    "breakout_group": _recorded("name focus_question", parent=("round_id", "round")),
    "seat": _recorded(parent=("round_id", "round")),
    "groups_release": _recorded(left_out="plan"),
    "groups_setting": _recorded(),
    "groups_rule": _recorded("table attribute value"),
    "rule_person": _recorded(parent=("rule_id", "groups_rule")),
    "round_timer": _recorded(left_out="last_step", parent=("round_id", "round")),
    "concern": _recorded("title"),
    "capture_point": _recorded("table", secrets="code"),
    "collection": _recorded(),
    "cluster": _recorded("heading"),
    "idea": _recorded("text", left_out="typed submission", anonymous=True),
    "group_sheet": _recorded("table"),
    "sheet_closure": _recorded(),
    "vote": _recorded("title", left_out="result"),
    "vote_option": _recorded("wording", parent=("vote_id", "vote")),
    "decision": _recorded("wording manner"),
    "action": _recorded("title description"),
    "report": _recorded("text", left_out="author", parent=("action_id", "action")),
    "minutes": _recorded("summary"),
    "release": _recorded("sha256", left_out="document text pdf"),
    "privacy_request": _recorded(),
    "retention_period": _recorded("name"),
    "archive_step": _recorded("note"),
    "statement": _recorded("page language"),
    "feedback": _recorded(),
}

NOT_RECORDED = {
    "staff_session": "a browser that is signed in; says itself since when",
    "recovery_code": "a secret; that there are new ones stands at the account",
    "spent_challenge": "a number that was answered; forgotten within minutes",
    "ended_visit": "a guest's browser that was signed out; whose it was says the link until it goes",
    "account_link": "a letter in the outbox says it",
    "audit_entry": "the record itself",
    "audit_text": "the record itself",
    "ballot": "secret: the order of rows in the record would be a path back to the person",
    "voter": "secret: it is known that somebody has voted, never when",
    "notice": "a copy of a letter's words, which are recorded themselves",
    "wish": "part of the registration, stored anew with each save",
    "mail": "the outbox is a record of its own, and the worker changes its rows all the time",
    "inbound_mail": "the inbox is a record of its own",
    "enclosure": "belongs to a letter",
    "former_details": "that they were changed stands at the contact",
    "access_link": "a letter in the outbox says it",
    "retention_run": "says itself when it was, and is never changed",
    "heartbeat": "a sign of life",
    "erasure": "frozen itself",
    "sent_form": "says that a form has been sent; what it did is recorded",
    "imported_row": "belongs to an import",
    "forming": "the worker's progress; what comes of it are seats",
    "seating_change": "what can be undone; what comes of it are seats",
    "cancelled_entry": "what calendars must be told",
    "sheet_state": "each save is a row that stays",
    "sheet_idea": "says which result has become which idea",
    "action_reminder": "says that a letter is in the outbox",
}


def init(app: Flask) -> None:
    """Begin to record."""
    audit.init(app, TABLES, NOT_RECORDED)

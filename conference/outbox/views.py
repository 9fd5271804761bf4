"""The outbox of a conference, letters as their recipients see them, and the demo's mailbox."""

from typing import Any

from flask import Response, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..core.calendar_reading import CalendarPart, read
from ..kit import access, clock, links, pages
from ..kit.db import found
from ..kit.errors import Missing
from ..kit.layout import belongs
from ..kit.mail import headers_as_read, html_fragment
from . import bp, operations, queries
from .models import Mail, MailState

belongs("outbox.show_outbox", "outbox.show_mail")

FILES = {"REQUEST": "einladung.ics", "CANCEL": "absage.ics"}


def _conference(slug: str) -> Any:
    # Conferences lie downstream; the room of invitations, which knows both, says how one is found.
    return current_app.extensions["outbox_conference"](access.account(), slug)


def _mail(slug: str, mail_id: int) -> Mail:
    _conference(slug)
    return found(queries.mail_about(slug, mail_id))


def _page() -> int:
    number = request.args.get("page", "1")
    return (
        min(int(number), 100_000)
        if number.isascii() and number.isdigit() and len(number) < 7 and int(number)
        else 1
    )


def _state() -> MailState | None:
    try:
        return MailState(request.args.get("state", ""))
    except ValueError:
        return None


@bp.get("/conferences/<slug>/outbox")
@access.organisers
def show_outbox(slug: str) -> ResponseReturnValue:
    """Every letter of a conference with its state; mailings under way with their progress."""
    conference = _conference(slug)
    state, page, counts = _state(), _page(), queries.counts_about(slug)
    shown = sum(counts.values()) if state is None else counts.get(state, 0)
    return pages.show(
        "outbox/show_outbox.html",
        conference=conference,
        mails=queries.mails_about(slug, state=state, page=page),
        batches=queries.batches_about(slug),
        counts=counts,
        state=state,
        page=page,
        pages=_pages(shown),
        total=shown,
        delivery=queries.delivery(),
    )


def _pages(number: int) -> int:
    return max(1, -(-number // queries.PAGE))


@bp.get("/conferences/<slug>/outbox/<int:mail_id>")
@access.organisers
def show_mail(slug: str, mail_id: int) -> ResponseReturnValue:
    """A letter as its recipient sees it, and what became of it."""
    conference, mail = _conference(slug), found(queries.mail_about(slug, mail_id))
    entry_url = url_for("outbox.download_entry", slug=slug, mail_id=mail_id)
    file_url = url_for("outbox.download_enclosure", slug=slug, mail_id=mail_id)
    return pages.show(
        "outbox/show_mail.html",
        conference=conference,
        **_as_seen(mail),
        entry_url=entry_url,
        file_url=file_url,
    )


def _as_seen(mail: Mail) -> dict[str, Any]:
    """What the page of a letter shows. Outside the demo the personal link stays hidden, and nothing there is a link."""
    is_open = bool(current_app.config["DEMO"])
    text = _revealed(mail.text) if is_open else links.conceal(mail.text)
    button = (mail.button_label, _revealed(mail.button_url or "")) if mail.button_label and is_open else None
    return {
        "mail": mail,
        "sender": operations.sender(),
        "text": text,
        "html": html_fragment(text, button=button, base_url=None if is_open else ""),
        "is_open": is_open,
        "headers": _headers(mail),
        "entry": _entry(mail),
        "entry_file": FILES.get(mail.calendar_method or "", FILES["REQUEST"]),
        "size": len(mail.enclosure.content) if mail.enclosure else 0,
        "can_retry": mail.state in (MailState.FAILED, MailState.DEFERRED, MailState.CANCELLED),
        "can_cancel": mail.state in (MailState.QUEUED, MailState.DEFERRED, MailState.FAILED),
    }


def _revealed(text: str) -> str:
    return links.reveal(links.led_here(text))


def _headers(mail: Mail) -> list[tuple[str, str]]:
    try:
        return headers_as_read(operations.letter_of(mail, at=mail.sent_at or mail.created_at))
    except ValueError:  # the page says why it was not sent
        return []


def _entry(mail: Mail) -> CalendarPart | None:
    if mail.calendar is None:
        return None
    try:
        return read(mail.calendar)
    except ValueError:
        return None


@bp.get("/conferences/<slug>/outbox/<int:mail_id>/entry.ics")
@access.organisers
def download_entry(slug: str, mail_id: int) -> ResponseReturnValue:
    """The calendar entry of a letter."""
    return _entry_file(_mail(slug, mail_id))


@bp.get("/conferences/<slug>/outbox/<int:mail_id>/enclosure")
@access.organisers
def download_enclosure(slug: str, mail_id: int) -> ResponseReturnValue:
    """The file that goes with a letter."""
    return _enclosed_file(_mail(slug, mail_id))


def _entry_file(mail: Mail) -> Response:
    if mail.calendar is None:
        raise Missing
    media_type = f"text/calendar; charset=utf-8; method={mail.calendar_method}"
    return pages.file(mail.calendar, media_type, FILES.get(mail.calendar_method or "", FILES["REQUEST"]))


def _enclosed_file(mail: Mail) -> Response:
    enclosure = found(mail.enclosure)
    return pages.file(enclosure.content, enclosure.media_type, enclosure.name)


@bp.post("/conferences/<slug>/outbox/<int:mail_id>/retry")
@access.organisers
def retry_mail(slug: str, mail_id: int) -> ResponseReturnValue:
    """Try a letter again, now."""
    operations.retry(_mail(slug, mail_id), at=clock.now())
    return pages.done("outbox.show_mail", _("The letter will be sent again."), slug=slug, mail_id=mail_id)


@bp.post("/conferences/<slug>/outbox/<int:mail_id>/cancellation")
@access.organisers
def cancel_mail(slug: str, mail_id: int) -> ResponseReturnValue:
    """Stop a letter that has not gone out."""
    operations.cancel(_mail(slug, mail_id), at=clock.now())
    return pages.done("outbox.show_mail", _("The letter has been stopped."), slug=slug, mail_id=mail_id)


# -- the demo's mailbox -----------------------------------------------


@bp.get("/outbox")
@access.demonstration
def show_mailbox() -> ResponseReturnValue:
    """All letters of the demo, newest first, so that everything can be tried without a mail server."""
    to, page = request.args.get("to", "")[:254], _page()
    total = queries.all_count(to=to)
    return pages.show(
        "outbox/show_mailbox.html",
        mails=queries.all_mails(to=to, page=page),
        to=to,
        page=page,
        pages=_pages(total),
        total=total,
    )


@bp.get("/outbox/<int:mail_id>")
@access.demonstration
def show_demo_mail(mail_id: int) -> ResponseReturnValue:
    """A letter of the demo, with links that work."""
    mail = found(queries.mail_by_id(mail_id))
    entry_url = url_for("outbox.download_demo_entry", mail_id=mail_id)
    file_url = url_for("outbox.download_demo_enclosure", mail_id=mail_id)
    return pages.show("outbox/show_demo_mail.html", **_as_seen(mail), entry_url=entry_url, file_url=file_url)


@bp.get("/outbox/<int:mail_id>/entry.ics")
@access.demonstration
def download_demo_entry(mail_id: int) -> ResponseReturnValue:
    """The calendar entry of a letter."""
    return _entry_file(found(queries.mail_by_id(mail_id)))


@bp.get("/outbox/<int:mail_id>/enclosure")
@access.demonstration
def download_demo_enclosure(mail_id: int) -> ResponseReturnValue:
    """The file that goes with a letter."""
    return _enclosed_file(found(queries.mail_by_id(mail_id)))

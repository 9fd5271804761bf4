"""What came into the mailbox, for administrators."""

from flask.typing import ResponseReturnValue

from ..kit import access, pages
from . import bp, operations, queries


@bp.get("/inbox")
@access.staff(access.ADMIN)
def show_inbox() -> ResponseReturnValue:
    """Which mails were read last, and what became of each."""
    return pages.show(
        "inbox/show_inbox.html", mails=queries.newest(), is_configured=operations.is_configured()
    )

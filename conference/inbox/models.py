"""What came, and what became of it. Of the mail itself nothing is kept: it stays in the mailbox."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ..kit.db import Choice, Model


class Outcome(Choice):
    """What became of a mail."""

    BOUNCED = "bounced", _l("a letter came back")
    ACCEPTED = "accepted", _l("accepted by calendar")
    DECLINED = "declined", _l("declined by calendar")
    TENTATIVE = "tentative", _l("“perhaps” by calendar: no answer yet")
    FOREIGN = "foreign", _l("an answer that does not fit an invitation")
    OUTDATED = "outdated", _l("an answer to an earlier version")
    REFUSED = "refused", _l("an answer that came too late")
    AUTOMATIC = "automatic", _l("automatic, for example out of office")
    WORDS = "words", _l("words of a person: please read them in the mailbox")
    UNREADABLE = "unreadable", _l("could not be read")


class InboundMail(Model):
    """A mail that was read once. `digest` is SHA-256 of its bytes (of its name where it is too large): it counts once."""

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    read_at: Mapped[datetime] = mapped_column(index=True)
    outcome: Mapped[Outcome]
    about: Mapped[str | None] = mapped_column(index=True)
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id", ondelete="SET NULL"))
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id", ondelete="SET NULL"))

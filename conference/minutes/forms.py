"""What minutes need beside the records."""

from flask_babel import lazy_gettext as _l

from ..kit.forms import Line, Paragraph, VersionedForm


class FrameForm(VersionedForm):
    """Who led, who wrote, and the day in a few sentences."""

    chair = Line(_l("Chair"), max_length=160)
    moderator = Line(_l("Facilitation by"), max_length=160)
    minute_taker = Line(_l("Minute taker"), max_length=160)
    summary = Paragraph(_l("The day in a few sentences"), max_length=4000)

"""What is asked of a series, a conference, a room, a topic."""

from typing import Any
from zoneinfo import available_timezones

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import ValidationError

from ..kit.forms import Clock, Day, EmailLine, Form, Line, Paragraph, Pick, VersionedForm, Whole
from .operations import ConferenceFields, time_problems

ZONES = ("Europe/Berlin", "Europe/Vienna", "Europe/Zurich", "Europe/Brussels", "Europe/Luxembourg", "UTC")


class SeriesForm(VersionedForm):
    """A series of conferences."""

    title = Line(_l("Title of the series"), required=True, max_length=120)
    host = Line(
        _l("Host"), required=True, max_length=160, description=_l("Who invites, for example the agency.")
    )


class ConferenceForm(VersionedForm):
    """The key facts of a conference."""

    title = Line(_l("Title"), required=True, max_length=160)
    focus_question = Paragraph(_l("Focus question"), required=True, max_length=500, render_kw={"rows": 3})
    day = Day(_l("Date"))
    begin = Clock(_l("Begins at"))
    end = Clock(_l("Ends at"))
    zone = Pick(_l("Time zone"))
    answer_by = Day(
        _l("Answer by"), description=_l("Until the end of this day people can answer by their link.")
    )
    venue = Line(_l("Venue"), required=True, max_length=160)
    address = Line(_l("Address"), max_length=200)
    seats = Whole(
        _l("Seats"),
        minimum=1,
        maximum=5000,
        description=_l(
            "Who comes after that goes on the waiting list. With more seats, who is next gets a letter by itself: with the "
            "seat, or with an offer where “Seats and limits” says so."
        ),
    )
    organiser_name = Line(_l("Contact person"), required=True, max_length=160)
    organiser_email = EmailLine(_l("E-mail address for questions"), required=True, max_length=254)
    organiser_phone = Line(_l("Telephone"), max_length=60)

    def offer_zones(self) -> None:
        """Common zones first; a stored other one stays possible."""
        stored = self.zone.data
        zones = list(ZONES) + (
            [stored] if stored and stored not in ZONES and stored in available_timezones() else []
        )
        self.zone.offer((zone, zone.replace("_", " ")) for zone in zones)

    def validate_seats(self, field: Whole) -> None:
        if field.data is not None and field.data < 1:
            raise ValidationError(_("There must be at least one seat."))

    def validate(self, extra_validators: Any = None) -> bool:
        """Each field by itself; then whether the times fit together."""
        good = super().validate(extra_validators)
        facts = [field.data for field in (self.day, self.begin, self.end, self.answer_by, self.zone)]
        if any(self[name].errors for name in ("day", "begin", "end", "answer_by", "zone")):
            return good
        problems = time_problems(*facts)
        for name, sentence in problems.items():
            self[name].errors = [*self[name].errors, sentence]
        return good and not problems

    def fields(self, slug: str = "") -> ConferenceFields:
        """What was entered, for the operation."""
        names = set(ConferenceFields.__dataclass_fields__) & set(self._fields) - {"slug"}
        return ConferenceFields(slug=slug, **{name: self[name].data for name in names})


class NewConferenceForm(ConferenceForm):
    """A new conference also chooses its short name."""

    slug = Line(
        _l("Short name for addresses"),
        max_length=60,
        description=_l("For example june-2023; made from the title if empty."),
    )


class RoomForm(Form):
    """A room at the venue."""

    name = Line(_l("Name of the room"), required=True, max_length=80)
    capacity = Whole(_l("Seats in the room"), minimum=1, maximum=5000)


class TopicForm(Form):
    """A topic for breakout groups."""

    title = Line(_l("Topic"), required=True, max_length=160)

"""What is asked of an agenda item, a note, a shift of times, a follow-up conference."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import ValidationError

from ..conferences.models import Conference, Room
from ..core.agenda import BadTime, placed
from ..core.slugs import slugify
from ..kit.dates import show_date
from ..kit.forms import Clock, Day, Form, Line, Paragraph, Pick, Tick, VersionedForm, Whole
from .models import ItemKind
from .operations import FollowUpFields, ItemFields, words_for

LONGEST_NOTE = 20_000


class ItemForm(VersionedForm):
    """An agenda item; call `place` before anything else."""

    kind = Pick(_l("Kind"))
    title = Line(_l("Title"), required=True, max_length=160)
    clock = Clock(_l("Begins at"))
    duration = Whole(_l("Duration"), minimum=1, maximum=720)
    room = Pick(_l("Room"), blank=_l("no room"))
    person = Line(
        _l("Led by"), max_length=160, description=_l("Who speaks or leads; several names with commas.")
    )
    description = Paragraph(_l("What it is about"), max_length=2000)
    internal = Tick(_l("Only for the team: not in the public programme, calendar and minutes"))
    follow = Tick(_l("Move everything after it by as much as its end moves"))

    def place(self, conference: Conference, rooms: Iterable[Room]) -> None:
        """Say where the item belongs and which rooms there are."""
        self.day, self.zone_name = conference.day, conference.zone
        self.kind.offer(ItemKind.choices())
        self.room.offer(
            (room.id, _("%(name)s (%(num)d seats)", name=room.name, num=room.capacity)) for room in rooms
        )

    def validate(self, extra_validators: Any = None) -> bool:
        """The fields, and then whether the time exists and ends by midnight."""
        good = super().validate(extra_validators)
        if self.clock.errors or self.duration.errors or self.clock.data is None:
            return good
        try:
            placed(self.day, self.clock.data, timedelta(minutes=self.duration.data), self.zone_name)
        except BadTime as error:
            field = self.duration if error.code == "midnight" else self.clock
            field.errors = [*field.errors, words_for(error)]
            return False
        return good

    def fields(self) -> ItemFields:
        """What was entered, for the operation."""
        return ItemFields(
            kind=ItemKind(self.kind.data),
            title=self.title.data,
            description=self.description.data or "",
            day=self.day,
            clock=self.clock.data,
            duration=timedelta(minutes=self.duration.data),
            room_id=int(self.room.data) if self.room.data else None,
            person=self.person.data or "",
            internal=self.internal.data,
        )


class NoteForm(VersionedForm):
    """The note on an item; `version` is the number of the state that the writer saw."""

    text = Paragraph(_l("Note"), max_length=LONGEST_NOTE)


class MoveForm(VersionedForm):
    """A button that lets an item change places with its neighbour."""

    direction = Pick(_l("Direction"))

    def offer_directions(self) -> None:
        """The two that there are."""
        self.direction.offer([("up", _("Up")), ("down", _("Down"))])


class DelayForm(VersionedForm):
    """By how many minutes an item, or everything from an item on, moves."""

    minutes = Whole(
        _l("Minutes later"),
        minimum=-720,
        maximum=720,
        description=_l("With a minus sign before it: earlier, for example -10."),
    )

    @property
    def by(self) -> timedelta:
        """The time to move by; negative for earlier."""
        return timedelta(minutes=self.minutes.data)


class FollowUpForm(Form):
    """The follow-up conference; call `after` before anything else."""

    title = Line(_l("Title"), required=True, max_length=160)
    slug = Line(
        _l("Short name for addresses"),
        max_length=60,
        description=_l("For example june-2023; made from the title if empty."),
    )
    day = Day(_l("Date"))
    answer_by = Day(_l("Answer by"), required=False)
    another = Tick(_l("Plan one more follow-up conference all the same"))

    def after(self, conference: Conference, days: Collection[date], slugs: Collection[str]) -> None:
        """Say which conference it follows, and which days and short names are taken."""
        self.last_day, self.days, self.slugs = conference.day, days, slugs

    def validate_day(self, field: Day) -> None:
        if field.data is None or field.errors:
            return
        if field.data <= self.last_day:
            raise ValidationError(
                _("The follow-up conference must be after this one (%(day)s).", day=show_date(self.last_day))
            )
        if field.data in self.days:
            raise ValidationError(
                _("There is already a conference of this series on %(day)s.", day=show_date(field.data))
            )

    def validate_slug(self, field: Line) -> None:
        if field.data and slugify(field.data) in self.slugs:
            raise ValidationError(_("The short name “%(slug)s” is already taken.", slug=slugify(field.data)))

    def validate_answer_by(self, field: Day) -> None:
        if field.data is not None and self.day.data is not None and field.data > self.day.data:
            raise ValidationError(_("The answer-by date must not be after the conference."))

    def fields(self) -> FollowUpFields:
        """What was entered, for the operation."""
        return FollowUpFields(
            title=self.title.data,
            slug=self.slug.data or "",
            day=self.day.data,
            answer_by=self.answer_by.data,
            another=self.another.data,
        )

"""What guests, organisers and the people at the door are asked."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import ValidationError

from ..conferences.models import Topic
from ..kit.forms import EmailLine, Form, Line, Paragraph, Pick, Tick, VersionedForm, Whole
from .models import ConsentKind
from .operations import Answer
from .seats import LONGEST_OFFER, Rules


class _Consents:
    """What a person agrees to; the view gives the words, which name the host."""

    photo = Tick("")
    name_list = Tick("")
    future = Tick("")

    @property
    def ticked(self) -> frozenset[ConsentKind]:
        """The consents that were ticked."""
        fields = {
            ConsentKind.PHOTO: self.photo,
            ConsentKind.LIST: self.name_list,
            ConsentKind.FUTURE: self.future,
        }
        return frozenset(kind for kind, field in fields.items() if field.data)


class _Details(_Consents):
    """Fields of a yes, shared by answering and changing."""

    name = Line(_l("Your name"), required=True, max_length=160, render_kw={"autocomplete": "name"})
    diet = Line(
        _l("Food"),
        max_length=300,
        description=_l("For example vegetarian, halal, nut allergy. Only the organising team sees it."),
    )
    access_needs = Paragraph(
        _l("What do you need to take part well?"),
        max_length=500,
        description=_l("For example step-free access, a seat near the screen, sign language."),
        render_kw={"rows": 3},
    )
    first_wish = Pick(_l("First choice"), blank=_l("No wish"))
    second_wish = Pick(_l("Second choice"), blank=_l("No wish"))
    third_wish = Pick(_l("Third choice"), blank=_l("No wish"))

    @property
    def wish_fields(self) -> tuple[Pick, Pick, Pick]:
        return self.first_wish, self.second_wish, self.third_wish

    def offer_topics(self, topics: list[Topic]) -> None:
        """The topics of the conference as wishes."""
        for field in self.wish_fields:
            field.offer((topic.id, topic.title) for topic in topics)

    def answer(self) -> Answer:
        """What was entered, for the operation."""
        return Answer(
            name=str(self.name.data),
            diet=str(self.diet.data or ""),
            access_needs=str(self.access_needs.data or ""),
            consents=self.ticked,
            wishes=tuple(int(field.data) for field in self.wish_fields if field.data),
        )


class AnswerForm(_Details, Form):
    """Yes, with details."""


class DeclineForm(Form):
    """No, with a reason if one likes."""

    reason = Line(_l("Reason"), max_length=300)


class RegistrationForm(_Details, VersionedForm):
    """Change of a registration."""


class ConsentsForm(_Consents, VersionedForm):
    """The consents alone: all that can be changed once the conference has begun."""


class WalkInForm(Form):
    """Somebody who came without being on the list."""

    first_name = Line(_l("First name"), max_length=80)
    last_name = Line(_l("Last name"), required=True, max_length=80)
    organisation = Line(_l("Organisation"), required=True, max_length=160)
    email = EmailLine(_l("E-mail address"), max_length=254)


class SeatRulesForm(VersionedForm):
    """How the seats of a conference are given."""

    per_provider = Whole(
        _l("Seats of one organisation"),
        minimum=1,
        maximum=5000,
        required=False,
        description=_l(
            "At most so many people of one organisation get a seat; who comes after that waits until one of them "
            "withdraws. Empty: no limit. It does not hold for the agency itself."
        ),
    )
    way = Pick(_l("When a seat becomes free"))
    offer_hours = Whole(
        _l("Hours to answer an offer"),
        minimum=1,
        maximum=LONGEST_OFFER,
        required=False,
        description=_l("Only counts for offers, and at most until the conference begins."),
    )
    reason = Line(
        _l("Reason for a lower limit"),
        max_length=300,
        description=_l("Only needed where an organisation has more seats already. It is kept in the record."),
    )

    def offer_ways(self) -> None:
        """At once, or with an offer."""
        # Short: a list to choose from cuts long words off on a phone.
        self.way.offer([("at_once", _("Give it at once")), ("offer", _("Offer it with a deadline"))])

    def validate_offer_hours(self, field: Whole) -> None:
        if self.way.data == "offer" and field.data is None and not field.errors:
            raise ValidationError(_("Please give a number."))

    def rules(self) -> Rules:
        """What was entered, for the operation."""
        hours = self.offer_hours.data if self.way.data == "offer" else None
        return Rules(self.per_provider.data, hours, self.reason.data or "")


class LimitForm(VersionedForm):
    """Another limit for one organisation."""

    kind = Pick(_l("For this organisation"))
    seats = Whole(_l("Seats"), minimum=0, maximum=5000, required=False)
    reason = Line(
        _l("Reason"),
        required=True,
        max_length=300,
        description=_l("For example: hosts the conference. It is kept in the record."),
    )

    def offer_kinds(self) -> None:
        """A number of its own, or no limit."""
        self.kind.offer([("own", _("A limit of its own")), ("none", _("No limit"))])

    def validate_seats(self, field: Whole) -> None:
        if self.kind.data == "own" and field.data is None and not field.errors:
            raise ValidationError(_("Please give a number."))

    @property
    def limit(self) -> int | None:
        """The number of seats; None for no limit."""
        return self.seats.data if self.kind.data == "own" else None

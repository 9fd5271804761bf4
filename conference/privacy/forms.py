"""What people and staff are asked about data."""

import re
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField
from wtforms.validators import ValidationError

from ..kit.forms import EmailLine, Form, Line, Paragraph, VersionedForm, Whole
from .models import ASKED, ArchiveState, Outcome


class OneOf(RadioField):
    """One of a few answers; none is chosen beforehand."""

    def pre_validate(self, form: Any) -> None:
        if not self.data:
            raise ValidationError(_("Please choose one."))
        if self.data not in {value for value, _label in self.choices}:
            raise ValidationError(_("Please choose one of the offered answers."))


class RequestForm(Form):
    """Ask for erasure or restriction, or object."""

    kind = OneOf(
        _l("What do you ask for?"),
        choices=[(kind.value, kind.label) for kind in ASKED],
    )
    words = Paragraph(
        _l("What should we know about it?"),
        max_length=1000,
        description=_l("You need not give a reason for an erasure."),
        render_kw={"rows": 3},
    )


class NameForm(VersionedForm):
    """Rectification: what people can put right themselves, at any time."""

    title = Line(_l("Title"), max_length=40)
    first_name = Line(_l("First name"), max_length=80)
    last_name = Line(_l("Last name"), required=True, max_length=80)
    function = Line(_l("Function"), max_length=120)


class DecisionForm(Form):
    """Grant or refuse, and why."""

    outcome = OneOf(
        _l("Decision"), choices=[(one.value, one.label) for one in (Outcome.GRANTED, Outcome.REFUSED)]
    )
    reason = Paragraph(
        _l("Reason"),
        required=True,
        max_length=2000,
        description=_l("The person gets these words by e-mail."),
        render_kw={"rows": 4},
    )


class PeriodsForm(Form):
    """Days by class of data; the fields are made for the classes."""


def periods_form(classes: dict[str, object]) -> type[PeriodsForm]:
    """A form with a whole number of days for each class, by name and label."""
    fields = {name: Whole(label, minimum=0, maximum=36500) for name, label in classes.items()}
    return type("PeriodsForm", (PeriodsForm,), fields)


BRACED = re.compile(r"\{[^{}\n]{0,40}\}")


class StatementForm(VersionedForm):
    """The operator's own words."""

    text = Paragraph(
        _l("Text"),
        max_length=20_000,
        description=_l(
            "Blank lines make paragraphs, ## begins a heading, **two stars** make bold, a dash begins a list. {periods} becomes "
            "the list of the periods that hold, as a paragraph of its own, also in the middle of a sentence. Empty brings our "
            "text back."
        ),
        render_kw={"rows": 20},
    )  # fmt: skip

    def validate_text(self, field: Any) -> None:
        for number, line in enumerate((field.data or "").split("\n"), start=1):
            for braced in BRACED.findall(line):
                if braced != "{periods}":
                    raise ValidationError(
                        _(
                            "Line %(number)d: %(braced)s stands for nothing here. Only {periods} is filled in.",
                            number=number,
                            braced=braced,
                        )
                    )


class ArchiveForm(VersionedForm):
    """Where the offer to the archive stands; which steps can follow is passed in."""

    state = OneOf(_l("What has happened?"), choices=[(one.value, one.label) for one in ArchiveState])
    note = Paragraph(
        _l("Official note"),
        max_length=2000,
        description=_l("For example the reference of the archive’s answer. Please no names."),
        render_kw={"rows": 3},
    )


class FeedbackForm(Form):
    """Tell of a barrier."""

    page = Line(_l("On which page?"), max_length=300)
    text = Paragraph(_l("What did not work?"), required=True, max_length=4000, render_kw={"rows": 6})
    email = EmailLine(
        _l("Your e-mail address"), max_length=254, description=_l("Only if you would like an answer.")
    )

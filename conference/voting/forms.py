"""What moderators and voters are asked."""

from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import ValidationError

from ..kit.forms import Form, Line, Pick, Tick, Whole, shown_again
from .models import Vote, VoteOption, VoteSubject
from .operations import MOST_DOTS, ballot_problems

PREFIX = "option-"


class Dots(Whole):
    """A number of dots; what is no number comes back fit for a page."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.raw_data = [shown_again(value) for value in valuelist]
        super().process_formdata(valuelist)


class VoteForm(Form):
    """A planned vote."""

    title = Line(
        _l("Question"), required=True, max_length=160, description=_l("For example: What do we begin with?")
    )
    subject = Pick(_l("The dots are put on"))
    dots = Dots(_l("Dots per person"), minimum=1, maximum=MOST_DOTS)
    per_option = Dots(_l("At most on one option"), minimum=1, maximum=MOST_DOTS)
    hides_few = Tick(
        _l("Show no result with fewer than five ballots"),
        description=_l(
            "Few ballots can say who gave which dots. Such ballots are deleted unseen at the close."
        ),
    )

    def offer_subjects(self) -> None:
        """Clusters or ideas."""
        self.subject.offer(VoteSubject.choices())

    @property
    def chosen_subject(self) -> VoteSubject:
        return next(subject for subject in VoteSubject if subject.value == self.subject.data)

    def validate_per_option(self, field: Whole) -> None:
        if field.data is not None and self.dots.data is not None and field.data > self.dots.data:
            raise ValidationError(_("One option cannot get more dots than a person has."))


class BallotForm(Form):
    """One person's paper: a whole number per option, made by `ballot_form`."""

    vote: Vote
    options: list[VoteOption]

    def choices(self) -> dict[int, int]:
        """Dots by option id, only where dots were given."""
        given = {option.id: self[f"{PREFIX}{option.id}"].data for option in self.options}
        return {option_id: dots for option_id, dots in given.items() if dots}

    def validate(self, extra_validators: Any = None) -> bool:
        good = super().validate(extra_validators)
        offered = {f"{PREFIX}{option.id}" for option in self.options}
        if any(name.startswith(PREFIX) and name not in offered for name in request.form):
            self.form_errors.append(_("This ballot names something that is not on the paper."))
        elif good:
            self.form_errors.extend(ballot_problems(self.vote, self.choices(), self.options))
        return good and not self.form_errors


def ballot_form(vote: Vote, options: list[VoteOption]) -> BallotForm:
    """The paper of a vote with its options."""
    fields = {
        f"{PREFIX}{option.id}": Dots(
            option.wording, minimum=0, maximum=vote.per_option, required=False, default=0
        )
        for option in options
    }
    form: BallotForm = type("Paper", (BallotForm,), fields | {"vote": vote, "options": options})()
    return form

"""What a group hands in."""

import re
from uuid import UUID, uuid4

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import HiddenField, ValidationError

from ..core.idea_list import LONGEST
from ..core.sheets import MOST_RESULTS, Sheet, sheet_of
from ..kit.forms import Line, Paragraph, VersionedForm, Whole

HAND_IN = "hand_in"
A_RESULT = re.compile(r"result_(\d{1,6})")


class SheetForm(VersionedForm):
    """A group's results sheet. `client_id` is the submission, made with the page; `step` says which button was pressed."""

    question = Paragraph(_l("Question"), max_length=500)
    result_1 = Paragraph(_l("Result 1"), max_length=LONGEST)
    result_2 = Paragraph(_l("Result 2"), max_length=LONGEST)
    result_3 = Paragraph(_l("Result 3"), max_length=LONGEST)
    result_4 = Paragraph(_l("Result 4"), max_length=LONGEST)
    result_5 = Paragraph(_l("Result 5"), max_length=LONGEST)
    open_points = Paragraph(_l("Open points"), max_length=2000)
    proposal = Paragraph(_l("Proposal for action"), max_length=1000)
    writer = Line(_l("Your name"), max_length=160)
    client_id = HiddenField()

    @property
    def results(self) -> list[Paragraph]:
        """The fields of the results."""
        return [self[f"result_{number}"] for number in range(1, MOST_RESULTS + 1)]

    @property
    def content(self) -> Sheet:
        """What was typed, as a value."""
        return sheet_of(
            self.question.data or "",
            [field.data or "" for field in self.results],
            self.open_points.data or "",
            self.proposal.data or "",
        )

    @property
    def wants_to_hand_in(self) -> bool:
        """True when the button was the one that finishes the sheet."""
        return request.form.get("step") == HAND_IN

    def begin(self, content: Sheet, version: int) -> None:
        """Fill the page with what is stored."""
        self.question.data, self.open_points.data = content.question, content.open_points
        self.proposal.data, self.version.data = content.proposal, version
        for field, result in zip(self.results, content.results, strict=False):
            field.data = result
        self.client_id.data = str(uuid4())

    def validate(self, extra_validators: object = None) -> bool:
        """Also: something was written; a result, before it is handed in; never more than five."""
        good = super().validate(extra_validators)
        for problem in self._problems() if good else ():
            self.form_errors.append(problem)
            good = False
        return good

    def _problems(self) -> list[str]:
        numbers = [A_RESULT.fullmatch(name) for name, value in request.form.items() if value.strip()]
        if any(found and not 1 <= int(found[1]) <= MOST_RESULTS for found in numbers):
            return [
                ngettext(
                    "A sheet holds at most %(num)d result. Please choose the most important one.",
                    "A sheet holds at most %(num)d results. Please choose the most important ones.",
                    MOST_RESULTS,
                )
            ]
        if self.content.is_blank:
            return [_("Please write down at least one result.")]
        if self.wants_to_hand_in and not self.content.results:
            return [_("Please write down at least one result before you hand in the sheet.")]
        return []

    def validate_client_id(self, field: HiddenField) -> None:
        """A page always has one; without it a form sent twice would count twice."""
        try:
            field.data = str(UUID(field.data or ""))
        except ValueError as error:
            field.data = str(uuid4())
            raise ValidationError(_("Something was missing on the page. Please send once more.")) from error


class ReopenForm(VersionedForm):
    """Let the table write again. `version` is the state that was looked at."""


class TakeOverForm(VersionedForm):
    """Which result becomes an idea."""

    result = Whole(_l("Result"), minimum=1, maximum=MOST_RESULTS)

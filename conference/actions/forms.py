"""Decisions, actions and reports."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import ValidationError

from ..kit.forms import Day, Line, Paragraph, Pick, VersionedForm
from .models import ActionStatus
from .operations import ActionFields, Source


class _Sourced(VersionedForm):
    """Something that came from somewhere: the source is chosen as 'kind-id'."""

    source = Pick(_l("Where it came from"), blank=_l("Nothing in particular"))

    def chosen_source(self) -> Source:
        """The source, for the operation."""
        if not self.source.data:
            return Source()
        kind, _dash, number = self.source.data.partition("-")
        return Source(kind, int(number))


class DecisionForm(_Sourced):
    """A decision in its exact words."""

    wording = Paragraph(_l("Exact words of the decision"), required=True, max_length=2000)
    manner = Line(
        _l("How it was decided"),
        max_length=160,
        description=_l("For example: by consensus, or 30 yes, 1 no, 2 abstentions."),
    )


class ActionForm(_Sourced):
    """Who does what until when."""

    title = Line(
        _l("What is done"), required=True, max_length=200, description=_l("So that outsiders understand it.")
    )
    description = Paragraph(_l("More about it"), max_length=2000)
    responsible_id = Pick(_l("Responsible"), blank=_l("Please choose"))
    supporters = Line(_l("Together with"), max_length=300)
    due_on = Day(_l("Until"))

    def validate_responsible_id(self, field: Pick) -> None:
        if not field.data:
            raise ValidationError(_("Please choose who is responsible: exactly one person."))

    def fields(self) -> ActionFields:
        """What was entered, for the operation."""
        return ActionFields(
            title=str(self.title.data),
            description=str(self.description.data or ""),
            responsible_id=int(self.responsible_id.data),
            supporters=str(self.supporters.data or ""),
            due_on=self.due_on.data,
            source=self.chosen_source(),
        )


class ReportForm(VersionedForm):
    """How far an action is."""

    status = Pick(_l("How far is it?"))
    due_on = Day(_l("Until"), description=_l("A new date needs a reason."))
    text = Paragraph(_l("What has happened, what comes next?"), max_length=2000)

    def offer_statuses(self) -> None:
        """The five states."""
        self.status.offer(ActionStatus.choices())

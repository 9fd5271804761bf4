"""Forming, moving, and what a group works on."""

from flask_babel import lazy_gettext as _l
from wtforms.validators import DataRequired

from ..kit.forms import Form, Paragraph, Pick, Tick, VersionedForm, Whole

CHOOSE = _l("Please choose one.")


class FormingForm(Form):
    """How many tables."""

    tables = Whole(_l("Number of tables"), minimum=1, maximum=200)


class MoveForm(VersionedForm):
    """One person, one group (empty: no group). Which of them may be chosen is for the operations to say."""

    person = Whole(_l("Person"), minimum=1, maximum=999_999_999)
    group = Whole(_l("Move to"), minimum=1, maximum=999_999_999, required=False)
    other = Whole(_l("Change places with"), minimum=1, maximum=999_999_999, required=False)


class UndoForm(VersionedForm):
    """Takes back the change whose number stands in `version`, if it is still the last one."""


class ReleaseForm(VersionedForm):
    """Publish what is there, and tell whom it concerns. `version` is the number published when the page was shown."""

    tell = Tick(_l("Tell everybody whose table, room or time has changed"))


class RepairForm(Form):
    """Somebody who must sit elsewhere. Which tables are closed is asked beside it."""

    person = Pick(_l("Who must sit elsewhere"), blank=_l("nobody"))
    table = Pick(_l("In which group"), blank=_l("no group"))
    round = Pick(_l("In which round"), blank=_l("in all that come"))


class GroupForm(Form):
    """What a group works on, and where."""

    topic_id = Pick(_l("Topic"), blank=_l("none"))
    room_id = Pick(_l("Room"), blank=_l("none"))
    focus_question = Paragraph(_l("Focus question of this group"), max_length=500)


class AssignForm(Form):
    """Who facilitates which group, in one round or in every one."""

    grant = Pick(_l("Facilitator"), blank=_l("Please choose"), validators=[DataRequired(CHOOSE)])
    table = Pick(_l("Group"), blank=_l("Please choose"), validators=[DataRequired(CHOOSE)])
    round = Pick(_l("When"), blank=_l("in every round"))


class StartForm(VersionedForm):
    """Begin a round now. `version` is that of the time which the page showed; 0: by the agenda."""

    minutes = Whole(_l("Length in minutes"), minimum=1, maximum=480)


class StepForm(VersionedForm):
    """A step on the time of a round: more, pause, on, end."""

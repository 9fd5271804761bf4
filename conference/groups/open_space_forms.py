"""Proposing a concern, giving it a round and a room, choosing a group."""

from flask_babel import lazy_gettext as _l

from ..kit.forms import Form, Line, Paragraph, Pick, Whole


class ConcernForm(Form):
    """What somebody wants to work on."""

    title = Line(_l("Your concern in a few words"), required=True, max_length=120)
    sentence = Paragraph(_l("In one sentence: what should come out of it?"), max_length=300)


class PlaceForm(Form):
    """When and where a concern is worked on."""

    round = Pick(_l("Round"))
    room = Pick(_l("Room"), blank=_l("no room"))


class MergeForm(Form):
    """In which other concern it is worked on."""

    into = Pick(_l("Work on it together with"), blank=_l("for itself"))


class ChoiceForm(Form):
    """One group, or (empty) none."""

    group = Whole(_l("Group"), minimum=1, maximum=999_999_999)

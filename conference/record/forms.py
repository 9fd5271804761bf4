"""What of the record is asked for."""

from flask_babel import lazy_gettext as _l

from ..kit.forms import Day, Form, Pick


class FilterForm(Form):
    """By kind, conference, account and days; all may stay empty."""

    kind = Pick(_l("What"), blank=_l("Everything"))
    conference = Pick(_l("Conference"), blank=_l("All conferences"))
    account = Pick(_l("Who"), blank=_l("Everybody"))
    since = Day(_l("From"), required=False)
    until = Day(_l("To (day)"), required=False)

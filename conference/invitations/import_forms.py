"""Uploading a list, naming its columns."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired

from ..kit.forms import Form, Pick
from .import_words import FIELD_NAMES


class UploadForm(Form):
    """A file from Excel."""

    file = FileField(
        _l("Excel or CSV file"),
        validators=[FileRequired(_l("Please choose a file."))],
        description=_l(
            "Up to 5 MB and 10,000 rows. The first row names the columns. "
            "An upload that is not confirmed is forgotten after a week."
        ),
        render_kw={"accept": ".csv,.txt,.xlsx,.ods"},
    )


class MappingForm(Form):
    """Which column holds what."""

    organisation = Pick(FIELD_NAMES["organisation"], blank=_l("not in the list"))
    salutation = Pick(FIELD_NAMES["salutation"], blank=_l("not in the list"))
    title = Pick(FIELD_NAMES["title"], blank=_l("not in the list"))
    first_name = Pick(FIELD_NAMES["first_name"], blank=_l("not in the list"))
    last_name = Pick(FIELD_NAMES["last_name"], blank=_l("not in the list"))
    email = Pick(FIELD_NAMES["email"], blank=_l("not in the list"))
    function = Pick(FIELD_NAMES["function"], blank=_l("not in the list"))
    side = Pick(FIELD_NAMES["side"], blank=_l("not in the list"))
    team = Pick(FIELD_NAMES["team"], blank=_l("not in the list"))
    postcode = Pick(FIELD_NAMES["postcode"], blank=_l("not in the list"))
    city = Pick(FIELD_NAMES["city"], blank=_l("not in the list"))

    def offer_columns(self, header: tuple[str, ...]) -> None:
        """The columns of the file."""
        for name in FIELD_NAMES:
            self[name].offer((index, heading or f"#{index + 1}") for index, heading in enumerate(header))

    def mapping(self) -> dict[str, int]:
        """Field → column, for the operation."""
        return {name: int(self[name].data) for name in FIELD_NAMES if self[name].data}

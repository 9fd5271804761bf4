"""What people at the tables and moderators are asked."""

from collections.abc import Iterable
from uuid import UUID, uuid4

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import HiddenField, ValidationError

from ..core.idea_list import LONGEST, SHORTEST
from ..core.text import length_of
from ..groups.models import Round
from ..kit.forms import Form, Line, Paragraph, Pick, VersionedForm
from .models import Cluster


def _is_long_enough(_form: Form, field: Paragraph) -> None:
    if field.data and not field.errors and length_of(field.data) < SHORTEST:
        raise ValidationError(_("Please write at least %(shortest)d characters.", shortest=SHORTEST))


class CodeForm(Form):
    """The short code of a table or of the plenary."""

    code = Line(
        _l("Code"),
        required=True,
        max_length=20,
        description=_l("Six letters and numbers; they are beside the QR code."),
        render_kw={
            "autocomplete": "off",
            "autocapitalize": "characters",
            "spellcheck": "false",
            "inputmode": "text",
        },
    )


class IdeaForm(Form):
    """One idea. `client_id` is the submission: made by the server with the page, or by the script on the device."""

    round_id = Pick(_l("Round"))
    text = Paragraph(_l("Your idea"), required=True, max_length=LONGEST, validators=[_is_long_enough])
    client_id = HiddenField()

    def offer_rounds(self, rounds: Iterable[Round]) -> None:
        """The rounds to choose from; without any the question is not asked."""
        choices = [(round_.id, _("Round %(number)d", number=round_.number)) for round_ in rounds]
        if choices:
            self.round_id.offer(choices)
        else:
            del self.round_id

    @property
    def chosen_round_id(self) -> int | None:
        return int(self.round_id.data) if "round_id" in self else None

    def renew_client_id(self) -> None:
        """A fresh submission, so that what is sent next is a new idea."""
        self.client_id.data = str(uuid4())

    def validate_client_id(self, field: HiddenField) -> None:
        try:
            field.data = str(UUID(field.data or ""))
        except ValueError as error:
            self.renew_client_id()
            raise ValidationError(_("Something was missing on the page. Please send once more.")) from error


class EditForm(VersionedForm):
    """Correct the words of an idea."""

    text = Paragraph(_l("Idea"), required=True, max_length=LONGEST, validators=[_is_long_enough])


class HeadingForm(VersionedForm):
    """Another heading for a cluster."""

    heading = Line(_l("Heading"), required=True, max_length=120)


class MergeForm(Form):
    """Which cluster takes the ideas of this one."""

    into = Pick(_l("Into this cluster"), blank=_l("Please choose"))

    def offer_clusters(self, clusters: Iterable[Cluster]) -> None:
        """The other clusters."""
        self.into.offer((cluster.id, cluster.heading) for cluster in clusters)

    def validate_into(self, field: Pick) -> None:
        if not field.data and not field.errors:
            raise ValidationError(_("Please choose a cluster."))


class PlaceForm(VersionedForm):
    """Where one idea belongs."""

    cluster = Pick(_l("Cluster"), blank=_l("No cluster"))

    def offer_clusters(self, clusters: Iterable[Cluster]) -> None:
        """The clusters to choose from."""
        self.cluster.offer((cluster.id, cluster.heading) for cluster in clusters)


class GatherForm(Form):
    """Put the ticked ideas into a cluster, an existing one or a new one."""

    cluster = Pick(_l("Into this cluster"), blank=_l("Please choose"))
    heading = Line(_l("or into a new cluster with the heading"), max_length=120)

    def offer_clusters(self, clusters: Iterable[Cluster]) -> None:
        """The clusters to choose from."""
        self.cluster.offer((cluster.id, cluster.heading) for cluster in clusters)

    def validate_heading(self, field: Line) -> None:
        if not field.data and not self.cluster.data and not field.errors:
            raise ValidationError(_("Please choose a cluster or write a heading."))
        if field.data and self.cluster.data:
            raise ValidationError(_("Please either choose a cluster or write a heading, not both."))


class ImportForm(Form):
    """A file with ideas."""

    file = FileField(_l("File"), description=_l("CSV or XLSX with the columns Runde, Gruppe and Idee."))

    def validate_file(self, field: FileField) -> None:
        if not field.data:
            raise ValidationError(_("Please choose a file."))

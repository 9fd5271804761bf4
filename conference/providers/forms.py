"""Organisations and people."""

from flask_babel import lazy_gettext as _l

from ..kit.forms import EmailLine, Form, Line, Pick, VersionedForm
from .models import Salutation, Side
from .operations import ContactFields


class ProviderForm(Form):
    """An organisation."""

    name = Line(_l("Name of the organisation"), required=True, max_length=160)
    postcode = Line(_l("Postcode"), max_length=10)
    city = Line(_l("Town"), max_length=80)


class ContactForm(VersionedForm):
    """A person at an organisation."""

    organisation = Line(_l("Organisation"), required=True, max_length=160)
    salutation = Pick(_l("Salutation"))
    title = Line(_l("Academic title"), max_length=40)
    first_name = Line(_l("First name"), max_length=80)
    last_name = Line(_l("Last name"), required=True, max_length=80)
    email = EmailLine(_l("E-mail address"), required=True, max_length=254)
    function = Line(_l("Function"), max_length=80)
    side = Pick(_l("Side"))
    team = Line(_l("Team"), max_length=80)

    def offer_choices(self) -> None:
        """The closed sets."""
        self.salutation.data = self.salutation.data or Salutation.NONE.value
        self.side.data = self.side.data or Side.PROVIDER.value
        self.salutation.offer(Salutation.choices())
        self.side.offer(Side.choices())

    def fields(self) -> ContactFields:
        """What was entered, for the operation."""
        values = {name: self[name].data for name in ContactFields.__dataclass_fields__}
        values |= {"salutation": Salutation(self.salutation.data), "side": Side(self.side.data)}
        return ContactFields(**values)

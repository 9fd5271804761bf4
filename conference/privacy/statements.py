"""The house's own pages in the operator's words, where there are any."""

from markupsafe import Markup

from ..kit import language
from ..kit.markdown import to_html
from . import queries

PAGES = ("privacy", "accessibility", "imprint")


def own_statement(page: str) -> Markup | None:
    """The operator's words on a page in the language of the screen; None: the house's own text stands."""
    found = queries.statement(page, language.current())
    return to_html(found.text) if found is not None and found.text else None

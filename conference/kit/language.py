"""Two languages: English words in the code, the German catalogue complete, one .po file per room."""

from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, has_request_context, request
from flask.globals import app_ctx
from flask_babel import Babel, Domain, get_locale
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

# The modules below are imported where catalogues are made: a start with fresh catalogues needs none of them.
LANGUAGES = {"de": "Deutsch", "en": "English"}
KEYWORDS = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
MESSAGES = 8192
"""More than there are: none is forgotten, and a message that were made at run time could not fill the memory."""


class Messages(Domain):
    """Flask-Babel's lookups without its detours: a page has hundreds of messages, and they were a third of its cost."""

    def gettext(self, string: str, **variables: Any) -> str:
        """As in Flask-Babel: a format string only where there are variables."""
        text = self.translated(_code(), string)
        return text % variables if variables else text

    @lru_cache(maxsize=MESSAGES)  # noqa: B019 - there is one for the whole process
    def translated(self, _code: str, string: str) -> str:
        """The message in the language of this page, which the caller names."""
        return str(self.get_translations().ugettext(string))

    @lru_cache(maxsize=MESSAGES)  # noqa: B019
    def escaped(self, code: str, string: str) -> Markup:
        """For templates, where a message is always a format string and its signs are ours."""
        return Markup(self.translated(code, string)) % {}  # noqa: S704


class Languages(Babel):
    """Flask-Babel with our lookups."""

    @cached_property
    def domain_instance(self) -> Messages:
        return Messages(domain=self.domain)


babel = Languages()


def _code() -> str:
    """The language of this page or of what `force_locale` surrounds; "" outside any request."""
    try:
        known = app_ctx.g.__dict__.get("_flask_babel")
    except RuntimeError:
        return ""
    locale = getattr(known, "babel_locale", None) or get_locale()
    return locale.language  # type: ignore[no-any-return]


@pass_eval_context
def _in_template(context: EvalContext, string: str, /, **variables: Any) -> str:
    if context.autoescape and not variables:
        return babel.domain_instance.escaped(_code(), string)
    text = babel.domain_instance.translated(_code(), string)
    return (Markup(text) if context.autoescape else text) % variables  # noqa: S704 - the values are escaped as they go in


def current() -> str:
    """The language of this page: the visitor's choice, else the browser's wish, else German."""
    if not has_request_context():
        return str(current_app.config["LANGUAGE"])
    chosen = request.cookies.get(remembered_as("lang"))
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(LANGUAGES) or str(current_app.config["LANGUAGE"])


def remembered_as(what: str) -> str:
    """What the cookie is called that remembers this; by HTTPS only our own host can set it, as the session's."""
    prefix = "__Host-" if current_app.config["SESSION_COOKIE_NAME"].startswith("__Host-") else ""
    return prefix + what


def init(app: Flask) -> None:
    """Compile the catalogues if they are older than their sources, and set up Flask-Babel."""
    folder = Path(app.config["TRANSLATIONS"])
    try:
        compile_catalogues(folder)
    except OSError:
        # In production the code is not ours to write; the folder of the data is.
        compile_catalogues(folder, Path(app.instance_path, "translations"))
        folder = Path(app.instance_path, "translations")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(folder)
    babel.init_app(app, locale_selector=current, default_locale="de", default_timezone="Europe/Berlin")
    app.jinja_env.globals.update(_=_in_template, gettext=_in_template)


def merged(folder: Path) -> "Catalog":
    """All German room catalogues in one; a message in several rooms keeps its first translation."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po

    catalogue = Catalog(locale="de")
    for path in sorted((folder / "de").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="de"):
                if message.id and message.id not in catalogue and not message.fuzzy:
                    catalogue.add(message.id, message.string, context=message.context, flags=message.flags)
    return catalogue


def contradictory(folder: Path) -> list[str]:
    """Messages that two rooms translate differently: only one of the words would ever be shown."""
    from babel.messages.pofile import read_po

    words: dict[object, dict[object, str]] = {}
    for path in sorted((folder / "de").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="de"):
                key = tuple(message.id) if isinstance(message.id, list) else message.id
                if key:
                    words.setdefault((key, message.context), {}).setdefault(str(message.string), path.name)
    return [f"{key[0]!r}: {said}" for key, said in words.items() if len(said) > 1]  # type: ignore[index]


def compile_catalogues(folder: Path, into: Path | None = None) -> None:
    """Write de/LC_MESSAGES/messages.mo when a .po file is newer. Raises OSError where nothing can be written."""
    target = (into or folder) / "de" / "LC_MESSAGES" / "messages.mo"
    sources = sorted((folder / "de").glob("*.po"))
    if (
        target.exists()
        and sources
        and target.stat().st_mtime >= max(path.stat().st_mtime for path in sources)
    ):
        return
    from babel.messages.mofile import write_mo

    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{id(folder)}.part")
    with partial.open("wb") as file:
        write_mo(file, merged(folder))
    partial.replace(target)


def untranslated(root: Path, folder: Path) -> list[str]:
    """Messages in code and templates that the German catalogue lacks, as 'file:line: message'."""
    from babel.messages.extract import extract_from_dir

    german = merged(folder)
    missing = []
    for source, pattern, method in (
        ("conference", "**.py", "python"),
        ("templates", "**", "jinja2.ext:babel_extract"),
    ):
        found = extract_from_dir(root / source, [(pattern, method)], keywords=KEYWORDS)
        for name, line, message, _comments, _context in found:
            known = german.get(message[0] if isinstance(message, tuple) else message)
            translated = known is not None and (
                all(known.string) if isinstance(known.string, (tuple, list)) else known.string
            )
            if not translated:
                missing.append(f"{source}/{name}:{line}: {message!r}")
    return missing

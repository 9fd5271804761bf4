"""Markdown of people to harmless HTML: paragraphs, lists, emphasis, quotes, links; no headings, images, tables, raw HTML."""

from functools import cache
from typing import Any

from markupsafe import Markup

LONGEST = 50_000
MAX_NESTING = 12
TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "blockquote", "a", "code"}
SCHEMES = {"https", "mailto"}
LINKS = tuple(f"{scheme}:" for scheme in sorted(SCHEMES))


def to_html(text: str | None) -> Markup:
    """The HTML of the text; what is longer than LONGEST characters is cut off with an ellipsis."""
    text = text or ""
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    import nh3  # With the parser: a start needs neither.

    rough = _parser().render(text)
    clean = nh3.clean(
        rough,
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704 - cleaned in the line above


def _leads_somewhere(url: str) -> bool:
    """Relative links lead nowhere from a mail or a PDF, so they stay text like all other schemes."""
    return url.lower().startswith(LINKS)


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt  # Forty modules that a start does not need.

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": MAX_NESTING})
    parser.validateLink = _leads_somewhere  # type: ignore[method-assign]
    return parser.disable(
        ["heading", "lheading", "image", "html_block", "html_inline", "code", "fence", "hr", "reference"]
    )

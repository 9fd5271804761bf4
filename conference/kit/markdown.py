"""Markdown of people to harmless HTML: paragraphs, lists, emphasis, quotes, links; headings where asked for; no images, HTML."""

from functools import cache
from typing import Any

from markupsafe import Markup

LONGEST = 50_000
MAX_NESTING = 12
DEEPEST = MAX_NESTING - 1
HOLDERS = {"blockquote_open", "list_item_open"}
"""Blocks with blocks in them."""
TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "blockquote", "a", "code"}
SCHEMES = {"https", "mailto"}
LINKS = tuple(f"{scheme}:" for scheme in sorted(SCHEMES))


def to_html(text: str | None, *, headings: bool = False) -> Markup:
    """The HTML of the text; what is longer than LONGEST characters is cut off with an ellipsis.

    `headings`: lines that begin with ## are headings, all of them below the title of the page.
    """
    text = text or ""
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    import nh3  # With the parser: a start needs neither.

    rough = _rough(text, headings)
    clean = nh3.clean(
        rough,
        tags=TAGS | {"h2"} if headings else TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704 - cleaned in the line above


def _rough(text: str, headings: bool) -> str:
    """The HTML before cleaning. What is nested too deeply becomes paragraphs: the parser would leave its words out."""
    parser, environment = _parser(headings), dict[str, Any]()
    tokens = parser.parse(text, environment)
    if any(token.level >= DEEPEST and token.type in HOLDERS for token in tokens):
        parser = _parser(headings, flat=True)
        tokens = parser.parse(text, environment)
    return str(parser.renderer.render(tokens, parser.options, environment))


def _leads_somewhere(url: str) -> bool:
    """Relative links lead nowhere from a mail or a PDF, so they stay text like all other schemes."""
    return url.lower().startswith(LINKS)


@cache
def _parser(headings: bool, flat: bool = False) -> Any:
    from markdown_it import MarkdownIt  # Forty modules that a start does not need.

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": MAX_NESTING})
    parser.validateLink = _leads_somewhere  # type: ignore[method-assign]
    parser.core.ruler.push("below_the_title", _below_the_title)
    parser.disable(["lheading", "image", "html_block", "html_inline", "code", "fence", "hr", "reference"])
    parser.disable([] if headings else ["heading"])
    return parser.disable(["blockquote", "list"] if flat else [])


def _below_the_title(state: Any) -> None:
    """The page has its own first heading, and no level may be left out."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h2"

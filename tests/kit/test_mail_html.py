"""The HTML of a letter: the same words as its text, nothing from elsewhere, readable in light and dark."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask

from conference.kit.mail import html_fragment, html_from_text

ROOT = Path(__file__).parents[2]
BASE = "https://folgetermin.example"
LINK = f"{BASE}/i/abc123"
TEXT = f"""Sehr geehrte Frau Dr. Brinkmann,

Dienstag, 06.06.2023, 09:30–15:00 Uhr
Großer Saal, Hansastraße 33, Herford

Bitte bringen Sie mit:
- Ihre Fragen
- Ihre Ideen
  in Stichworten

Bitte antworten Sie bis 26.05.2023:
{LINK}

Mit freundlichen Grüßen
Ihr Konferenzteam
"""


class Page(HTMLParser):
    """Every tag with its attributes, and the text that a reader sees."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self._inside = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside.append(tag)

    def handle_endtag(self, tag):
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data):
        if data.strip() and "style" not in self._inside:
            self.texts.append(" ".join(data.split()))

    def count(self, tag):
        return len([name for name, _ in self.tags if name == tag])

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(autouse=True, params=[True, False], ids=["blocks trimmed", "blocks as they are"])
def _app(request):
    app = Flask("letters", template_folder=ROOT / "templates", static_folder=ROOT / "static")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = request.param
    app.config["BASE_URL"] = BASE
    with app.app_context():
        yield


def page_of(text=TEXT, subject="Einladung zur Konferenz", **more):
    return Page(html_from_text(text, subject=subject, language="de", **more))


def fragment_of(text, **more):
    return str(html_fragment(text, **more))


def test_the_document_says_its_language_its_title_and_one_heading():
    page = page_of()
    assert page.all("html") == [{"lang": "de"}]
    assert (page.count("title"), page.count("h1"), page.count("main")) == (1, 1, 1)
    assert page.texts[:2] == ["Einladung zur Konferenz", "Einladung zur Konferenz"]


def test_every_word_of_the_text_stands_in_the_document_in_the_same_order():
    words = " ".join(re.sub(r"^- ", "", line).strip() for line in TEXT.split("\n"))
    assert " ".join(page_of(subject="Betreff").texts[2:]) == " ".join(words.split())


def test_paragraphs_lines_and_lists_are_kept():
    assert fragment_of(TEXT).replace("\n", "").replace("  ", "") == (
        '<div class="mail-letter" dir="auto">'
        "<p>Sehr geehrte Frau Dr. Brinkmann,</p>"
        "<p>Dienstag, 06.06.2023, 09:30–15:00 Uhr<br>Großer Saal, Hansastraße 33, Herford</p>"
        "<p>Bitte bringen Sie mit:</p>"
        "<ul><li>Ihre Fragen</li><li>Ihre Ideen in Stichworten</li></ul>"
        f'<p>Bitte antworten Sie bis 26.05.2023:<br><a href="{LINK}">{LINK}</a></p>'
        "<p>Mit freundlichen Grüßen<br>Ihr Konferenzteam</p>"
        "</div>"
    )


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("eins\n\n\n \nzwei", "<p>eins</p><p>zwei</p>"),
        ("eins\r\n\r\nzwei", "<p>eins</p><p>zwei</p>"),
        ("- eins\nZwei", "<ul><li>eins</li></ul><p>Zwei</p>"),
        ("-eins", "<p>-eins</p>"),
        ("- ", "<ul><li></li></ul>"),
        ("", ""),
        ("\n\n", ""),
    ],
)
def test_odd_texts_become_clean_paragraphs(text, html):
    inner = fragment_of(text).replace("\n", "").replace("  ", "")
    assert inner == f'<div class="mail-letter" dir="auto">{html}</div>'


def test_a_fragment_has_no_heading_and_no_looks_of_its_own():
    page = Page(fragment_of(TEXT, button=("Antworten", LINK)))
    assert {tag for tag, _ in page.tags} == {"div", "p", "br", "ul", "li", "a"}


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (f"Siehe {LINK}.", LINK),
        (f"({LINK})", LINK),
        (f"{LINK}?a=1&b=2#c, bitte", f"{LINK}?a=1&amp;b=2#c"),
        (f"{BASE}", BASE),
        (f"{BASE}/", f"{BASE}/"),
    ],
)
def test_our_own_addresses_become_links_that_show_themselves(words, address):
    assert re.findall(r'<a href="([^"]*)">([^<]*)</a>', fragment_of(words)) == [(address, address)]


@pytest.mark.parametrize(
    "words",
    [
        "https://evil.test/i/abc",
        "https://folgetermin.example.evil.test/i/abc",
        "https://folgetermin.example@evil.test/",
        "https://folgetermin.example\\@evil.test/",
        "https://folgetermin.example:8443/i/abc",
        "http://folgetermin.example/i/abc",
        "https://[folgetermin.example/",
        "javascript:alert(1)",
        "folgetermin.example/i/abc",
    ],
)
def test_t16_foreign_addresses_stay_text(words):
    assert "<a" not in fragment_of(words)


def test_below_a_path_only_our_part_of_the_server_is_ours():
    base = "https://amt.example/tagung"
    assert "<a" in fragment_of(f"{base}/i/abc", base_url=base)
    assert "<a" not in fragment_of("https://amt.example/tagungen/i/abc", base_url=base)


def test_without_a_setting_nothing_becomes_a_link():
    assert "<a" not in fragment_of(LINK, base_url="")


def test_the_button_stands_after_the_paragraph_with_its_address():
    html = fragment_of(TEXT, button=("Jetzt antworten", LINK))
    assert html.index("26.05.2023") < html.index("Jetzt antworten") < html.index("Mit freundlichen")
    assert Page(html).all("a") == [{"href": LINK}, {"class": "mail-button", "href": LINK}]


def test_a_button_whose_address_the_text_does_not_name_stands_at_the_end():
    html = fragment_of("Guten Tag,", button=("Antworten", LINK))
    assert html.index("Guten Tag") < html.index("Antworten")


def test_a_button_leads_to_a_web_page_or_is_refused():
    with pytest.raises(ValueError, match="http"):
        html_fragment("Guten Tag", button=("Antworten", "javascript:alert(1)"))


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<h1>Überschrift</h1>",
        '<img src="https://evil.test/x.png">',
        f'{LINK}"onmouseover="alert(1)',
        f"{LINK}<b>",
        "</style><script>alert(1)</script>",
        "{{ config }}{% raw %}",
        "&lt;b&gt;",
        "\x00\x1b\ud800",
    ],
)
def test_t16_typed_markup_is_shown_and_never_obeyed(hostile):
    usual = {tag for tag, _ in page_of().tags}
    page = page_of(hostile, subject=hostile, preheader=hostile, button=(hostile, LINK))
    assert {tag for tag, _ in page.tags} <= usual | {"a"}
    assert page.count("h1") == 1
    assert {name for _, attrs in page.tags for name in attrs} <= {
        "lang", "charset", "name", "content", "class", "dir", "href",
    }  # fmt: skip


def test_nothing_is_fetched_and_nothing_runs():
    html = html_from_text(
        TEXT, subject="Einladung", language="de", button=("Antworten", LINK), preheader="Kurz"
    )
    page = Page(html)
    assert {"img", "link", "script", "iframe", "video", "object", "form"} & {
        tag for tag, _ in page.tags
    } == set()
    assert [name for _, attrs in page.tags for name in attrs if name in {"style", "src", "srcset"}] == []
    assert page.count("style") == 1
    assert re.findall(r"url\(|@import|@font-face", html) == []


def test_the_looks_are_those_of_the_style_sheet():
    css = (ROOT / "static/css/mail.css").read_text()
    html = html_from_text(TEXT, subject="Einladung", language="de")
    assert f"<style>\n{css}</style>" in html
    assert len(css) < 8192  # more is thrown away by Gmail


def test_the_preheader_is_the_first_text_and_only_there_if_given():
    assert page_of(preheader="Antwort bis 26.05.").texts[1] == "Antwort bis 26.05."
    assert "mail-preheader" not in [attrs.get("class") for attrs in page_of().all("div")]


def rules(css):
    """Selector, declarations and whether it is dark, for each rule."""
    light, _, dark = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL).partition(
        "@media (prefers-color-scheme: dark) {"
    )
    for is_dark, part in ((False, light), (True, dark)):
        for selector, body in re.findall(r"([.a-z][^{}]*)\{([^{}]*)\}", part):
            yield is_dark, selector.strip(), dict(re.findall(r"([a-z-]+):\s*([^;]+);", body))


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_can_be_read_on_its_ground(dark):
    looks = {}
    for is_dark, selector, declarations in rules((ROOT / "static/css/mail.css").read_text()):
        if dark or not is_dark:
            looks.setdefault(selector, {}).update(declarations)
    ground = looks[".mail-letter"]["background"]
    for selector in (".mail-page", ".mail-letter", ".mail-letter a", ".mail-letter a.mail-button"):
        own = looks[selector]
        assert contrast(own["color"], own.get("background", ground)) >= 4.5, selector


def test_no_letter_is_smaller_than_sixteen_pixels_and_the_button_is_big_enough_for_a_thumb():
    css = (ROOT / "static/css/mail.css").read_text()
    assert min(int(size) for size in re.findall(r"font: (?:bold )?(\d+)px", css)) >= 16
    assert "font-size" not in css
    [height] = re.findall(r"min-height: (\d+)px", css)
    assert int(height) >= 44

"""People's Markdown becomes harmless HTML."""

import pytest

from conference.kit.markdown import LONGEST, to_html


@pytest.mark.parametrize(
    ("typed", "html"),
    [
        ("Wir **tun** *es*.", "<p>Wir <strong>tun</strong> <em>es</em>.</p>\n"),
        ("- eins\n- zwei", "<ul>\n<li>eins</li>\n<li>zwei</li>\n</ul>\n"),
        ("3. drei", '<ol start="3">\n<li>drei</li>\n</ol>\n'),
        ("> Zitat", "<blockquote>\n<p>Zitat</p>\n</blockquote>\n"),
        ("eine\nzwei", "<p>eine<br>\nzwei</p>\n"),
        ("", ""),
        (None, ""),
    ],
)
def test_what_people_need_is_kept(typed, html):
    assert to_html(typed) == html


@pytest.mark.parametrize(
    "typed",
    ["# Titel", "Titel\n=====", "## Titel", "***", "```\nx\n```", "    x", "![a](https://b.example/c.png)"],
)
def test_headings_rules_code_and_images_are_not_made(typed):
    html = to_html(typed)
    assert [tag for tag in ("<h", "<pre", "<img", "<hr") if tag in html] == []


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        '<iframe src="https://boese.example"></iframe>',
        "<style>p{}</style>",
        "<!-- c -->",
    ],
)
def test_html_is_shown_as_text(typed):
    assert "<script" not in to_html(typed)
    assert to_html(typed).striptags() == typed.replace("\n", " ")


@pytest.mark.parametrize(
    "scheme",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://x.example",
        "vbscript:x",
        "//x.example",
    ],
)
def test_only_https_and_mail_links_live(scheme):
    assert "href" not in to_html(f"[Text]({scheme})")


@pytest.mark.parametrize("target", ["https://x.example/a?b=1", "mailto:kim@x.example"])
def test_https_and_mail_links_live_and_say_nothing_about_us(target):
    assert (
        to_html(f"[Text]({target})")
        == f'<p><a href="{target}" rel="noopener noreferrer nofollow">Text</a></p>\n'
    )


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("> " * 400 + "tief", ["tief"]),
        ("- " * 400 + "tief", ["tief"]),
        (
            "\n".join("  " * depth + f"- x{depth}." for depth in range(200)),
            [f"x{depth}." for depth in range(200)],
        ),
    ],
    ids=["quotes", "items", "lists"],
)
def test_f13_nesting_ends_after_a_dozen_and_no_word_is_lost(typed, words):
    html = to_html(typed)
    assert html.count("<blockquote>") <= 12 and html.count("<ul>") <= 12
    assert [word for word in words if word not in html] == []


def test_a_text_without_end_is_cut_off():
    assert len(to_html("x" * 10 * LONGEST)) < LONGEST + 20
    assert to_html("x" * 10 * LONGEST).striptags().endswith("…")

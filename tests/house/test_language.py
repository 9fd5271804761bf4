"""Two languages, both complete."""

from pathlib import Path

import pytest

from conference.kit import language

ROOT = Path(__file__).parents[2]


def test_every_message_has_a_german_translation():
    missing = language.untranslated(ROOT, ROOT / "conference" / "translations")
    assert not missing, "Add them to conference/translations/de/<room>.po:\n" + "\n".join(missing)


def test_placeholders_are_the_same_in_both_languages():
    import re

    names = re.compile(r"%\((\w+)\)[sd]")
    wrong = []
    for message in language.merged(ROOT / "conference" / "translations"):
        source = message.id if isinstance(message.id, tuple) else (message.id,)
        target = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
        wanted = set(names.findall(" ".join(source)))
        if any(not set(names.findall(text)) <= wanted for text in target):
            wrong.append(message.id)
        if len(source) == 1 and set(names.findall(target[0])) != wanted:
            wrong.append(message.id)
    assert not wrong, f"Use the same %(placeholders)s in the translation: {wrong}"


@pytest.mark.parametrize(
    ("wish", "expected"),
    [("de", "de"), ("en-GB,en;q=0.8", "en"), ("fr", "de"), ("fr,en;q=0.5", "en"), ("", "de")],
)
def test_guests_see_their_browsers_language_and_german_by_default(browser, wish, expected):
    browser.open("accounts.sign_in", headers={"Accept-Language": wish})
    assert browser.page.get("lang") == expected


def test_the_language_can_be_switched_on_every_page(browser):
    browser.open("accounts.sign_in")
    assert "/language/en?next=/sign-in" in browser.links()
    answer = browser.open("/language/en?next=/sign-in", status=303)
    assert answer.headers["Location"] == "/sign-in"
    browser.open("accounts.sign_in", headers={"Accept-Language": "de"})
    assert browser.page.get("lang") == "en"


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"],
)
def test_the_switch_leads_only_to_our_own_pages(browser, target):
    from urllib.parse import quote

    answer = browser.open(f"/language/en?next={quote(target)}", status=303)
    assert answer.headers["Location"] == "/"


def test_an_unknown_language_is_not_found(browser):
    browser.open("/language/xx", status=404)

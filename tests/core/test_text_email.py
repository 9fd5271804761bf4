import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.core.text import BadText, canonical_email, comparison_key


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("anke.brinkmann@bw-ravensberg.example", "anke.brinkmann@bw-ravensberg.example"),
        ("  anke@x.example\r\n", "anke@x.example"),
        ("\u200banke@x.example\u00a0", "anke@x.example"),
        ("Anke.Brinkmann@X.Example", "Anke.Brinkmann@x.example"),
        ("JOERG.HEITKAMP@AKADEMIE-WITTEKIND.EXAMPLE ", "joerg.heitkamp@akademie-wittekind.example"),
        ("anke+konferenz@x.example", "anke+konferenz@x.example"),
        ("o'neill@x.example", "o'neill@x.example"),
        ("a_b-c.d@sub.x.example", "a_b-c.d@sub.x.example"),
        ("1@x.example", "1@x.example"),
        ("a@müller.example", "a@xn--mller-kva.example"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("a@XN--MLLER-KVA.example", "a@xn--mller-kva.example"),
        ("rehearsal@mail.test", "rehearsal@mail.test"),
    ],
)
def test_an_address_is_stored_in_one_form(typed: str, stored: str) -> None:
    assert canonical_email(typed)[0] == stored


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "anke", "anke@", "@x.example", "anke@x", "anke@localhost", "a(at)x.example", "max.falschmail(at)x.example",
        "a@@x.example", "a@b@x.example", "a b@x.example", "a@x example", "a..b@x.example", "=?utf-8?q?x?=@x.example", ".a@x.example", "a.@x.example",
        "a@-x.example", "a@x-.example", "a@x..example", "a@.example", "a@x.example.", "a@[192.0.2.1]", "a@192.0.2.1",
        '"a b"@x.example', '"a@boese.example"@x.example', "Anke <a@x.example>", "<a@x.example>", "mailto:a@x.example",
        "a@x.example,b@y.example", "a@x.example; b@y.example", "a@x_y.example", "jörg@x.example", "ａ@x.example",
        "a\u00ad@x.example", "a,b@x.example", "a@x.example>", "a" * 65 + "@x.example", "a@" + "x" * 64 + ".example",
        "a@x.1", "a@x.local", "=1+1@x.example()", "a\\@x.example", "a@x.example/b",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(BadText) as refused:
        canonical_email(typed)
    assert refused.value.code == "email"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("a@x.example\nBcc: b@boese.example", "newline"),
        ("a\x00@x.example", "control"),
        ("a\u202e@x.example", "bidi"),
        ("a@x.example\ud800", "surrogate"),
        ("a@" + "x." * 200 + "example", "too_long"),
    ],
)
def test_an_address_passes_the_same_door_as_all_text(typed: str, code: str) -> None:
    with pytest.raises(BadText) as refused:
        canonical_email(typed)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "typed",
    ["maren.quest@x.example", "MAREN.QUEST@X.EXAMPLE", "Maren.Quest@x.Example", " maren.QUEST@x.example"],
)
def test_spellings_of_one_address_share_a_key(typed: str) -> None:
    assert canonical_email(typed)[1] == "maren.quest@x.example"


LOCAL = st.from_regex(r"[A-Za-z0-9_+'-]{1,12}(\.[A-Za-z0-9_+'-]{1,8}){0,2}", fullmatch=True)
DOMAIN = st.from_regex(
    r"[A-Za-z][A-Za-z0-9]{0,10}(\.[A-Za-z]{2,8}){0,2}\.(example|EXAMPLE|Example)", fullmatch=True
)


@given(LOCAL, DOMAIN)
def test_the_key_is_the_comparison_key_of_the_stored_address(local: str, domain: str) -> None:
    stored, key = canonical_email(f"{local}@{domain}")
    assert key == comparison_key(stored) == stored.lower()
    assert canonical_email(stored) == (stored, key)


@given(st.text(max_size=60))
def test_any_text_is_an_ascii_address_or_refused(text: str) -> None:
    try:
        stored, key = canonical_email(text)
    except BadText:
        return
    assert stored.isascii()
    assert stored.count("@") == 1
    assert key == key.lower()

"""Finding a person in what somebody typed, and only that person."""

import pytest

from conference.core.mentions import Names, forget, lines_in, pattern_of

FRIEDA = Names("Frieda", "Wunderlich", emails=("wunderlich@traeger.example",), alone=True)
JOERG = Names("Jörg", "Müller-Lüdenscheid", alone=True)


@pytest.mark.parametrize(
    ("names", "text", "after"),
    [
        (FRIEDA, "FRIEDA  WUNDERLICH und Wunderlich, Frieda", "P und P"),
        (FRIEDA, "F. Wunderlich, Dr. Wunderlich, Wunderlich, F.", "P, P, P"),
        (FRIEDA, "Frieda\nWunderlich; Frieda Maria Wunderlich", "P; P"),
        (FRIEDA, "Frau Dr. Wunderlichs Idee, Wunderlichs Wunsch", "P Idee, P Wunsch"),
        (FRIEDA, "<wunderlich@traeger.example>, f.wunderlich@web.example", "<P>, P"),
        (FRIEDA, "Frieda Wunderlich, Tel. 05221 / 985-123, am 06.06.2023", "P, Tel. …, am 06.06.2023"),
        (FRIEDA, "Das ist wunderlich. Herr Wunderlicht hat 05221 123456.", None),
        (JOERG, "Joerg Mueller-Luedenscheid, JÖRG MÜLLER-LÜDENSCHEID", "P, P"),
        (JOERG, "Mu\u0308ller-Lu\u0308denscheid", "P"),
        (Names("Eva", "Koch", alone=True), "Der Koch fehlt, Frau Koch nicht.", "Der Koch fehlt, P nicht."),
        (Names("Eva", "Berg", salutation="ms"), "Herr Berg und Frau Berg", "Herr Berg und P"),
        (Names("Eva", "Berg", salutation="ms"), "Evas Berg, Bergs Idee", None),
    ],
)
def test_a_person_is_found_however_they_are_called_and_nobody_else(names, text, after):
    assert forget(text, pattern_of(names), "P") == (text if after is None else after)


def test_lists_and_keys_are_looked_through():
    value = {"Frieda Wunderlich": [1, None, {"a": "Frau Wunderlich"}]}
    assert forget(value, pattern_of(FRIEDA), "P") == {"P": [1, None, {"a": "P"}]}
    assert lines_in({"x": ["eins\nFrau Wunderlich: zwei"]}, pattern_of(FRIEDA)) == ["Frau Wunderlich: zwei"]


def test_without_a_name_nothing_is_looked_for():
    assert pattern_of(Names("", "")) is None

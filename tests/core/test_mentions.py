"""Finding a person in what somebody typed, and only that person."""

import pytest

from conference.core.mentions import Called, Names, Others, called_of, finder_of, forget, lines_in

FRIEDA = Names((Called("Wunderlich", "Frieda"),), ("wunderlich@traeger.example",))
JOERG = Names((Called("Müller-Lüdenscheid", "Jörg"),))
ANNA = Names((Called("Müller", "Anna", "ms"),), ("anna@x.example",))
BERG = Names((Called("Berg", "Eva", "ms"),))
PETER = Names((Called("Peter", "Anna"),), ("peter@x.example",))


@pytest.mark.parametrize(
    ("names", "text", "after"),
    [
        (FRIEDA, "FRIEDA  WUNDERLICH und Wunderlich, Frieda", "P und P"),
        (FRIEDA, "F. Wunderlich, Dr. Wunderlich, Wunderlich, F.", "P, P, P"),
        (FRIEDA, "Frieda\nWunderlich; Frieda Maria Wunderlich", "P; P"),
        (FRIEDA, "Frau Dr. Wunderlichs Idee, Wunderlichs Wunsch", "P Idee, P Wunsch"),
        (FRIEDA, "Prof. Dr. Frieda Wunderlich; der Wunderlich-Vorschlag", "P; der P-Vorschlag"),
        (Names((Called("Fahrplan", "Eva"),)), "Der Fahrplan, ein Fahrplan. Fahrplans Idee", "Der Fahrplan, ein Fahrplan. P Idee"),
        (FRIEDA, "<wunderlich@traeger.example>, f.wunderlich@web.example", "<P>, P"),
        (FRIEDA, "Frieda Wunderlich, Tel. 05221 / 985-123, am 06.06.2023", "P, Tel. …, am 06.06.2023"),
        (FRIEDA, "Wunderlich (wunderlich@traeger.example, 05221 985123)", "P (P, …)"),
        (FRIEDA, "Das ist wunderlich. Herr Wunderlicht hat 05221 123456.", None),
        (FRIEDA, "heinz.wunderlich@web.example, wunderlich-haus@web.example", None),
        (JOERG, "Joerg Mueller-Luedenscheid, JÖRG MÜLLER-LÜDENSCHEID", "P, P"),
        (Names((Called("Großmuess", "Eva"),)), "GROSSMUESS; Grossmüß, Eva Großmuess", "P; P, P"),
        (JOERG, "Mu\u0308ller-Lu\u0308denscheid", "P"),
        (Names((Called("Koch", "Eva"),)), "Der Koch fehlt, Frau Koch nicht.", "Der Koch fehlt, P nicht."),
        (ANNA, "max.anna@x.example, anna@x.example.org, xanna@x.example; anna@x.example.",
         "max.anna@x.example, anna@x.example.org, xanna@x.example; P."),
        (PETER, "peter.schmidtke@y.example, poststelle@peter.example, speter@x.example", None),
    ],
)  # fmt: skip
def test_a_person_is_found_however_they_are_called_and_nobody_else(names, text, after):
    assert forget(text, finder_of(names), "P") == (text if after is None else after)


@pytest.mark.parametrize(
    ("names", "others", "text", "after"),
    [
        (BERG, [Called("Berg", "Uwe", "mr")], "Herr Berg und Frau Berg", "Herr Berg und P"),
        (BERG, [Called("Berg", "Uwe", "mr")], "Evas Berg, Bergs Idee, Dr. Berg", None),
        (ANNA, [Called("Müller", "Eva", "ms")], "Frau Müller, Eva Müller, Anna Müller", "Frau Müller, Eva Müller, P"),
        (ANNA, [Called("Müller", "Eva", "ms")], "Eva Müller, Anna und Max; Müller, Anna", "Eva Müller, Anna und Max; P"),
        (ANNA, [Called("Müller", "Anna")], "Anna Müller, Frau Müller, A. Müller, anna.mueller@y.example", None),
        (ANNA, [Called("Müller", "Anna Maria", "ms")], "Anna Maria Müller und Anna Müller", None),
        (ANNA, [Called("Müller-Horn", "Anna", "ms")], "Frau Müller-Horn, Anna Müller-Horn, Frau Müller",
         "Frau Müller-Horn, Anna Müller-Horn, P"),
        (ANNA, [Called("Horn-Müller", "Anna", "ms")], "Horn-Müller, Anna; Müller, Anna", "Horn-Müller, Anna; P"),
        (ANNA, [Called("Müller", "Max", "mr")], "Anna Müller und Max Müller, Tel. 05221 985123",
         "P und Max Müller, Tel. 05221 985123"),
        (PETER, [Called("Peters", "Ina", "ms")], "Frau Peters und Frau Peter", "Frau Peters und P"),
        (PETER, [Called("Schmidtke", "Peter", "mr")], "Peter Schmidtke, Frau Peter", "Peter Schmidtke, P"),
        (ANNA, [called_of("Frau Müller")], "Frau Müller, Anna Müller", "Frau Müller, P"),
    ],
)  # fmt: skip
def test_what_may_be_somebody_else_of_the_same_name_stays(names, others, text, after):
    assert forget(text, finder_of(names, Others(tuple(others))), "P") == (text if after is None else after)


def test_who_is_known_elsewhere_is_meant_by_the_full_name_only():
    others = Others(
        elsewhere=(Called("Wunderlich", "Heinz"), Called("Fahrplan-Wunderlich", "Ina"), Called("Wunderlichs"))
    )
    text = "Heinz Wunderlich, Ina Fahrplan-Wunderlich; Wunderlich, Frau Wunderlichs Plan"
    assert forget(text, finder_of(FRIEDA, others), "P") == (
        "Heinz Wunderlich, Ina Fahrplan-Wunderlich; P, Frau Wunderlichs Plan"
    )


def test_what_is_called_like_the_person_stays_and_so_do_addresses_of_others():
    others = Others(
        things=("Dr. Müller Akademie", "Anna Müller Haus"),
        emails=("anna.mueller@y.example", "a.mueller@z.example"),
    )
    text = (
        "Dr. Müller Akademie, Anna Müller Haus, anna.mueller@y.example; Anna Müller, anna.mueller@w.example"
    )
    assert forget(text, finder_of(ANNA, others), "P") == (
        "Dr. Müller Akademie, Anna Müller Haus, anna.mueller@y.example; P, P"
    )


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Frau Dr. Anke Brinkmann", Called("Brinkmann", "Anke", "ms")),
        ("Drago Muster (Team 3)", Called("Muster", "Drago")),
        ("Muster, Herr", Called("Muster", "Herr")),
        ("Herr Muster", Called("Muster", "", "mr")),
    ],
)
def test_a_name_is_taken_apart(name, called):
    assert called_of(name) == called


def test_lists_and_keys_are_looked_through():
    value = {"Frieda Wunderlich": [1, None, {"a": "Frau Wunderlich"}]}
    assert forget(value, finder_of(FRIEDA), "P") == {"P": [1, None, {"a": "P"}]}
    assert lines_in({"x": ["eins\nFrau Wunderlich: zwei"]}, finder_of(FRIEDA)) == ["Frau Wunderlich: zwei"]


def test_without_a_name_nothing_is_looked_for():
    assert finder_of(Names((Called(""),))) is None

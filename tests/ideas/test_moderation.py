"""Moderators: the list, clusters, codes, files."""

import io
from pathlib import Path

import pytest

from conference.ideas import operations, queries
from conference.ideas.models import Cluster
from conference.kit.db import db
from conference.kit.errors import Refused

from ..bad_input import BAD_LINE_IDS, BAD_LINES, BLANKS, HARMLESS
from ..builders import NOW, a_conference, an_account, some_ideas

FILE = (Path(__file__).parents[1] / "data" / "ideen.csv").read_bytes()
HERE = {"slug": "june-2023"}


@pytest.fixture
def three(in_house, open_june):
    with in_house():
        return some_ideas(open_june, "Weniger Formulare", "Laptops zum Ausleihen", "Leihgeräte zum Ausleihen")


@pytest.fixture
def staff(browser, organiser):
    return browser.sign_in(organiser)


def taken(browser, content, *, name="ideen.csv", status=303):
    return browser.submit("ideas.import_ideas", {"file": (io.BytesIO(content), name)}, status=status, **HERE)


def a_cluster(in_house, june, heading="Geräte"):
    with in_house():
        return operations.make_cluster(june, heading)


def place_of(ideas, number):
    cluster = next(idea for idea in ideas() if idea.number == number).cluster
    return None if cluster is None else cluster.heading


# -- the collection ---------------------------------------------------


def test_the_collection_is_opened_closed_and_opened_again(staff, june):
    staff.open("ideas.show_ideas", **HERE)
    assert staff.sees("Die Sammlung ist noch nicht eröffnet")
    for _twice in range(2):
        staff.submit("ideas.open_collection", **HERE)
        assert staff.sees("Ideen werden gesammelt seit 06.06.2023")
    for _twice in range(2):
        staff.submit("ideas.close_collection", **HERE)
        assert staff.sees("Die Sammlung ist geschlossen seit 06.06.2023")
    staff.submit("ideas.open_collection", **HERE)
    assert staff.sees("Ideen werden gesammelt")


def test_every_table_and_the_plenary_have_a_qr_code_and_a_short_code(staff, in_house, june):
    staff.open("ideas.show_codes", **HERE)
    assert staff.sees("Noch keine Codes")
    staff.submit("ideas.make_codes", **HERE)
    with in_house():
        points = queries.points_of(june)
    assert [point.table for point in points] == ["", "A", "B", "C", "D", "E"]
    for point in points:
        assert f"https://folgetermin.example/ideas/{point.code}" in staff.links()
        assert staff.sees(point.code)
    assert staff.html.count("<svg viewBox=") == 6


def test_looking_at_the_codes_makes_none(staff, in_house, june):
    staff.open("ideas.show_codes", **HERE)
    with in_house():
        assert queries.points_of(june) == []


def test_the_qr_code_is_read_as_the_address():
    from conference.kit.pdf_qr import qr
    from conference.kit.qr import qr_svg

    url = "https://folgetermin.example/ideas/CDFGHJ"
    assert qr(url).path in qr_svg(url)
    assert qr_svg('"><script>').count("<script") == 0


# -- the list ---------------------------------------------------------


def test_a_hidden_idea_stays_for_moderators_and_can_be_shown_again(staff, three, ideas):
    staff.submit("ideas.hide_idea", **HERE, idea_id=three[0].id)
    assert staff.sees("Idee Nr. 1 ist ausgeblendet")
    assert staff.sees("Weniger Formulare")
    assert [idea.number for idea in ideas() if idea.hidden_at] == [1]
    staff.submit("ideas.unhide_idea", **HERE, idea_id=three[0].id)
    assert [idea.number for idea in ideas() if idea.hidden_at] == []


def test_the_words_are_corrected_and_what_was_typed_stays(staff, three, ideas):
    staff.open("ideas.edit_idea", **HERE, idea_id=three[0].id)
    fields = {"text": "Viel weniger Formulare", "version": staff.value_of("version")}
    staff.submit("ideas.edit_idea", fields, **HERE, idea_id=three[0].id)
    assert (ideas()[0].text, ideas()[0].typed, ideas()[0].version) == (
        "Viel weniger Formulare",
        "Weniger Formulare",
        2,
    )


def test_a_stale_correction_shows_both_texts(staff, three, ideas):
    staff.submit("ideas.edit_idea", {"text": "Erste Fassung", "version": "1"}, **HERE, idea_id=three[0].id)
    staff.submit(
        "ideas.edit_idea", {"text": "Zweite Fassung", "version": "1"}, status=409, **HERE, idea_id=three[0].id
    )
    assert staff.sees("Erste Fassung") and staff.sees("Zweite Fassung")
    assert ideas()[0].text == "Erste Fassung"


@pytest.mark.parametrize("version", ["", "x", "99"])
def test_a_correction_without_a_good_version_overwrites_nothing(staff, three, ideas, version):
    staff.submit(
        "ideas.edit_idea",
        {"text": "Neu und anders", "version": version},
        status=409,
        **HERE,
        idea_id=three[0].id,
    )
    assert ideas()[0].text == "Weniger Formulare"


@pytest.mark.parametrize("bad", [*BAD_LINES, *BLANKS, "ab"], ids=[*BAD_LINE_IDS, *"0123", "short"])
def test_a_bad_correction_is_refused_with_the_input_kept(staff, three, ideas, bad):
    staff.submit("ideas.edit_idea", {"text": bad, "version": "1"}, status=422, **HERE, idea_id=three[0].id)
    assert staff.sees("Es gibt ein Problem")
    assert ideas()[0].version == 1


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("", {1, 2, 3}), ("?by=cluster", {1, 2, 3}), ("?show=loose", {1, 3}), ("?show=hidden", {3}), ("?words=LEIHGERÄTE", {3}),
        ("?words=nichts", set()), ("?table=A", set()), ("?by=nonsense&show=nonsense", {1, 2, 3}), ("?words=%25", set()),
    ],
)  # fmt: skip
def test_the_list_is_filtered(staff, in_house, june, three, query, seen):
    cluster = a_cluster(in_house, june)
    with in_house():
        operations.put_into(three[1], cluster, 1)
        if seen == {3} and "hidden" in query:
            operations.hide(three[2], at=NOW)
    staff.open("/conferences/june-2023/ideas" + query)
    texts = {1: "Weniger Formulare", 2: "Laptops zum Ausleihen", 3: "Leihgeräte zum Ausleihen"}
    assert {number for number, words in texts.items() if staff.sees(words)} == seen


@pytest.mark.parametrize("words", HARMLESS)
def test_markup_in_ideas_is_shown_as_text(staff, in_house, open_june, words):
    with in_house():
        some_ideas(open_june, words)
    for endpoint in ("show_ideas", "show_clusters", "show_wall"):
        staff.open(f"ideas.{endpoint}", **HERE)
        assert staff.sees(words)


# -- clusters ---------------------------------------------------------


def test_ideas_are_put_into_a_new_cluster_and_moved_back(staff, three, ideas):
    staff.submit(
        "ideas.gather", {"idea": [f"{three[1].id}-1", f"{three[2].id}-1"], "heading": "Geräte"}, **HERE
    )
    assert staff.sees("2 Ideen sind jetzt in „Geräte“")
    assert [place_of(ideas, number) for number in (1, 2, 3)] == [None, "Geräte", "Geräte"]
    staff.submit("ideas.place_idea", {"cluster": "", "version": "2"}, **HERE, idea_id=three[1].id)
    assert place_of(ideas, 2) is None


def test_ticked_ideas_go_into_a_known_cluster(staff, in_house, june, three, ideas):
    cluster = a_cluster(in_house, june)
    staff.submit(
        "ideas.gather", {"idea": [f"{idea.id}-1" for idea in three], "cluster": str(cluster.id)}, **HERE
    )
    assert {place_of(ideas, number) for number in (1, 2, 3)} == {"Geräte"}


def test_an_idea_that_somebody_else_has_moved_is_not_moved_again(staff, in_house, june, three, ideas):
    devices, paper = a_cluster(in_house, june, "Geräte"), a_cluster(in_house, june, "Papier")
    staff.submit(
        "ideas.place_idea", {"cluster": str(devices.id), "version": "1"}, **HERE, idea_id=three[0].id
    )
    staff.submit(
        "ideas.place_idea",
        {"cluster": str(paper.id), "version": "1"},
        status=409,
        **HERE,
        idea_id=three[0].id,
    )
    assert staff.sees("Sie ist jetzt hier: Geräte")
    gathered = {"idea": [f"{three[1].id}-1", f"{three[0].id}-1"], "cluster": str(paper.id)}
    staff.submit("ideas.gather", gathered, status=409, **HERE)
    assert [place_of(ideas, number) for number in (1, 2)] == ["Geräte", None], "all or nothing"


def test_the_same_move_sent_twice_is_one_move(staff, in_house, june, three, ideas):
    cluster = a_cluster(in_house, june)
    for _twice in range(2):
        staff.submit(
            "ideas.place_idea", {"cluster": str(cluster.id), "version": "1"}, **HERE, idea_id=three[0].id
        )
    assert (place_of(ideas, 1), ideas()[0].version) == ("Geräte", 2)


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"heading": ""}, {"heading": "Neu", "cluster": "1"}, {"cluster": "999", "idea": "1-1"}, {"cluster": "x", "idea": "1-1"},
        {"cluster": "1"}, {"cluster": "1", "idea": "999-1"}, {"cluster": "1", "idea": "1"}, {"cluster": "1", "idea": "1-x"},
        {"cluster": "1", "idea": "1-99999999999"}, *({"heading": bad} for bad in BAD_LINES),
    ],
)  # fmt: skip
def test_a_gathering_that_makes_no_sense_is_refused(staff, in_house, june, three, ideas, fields):
    a_cluster(in_house, june)
    staff.submit("ideas.gather", fields, status=422, **HERE)
    assert staff.sees("Es gibt ein Problem")
    assert {place_of(ideas, number) for number in (1, 2, 3)} == {None}


@pytest.mark.parametrize("fields", [{"cluster": "999"}, {"cluster": "x"}])
def test_a_cluster_that_does_not_exist_is_refused(staff, three, ideas, fields):
    staff.submit("ideas.place_idea", fields | {"version": "1"}, status=422, **HERE, idea_id=three[0].id)
    assert ideas()[0].version == 1


def test_two_clusters_cannot_have_the_same_heading(staff, in_house, june, three):
    cluster, other = a_cluster(in_house, june, "Geräte"), a_cluster(in_house, june, "Papier")
    staff.submit("ideas.gather", {"heading": "GERÄTE"}, status=409, **HERE)
    assert staff.value_of("heading") == "GERÄTE"
    staff.submit(
        "ideas.edit_cluster", {"heading": "geräte", "version": "1"}, status=409, **HERE, cluster_id=other.id
    )
    assert [cluster.number, other.number] == [1, 2]


def test_a_cluster_is_renamed_and_a_stale_heading_is_refused(staff, in_house, june):
    cluster = a_cluster(in_house, june)
    staff.submit(
        "ideas.edit_cluster", {"heading": "Leihgeräte", "version": "1"}, **HERE, cluster_id=cluster.id
    )
    staff.submit(
        "ideas.edit_cluster",
        {"heading": "Laptops", "version": "1"},
        status=409,
        **HERE,
        cluster_id=cluster.id,
    )
    assert staff.sees("Leihgeräte") and staff.sees("Laptops")
    with in_house():
        assert db.session.get(Cluster, cluster.id).heading == "Leihgeräte"


@pytest.mark.parametrize("bad", [*BAD_LINES, *BLANKS], ids=[*BAD_LINE_IDS, *"0123"])
def test_a_bad_heading_is_refused(staff, in_house, june, bad):
    cluster = a_cluster(in_house, june)
    staff.submit(
        "ideas.edit_cluster", {"heading": bad, "version": "1"}, status=422, **HERE, cluster_id=cluster.id
    )


def test_a_dissolved_cluster_leaves_its_ideas(staff, in_house, june, three, ideas):
    cluster = a_cluster(in_house, june)
    with in_house():
        operations.put_into(three[0], cluster, 1)
    staff.submit("ideas.dissolve_cluster", **HERE, cluster_id=cluster.id)
    assert (place_of(ideas, 1), len(ideas())) == (None, 3)
    staff.submit("ideas.dissolve_cluster", status=404, **HERE, cluster_id=cluster.id)


def test_a_cluster_that_was_voted_on_stays(staff, in_house, june, three, ideas):
    from conference.voting import operations as voting
    from conference.voting.models import VoteSubject

    cluster = a_cluster(in_house, june)
    with in_house():
        operations.put_into(three[0], cluster, 1)
        vote = voting.create_vote(june, "Womit fangen wir an?", VoteSubject.CLUSTERS, 3, 2, at=NOW)
        voting.open_vote(vote, at=NOW)
    staff.submit("ideas.dissolve_cluster", status=409, **HERE, cluster_id=cluster.id)
    assert staff.sees("bezieht sich auf dieses Bündel")
    assert place_of(ideas, 1) == "Geräte"


def test_merged_clusters_are_one_and_every_idea_keeps_its_words(staff, in_house, june, three, ideas):
    cluster, into = a_cluster(in_house, june), a_cluster(in_house, june, "Ausleihe")
    with in_house():
        operations.put_into(three[0], cluster, 1)
        operations.put_into(three[1], into, 1)
    staff.open("ideas.edit_cluster", **HERE, cluster_id=cluster.id)
    assert staff.sees("1 Idee zieht mit ihren eigenen Worten um")
    staff.submit("ideas.merge_cluster", {"into": into.id}, **HERE, cluster_id=cluster.id)
    assert staff.sees("Die Bündel sind jetzt eins: 1 Idee ist in „Ausleihe“ dazugekommen.")
    assert (place_of(ideas, 1), place_of(ideas, 2), len(ideas())) == ("Ausleihe", "Ausleihe", 3)
    staff.submit("ideas.merge_cluster", {"into": into.id}, status=404, **HERE, cluster_id=cluster.id)


@pytest.mark.parametrize("into", ["", "999", "x", "self"])
def test_a_merger_into_nothing_or_itself_is_refused(staff, in_house, june, three, ideas, into):
    cluster = a_cluster(in_house, june)
    with in_house():
        operations.put_into(three[0], cluster, 1)
    into = cluster.id if into == "self" else into
    staff.submit("ideas.merge_cluster", {"into": into}, status=422, **HERE, cluster_id=cluster.id)
    assert staff.sees("Es gibt ein Problem")
    assert place_of(ideas, 1) == "Geräte"
    with in_house(), pytest.raises(Refused):
        operations.merge_clusters(june, cluster, cluster)


def test_a_cluster_that_was_voted_on_is_not_merged_away(staff, in_house, june, three, ideas):
    from conference.voting import operations as voting
    from conference.voting.models import VoteSubject

    cluster, into = a_cluster(in_house, june), a_cluster(in_house, june, "Ausleihe")
    with in_house():
        operations.put_into(three[0], cluster, 1)
        vote = voting.create_vote(june, "Womit fangen wir an?", VoteSubject.CLUSTERS, 3, 2, at=NOW)
        voting.open_vote(vote, at=NOW)
    staff.submit("ideas.merge_cluster", {"into": into.id}, status=409, **HERE, cluster_id=cluster.id)
    assert staff.sees("bezieht sich auf dieses Bündel")
    assert place_of(ideas, 1) == "Geräte"


def test_similar_ideas_are_a_hint_with_a_word_of_care(staff, in_house, june, open_june, three):
    with in_house():
        some_ideas(june, "Kein Kurs ohne Praktikum", "Kurs ohne Praktikum")
    staff.open("ideas.show_clusters", **HERE)
    assert staff.sees("Klingt ähnlich: Nr. 3 Leihgeräte zum Ausleihen")
    assert staff.sees("Nr. 5 Kurs ohne Praktikum Vorsicht: Das kann das Gegenteil sagen.")


# -- files ------------------------------------------------------------


def test_the_file_of_the_first_conference_is_taken_whole(staff, june, ideas):
    taken(staff, FILE)
    assert staff.sees("34 Ideen sind dazugekommen")
    found = ideas()
    rows = [line.split(";") for line in FILE.decode("utf-8").splitlines()[1:]]
    assert [idea.text for idea in found] == [text for _round, _table, text in rows]
    assert [str(idea.round.number) if idea.round else "Plenum" for idea in found] == [row[0] for row in rows]
    assert [idea.table for idea in found] == [row[1] for row in rows]
    assert "Erfolgsgeschichten sammeln und veröffentlichen 😀" in {idea.text for idea in found}


def test_a_file_taken_twice_adds_nothing(staff, june, ideas):
    taken(staff, FILE)
    taken(staff, FILE)
    assert staff.sees("0 Ideen sind dazugekommen. 34 waren schon da.")
    assert len(ideas()) == 34


def test_a_file_that_has_grown_adds_only_the_new_rows(staff, june, ideas):
    taken(staff, FILE)
    taken(staff, FILE + b"Plenum;;Noch ein Gedanke\r\n")
    assert staff.sees("1 Idee ist dazugekommen. 34 waren schon da.")
    assert ideas()[-1].text == "Noch ein Gedanke"


def test_the_same_row_twice_in_a_file_is_two_ideas(staff, june, ideas):
    twice = b"Runde;Gruppe;Idee\n1;A;Weniger Formulare\n1;A;Weniger Formulare\n"
    for _time in range(2):
        taken(staff, twice)
    assert len(ideas()) == 2


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8-sig", ";"), ("cp1252", ";"), ("utf-16", "\t"), ("utf-8", ","), ("cp850", ";")],
)
def test_files_of_real_programs_are_read(staff, june, ideas, encoding, delimiter):
    lines = [
        ["Gruppe", "Runde", "Idee"],
        ["A", "Runde 2", "Kürzere Anträge für Träger"],
        ["", "Plenum", "Größere Räume"],
    ]
    taken(staff, "\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
    assert [(i.round.number if i.round else None, i.table, i.text) for i in ideas()] == [
        (2, "A", "Kürzere Anträge für Träger"),
        (None, "", "Größere Räume"),
    ]


def test_bad_rows_are_named_with_their_line_and_nothing_is_taken(staff, june, ideas):
    rows = [
        "Runde;Gruppe;Idee", "1;A;Gute Idee", "3;A;Falsche Runde", "1;Z;Falscher Tisch", "", "1;A;", "1;A;ab",
        "1;A;" + "x" * 501, "1;A;Rechnung\u202egpj", "eins;A;Runde in Worten",
    ]  # fmt: skip
    taken(staff, "\n".join(rows).encode(), status=422)
    for line in (
        "3 Eine Runde „3“ gibt es nicht.", "4 Einen Tisch „Z“ gibt es nicht.", "6 Die Idee fehlt", "7 Die Idee fehlt",
        "8 Die Idee ist länger als 500 Zeichen.", "9 Die Idee enthält Zeichen, die sich nicht speichern lassen.",
        "10 Eine Runde „eins“ gibt es nicht.",
    ):  # fmt: skip
        assert staff.sees(line), line
    assert ideas() == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Bitte wählen Sie eine Datei"), (b"Runde;Gruppe\n1;A\n", "keine Spalte „Idee“"), (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "nicht lesen"),
        (b"PK\x03\x04" + b"\0" * 40, "nicht lesen"), (b"Runde;Gruppe;Idee\n", "keine Idee"), (b'Runde;Gruppe;Idee\n1;A;"offen\n', "nicht lesen"),
        (b"\xff\xfe\x00", "nicht lesen"),
    ],
    ids=["empty", "no-column", "picture", "broken-zip", "header-only", "open-quote", "half-utf16"],
)  # fmt: skip
def test_a_file_that_is_no_list_is_refused(staff, june, ideas, content, words):
    taken(staff, content, status=422)
    assert staff.sees("Es gibt ein Problem")
    if content:
        assert staff.sees(words) or staff.sees("Die Datei ist leer")
    assert ideas() == []


def test_an_import_without_a_file_is_refused(staff, june):
    staff.submit("ideas.import_ideas", {}, status=422, **HERE)
    assert staff.sees("Bitte wählen Sie eine Datei")


# -- who may, and how much it costs -----------------------------------


def test_strangers_find_nothing_of_another_conference(browser, in_house, june, three):
    with in_house():
        stranger = an_account()
        a_conference(stranger, slug="other")
    cluster = a_cluster(in_house, june)
    browser.sign_in(stranger)
    for endpoint in ("show_ideas", "show_clusters", "show_codes", "show_wall", "import_ideas"):
        browser.open(f"ideas.{endpoint}", status=404, **HERE)
    for endpoint in ("open_collection", "close_collection", "make_codes", "gather"):
        browser.submit(f"ideas.{endpoint}", status=404, **HERE)
    browser.open("ideas.edit_idea", status=404, slug="other", idea_id=three[0].id)
    for endpoint in ("hide_idea", "unhide_idea", "place_idea"):
        browser.submit(f"ideas.{endpoint}", status=404, slug="other", idea_id=three[0].id)
    browser.open("ideas.edit_cluster", status=404, slug="other", cluster_id=cluster.id)
    browser.submit("ideas.dissolve_cluster", status=404, slug="other", cluster_id=cluster.id)


def test_without_an_account_nothing_of_the_moderators_is_shown(browser, june):
    for endpoint in ("show_ideas", "show_clusters", "show_codes", "show_wall"):
        answer = browser.open(f"ideas.{endpoint}", status=303, **HERE)
        assert answer.headers["Location"].startswith("/sign-in?")


@pytest.mark.parametrize(
    ("endpoint", "expected"), [("show_ideas", 6), ("show_clusters", 6), ("show_wall", 7)]
)
@pytest.mark.parametrize("number", [1, 3, 30])
def test_f23_lists_run_a_constant_number_of_queries(
    staff, in_house, open_june, count_queries, endpoint, expected, number
):
    with in_house():
        made = some_ideas(open_june, *(f"Gedanke Nummer {n}" for n in range(number)))
        operations.put_into(made[0], operations.make_cluster(open_june, "Erstes"), 1)
    with count_queries() as seen:
        staff.open(f"ideas.{endpoint}", **HERE)
    assert len([s for s in seen if s.startswith("SELECT")]) == expected

"""Every form of the product and bad input: refused in words, the input kept, nothing written, never a crash.

The forms are found by walking the pages of `tests/world.py`, so a new one is tried without anybody listing it here.
"""

import json
import re

import html5lib
import pytest

from conference import ROOMS
from conference.core.text import BadText, clean_text
from conference.kit.db import db
from conference.kit.forms import shown_again

from .. import world
from ..bad_input import CLASSES, naughty_strings
from ..crawl import endpoint_of, forms_on
from ..fuzz import encoded, filled, in_parts, nothing_stays, post, send, spoilt

# What no field takes, whatever it asks for.
UNSTORABLE = {
    "nul": b"Herford\x00; DROP TABLE",
    "override": "Rechnung\u202egpj.exe".encode(),
    "surrogate": b"a\xed\xa0\x80b",
}
ONE_LINE = {"crlf": b"Ada\r\nBcc: fremd@boese.example\r\nATTENDEE:x", "10000": b"x" * 10_000}
LONG = {"100000": b"x" * 100_000}
NO_NUMBER = {
    "huge": b"1" + b"0" * 30,
    "negative": b"-7",
    "float": b"1e3",
    "nan": b"NaN",
    "words": b"zwei",
    "list": b"[]",
}
NO_DAY = {
    "february": b"2023-02-30",
    "zero": b"0000-00-00",
    "9999": b"9999-12-31",
    "gap": b"2023-03-26T02:30",
    "words": b"morgen",
}
NO_CLOCK = {"late": b"25:61", "negative": b"-1:00", "words": b"mittags"}
NO_ADDRESS = {
    "none": b"kein Mensch",
    "two": b"a@b.example, c@d.example",
    "header": b"a@b.example\nBcc: c@d.example",
}
NO_CHOICE = {"huge": b"9" * 30, "negative": b"-1", "surrogate": b"<script>\xed\xa0\x80"}
# Odd, but nobody's mistake: stored as it is, or refused in words.
HARMLESS = [
    "<script>alert(1)</script>", "=1+1", "{{ 7*7 }} %s {a.__class__}", "👩🏽‍💻", "d’Angelo", "Müller-Lüdenscheidt", "Yılmaz",
    "von der Heide", "O'Brien", "Đặng", "李",
]  # fmt: skip
STRANGERS = [
    (name, b"vom Fremden") for name in ("id", "role", "state", "status_", "account", "conference_id", "created_at", "released_at", "__class__", "self")
]  # fmt: skip
# Typed, but stored in another form.
MADE_PLAIN = {"slug"}


# Buttons without a field that a page shows only while another of the world's buttons is not there, and the one that mail
# programs press, without a mark of ours; held by the tests named.
ELSEWHERE = {
    "upkeep.pause_letters": "tests/house/test_access_matrix.py",
    "outbox.resume_mailing": "tests/outbox/test_control.py",
    "invitations.end_reminders": "tests/outbox/test_control.py",
    "accounts.return_from_service": "tests/accounts/test_service.py",
}


def test_every_form_is_on_some_page_of_the_world(garden):
    posts = {rule.endpoint for rule in garden.app.url_map.iter_rules() if "POST" in rule.methods}
    found = {form.endpoint for form in garden.forms.values() if form.method == "POST"}
    missing = sorted(posts - found - ELSEWHERE.keys())
    assert not missing, f"Bring tests/world.py into a state in which a page shows the form of: {missing}"


def bad_values(control):
    """The bad values for a field, by name; True for those that must be refused."""
    if control.kind == "textarea":
        return {name: (value, True) for name, value in (UNSTORABLE | LONG).items()}
    kinds = {"number": NO_NUMBER, "date": NO_DAY, "time": NO_CLOCK, "email": NO_ADDRESS}
    if control.is_typed:
        own = kinds.get(control.kind, {})
        return {name: (value, True) for name, value in (UNSTORABLE | ONE_LINE | own).items()}
    must = control.kind in ("select", "radio")
    return {name: (value, must) for name, value in NO_CHOICE.items()} | {"nul": (UNSTORABLE["nul"], must)}


def once_each(form):
    """The fields to spoil: of a hundred rows of the same kind only the first."""
    seen = set()
    for control in form.fields:
        kind = (re.sub(r"\d+", "0", control.name), control.kind)
        if control.name != "csrf_token" and control.kind not in ("file", "button") and kind not in seen:
            seen.add(kind)
            yield control


@pytest.mark.parametrize("room", ROOMS)
def test_bad_input_is_refused_and_writes_nothing(garden, room):
    wrong = []
    with nothing_stays(garden.app) as record:
        for form in garden.of(room):
            pairs = filled(form)
            good = send(form, pairs).status_code
            for control in once_each(form):
                for name, (value, must) in bad_values(control).items():
                    record.committed.clear()
                    answer = send(form, spoilt(pairs, control.name, value))
                    wrong += problems_of(
                        garden, form, control, pairs, value, answer, record, must and good < 400, name
                    )
    assert not wrong, "Take input through the fields of kit.forms, which clean it:\n" + "\n".join(wrong)


def problems_of(garden, form, control, pairs, value, answer, record, must, name):
    where = f"{form.endpoint} ({form.page}), {control.name}={name}: "
    if answer.status_code >= 500:
        return [f"{where}crashes"]
    if answer.status_code >= 400 and record.committed:
        return [f"{where}answers {answer.status_code} and writes {record.committed[0]}"]
    if form.method == "POST" and must and answer.status_code < 400:
        return [f"{where}is taken ({answer.status_code}, {len(record.committed)} statements)"]
    if answer.status_code == 422 and control.is_typed and name in ("nul", "huge", "february", "late"):
        return [where + problem for problem in problems_of_page(garden, form, control, pairs, value, answer)]
    return []


def problems_of_page(garden, form, control, pairs, value, answer):
    """The page of a refused form: a summary in the page's language, and everything as it was sent."""
    text = answer.get_data(as_text=True)
    problems = []
    if "Es gibt ein Problem" not in text:
        problems.append("the page has no error summary")
    page = html5lib.parse(text, namespaceHTMLElements=False)
    shown = [f for f in forms_on(page, form.client, form.action, garden.app) if f.endpoint == form.endpoint]
    fields = {field.name: field for again in shown for field in again.fields}
    for key, sent in spoilt(pairs, control.name, value):
        field = fields.get(key)
        if field is None or not field.is_typed or field.kind == "password":
            continue
        wanted = shown_again(sent.decode(errors="replace")).replace("\r\n", "\n").strip()
        # Signs of a younger Unicode are no mistake, and stay in a field that is refused for another reason.
        if not {wanted, sent.decode(errors="replace").strip()} & {kept.strip() for kept in field.values}:
            problems.append(f"{key} shows {field.values} instead of what was sent, {wanted[:60]!r}")
    return problems


@pytest.mark.parametrize("room", ROOMS)
def test_forms_of_odd_shapes_write_nothing(garden, room):
    """Whatever stands in a body: repeated, missing, unknown, another language of the wire, too much, without our own mark."""
    wrong = []
    with nothing_stays(garden.app) as record:
        for form in garden.of(room):
            if form.method == "POST":
                wrong += [
                    f"{form.endpoint} ({form.page}): {problem}"
                    for problem in problems_of_shapes(form, record)
                ]
    assert not wrong, "\n".join(wrong)


def problems_of_shapes(form, record):
    pairs = filled(form)
    known = [pair for pair in pairs if pair[0] == "csrf_token"]
    damaged = b"csrf_token=" + known[0][1] + b"&\xff\xfe%zz=%&&==&name=M\xfcller"
    latin1 = [(key, b"M\xfcller") if key != "csrf_token" else (key, value) for key, value in pairs]
    urlencoded = "application/x-www-form-urlencoded"
    mark = [(key, b"forged" if key == "csrf_token" else value) for key, value in pairs]
    tries = {
        "without its mark": (
            encoded(pairs[:0] + [p for p in pairs if p[0] != "csrf_token"]),
            urlencoded,
            {400},
        ),
        "with a forged mark": (encoded(mark), urlencoded, {400}),
        "as JSON": (
            json.dumps({key: value.decode() for key, value in pairs}).encode(),
            "application/json",
            {400},
        ),
        "as plain text": (encoded(pairs), "text/plain", {400}),
        "as multipart without a boundary": (in_parts(pairs), "multipart/form-data", {400}),
        "over the limit": (encoded([*pairs, ("more", b"x" * form_limit(form))]), urlencoded, {413}),
        "with 100,000 fields": (encoded(pairs) + b"&a" * 100_000, urlencoded, {413}),
        "with no field": (encoded(known), urlencoded, None),
        "with every field twice": (encoded([*pairs, *((k, b"<i>" + v) for k, v in pairs)]), urlencoded, None),
        "with a stranger's fields": (encoded([*pairs, *STRANGERS]), urlencoded, None),
        "in parts that are no UTF-8": (in_parts(latin1), "multipart/form-data; boundary=b", None),
        "damaged": (damaged, urlencoded, None),
    }
    for name, (body, kind, wanted) in tries.items():
        record.committed.clear()
        status = post(form, body, kind).status_code
        if status >= 500 or (wanted and status not in wanted):
            yield f"sent {name} answers {status}" + (f", not {wanted}" if wanted else "")
        if status >= 400 and record.committed:
            yield f"sent {name} answers {status} and writes {record.committed[0]}"
        if "stranger" in name and "vom Fremden" in repr_of(record.committed):
            yield "stores a field that its page does not have; name the fields one by one"


def form_limit(form):
    view = form.client.application.view_functions[form.endpoint]
    return getattr(view, "max_content_length", None) or form.client.application.config["MAX_CONTENT_LENGTH"]


@pytest.mark.parametrize("room", ROOMS)
def test_odd_but_honest_input_is_stored_as_it_is(garden, room):
    wrong = []
    with nothing_stays(garden.app) as record:
        for form in garden.of(room):
            pairs = filled(form)
            for control in once_each(form):
                if control.kind not in ("text", "textarea") or control.name in MADE_PLAIN:
                    continue
                for text in HARMLESS:
                    record.committed.clear()
                    answer = send(form, spoilt(pairs, control.name, text.encode()))
                    if answer.status_code >= 500:
                        wrong.append(f"{form.endpoint}, {control.name}: {text!r} crashes")
                    if (
                        answer.status_code < 400
                        and record.committed
                        and text not in repr_of(record.committed)
                    ):
                        wrong.append(f"{form.endpoint}, {control.name}: {text!r} is not what was stored")
    assert not wrong, "\n".join(wrong)


def test_t26_what_a_page_does_not_ask_changes_nothing(garden):
    """Every column of every table, sent along with every form: the same statements with the same values as without."""
    mark = b"987654321"
    columns = {column.name for table in db.metadata.tables.values() for column in table.columns}
    wrong = []
    with nothing_stays(garden.app) as record:
        for form in (form for room in ROOMS for form in garden.of(room) if form.method == "POST"):
            pairs, asked = filled(form), {control.name for control in form.fields}
            more = [
                (name, mark) for name in sorted(columns | {"is_admin", "role", "status"}) if name not in asked
            ]
            seen = []
            for sent in (pairs, pairs + more):
                record.committed.clear()
                status = send(form, sent).status_code
                seen.append((status, [statement for statement, _values in record.committed]))
            where = f"{form.endpoint} ({form.page}): "
            # A form may know more fields than this page shows, and refuse them: that changes nothing either.
            if seen[0] != seen[1] and seen[1][1]:
                wrong.append(where + f"does something else with them: {seen[0][0]}, {seen[1][0]}")
            if mark.decode() in repr_of(record.committed):
                wrong.append(where + "stores a field that its page does not have; name the fields one by one")
    assert not wrong, "\n".join(wrong)


# The fields that name things, by what they name, as they stand in the form. # is any number.
IN_FIELDS = {
    "action": "action", "cluster": "cluster", "grant": "role_grant", "group": "breakout_group", "guests": "invitation", "idea": "idea",
    "offer": "seat_offer", "other": "contact", "person": "contact", "person_#": "contact", "pin": "contact",
    "recipient": "invitation", "responsible_id": "contact", "room": "room", "room_id": "room", "round_id": "round", "topic_id": "topic",
    "first_wish": "topic", "second_wish": "topic", "third_wish": "topic", "into": "", "source": "",
}  # fmt: skip
MERGED_INTO = {"groups.merge_concern": "concern", "ideas.merge_cluster": "cluster"}
SOURCES = {"decision": "decision", "cluster": "cluster", "idea": "idea", "item": "agenda_item"}
WRITTEN = {"idea": "{}-1", "pin": "2:{}:A"}
IN_NAMES = {
    "presence-#": ("contact", "present"),
    "was-#": ("contact", "present"),
    "option-#": ("vote_option", "1"),
}
# Another button is pressed for these.
BUTTONS = {"other": ("step", b"swap")}
# Whoever was taken from the list meanwhile is refused in words here, and so is who never was on it.
MAY_HAVE_LEFT = {"pin"}
# Numbers that count, or say what was seen on the page, and name no thing.
COUNTS = {
    "version",
    "round",
    "minutes",
    "wave",
    "confirmed",
    "preview",
    "result",
    "link",
    "once_key",
    "client_id",
    "seen",
    "credential",
}


def test_t07_t26_what_belongs_elsewhere_is_taken_in_no_field(garden):
    """Every field that names a thing, with the number of such a thing of a conference that is not the sender's."""
    wrong, tried = [], set()
    with nothing_stays(garden.app) as record:
        for form in (form for room in ROOMS for form in garden.of(room) if form.method == "POST"):
            pairs = filled(form)
            for control in form.fields if form.endpoint != "invitations.map_columns" else ():
                kind = re.sub(r"\d+", "#", control.name)
                wrong += [f"{form.endpoint}: say what {kind} names"] if is_new(control, kind) else []
                if control.is_typed and kind not in IN_NAMES:
                    continue
                for name, value in foreign(garden.elsewhere.ids, form.endpoint, control.name, kind):
                    record.committed.clear()
                    good = spoilt(pairs, *BUTTONS[kind]) if kind in BUTTONS else pairs
                    status = send(form, spoilt(good, name, value.encode())).status_code
                    tried.add(kind)
                    wanted = (404, 409, 422) if kind in MAY_HAVE_LEFT else (404, 422)
                    if status not in wanted or record.committed:
                        wrong.append(f"{form.endpoint} ({form.page}), {name}={value}: {status}")
    assert not wrong, "Look it up through the conference:\n" + "\n".join(sorted(set(wrong)))
    assert tried == IN_FIELDS.keys() | IN_NAMES.keys()


def is_new(control, kind):
    """True for a field with numbers in it of which nobody has said whether they name something."""
    names_a_thing = any(
        re.match(r"([a-z]+-|\d+:)?\d+\b", value) for value in control.values + control.offered
    )
    numbered = "#" in kind and not control.is_typed
    return (
        numbered or (names_a_thing and not control.is_typed)
    ) and kind not in IN_FIELDS.keys() | IN_NAMES.keys() | COUNTS


def foreign(ids, endpoint, name, kind):
    """The field as it would name things of elsewhere, the first and the last of each kind."""
    if kind in IN_NAMES:
        table, value = IN_NAMES[kind]
        yield from ((re.sub(r"\d+", str(number), name), value) for number in ends(ids[table]))
    elif kind == "source":
        for word, table in SOURCES.items():
            yield from ((name, f"{word}-{number}") for number in ends(ids[table]))
    elif kind in IN_FIELDS:
        table = IN_FIELDS[kind] or MERGED_INTO[endpoint]
        yield from ((name, WRITTEN.get(kind, "{}").format(number)) for number in ends(ids[table]))


def ends(numbers):
    return sorted({min(numbers), max(numbers)})


EACH = 6


def test_t24_req13_every_class_of_hostile_text_in_every_field(garden):
    """The big list of naughty strings and our own classes, spread over all fields: each string somewhere, each field some.

    What is stored and what is refused follows from the text alone, so that both databases do the same.
    """
    strings = [*(text for name in sorted(CLASSES) for text in CLASSES[name]), *naughty_strings()]
    fields = [
        (form, control)
        for room in ROOMS
        for form in garden.of(room)
        for control in once_each(form)
        if control.kind in ("text", "textarea", "search")
    ]
    assert len(fields) * EACH >= len(strings), "raise EACH: some string is tried nowhere"
    wrong = []
    with nothing_stays(garden.app) as record:
        for number, (form, control) in enumerate(fields):
            pairs = filled(form)
            for text in (strings[(number * EACH + step) % len(strings)] for step in range(EACH)):
                record.committed.clear()
                sent = spoilt(pairs, control.name, text.encode(errors="surrogatepass"))
                answer = send(form, sent)
                where = f"{form.endpoint} ({form.page}), {control.name}={text[:60]!r}: "
                wrong += [
                    where + problem
                    for problem in problems_of_text(garden, form, control, text, answer, record, sent)
                ]
    assert not wrong, "\n".join(wrong)


def problems_of_text(garden, form, control, text, answer, record, sent):
    if answer.status_code >= 500 or (answer.status_code >= 400 and record.committed):
        return [f"answers {answer.status_code}, {len(record.committed)} written"]
    if form.method == "GET":
        return []
    try:
        clean = clean_text(text, multiline=control.kind == "textarea", max_length=10**6)
    except BadText as error:
        is_taken = answer.status_code < 400 and error.code != "blank"
        return [f"is taken though it holds what no text may ({error.code})"] if is_taken else []
    if answer.status_code == 422:
        # What was typed, or what would be stored of it.
        as_typed, as_stored = (
            problems_of_page(garden, form, control, sent, kept.encode(), answer) for kept in (text, clean)
        )
        return as_typed if as_stored else []
    stays_plain = record.committed and control.kind != "search" and control.name not in MADE_PLAIN
    is_lost = answer.status_code < 400 and stays_plain and clean not in repr_of(record.committed)
    return ["is not what was stored"] if is_lost else []


def repr_of(committed):
    """All values of the statements as text, as they are."""

    def words(value):
        if isinstance(value, dict):
            return " ".join(words(v) for v in value.values())
        if isinstance(value, (list, tuple)):
            return " ".join(words(v) for v in value)
        value = getattr(value, "obj", value)  # what psycopg wraps as JSON
        if isinstance(value, list):
            return words(tuple(value))
        if isinstance(value, str) and value.startswith('["'):
            return words(json.loads(value))  # a list in one column has its signs escaped
        return str(value)

    return " ".join(words(values) for _statement, values in committed)


ODD_QUERIES = [
    "?page=-1",
    "?page=" + "9" * 40,
    "?next=//boese.example&by=%00",
    "?x=%ED%A0%80&show=%FF",
    "?by=&by=&show[]=1",
    "?" + "a=1&" * 3000,
]
ODD_VALUES = {
    "int": ["0", "-1", "9" * 40, "1.5", "%D9%A3", "1%00"],
    "default": ["%00", "%ED%A0%80", "..%2F..%2Fetc", "%E2%80%AEx", "x" * 3000, "a%0d%0ab"],
}


def test_odd_addresses_never_crash_and_never_write(garden):
    wrong = []
    with nothing_stays(garden.app) as record:
        for name, client in garden.world.visitors.items():
            for path in one_of_each_route(garden, name):
                for method, address in odd_requests(path):
                    record.committed.clear()
                    answer = client.open(address, method=method)
                    if answer.status_code >= 500 or record.committed:
                        wrong.append(
                            f"{method} {address[:120]} answers {answer.status_code}, {len(record.committed)} written"
                        )
    assert not wrong, "\n".join(wrong)


def one_of_each_route(garden, visitor):
    return {
        endpoint_of(garden.app, path.split("?")[0], "GET"): path for path in garden.paths[visitor]
    }.values()


def test_a_foreign_host_is_on_no_page(garden):
    """Neither the Host header nor what a proxy might say reaches an address; nobody stands in front by default."""
    foreign = {
        "Host": "boese.example",
        "X-Forwarded-Host": "boese.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=boese.example",
    }
    wrong = []
    stranger = garden.app.test_client(use_cookies=False)
    for name, client in garden.world.visitors.items():
        cookie = client.get_cookie("folgetermin")
        for path in garden.paths[name]:
            answer = stranger.get(
                path, headers=foreign | ({"Cookie": f"folgetermin={cookie.value}"} if cookie else {})
            )
            if b"boese.example" in answer.get_data() + str(answer.headers).encode():
                wrong.append(f"{path}: use kit.addresses.absolute for addresses that leave the page")
            if "Strict-Transport-Security" in answer.headers:
                wrong.append(f"{path}: believes X-Forwarded-Proto")
    assert not wrong, "\n".join(wrong)


def odd_requests(path):
    bare = path.split("?")[0]
    yield from (("GET", bare + query) for query in ODD_QUERIES[:3])
    yield from ((method, path) for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "BREW"))
    yield "GET", bare + "/"
    yield "GET", bare.replace("/", "%2F")[3:] or "/%2F"


def test_odd_values_in_addresses_are_not_found(garden):
    wrong = []
    organiser = garden.world.visitors["organiser"]
    with nothing_stays(garden.app) as record:
        for rule in garden.app.url_map.iter_rules():
            for name in rule.arguments:
                others = {"slug": world.COMING, "series_slug": "bildungstraegerkonferenz"}
                kind = "int" if "<int:" + name in rule.rule else "default"
                for odd in ODD_VALUES[kind]:
                    address = rule.rule
                    for other in rule.arguments:
                        value = odd if other == name else others.get(other, "1")
                        for shape in (f"<{other}>", f"<int:{other}>", f"<path:{other}>"):
                            address = address.replace(shape, value)
                    for method in sorted(rule.methods - {"OPTIONS"}):
                        status = organiser.open(address, method=method).status_code
                        if not 300 <= status < 500 or record.committed:
                            wrong.append(f"{method} {address[:100]} answers {status}")
    assert not wrong, "\n".join(wrong)

"""A reader of our own for calendar files: it knows the rules that calendars only punish in silence.

It works on the bytes, not with the library that wrote them.
"""

import re
from dataclasses import dataclass

NAME = re.compile(r"[A-Z0-9-]+")
ONCE = {
    "VCALENDAR": {"VERSION", "PRODID", "CALSCALE"},
    "VEVENT": {"UID", "DTSTAMP", "DTSTART", "SEQUENCE", "SUMMARY", "STATUS", "TRANSP", "LAST-MODIFIED"},
}
AT_MOST_ONCE = {"DTEND", "LOCATION", "DESCRIPTION", "URL", "ORGANIZER", "ATTENDEE", "METHOD"}
TEXTS = {"SUMMARY", "LOCATION", "DESCRIPTION", "NAME", "X-WR-CALNAME"}


@dataclass(frozen=True)
class Line:
    """One content line: NAME;PARAM=value:value."""

    name: str
    params: dict[str, str]
    value: str


@dataclass(frozen=True)
class Block:
    """What stands between BEGIN and END."""

    name: str
    lines: list[Line]
    blocks: list["Block"]

    def value(self, name: str) -> str:
        [line] = [line for line in self.lines if line.name == name]
        return line.value

    def line(self, name: str) -> Line:
        [line] = [line for line in self.lines if line.name == name]
        return line

    def names(self) -> list[str]:
        return [line.name for line in self.lines]

    def all(self, name: str) -> list["Block"]:
        return [block for block in self.blocks if block.name == name]


def read(raw: bytes) -> Block:
    """The file as blocks; AssertionError where it is not even a calendar file."""
    assert raw.endswith(b"\r\n")
    physical = raw[:-2].split(b"\r\n")
    for line in physical:
        assert len(line) <= 75, f"longer than 75 octets: {line!r}"
        assert b"\r" not in line and b"\n" not in line, f"bare CR or LF: {line!r}"
        line.decode("utf-8")  # a fold that splits a character fails here
    text = raw.decode("utf-8").replace("\r\n ", "")
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text), "control characters"
    lines = [_line(line) for line in text[:-2].split("\r\n")]
    block, rest = _block(lines)
    assert rest == []
    return block


def unescaped(value: str) -> str:
    """A TEXT value as it was meant. AssertionError for a sign that must be escaped and is not."""
    assert not re.search(r"(?<!\\)(?:\\\\)*[,;]", value), f"unescaped: {value!r}"
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], value)


def problems(raw: bytes) -> list[str]:
    """Every rule that the file breaks, in words; an empty list is a good file."""
    calendar = read(raw)
    method = next((line.value for line in calendar.lines if line.name == "METHOD"), None)
    found = _missing(calendar)
    found += ["a calendar has a UID"] if "UID" in calendar.names() else []
    found += ["no component"] if not calendar.blocks else []
    for event in calendar.all("VEVENT"):
        found += _missing(event) + _event_problems(event, calendar)
        found += _scheduled(event, method) if method else _published(event)
    for zone in calendar.all("VTIMEZONE"):
        found += _zone_problems(zone)
    for line in calendar.lines + [line for event in calendar.all("VEVENT") for line in event.lines]:
        if line.name in TEXTS:
            unescaped(line.value)
    return found


def _line(text: str) -> Line:
    head, value = _split_at_colon(text)
    name, *params = re.findall(r'(?:[^;"]|"[^"]*")+', head)
    assert NAME.fullmatch(name), text
    pairs = dict(param.split("=", 1) for param in params)
    return Line(name, {key: value.strip('"') for key, value in pairs.items()}, value)


def _split_at_colon(text: str) -> tuple[str, str]:
    match = re.match(r'((?:[^":]|"[^"]*")*):(.*)', text, re.DOTALL)
    assert match, f"no content line: {text!r}"
    return match[1], match[2]


def _block(lines: list[Line]) -> tuple[Block, list[Line]]:
    first, rest = lines[0], lines[1:]
    assert first.name == "BEGIN", first
    block = Block(first.value, [], [])
    while rest[0].name != "END":
        if rest[0].name == "BEGIN":
            inner, rest = _block(rest)
            block.blocks.append(inner)
        else:
            assert not block.blocks, "a property after a component"
            block.lines.append(rest[0])
            rest = rest[1:]
    assert rest[0].value == block.name
    return block, rest[1:]


def _missing(block: Block) -> list[str]:
    names = block.names()
    found = [f"{block.name} needs one {name}" for name in ONCE[block.name] if names.count(name) != 1]
    return found + [f"{block.name} has several {name}" for name in AT_MOST_ONCE if names.count(name) > 1]


def _event_problems(event: Block, calendar: Block) -> list[str]:
    found = [f"{event.name} has an alarm"] if event.blocks else []
    if not event.value("DTSTAMP").endswith("Z") or not event.value("LAST-MODIFIED").endswith("Z"):
        found.append("DTSTAMP and LAST-MODIFIED are in UTC")
    zones = {zone.value("TZID") for zone in calendar.all("VTIMEZONE")}
    for line in event.lines:
        if line.name in {"DTSTART", "DTEND"} and line.params.get("TZID", "") not in zones | {""}:
            found.append(f"{line.name} has a TZID without VTIMEZONE")
        if line.name in {"DTSTART", "DTEND"} and not (line.params or line.value.endswith("Z")):
            found.append(f"{line.name} floats")
    if "DTEND" in event.names() and event.value("DTEND") <= event.value("DTSTART"):
        found.append("DTEND is not later than DTSTART")
    all_day = event.line("DTSTART").params.get("VALUE") == "DATE"
    if event.value("TRANSP") != ("TRANSPARENT" if all_day else "OPAQUE"):
        found.append("TRANSP does not fit")
    return found


def _scheduled(event: Block, method: str) -> list[str]:
    found = [] if method in {"REQUEST", "CANCEL"} else [f"METHOD:{method}"]
    for name in ("ORGANIZER", "ATTENDEE"):
        if event.names().count(name) != 1:
            found.append(f"needs one {name}")
        elif re.search(r'["^;:\\]', event.line(name).params.get("CN", ";")):
            found.append(f"{name} has a CN that readers cut")
        elif not event.value(name).startswith("mailto:"):
            found.append(f"{name} is no mailto")
    if set(event.line("ATTENDEE").params) != {"CUTYPE", "ROLE", "PARTSTAT", "RSVP", "CN"}:
        found.append("ATTENDEE lacks parameters")
    if (method == "CANCEL") != (event.value("STATUS") == "CANCELLED"):
        found.append("CANCEL and CANCELLED belong together")
    if method == "CANCEL" and event.value("SEQUENCE") == "0":
        found.append("CANCEL needs a higher SEQUENCE")
    return found


def _published(event: Block) -> list[str]:
    return [
        f"a published entry names people ({name})"
        for name in ("ORGANIZER", "ATTENDEE")
        if name in event.names()
    ]


def _zone_problems(zone: Block) -> list[str]:
    found = [f"{name} in a VTIMEZONE" for name in zone.names() if name != "TZID"]
    for part in zone.blocks:
        if "RDATE" in part.names() or not re.search(r"BYDAY=-1SU", part.value("RRULE")):
            found.append(f"{part.name} needs an RRULE with BYDAY and no RDATE")
    return found

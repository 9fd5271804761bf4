"""docs/asvs.md: no requirement is missing or twice, the counts are right, and what it names as evidence exists."""

import csv
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "asvs.md").read_text()
STATES = ("yes", "partly", "no", "n/a", "operator")
NAMED = re.compile(
    r"`((?:conference|deploy|docs|static|templates|tests|tools)/[^`]*|Makefile|[\w.-]+\.(?:md|toml|txt))`"
)


def requirements():
    """Level by id, of all that we want to meet: levels 1 and 2, and the chosen ones of level 3."""
    with (ROOT / "tests" / "data" / "asvs-5.0.0-ids.csv").open() as file:
        return {row["id"]: int(row["level"]) for row in csv.DictReader(file) if row["target"] == "yes"}


def rows():
    """(ids, levels, meaning, state, evidence) of each line of the tables."""
    lines = (
        line.strip("|\n").split(" | ") for line in TEXT.splitlines() if re.match(r"\| \d+\.\d+\.\d+", line)
    )
    return [
        (ids.strip().split(", "), levels, meaning, state, evidence)
        for ids, levels, meaning, state, evidence in lines
    ]


def test_every_requirement_stands_there_once_with_its_level_and_a_state():
    wanted, listed = requirements(), [one for ids, *_rest in rows() for one in ids]
    assert len(wanted) == 70 + 183 + 15
    assert [one for one, times in Counter(listed).items() if times > 1] == []
    assert set(listed) == set(wanted)
    for ids, levels, meaning, state, evidence in rows():
        assert levels == ", ".join(map(str, sorted({wanted[one] for one in ids}))), ids
        assert state in STATES and evidence.strip(), ids
        assert 1 <= len(meaning.split()) <= 25, f"{ids}: in a few words of our own"


def test_the_counts_at_the_top_are_those_of_the_table():
    wanted = requirements()
    counted = Counter(
        (state, wanted[one]) for ids, _levels, _meaning, state, _evidence in rows() for one in ids
    )
    for state in STATES:
        numbers = [counted[state, level] for level in (1, 2, 3)]
        line = re.search(rf"^\| {re.escape(state)} \| [^|]+ \| (.+) \|$", TEXT, re.MULTILINE)
        assert line and line[1].split(" | ") == [*map(str, numbers), str(sum(numbers))], state


def test_whatever_is_named_exists():
    missing = [name for name in NAMED.findall(TEXT) if not is_there(name)]
    assert missing == []
    assert len(set(NAMED.findall(TEXT))) > 150


def is_there(name):
    """True for a file, and for what stands after :: when the file defines it."""
    path, *parts = name.split("::")
    if not (ROOT / path).exists():
        return False
    text = (ROOT / path).read_text() if parts else ""
    return all(re.search(rf"^\s*(?:def|class) {part}\b|^{part}\b.* = ", text, re.MULTILINE) for part in parts)

"""docs/threat-model.md: every threat has its row with what stands in the way, and no test holds a threat that is none (REQ-35)."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (T\d\d) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
THREATS = ROW.findall((ROOT / "docs" / "threat-model.md").read_text())


def test_req35_every_threat_stands_in_the_model_once_with_what_is_done():
    assert [number for number, *_words in THREATS] == [f"T{number:02}" for number in range(1, 39)]
    assert [number for number, *_words, defence in THREATS if len(defence.split()) < 3] == []


def test_req35_every_threat_that_a_test_names_is_in_the_model():
    known = {number.lower() for number, *_words in THREATS}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in re.findall(r"^ *def (test_\w+)", path.read_text(), re.MULTILINE):
            assert set(re.findall(r"_(t\d\d)(?=_)", name)) <= known, f"{path.name}::{name}"

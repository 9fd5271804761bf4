"""docs/requirements.md names for each requirement the tests that hold it; tests/defences.toml how each of them is made to fail."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"\| (REQ-\d\d) \| ([^|]+) \| ([^|]+) \|")
NAME = re.compile(r"`(tests/[\w/]+\.py::(?:Test\w+::)?test_\w+)`")
LATER = {"REQ-31", "REQ-32"}
"""API and webhooks are not there yet."""

ROWS = {
    name: NAME.findall(tests)
    for name, _words, tests in ROW.findall((ROOT / "docs" / "requirements.md").read_text())
}
DEFENCES = tomllib.loads((ROOT / "tests" / "defences.toml").read_text())["defence"]


@cache
def functions_of(path):
    return {
        node.name
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.FunctionDef)
    }


def test_all_requirements_are_there():
    assert list(ROWS) == [f"REQ-{number:02}" for number in range(1, 36)]


@pytest.mark.parametrize("name", ROWS)
def test_each_requirement_names_tests_that_exist(name):
    assert bool(ROWS[name]) != (name in LATER)
    for test in ROWS[name]:
        path, function = test.partition("::")[0], test.rpartition("::")[2]
        assert function in functions_of(path), f"{test} is gone; name the test that holds {name} now"


@pytest.mark.parametrize("number", range(len(DEFENCES)))
def test_each_defence_can_be_taken_out(number):
    """The words are there once, and its tests are named in the document. `make defences` sees them fail."""
    defence = DEFENCES[number]
    assert (ROOT / defence["file"]).read_text().count(defence["take"]) == 1, defence["file"]
    assert defence["put"] != defence["take"]
    assert defence["tests"]
    assert set(defence["tests"]) <= set(ROWS[defence["requirement"]]), defence["requirement"]


def test_each_requirement_has_a_defence_that_was_taken_out():
    assert {defence["requirement"] for defence in DEFENCES} == set(ROWS) - LATER

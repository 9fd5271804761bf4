"""What `groups-solve` says to files that are no problem: exit code 2, one line, the place and what is wrong there."""

import json
import os

import pytest

from conference import groups_file

BASE = {"rounds": 2, "groups": {"count": 2}, "people": [{"id": "a"}, {"id": "b"}, {"id": "c"}, {"id": "d"}]}
SEATS = {"goal": "diversity", "pairs": [["a", "b", 10**400]]}
SPARE = {"rule": "each_group_has", "attribute": "side", "value": "x", "max": 10**30}
PROBLEMS = [
    ({"met": [["a", "z"]]}, "met[0][1]: unknown person 'z'"),
    ({"rules": [{"person": "a"}]}, "rules[0].rule: missing"),
    ({"rules": [SPARE]}, "rules[0].max: must be at most 1000000"),
    ({"groups": {"count": 2, "min": 0, "max": 2**63}}, "groups.max: must be at most"),
    ({"goals": [SEATS]}, "goals[0].pairs[0][2]: must be"),
    ({"people": [{"id": "\ud800"}]}, "people[0].id: half a character"),
    ({"people": [{"id": "a", "attributes": {"\udfff": "x"}}]}, "people[0].attributes: half a character"),
]
FILES = [
    (b'{"rounds": 1,\n "people": [{"id": "a",\n "id": "b"}]}', "line 3: the key 'id' stands twice"),
    (b'{"rounds": 1,\n "met": "NaN", "people": -Infinity}', "line 2: -Infinity is no number"),
    (
        b'{"a": "' + b"9" * 5_000 + b'",\n"rounds": ' + b"9" * 5_000 + b"}",
        "line 2: a number has too many digits",
    ),
    (b"[]", "an object needed"),
]
PUBLISHED = [
    ([1], "published: the output of an earlier solution needed"),
    ({"rounds": [{"\ud800": ["a"]}]}, "published.rounds[0]: half a character"),
    ({"status": "contradiction", "rules": [], "text": ""}, "published: the output"),
]


def said(capsys, *files):
    file, published = (*files, None)[:2]
    code = groups_file.solve(file, 1, None, 10, published)
    output = capsys.readouterr()
    assert (code, output.out) == (2, "")
    assert output.err.count("\n") == 1
    return output.err


@pytest.mark.parametrize(("change", "expected"), PROBLEMS)
def test_a_wrong_part_is_named_by_its_path(tmp_path, capsys, change, expected):
    file = tmp_path / "problem.json"
    file.write_text(json.dumps(BASE | change))
    assert f"{file}: {expected}" in said(capsys, file)


@pytest.mark.parametrize(("content", "expected"), FILES)
def test_what_json_cannot_say_is_named_by_its_line(tmp_path, capsys, content, expected):
    file = tmp_path / "problem.json"
    file.write_bytes(content)
    assert expected in said(capsys, file)


@pytest.mark.parametrize(("published", "expected"), PUBLISHED)
def test_only_an_earlier_output_can_be_repaired(tmp_path, capsys, published, expected):
    file, before = tmp_path / "problem.json", tmp_path / "published.json"
    file.write_text(json.dumps(BASE))
    before.write_text(json.dumps(published))
    assert f"{before}: {expected}" in said(capsys, file, before)


def test_a_file_without_end_is_not_read_to_its_end(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(groups_file, "MOST_BYTES", 1_000_000)
    file = tmp_path / "problem.json"
    file.touch()
    os.truncate(file, 2_000_000)
    assert "larger than 1 MB" in said(capsys, file)

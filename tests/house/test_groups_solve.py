"""The command `groups-solve`: a file in, JSON out, exit codes as promised, no database."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conference.core.grouping import parse_problem, violations

DATA = Path(__file__).parents[1] / "data"
ROOT = Path(__file__).parents[2]


def solve(*words, hash_seed=None):
    """The finished command; with a hash seed in a Python that has just been started."""
    command = ["groups-solve", *map(str, words)]
    environment = {"PATH": "/usr/bin:/bin", "FOLGETERMIN_INSTANCE": str(solve.folder)}
    if hash_seed is None:
        return solve.zygote.run(command, environment)
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *command]
    environment["PYTHONHASHSEED"] = hash_seed
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment)


@pytest.fixture(autouse=True)
def folder(tmp_path, zygote):
    solve.folder, solve.zygote = tmp_path, zygote


def test_june_is_solved_and_no_rule_is_broken():
    done = solve(DATA / "groups-june.json", "--seed", "3")
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert result["status"] == "optimal"
    assert (result["seed"], list(result)[:4]) == (3, ["status", "seed", "iterations", "seconds"])
    problem = parse_problem(json.loads((DATA / "groups-june.json").read_text(encoding="utf-8")))
    seating = tuple({name: tuple(people) for name, people in one.items()} for one in result["rounds"])
    assert violations(problem, seating) == ()
    assert not list(solve.folder.glob("*.db"))


def test_the_same_seed_and_iterations_give_the_same_plan_in_every_process():
    plans = {
        json.dumps(json.loads(done.stdout) | {"seconds": 0})
        for done in (
            solve(DATA / "groups-june.json", "--seed", "7", "--iterations", "60", hash_seed=hash_seed)
            for hash_seed in ("1", "2")
        )
    }
    assert len(plans) == 1


def test_a_contradiction_is_json_with_its_rules_and_exit_code_3():
    done = solve(DATA / "groups-contradiction.json")
    assert (done.returncode, done.stderr) == (3, "")
    result = json.loads(done.stdout)
    assert result["status"] == "contradiction"
    assert result["rules"]
    assert result["text"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"rounds": 1,\n "groups": }', "line 2"),
        (b"\xff\xfe", "no UTF-8"),
        (b"", "line 1"),
        (b"[]", "object"),
        (b'{"rounds": 1, "rounds": 2, "groups": {"count": 1}, "people": []}', "twice"),
        (b'{"rounds": 0, "groups": {"count": 1}, "people": []}', "rounds"),
        (b'{"rounds": 1, "groups": {"count": 1}, "people": [], "goal": []}', "goal: unknown key"),
        (b'{"rounds": 1, "groups": {"count": 1}, "people": [{"id": "a"}, {"id": "a"}]}', "people[1]"),
        (b'{"rounds": 1, "groups": {"count": 1}, "people": [], "met": NaN}', "NaN"),
        (b"[" * 100_000, "deeply"),
    ],
)
def test_bad_input_is_named_on_stderr_with_exit_code_2(tmp_path, content, said):
    file = tmp_path / "problem.json"
    file.write_bytes(content)
    done = solve(file)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_file_is_bad_input():
    done = solve("/nowhere/problem.json")
    assert (done.returncode, done.stdout) == (2, "")


def test_a_repair_lists_who_moves(tmp_path):
    published = tmp_path / "published.json"
    published.write_text(solve(DATA / "groups-june.json").stdout)
    now = json.loads((DATA / "groups-june.json").read_text(encoding="utf-8"))
    now["people"] = now["people"][4:]
    now["groups"] = {"count": 5}
    problem = tmp_path / "now.json"
    problem.write_text(json.dumps(now))
    done = solve(problem, "--repair", published)
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert result["fewest_moves_proven"]
    assert all(set(move) == {"person", "round", "from", "to"} for move in result["moves"])
    unchanged = solve(DATA / "groups-june.json", "--repair", published)
    assert json.loads(unchanged.stdout)["moves"] == []

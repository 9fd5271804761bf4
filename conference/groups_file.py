"""The command `groups-solve`: a problem as a file in, a seating as JSON out. Format: docs/groups.md."""

import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from .core import grouping

SOLVED, FAILED, BAD_INPUT, CONTRADICTION = 0, 1, 2, 3
WITHOUT_END = 10**9
"""Steps where only the time is limited."""
MOST_BYTES = 100_000_000
TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|-?Infinity|NaN|\d+')
COLON = re.compile(r"\s*:")
MOST_DIGITS = 4_300
"""Python reads no number with more."""

T = TypeVar("T")


class _Unreadable(Exception):
    """A file that is no JSON, with the line."""


def solve(
    file: Path, seed: int, seconds: float | None, iterations: int | None, published: Path | None
) -> int:
    """Solve, or with `published` repair, the problem in the file. Gives the exit code; writes JSON or one line."""
    began = time.monotonic()
    try:
        problem = _parsed(file, grouping.parse_problem)
        before = None if published is None else _parsed(published, grouping.published_seating)
        if before is not None:
            return _repair(problem, before, seed, began)
        return _seat(problem, seed, seconds, iterations, began)
    except (_Unreadable, grouping.BadProblem) as error:
        return _complain(f"{error}", BAD_INPUT)
    except grouping.Contradiction as error:
        _write(grouping.contradiction_to_json(error))
        return CONTRADICTION
    except grouping.NotFound as error:
        return _complain(f"{error}", FAILED)


def _seat(
    problem: grouping.Problem, seed: int, seconds: float | None, iterations: int | None, began: float
) -> int:
    planned = WITHOUT_END if iterations is None and seconds is not None else iterations
    solution = grouping.solve(
        problem,
        seed=seed,
        iterations=planned,
        deadline=None if seconds is None else lambda: time.monotonic() - began >= seconds,
    )
    _write(grouping.to_json(_timed(solution, began)))
    return SOLVED


def _repair(problem: grouping.Problem, before: grouping.Seating, seed: int, began: float) -> int:
    repaired = grouping.repair(problem, before, seed=seed)
    result = grouping.to_json(_timed(repaired.solution, began))
    _write({**result, "moves": grouping.repair_to_json(repaired), "fewest_moves_proven": repaired.is_minimal})
    return SOLVED


def _timed(solution: grouping.Solution, began: float) -> grouping.Solution:
    return replace(solution, seconds=round(time.monotonic() - began, 3))


def _parsed(file: Path, parse: Callable[[object], T]) -> T:
    try:
        return parse(_read(file))
    except grouping.BadProblem as error:
        raise _Unreadable(f"{file}: {error}") from None


def _read(file: Path) -> object:
    """The decoded file. Keys that stand twice in one object are refused, as one of them would be lost."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise _Unreadable(f"{file}: this is larger than {MOST_BYTES // 1_000_000} MB")
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise _Unreadable(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _Unreadable(f"{file}, line {line}: this is no UTF-8 text") from None
    try:
        return json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _Unreadable(f"{file}, line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise _Unreadable(f"{file}: this is nested too deeply") from None
    except _Misplaced as error:
        raise _Unreadable(f"{file}, line {_line(text, error.sign)}: {error}") from None
    except ValueError:
        raise _Unreadable(f"{file}, line {_line(text, None)}: a number has too many digits") from None


class _Misplaced(Exception):
    """Something that JSON's grammar allows, or Python's reader does, and we do not; `sign` is the key or constant."""

    def __init__(self, message: str, sign: str) -> None:
        super().__init__(message)
        self.sign = sign


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Misplaced(f"the key {twice!r} stands twice in one object", "{")
    return found


def _no_constant(name: str) -> float:
    raise _Misplaced(f"{name} is no number", name)


def _line(text: str, sign: str | None) -> int:
    """Where the constant stands, or for "{" the first key that stands twice, or for None a number of too many digits."""
    keys: list[set[str]] = []
    for token in TOKENS.finditer(text):
        word = token.group()
        if word in ("{", "["):
            keys.append(set())
        elif word in ("}", "]"):
            keys.pop()
        elif (word == sign) or (sign is None and len(word) > MOST_DIGITS and word[0] != '"'):
            return text[: token.start()].count("\n") + 1
        elif sign == "{" and word[0] == '"' and COLON.match(text, token.end()):
            key = json.loads(word)
            if key in keys[-1]:
                return text[: token.start()].count("\n") + 1
            keys[-1].add(key)
    return 1


def _write(result: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(result, ensure_ascii=False, allow_nan=False) + "\n")


def _complain(message: str, code: int) -> int:
    sys.stderr.write(f"Error: {message}\n")
    return code

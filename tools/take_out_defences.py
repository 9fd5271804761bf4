#!/usr/bin/env python3
"""Take each defence out of a copy of the product, one at a time, and see that the tests that hold it fail.

    make defences                 all of them (about an hour)
    make defences ONLY=REQ-06     one requirement

`tests/defences.toml` says for each requirement which words of which file are the defence and what stands there without it;
`postgresql = true` that its tests need that database to miss it.
A test that passes without its defence holds nothing: then the end is an error.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LEFT_AT_HOME = shutil.ignore_patterns(
    ".git", ".venv", "instance", "build", "__pycache__", ".*_cache", ".hypothesis"
)
LONGEST = ["timeout", "--signal=INT", "--kill-after=30", "600"]
WAITS_FOR_EVER = 124
"""How `timeout` ends: the test waits for what does not come without its defence, and would never pass."""


def without(defence: dict[str, Any], house: Path) -> None:
    """Take the defence out of the copy. An error when its words are not there exactly once."""
    path = house / defence["file"]
    text = path.read_text()
    found = text.count(defence["take"])
    if found != 1:
        sys.exit(f"Error: {defence['requirement']}: the words of {defence['file']} are there {found} times.")
    path.write_text(text.replace(defence["take"], defence["put"]))


def failed_tests(tests: list[str], house: Path, on_server: bool) -> list[str]:
    """Those of the tests that fail in the copy; each runs alone, or one broken import would speak for all."""
    return [test for test in tests if fails(test, house, on_server)]


def fails(test: str, house: Path, on_server: bool) -> bool:
    """Whether the test fails. What is left out on SQLite has its say on a PostgreSQL of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FOLGETERMIN_")}
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=line", test]
    server = ["tools/with_postgres.sh"] if on_server else []
    run = subprocess.run(
        [*LONGEST, *server, *words], cwd=house, env=clean, capture_output=True, text=True, check=False
    )
    end = run.stdout.splitlines()[-1:]
    if run.returncode == WAITS_FOR_EVER:
        print(f"{test} has not come to an end.", file=sys.stderr)
        return True
    if run.returncode == 0 and "skipped" in str(end) and not on_server:
        return fails(test, house, on_server=True)
    if run.returncode not in {0, 1}:
        print(f"{test} could not be run:\n{run.stdout[-1000:]}{run.stderr[-1000:]}", file=sys.stderr)
    return run.returncode == 1 and "failed" in str(end)


def main() -> None:
    """Go through the list; the end is an error when a defence was not missed."""
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    defences = tomllib.loads((ROOT / "tests" / "defences.toml").read_text())["defence"]
    missed = []
    for defence in defences:
        if only not in defence["requirement"]:
            continue
        with tempfile.TemporaryDirectory() as name:
            house = Path(name) / "house"
            shutil.copytree(ROOT, house, ignore=LEFT_AT_HOME)
            (house / ".venv").symlink_to(ROOT / ".venv")
            (house / "instance").mkdir()
            without(defence, house)
            failed = failed_tests(defence["tests"], house, defence.get("postgresql", False))
        for test in defence["tests"]:
            verdict = "caught by" if test in failed else "NOT CAUGHT BY"
            print(f"{defence['requirement']}  {verdict} {test}: {defence['without']}", flush=True)
        missed += [test for test in defence["tests"] if test not in failed]
    sys.exit(f"{len(missed)} tests hold nothing." if missed else 0)


if __name__ == "__main__":
    main()

"""No pattern of ours takes long, whatever it is asked to look at (T23)."""

import ast
import importlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import conference

ROOT = Path(__file__).parents[2]
LENGTH = 2_000
SIGNS = " \t\n-_=.@<>/\\\"'(){}[]:;,0a1Aß~#&?!*%|+\u200b\u0301"
PAIRS = [
    "a.",
    "a-",
    "a ",
    "1.",
    "0,",
    "a@",
    "<a",
    "=?",
    "://",
    "~link-",
    "{a",
    "{}",
    "/a",
    "a=",
    "&a",
    "\r\n",
    "- ",
    "a\n",
    "+4",
    "A1",
    "''",
    "Dr",
    "xn--",
    "sep=",
]
# The child says what it looks at before it looks, so that a pattern without end can be named after its death.
CHILD = """
import json, re, resource, sys, time
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[1]), int(sys.argv[1])))
patterns, texts = json.load(sys.stdin)
for pattern, flags in patterns:
    found, slowest = re.compile(pattern, flags), 0
    print(json.dumps(pattern), end=" ", flush=True)
    for text in texts:
        for look in (found.search, found.fullmatch):
            begun = time.process_time()
            look(text)
            slowest = max(slowest, time.process_time() - begun)
    print("slow" if slowest > 0.2 else "good", flush=True)
"""


def patterns():
    """All patterns of the package: those that stand in its modules, and those that are given to `re` in place."""
    found = {(one.pattern, one.flags & ~re.UNICODE) for module in modules() for one in kept_in(module)}
    for path in (ROOT / "conference").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            words = ast.unparse(node.func) if isinstance(node, ast.Call) and node.args else ""
            first = node.args[0] if words.startswith("re.") else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add((first.value, 0))
    return sorted(found)


def modules():
    for module in pkgutil.walk_packages(conference.__path__, "conference."):
        if ".migrations" not in module.name and not module.name.endswith(
            ("_child", "_tags", "_claims", "_tree")
        ):
            yield importlib.import_module(module.name)


def kept_in(module):
    """The patterns among what a module holds, also in its tuples and lists, and in pairs of those."""
    waiting = list(vars(module).values())
    while waiting:
        value = waiting.pop()
        if isinstance(value, (tuple, list)) and len(value) < 100:
            waiting += value
        elif isinstance(value, re.Pattern) and isinstance(value.pattern, str):
            yield value


def evil():
    return [sign * (LENGTH // len(sign)) + end for sign in [*SIGNS, *PAIRS] for end in ("", "\x00")]


def slow(found, seconds=20):
    """The patterns that take a fifth of a second of work for one text, or do not end at all."""
    asked = json.dumps([found, evil()])
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(seconds)], input=asked, capture_output=True, text=True, check=False
    )
    assert "Error" not in done.stderr, done.stderr
    return [line for line in done.stdout.splitlines() if not line.endswith("good")]


def test_t23_no_pattern_of_ours_is_slow():
    found = patterns()
    assert len(found) > 50
    assert slow(found) == [], "Bound what may repeat, and look at the length first."


def test_t23_a_slow_pattern_would_be_seen():
    assert len(slow([("b+", 0), (r"(a|aa)*!!", 0), ("c", 0)], seconds=3)) == 1

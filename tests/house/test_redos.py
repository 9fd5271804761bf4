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
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
patterns, texts = json.load(sys.stdin)
for pattern, flags in patterns:
    found, slowest = re.compile(pattern, flags), 0
    print(json.dumps(pattern), end=" ", flush=True)
    for text in texts:
        begun = time.process_time()
        found.search(text)
        slowest = max(slowest, time.process_time() - begun)
    print("slow" if slowest > 0.2 else "good", flush=True)
"""


def patterns():
    """All patterns of the package: those that stand in its modules, and those that are given to `re` in place."""
    found = {}
    for module in pkgutil.walk_packages(conference.__path__, "conference."):
        if ".migrations" in module.name or module.name.endswith(
            ("_child", "pdf_tags", "pdf_claims", "pdf_tree")
        ):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            for one in value if isinstance(value, (tuple, list)) else [value]:
                for inner in one if isinstance(one, tuple) else [one]:
                    if isinstance(inner, re.Pattern) and isinstance(inner.pattern, str):
                        found[inner.pattern, inner.flags & ~re.UNICODE] = module.name
    for path in (ROOT / "conference").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if is_call and isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.setdefault((first.value, 0), path.name)
    return found


def evil():
    return [sign * (LENGTH // len(sign)) + end for sign in [*SIGNS, *PAIRS] for end in ("", "\x00")]


def slow(found):
    """The patterns that take a fifth of a second of work for one text, or do not end at all."""
    asked = json.dumps([list(found), evil()])
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=asked, capture_output=True, text=True, check=False
    )
    assert "Error" not in done.stderr, done.stderr
    return [line for line in done.stdout.splitlines() if not line.endswith("good")]


def test_t23_no_pattern_of_ours_is_slow():
    found = patterns()
    assert len(found) > 50
    assert slow(found) == [], "Bound what may repeat, and look at the length first."


def test_t23_a_slow_pattern_would_be_seen():
    assert len(slow([("b+", 0), (r"(a|aa)*!!", 0), ("c", 0)])) == 1

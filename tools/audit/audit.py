#!/usr/bin/env python3
"""Ask for known weaknesses of every pinned library, and write what was asked, what came back and of which day it is.

A library about which nobody could say anything is a failure: "no known vulnerabilities" beside "could not be audited"
reads like safety and is none.
"""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LISTS = ("requirements.txt", "requirements-dev.txt", "tools/semgrep/requirements.txt")
SHOWN = 10


def ask(name: str) -> dict[str, Any]:
    """What pip-audit says of one list. Its own exit code is 0 even when it could ask nobody."""
    words = [sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / name), "--require-hashes"]
    answer = subprocess.run(
        [*words, "--disable-pip", "--format", "json", "--progress-spinner", "off"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        report: dict[str, Any] = json.loads(answer.stdout)
    except ValueError:
        sys.exit(
            f"Error: {name} could not be audited: {(answer.stderr.strip() or 'no answer').splitlines()[-1]}"
        )
    return report


def complaints(report: dict[str, Any]) -> list[str]:
    """One sentence for each library that is known to be weak or of which nothing could be learned."""
    found = []
    for library in report["dependencies"]:
        name = f"{library['name']} {library.get('version', '')}".strip()
        if "skip_reason" in library:
            found.append(f"{name} could not be audited")
        found += [
            f"{name}: {weakness['id']}, mended in {', '.join(weakness['fix_versions']) or 'no version yet'}"
            for weakness in library.get("vulns", [])
        ]
    return found if report["dependencies"] else ["nothing was audited"]


def main() -> None:
    """Write build/advisories-DAY.json; the end is an error when there is anything to say."""
    day = datetime.now(UTC).date().isoformat()
    reports = {name: ask(name) for name in LISTS}
    wrong = [f"{name}: {sentence}" for name, report in reports.items() for sentence in complaints(report)]
    target = ROOT / "build" / f"advisories-{day}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({"asked_on": day, "complaints": wrong, "reports": reports}, indent=1) + "\n")
    print(*wrong[:SHOWN], sep="\n")
    print(f"{len(wrong)} complaints; all of them, and what was asked: {target.relative_to(ROOT)}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Write the hashes of all files of the pinned libraries into requirements.txt, requirements-dev.txt and the lists of tools.

pip then takes no other file under the same name. After a version was changed: `make lock`. pip-tools does it, installed
into a folder of its own for the moment.
"""

import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOGETHER = (
    ("requirements.txt", "requirements-dev.txt"),
    ("tools/semgrep/requirements.txt",),
    ("tools/audit/requirements.txt",),
    ("tools/sign_in_service/requirements.txt",),
)
"""Lists that are installed into one folder, and so must agree."""
PIN = re.compile(r"([A-Za-z0-9._-]+)(\[[^\]]*\])?==([^ \\]+)")
QUIET = [
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-trusted-host",
    "--no-emit-options",
]


def key(pin: re.Match[str]) -> tuple[str, str]:
    """Name and version as indexes compare them."""
    return re.sub(r"[-_.]+", "-", pin[1]).lower(), pin[3]


def plain(path: Path) -> list[str]:
    """The list as people write it, without hashes."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("    --hash=")]
    return [line.removesuffix(" \\") for line in lines]


def hashes(folder: Path, pins: list[str]) -> dict[tuple[str, str], list[str]]:
    """What the index says of each pinned library."""
    (folder / "pins.in").write_text("\n".join(pins) + "\n")
    compiler = folder / "venv" / "bin" / "pip-compile"
    words = [str(compiler), "--quiet", "--generate-hashes", "--allow-unsafe", "--no-strip-extras", *QUIET]
    subprocess.run([*words, "--output-file", str(folder / "pins.txt"), str(folder / "pins.in")], check=True)
    found: dict[tuple[str, str], list[str]] = {}
    for line in (folder / "pins.txt").read_text().splitlines():
        pin = PIN.match(line)
        if pin:
            here = found[key(pin)] = []
        elif "--hash=" in line:
            here.append(line.strip().removesuffix("\\").strip())
    return found


def main() -> None:
    """Rewrite all lists."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        subprocess.run([folder / "venv" / "bin" / "pip", "install", "--quiet", "pip-tools"], check=True)
        for names in TOGETHER:
            lock(folder, names)


def lock(folder: Path, names: tuple[str, ...]) -> None:
    """Rewrite lists that agree; says what is pinned nowhere, because pip would refuse it."""
    lists = {name: plain(ROOT / name) for name in names}
    pins = [line for lines in lists.values() for line in lines if PIN.match(line)]
    known = hashes(folder, pins)
    missing = set(known) - {key(pin) for pin in map(PIN.match, pins) if pin}
    if missing:
        sys.exit(
            f"Error: needed but pinned in no list: {', '.join(sorted(name for name, _version in missing))}"
        )
    for name, lines in lists.items():
        locked = []
        for line in lines:
            pin = PIN.match(line)
            locked.append(" \\\n    ".join([line, *sorted(known[key(pin)])]) if pin else line)
        (ROOT / name).write_text("\n".join(locked) + "\n")


if __name__ == "__main__":
    main()

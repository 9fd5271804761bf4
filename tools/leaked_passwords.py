#!/usr/bin/env python3
"""Write conference/kit/passwords.bin from a list of leaked passwords, one a line, the most used first."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from conference.kit.passwords import FILE, digest_of  # noqa: E402

SHORTEST = 12


def main(source: Path) -> None:
    """Only what our own rule of length would let through."""
    lines = source.read_text(encoding="utf-8", errors="replace").splitlines()
    digests = {digest_of(line) for line in lines if len(line) >= SHORTEST}
    FILE.write_bytes(b"".join(sorted(digests)))
    print(f"{FILE.name}: {len(digests)} passwords")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

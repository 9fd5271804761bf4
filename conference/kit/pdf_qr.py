"""QR codes as one SVG path, for pages and PDFs."""

from dataclasses import dataclass

import segno

QUIET = 2


@dataclass(frozen=True)
class QrCode:
    """`path` goes into `<path d>` of an SVG whose view box is `size` units wide and high, quiet border included."""

    path: str
    size: int


def qr(text: str) -> QrCode:
    """The QR code of an address, readable with 15 % of it damaged. Raises segno.DataOverflowError above some 2,300 characters."""
    rows = segno.make_qr(text, error="m").matrix
    cells = [
        f"M{column + QUIET} {row + QUIET}h{length}v1h-{length}z"
        for row, line in enumerate(rows)
        for column, length in _runs(line)
    ]
    return QrCode("".join(cells), len(rows) + 2 * QUIET)


def _runs(line: bytes | bytearray) -> list[tuple[int, int]]:
    """Where dark modules begin in a row, and how many there are."""
    runs: list[tuple[int, int]] = []
    for column, dark in enumerate(line):
        if not dark:
            continue
        if runs and sum(runs[-1]) == column:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((column, 1))
    return runs

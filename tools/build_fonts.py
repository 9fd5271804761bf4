"""Make the fonts for PDFs: static TrueType files out of the web fonts of npm packages, with their licences.

Run once per new font version, then commit the result and renew the sums in static/vendor/VENDOR.md:

    mkdir -p fonts && (cd fonts && npm pack @ibm/plex-sans@1.1.0 …)      # the packages are those in SOURCES
    .venv/bin/python tools/build_fonts.py fonts
"""

import io
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

from fontTools.ttLib import TTFont

OUT = Path(__file__).parents[1] / "static" / "fonts" / "pdf"
FAMILY, STYLE, FULL_NAME, POSTSCRIPT_NAME = 1, 2, 4, 6


class Source(NamedTuple):
    """Where one font comes from: archive of npm pack, path of the web font and of the licence inside it."""

    archive: str
    font: str
    licence: str
    family: str
    style: str = "Regular"

    @property
    def stem(self) -> str:
        return f"{self.family.replace(' ', '')}-{self.style}"


def _plex(style: str) -> Source:
    folder = "fonts/complete/woff2"
    return Source(
        "ibm-plex-sans-1.1.0",
        f"{folder}/IBMPlexSans-{style}.woff2",
        f"{folder}/license.txt",
        "IBM Plex Sans",
        style,
    )


def _noto(package: str, subset: str, version: str, family: str) -> Source:
    font = f"files/{package}-{subset}-400-normal.woff2"
    return Source(f"fontsource-{package}-{version}", font, "LICENSE", family)


SOURCES = (
    *(_plex(style) for style in ("Regular", "Italic", "SemiBold", "Bold")),
    Source("kern-ux-native-2.7.2", "dist/fonts/noto-sans/NotoSans-Regular.woff2", "", "Noto Sans"),
    _noto("noto-sans-arabic", "arabic", "5.3.0", "Noto Sans Arabic"),
    _noto("noto-sans-hebrew", "hebrew", "5.3.0", "Noto Sans Hebrew"),
    _noto("noto-sans-symbols", "symbols", "5.3.0", "Noto Sans Symbols"),
    _noto("noto-sans-symbols-2", "symbols", "5.3.0", "Noto Sans Symbols 2"),
    _noto("noto-emoji", "emoji", "5.3.2", "Noto Emoji"),
)


def read(folder: Path, source: Source, path: str) -> bytes:
    """The bytes of one file in one archive."""
    with tarfile.open(folder / f"{source.archive}.tgz") as archive:
        member = archive.extractfile(f"package/{path}")
        if member is None:
            raise FileNotFoundError(path)
        return member.read()


def convert(web_font: bytes, source: Source) -> bytes:
    """The same font without compression, its time stamp kept, so that the same input gives the same bytes."""
    font = TTFont(io.BytesIO(web_font), recalcTimestamp=False)
    font.flavor = None
    if font["name"].getDebugName(FAMILY) == f"{source.family} Thin":
        # Fontsource cuts this weight out of a variable font and keeps the name of its thinnest master.
        _rename(font, source)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def _rename(font: TTFont, source: Source) -> None:
    full = f"{source.family} {source.style}"
    names = {FAMILY: source.family, STYLE: source.style, FULL_NAME: full, POSTSCRIPT_NAME: source.stem}
    for record in font["name"].names:
        if record.nameID in names:
            record.string = names[record.nameID]


def main(folder: Path) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        data = convert(read(folder, source, source.font), source)
        (OUT / f"{source.stem}.ttf").write_bytes(data)
        if source.licence:
            name = f"OFL-{source.family.replace(' ', '')}.txt"
            (OUT / name).write_bytes(read(folder, source, source.licence))
        print(f"{source.stem}.ttf {len(data) // 1024} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

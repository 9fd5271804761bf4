"""One file that holds others: written whole or not at all, for its owner only, and every damaged byte is noticed.

It is a ZIP file that any program can open. Its comment is SHA-256 of all bytes before it; `manifest.json` says what is in it.
"""

import contextlib
import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import mkstemp
from typing import IO, Any

MANIFEST = "manifest.json"
MARK = b"sha256:"
COMMENT = len(MARK) + 64
PORTION = 1024 * 1024
LARGEST_MANIFEST = 16 * PORTION
BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OverflowError)
"""What reading a file that only looks like one of ours may end with."""


class Damaged(ValueError):
    """The file is not what was written: cut off, changed or never one of ours. The message says which."""


def write(target: Path, manifest: Mapping[str, Any], parts: Mapping[str, Path]) -> None:
    """Write the parts into a new file. Raises OSError; then there is no file, not even half of one."""
    descriptor, name = mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            _fill(file, manifest, parts)
            _seal(file)
            file.flush()
            os.fsync(file.fileno())
        # A link fails where a file of that name is; a rename would take its place.
        os.link(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(target.parent)


def _fill(file: IO[bytes], manifest: Mapping[str, Any], parts: Mapping[str, Path]) -> None:
    described = {
        name: {"bytes": path.stat().st_size, "sha256": hash_of(path)} for name, path in parts.items()
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr(MANIFEST, json.dumps({**manifest, "parts": described}, indent=1, ensure_ascii=False))
        for name, path in parts.items():
            archive.write(path, name)
        archive.comment = MARK + b"0" * 64


def _seal(file: IO[bytes]) -> None:
    digest = _digest_of_body(file)
    file.seek(-64, os.SEEK_END)
    file.write(digest.encode())


def _check_seal(file: IO[bytes]) -> None:
    if file.seek(0, os.SEEK_END) > COMMENT:
        file.seek(-COMMENT, os.SEEK_END)
    seal = file.read(COMMENT)
    if not seal.startswith(MARK):
        raise Damaged("it is cut off, or no backup at all")
    if seal != MARK + _digest_of_body(file).encode():
        raise Damaged("it is damaged: it has changed since it was written")


def _digest_of_body(file: IO[bytes]) -> str:
    left = file.seek(0, os.SEEK_END) - COMMENT
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0 and (piece := file.read(min(PORTION, left))):
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()


def hash_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Let names that were made or changed in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> dict[str, Any]:
    """The manifest of a file whose every byte is as it was written. Raises Damaged, and OSError."""
    with path.open("rb") as file:
        # First of all: what has changed is not even looked into.
        _check_seal(file)
        try:
            with zipfile.ZipFile(file) as archive:
                manifest = _manifest(archive)
                names = [name for name in archive.namelist() if name != MANIFEST]
        except (*BROKEN, KeyError, ValueError) as error:
            raise Damaged("it is no backup of Folgetermin") from error
    if sorted(names) != sorted(manifest["parts"]) or not all(map(is_safe, names)):
        raise Damaged("it holds other parts than it says")
    return manifest


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    if archive.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
        raise ValueError("too large")
    manifest = json.loads(archive.read(MANIFEST))
    if not isinstance(manifest, dict) or not isinstance(manifest.get("parts"), dict):
        raise ValueError("no manifest")
    return manifest


def is_safe(name: str) -> bool:
    """True for a name that leads down from where it is put, and nowhere else."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and str(path) == name


def unpack(path: Path, name: str, target: Path, described: Mapping[str, Any]) -> None:
    """Write a part into a new file for its owner only, as the manifest describes it. Raises Damaged, and OSError."""
    try:
        is_as_described = _unpack(path, name, target, described)
    except (*BROKEN, KeyError, ValueError, TypeError) as error:
        raise Damaged(f"its part {name} cannot be read") from error
    if not is_as_described:
        raise Damaged(f"its part {name} is damaged")


def _unpack(path: Path, name: str, target: Path, described: Mapping[str, Any]) -> bool:
    digest, left = hashlib.sha256(), int(described["bytes"])
    with contextlib.ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(path))
        source = stack.enter_context(archive.open(name))
        file = stack.enter_context(
            os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        )
        while piece := source.read(PORTION):
            left -= len(piece)
            if left < 0:
                break
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return left == 0 and bool(digest.hexdigest() == described["sha256"])

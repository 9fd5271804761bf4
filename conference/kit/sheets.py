"""Workbooks from strangers, read once, in a process of their own: a library in another language looks into them."""

import json
import logging
import subprocess

from ..core.contact_list import BadTable, Row, SheetReader, Sheets
from . import child
from .unit import must_be_closed

SECONDS = 10
MEGABYTES = 512
ARCHIVE = b"PK\x03\x04"
logger = logging.getLogger(__name__)


def in_child(data: bytes, *, seconds: int = SECONDS, megabytes: int = MEGABYTES) -> SheetReader:
    """Read the workbook now; what is given back hands its sheets out later, or raises BadTable, whoever asks.

    Files that are no workbook start no process: they are read by us.
    """
    if not data.startswith(ARCHIVE):
        return _refuse("damaged")
    must_be_closed("a workbook is read")
    try:
        done = child.run("kit.sheet_child", data, seconds=seconds, megabytes=megabytes)
    except subprocess.TimeoutExpired:
        return _refuse("unpacked_too_big", f"more than {seconds} s")
    return _understood(done)


def _understood(done: "subprocess.CompletedProcess[bytes]") -> SheetReader:
    try:
        said = json.loads(done.stdout)
    except ValueError:
        # Killed by a limit, or by its own doing: the file asks for more than a list of guests needs.
        return _refuse("unpacked_too_big", done.stderr.decode("utf-8", "replace").strip()[-300:])
    if "bad" in said:
        return _refuse(said["bad"][0], detail=said["bad"][1])
    sheets = [(name, tuple(Row(line, tuple(cells)) for line, cells in rows)) for name, rows in said["sheets"]]
    return lambda _data: sheets


def _refuse(code: str, why: str = "", *, detail: str = "") -> SheetReader:
    if why:
        logger.warning("a workbook was not read: %s", why)

    def refuse(_data: bytes) -> Sheets:
        raise BadTable(code, detail)

    return refuse

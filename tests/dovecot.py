"""A real IMAP server on this machine: Dovecot, with a folder and a port of its own, as whoever runs the tests."""

import getpass
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from .servers import free_port, wait_for_greeting

NOBODY = 65534
OURS = "folgetermin"
PASSWORD = "mailbox-of-the-tests"
PROGRAM = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
CONFIGURATION = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
default_internal_user = {login}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%n
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass
class Box:
    """A running server; `OURS` is the mailbox of Folgetermin, everybody else's appears with their first mail."""

    port: int
    folder: Path
    delivered: int = 0

    @property
    def mails(self) -> Path:
        """Where the Maildirs are, one for each name."""
        return self.folder / "mail"

    def deliver(self, raw: bytes) -> Path:
        """Put a mail where a mail server would: into our Maildir."""
        self.delivered += 1
        draft = self.mails / OURS / "tmp" / f"{time.time_ns()}.{self.delivered}.tests"
        draft.write_bytes(raw.replace(b"\r\n", b"\n"))
        os.chown(draft, *owner())
        final = self.mails / OURS / "new" / draft.name
        draft.rename(final)
        return final

    def names(self) -> list[str]:
        """The files of all mails in our inbox, with their flags."""
        return sorted(path.name for part in ("new", "cur") for path in (self.mails / OURS / part).iterdir())

    def clear(self) -> None:
        """Throw every mail of everybody away."""
        for part in ("new", "cur"):
            for path in self.mails.glob(f"*/{part}/*"):
                path.unlink()


def owner() -> tuple[int, int]:
    """Whom the mailboxes belong to: nobody may be root there."""
    return (NOBODY, NOBODY) if os.getuid() == 0 else (os.getuid(), os.getgid())


@contextmanager
def running() -> Iterator[Box]:
    """A server while the block runs."""
    assert PROGRAM, "Dovecot is missing: tools/setup.sh tests"
    folder = Path(mkdtemp(prefix="dovecot-"))
    folder.chmod(0o755)
    port = free_port()
    ours = folder / "mail" / OURS
    for path in (
        ours / "new",
        ours / "cur",
        ours / "tmp",
        *(folder / name for name in ("home", "run", "state")),
    ):
        path.mkdir(parents=True)
    for path in (folder / "mail", ours, *ours.iterdir(), folder / "home"):
        os.chown(path, *owner())
    uid, gid = owner()
    import grp

    values = {
        "folder": folder, "port": port, "password": PASSWORD, "uid": uid, "gid": gid, "group": grp.getgrgid(os.getgid()).gr_name,
        "login": "dovenull" if os.getuid() == 0 else getpass.getuser(),
    }  # fmt: skip
    configuration = folder / "dovecot.conf"
    configuration.write_text(CONFIGURATION.format(**values))
    server = subprocess.Popen([PROGRAM, "-F", "-c", str(configuration)])
    try:
        wait_for_greeting(port, b"* OK", folder / "log")
        yield Box(port, folder)
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)

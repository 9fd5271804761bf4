"""A real IMAP server on this machine: Dovecot, with a folder and a port of its own, as whoever runs the tests."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

NOBODY = 65534
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
mail_location = maildir:{folder}/mail
passdb {{
  driver = static
  args = password=mailbox-of-the-tests
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
    """A running server with one mailbox."""

    port: int
    folder: Path
    delivered: int = 0

    def deliver(self, raw: bytes) -> Path:
        """Put a mail where a mail server would: into the Maildir."""
        self.delivered += 1
        draft = self.folder / "mail" / "tmp" / f"{time.time_ns()}.{self.delivered}.tests"
        draft.write_bytes(raw.replace(b"\r\n", b"\n"))
        os.chown(draft, *_owner())
        final = self.folder / "mail" / "new" / draft.name
        draft.rename(final)
        return final

    def names(self) -> list[str]:
        """The files of all mails in the inbox, with their flags."""
        return sorted(
            path.name for part in ("new", "cur") for path in (self.folder / "mail" / part).iterdir()
        )


def _owner() -> tuple[int, int]:
    return (NOBODY, NOBODY) if os.getuid() == 0 else (os.getuid(), os.getgid())


@contextmanager
def running() -> Iterator[Box]:
    """A server while the block runs."""
    assert PROGRAM, "Dovecot is missing: tools/setup.sh tests"
    folder = Path(mkdtemp(prefix="dovecot-"))
    folder.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name in ("mail/new", "mail/cur", "mail/tmp", "home", "run", "state"):
        (folder / name).mkdir(parents=True)
    for path in (folder / "mail", *(folder / "mail").iterdir(), folder / "home"):
        os.chown(path, *_owner())
    uid, gid = _owner()
    import grp

    values = {
        "folder": folder, "port": port, "uid": uid, "gid": gid, "group": grp.getgrgid(os.getgid()).gr_name,
        "login": "dovenull" if os.getuid() == 0 else getpass.getuser(),
    }  # fmt: skip
    configuration = folder / "dovecot.conf"
    configuration.write_text(CONFIGURATION.format(**values))
    server = subprocess.Popen([PROGRAM, "-F", "-c", str(configuration)])
    try:
        _wait(port, folder)
        yield Box(port, folder)
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, folder: Path) -> None:
    for _attempt in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
                if line.recv(4) == b"* OK":
                    return
        except OSError:
            time.sleep(0.05)
    log = folder / "log"
    raise RuntimeError(log.read_text() if log.exists() else "Dovecot does not answer")

"""A real mail server on this machine: Postfix, with folders and ports of its own; no service of the system is touched.

It puts what it takes into the Maildirs of `tests/dovecot.py`, and writes to the sender about what it cannot deliver. Postfix starts as root only, and gives that up by itself: whoever runs the tests as somebody else needs `sudo -n`.
"""

import os
import shutil
import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from . import dovecot
from .servers import free_port, wait_for_greeting

PROGRAM = shutil.which("postfix", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
DOMAINS = "folgetermin.example, traeger.example, agentur.example"
# What each line says: mail for whom, into whose Maildir. Nobody else has a mailbox.
MAILBOXES = """
konferenz@folgetermin.example {ours}/
ada.muster@traeger.example ada.muster/
kim.yilmaz@traeger.example kim.yilmaz/
"""
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.traeger.example
mydestination =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
smtp_dns_support_level = disabled
recipient_delimiter = +
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {mails}
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
"""
# The first line takes mail for anybody, as a server at the edge does that does not know the mailboxes behind it.
MASTER = """
{taking}   inet  n - n - - smtpd -o smtpd_reject_unlisted_recipient=no
{knowing}  inet  n - n - - smtpd
cleanup    unix  n - n - 0 cleanup
qmgr       unix  n - n 300 1 qmgr
rewrite    unix  - - n - - trivial-rewrite
bounce     unix  - - n - 0 bounce
defer      unix  - - n - 0 bounce
trace      unix  - - n - 0 bounce
proxymap   unix  - - n - - proxymap
error      unix  - - n - - error
retry      unix  - - n - - error
virtual    unix  - n n - - virtual
anvil      unix  - - n - 1 anvil
showq      unix  n - n - - showq
postlog    unix-dgram n - n - 1 postlogd
"""


@dataclass
class Office:
    """A running server. `port` takes mail for anybody and writes back later, `strict_port` refuses whom it does not know."""

    port: int
    strict_port: int
    folder: Path

    def post(self, sender: str, recipient: str, raw: bytes) -> None:
        """Hand a mail in as a mail client does; sender "" is that of automatic answers."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as client:
            client.sendmail(sender, [recipient], raw)


@contextmanager
def running(box: dovecot.Box) -> Iterator[Office]:
    """A server while the block runs, which delivers into the mailboxes of that Dovecot."""
    assert PROGRAM, "Postfix is missing: tools/setup.sh tests"
    folder = Path(mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)
    taking, knowing = free_port(), free_port()
    uid, gid = dovecot.owner()
    values = {
        "folder": folder, "mails": box.mails, "domains": DOMAINS, "uid": uid, "gid": gid, "ours": dovecot.OURS,
        "taking": f"127.0.0.1:{taking}", "knowing": f"127.0.0.1:{knowing}",
    }  # fmt: skip
    for name, words in (("main.cf", MAIN), ("master.cf", MASTER), ("mailboxes", MAILBOXES)):
        (folder / name).write_text(words.format(**values))
    (folder / "queue").mkdir()
    (folder / "data").mkdir()
    _as_root("chown", "postfix", str(folder / "data"))
    _as_root("chown", "-R", "root:root", str(folder / "queue"), *(str(path) for path in folder.glob("ma*")))
    try:
        _as_root(PROGRAM, "-c", str(folder), "start")
        wait_for_greeting(taking, b"220 ", folder / "log")
        yield Office(taking, knowing, folder)
    finally:
        _as_root(PROGRAM, "-c", str(folder), "stop", check=False)
        _as_root("rm", "-r", str(folder), check=False)


def _as_root(*command: str, check: bool = True) -> None:
    words = list(command) if os.getuid() == 0 else ["sudo", "-n", *command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr or done.stdout}"

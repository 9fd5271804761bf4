"""What browsers send: damaged bytes stay visible as U+FFFD, which no text takes, instead of being stored as "M%FCller"."""

import re
from ipaddress import IPv6Address
from typing import IO, Any
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser


class _Parser(FormDataParser):
    """Werkzeug's parser reads multipart forms like this already; urlencoded ones it would keep as percent signs and digits."""

    def _parse_urlencoded(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> Any:
        body = stream.read()
        if self.max_form_parts is not None and body.count(b"&") >= self.max_form_parts:
            raise RequestEntityTooLarge
        items = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, errors="replace")
        return stream, self.cls(items), self.cls()


HERE = ["127.0.0.1", "::1", "localhost"]
FOR_MACHINES = frozenset({"/healthz", "/readyz", "/metrics"})
"""What monitoring on this machine asks, which knows the port and not our name."""
SIXTH = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?")
"""A Host that is an address of IPv6."""


class Body(Request):
    """A request whose forms read alike in both encodings."""

    form_data_parser_class = _Parser
    _hosts: list[str] | None = None

    @property
    def trusted_hosts(self) -> list[str] | None:
        """Under which names we answer; None for an address of IPv6 that is ours, as Werkzeug takes none from a list."""
        if self._hosts is None:
            return None
        hosts = self._hosts + HERE if self.path in FOR_MACHINES else self._hosts
        sixth = SIXTH.fullmatch(self.headers.get("Host", ""))
        return None if sixth and host_of(sixth[1]) in hosts else hosts

    @trusted_hosts.setter
    def trusted_hosts(self, hosts: list[str] | None) -> None:
        self._hosts = hosts


def host_of(name: str) -> str:
    """A host as it is compared: an address of IPv6 in its one short spelling."""
    try:
        return str(IPv6Address(name))
    except ValueError:
        return name

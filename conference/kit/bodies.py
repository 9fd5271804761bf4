"""What browsers send: damaged bytes stay visible as U+FFFD, which no text takes, instead of being stored as "M%FCller"."""

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


class Body(Request):
    """A request whose forms read alike in both encodings."""

    form_data_parser_class = _Parser

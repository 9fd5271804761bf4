"""Requests as they come in: bytes that are no text must be seen, so that forms can refuse them."""

from typing import IO
from urllib.parse import parse_qsl

import flask
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.formparser import FormDataParser

URLENCODED = "application/x-www-form-urlencoded"


class _Parser(FormDataParser):
    """Werkzeug would keep half a surrogate as the harmless text "%ED%A0%80"; here it becomes U+FFFD, as in files."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        if mimetype != URLENCODED:
            return super().parse(stream, mimetype, content_length, options)
        fields = parse_qsl(stream.read().decode("utf-8", "replace"), keep_blank_values=True)
        return stream, self.cls(fields), self.cls()


class Request(flask.Request):
    """A request whose form tells undecodable bytes apart from text."""

    form_data_parser_class = _Parser

"""One HTTP request, as bytes for a socket, as a WSGI environment, and exchanged one by one."""

import http.client
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

PATIENCE_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that a client will send, with the one status that it hopes for."""

    method: str
    path: str
    query: str = ""
    expects: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def target(self) -> str:
        """The path with the query, as the first line of a request names it."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @cached_property
    def data(self) -> bytes:
        """The request as HTTP/1.1 on a connection that is kept; written once, however often it is sent."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self._headers()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body

    def to_environ(self) -> dict[str, Any]:
        """The request as a WSGI server would hand it on (PEP 3333)."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name, value in self._headers():
            key = name.upper().replace("-", "_")
            environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
        return environ

    def _headers(self) -> Iterator[tuple[str, str]]:
        yield from self.headers.items()
        if self.body or self.method not in {"GET", "HEAD"}:
            yield "Content-Length", str(len(self.body))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class UnexpectedAnswer(Exception):
    """An answer while preparing was not the one hoped for; the message says which."""


def exchange(port: int, requests: Iterable[Request]) -> Iterator[Answer]:
    """Send requests one after the other on one connection.

    :raises UnexpectedAnswer: an answer has another status than the request expects.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        for request in requests:
            connection.request(request.method, request.target, request.body or None, dict(request.headers))
            response = connection.getresponse()
            body = response.read()
            if response.status != request.expects:
                raise UnexpectedAnswer(f"{request.path}: {response.status} {body[:300]!r}")
            yield Answer(status=response.status, headers=response.headers, body=body)
    finally:
        connection.close()

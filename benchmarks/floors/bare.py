"""The floor of the web server: a WSGI callable that answers 2 kB, without Django."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

PAGE = b"x" * 2048


def application(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer the same 2 kB, whatever was asked."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(PAGE)))])
    return [PAGE]

"""Counts the SQL statements of requests: `python -m benchmarks.statements APPLICATION`, JSON in, JSON out.

In this process and without a server, because PostgreSQL counts statements only with an extension that has to
be there when it starts. Of a row's requests the last one counts: those before fill caches and open the
connection. BEGIN, COMMIT and the health check of a kept connection are not counted.
"""

import json
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.wire import Request

_BRACKETS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


@dataclass(frozen=True)
class Application:
    """A WSGI application in this process."""

    wsgi: Any

    def answer(self, request: Request) -> bytes:
        """Make a request, as a server does, and return the body of the answer.

        :raises RuntimeError: the answer has another status than the request expects.
        """
        statuses: list[str] = []
        answer = self.wsgi(request.to_environ(), lambda status, _headers: statuses.append(status))
        body = b"".join(answer)
        answer.close()
        if not statuses[0].startswith(str(request.expects)):
            raise RuntimeError(f"{request.path}: {statuses[0]} {body[:300]!r}")
        return body

    def statements(self, request: Request) -> list[str]:
        """The SQL of one request."""
        with CaptureQueriesContext(connection) as queries:
            self.answer(request)
        return [query["sql"] for query in queries.captured_queries if not query["sql"].startswith(_BRACKETS)]


def load(name: str) -> Application:
    """The application of a name like `portal.wsgi:application`."""
    module, _, attribute = name.partition(":")
    return Application(getattr(import_module(module), attribute))


def write(request: Request) -> dict[str, Any]:
    """A request as JSON can hold it."""
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "expects": request.expects,
        "headers": dict(request.headers),
        "body": request.body.decode("latin-1"),
    }


def read(members: dict[str, Any]) -> Request:
    """What `write` wrote."""
    return Request(**{**members, "body": members["body"].encode("latin-1")})


if __name__ == "__main__":
    server = load(sys.argv[1])
    given: dict[str, list[dict[str, Any]]] = json.load(sys.stdin)
    texts = {name: [server.statements(read(each)) for each in requests] for name, requests in given.items()}
    json.dump({name: len(of_each[-1]) for name, of_each in texts.items()}, sys.stdout)

"""The health check of a process that serves the portal or its device doors: asks its own server."""

import os
import sys
import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit


def ask(port: int, environment: Mapping[str, str], *, path: str = "/healthz", seconds: float = 4) -> None:
    """Return if the server on `port` answers with a success.

    :raises OSError: it does not answer, or answers with something else (HTTPError).
    """
    # The portal answers to the hosts of its origins only, and 127.0.0.1 is none of them.
    origin = environment["PORTAL_ORIGINS"].replace(",", " ").split()[0]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        headers={"Host": urlsplit(origin).netloc, "X-Forwarded-Proto": urlsplit(origin).scheme},
    )
    with urllib.request.urlopen(request, timeout=seconds):
        return


def main() -> int:
    """Return 0 if the server answers with a success; otherwise the error ends the check with 1."""
    ask(8000, os.environ)
    return 0


if __name__ == "__main__":
    sys.exit(main())

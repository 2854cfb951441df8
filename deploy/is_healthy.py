"""The health check of a container that serves the portal or its device doors: asks its own server."""

import os
import sys
import urllib.request
from urllib.parse import urlsplit


def main() -> int:
    """Return 0 if the server answers with a success; otherwise the error ends the check with 1."""
    # The portal answers to the hosts of its origins only, and 127.0.0.1 is none of them.
    origin = os.environ["PORTAL_ORIGINS"].replace(",", " ").split()[0]
    request = urllib.request.Request(
        "http://127.0.0.1:8000/healthz",
        headers={"Host": urlsplit(origin).netloc, "X-Forwarded-Proto": urlsplit(origin).scheme},
    )
    with urllib.request.urlopen(request, timeout=4):
        return 0


if __name__ == "__main__":
    sys.exit(main())

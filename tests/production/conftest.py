"""A whole production on this machine: PostgreSQL, Redis, web, device pool, worker, beat, nginx with TLS."""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.production.site import Site
from tests.production.visitor import Letters


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for the settings; PostgreSQL, which does not run as root, gets through to its part."""
    # Not pytest's own: its folders are closed to others, and a socket's path has to be short.
    with tempfile.TemporaryDirectory(prefix="license-portal-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def letters() -> Iterator[Letters]:
    """A mail server that keeps what it takes."""
    with Letters() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def site(folder: Path, letters: Letters) -> Iterator[Site]:
    """Everything runs and answers, behind nginx, with a mail server."""
    site = Site(
        folder, more={"MAIL_PORT": str(letters.port)}, postgres_settings=("fsync=off",)
    )  # what is killed here is no machine
    try:
        site.production.start()
        yield site
    finally:
        site.production.stop()

"""A whole production on this machine: PostgreSQL, Redis, web, device pool, worker, beat, nginx with TLS."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.production.site import Site


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for the settings; PostgreSQL, which does not run as root, gets through to its part."""
    # Not pytest's own: its folders are closed to others, and a socket's path has to be short.
    with tempfile.TemporaryDirectory(prefix="license-portal-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    """Everything runs and answers, behind nginx."""
    site = Site(folder, postgres_settings=("fsync=off",))  # what is killed here is no machine
    try:
        site.production.start()
        yield site
    finally:
        site.production.stop()

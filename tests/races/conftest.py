"""Races need PostgreSQL: SQLite lets one writer in at a time, and there is nothing to race for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from tests.races.pool import Pool

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.serial)
            item.add_marker(pytest.mark.django_db(transaction=True))
            if connection.vendor != "postgresql":
                item.add_marker(pytest.mark.skip(reason="SQLite has one writer at a time: no races"))


@pytest.fixture(scope="module")
def pool(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Pool]:
    """The threads and connections, for all races of a module."""
    with django_db_blocker.unblock():
        made = Pool()
        yield made
        made.close()


@pytest.fixture(autouse=True)
def _no_throttle(settings: LazySettings) -> None:
    """Thousands of tries an hour are the point here."""
    settings.KEY_LOOKUPS_PER_HOUR = 1_000_000

"""The console's page about what became of what was sold, and its files."""

import csv
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Project
from accounts.permissions import Role
from tests import factories
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("today", "keyring")


@pytest.fixture
def auditor(signed_in: SignedIn, db: None) -> Client:
    return signed_in(factories.make_user(name="Audra", is_staff=True, roles=[Role.AUDITOR]))


@pytest.fixture
def sold(project: Project) -> None:
    factories.activated(project, {"Port": 20})
    factories.make_key(lines={"UC": 7}, number="=1+1")
    device = factories.make_device(project=project)
    factories.give_back(device, factories.assigned(device, 4))


def file_of(client: Client, kind: str) -> list[dict[str, str]]:
    answer: Any = client.get(reverse("staff-outcomes"), {"csv": kind})
    assert answer.headers["Content-Disposition"] == f'attachment; filename="outcomes-{kind}.csv"'
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text)))


def test_an_auditor_sees_charts_and_the_tables_behind_them(auditor: Client, sold: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = auditor.get(reverse("staff-outcomes")).text

    assert len(queries) <= 12
    assert page.count('role="img"') == 2
    assert "style=" not in page
    assert '<th scope="row" class="nowrap">November 2026</th><td class="number">27</td>' in page
    assert '<th scope="row" class="nowrap">Port 14</th><td class="number">20</td>' in page


@pytest.mark.parametrize("asked", [{}, {"months": "6"}, {"months": "x", "product": "999"}])
def test_one_product_can_be_looked_at_and_nonsense_shows_all(
    auditor: Client, sold: None, asked: dict[str, str], fetch: Callable[..., str]
) -> None:
    assert "UC 14" in fetch(auditor, asked)
    only = fetch(auditor, {"product": str(factories.get_product("UC").pk)})
    assert '<th scope="row" class="nowrap">UC 14</th><td class="number">7</td>' in only
    assert '<th scope="row" class="nowrap">Port 14</th>' not in only


@pytest.fixture
def fetch() -> Callable[..., str]:
    """A function that gives the page for what is asked."""
    return lambda client, asked: client.get(reverse("staff-outcomes"), asked).text


def test_the_files_say_the_same_and_calculate_nothing(auditor: Client, sold: None) -> None:
    [port, uc] = file_of(auditor, "products")
    orders = {row["order"]: row for row in file_of(auditor, "orders")}

    assert (port["month"], port["product"], port["version"]) == ("2026-11", "Port", "14")
    assert [port[kind] for kind in ("issued", "activated", "assigned", "returned")] == ["20", "20", "4", "4"]
    assert (uc["issued"], uc["activated"]) == ("7", "0")
    assert orders["'=1+1"]["state"] == "issued"
    assert orders["'=1+1"]["activated"] == ""
    assert {row["activated"] for row in orders.values()} == {"", "2026-11-24 12:00:00"}

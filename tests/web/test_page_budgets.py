"""What the partner's pages cost, in numbers that do not depend on the machine.

That none takes more than twelve statements is held for all in tests/architecture/test_rights_table.py.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Company, Project, User
from devices.models import DeviceContact
from licenses import balances, delivery, evidence, evidence_files, trials
from tests.factories import NOW, activated, assigned, caller, get_product, give_back, make_device
from tests.operations import moving
from tests.pictures import PDF

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("keyring", "today")]

FEW, MANY = 10, 40
# Python functions called for one more row of a list (docs/performance.md, "Pages"). A template for a part of
# a row, or a query for each, is far above.
MOST_CALLS_FOR_A_DEVICE = 420
MOST_CALLS_FOR_AN_ENTRY = 150


def calls(act: Callable[[], Any]) -> int:
    """How many Python functions are called in it."""
    count = 0

    def seen(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


@pytest.fixture
def client(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def for_a_row(client: Client, address: str, add: Callable[[int], None]) -> float:
    """Calls for one row more on the page at an address; `add` makes so many rows."""
    counted = []
    for count in (FEW, MANY - FEW):
        add(count)
        client.get(address)  # caches are filled, the session is written
        counted.append(calls(lambda: client.get(address)))
    return (counted[1] - counted[0]) / (MANY - FEW)


def test_a_device_with_everything_at_once_takes_at_most_twelve_statements(
    client: Client, project: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    activated(project, {"Port": 50, "UC": 50})
    device = make_device(project=project, name="Main building")
    device.pinned_spki, device.pinned_at = b"\x11" * 32, NOW
    device.save()
    assigned(device, 2, "UC")
    give_back(device, assigned(device, 1))
    trials.create_test_license(device=device, version=14, slave=False, quantity=3, caller=caller(), now=NOW)
    delivery.download(device=device, caller=caller(), now=NOW)
    assigned(device, 2)
    move = moving.asked(device, make_device(project=project))
    file = evidence_files.check(name="report.pdf", content=PDF)
    evidence.add_evidence(move=move, file=file, caller=caller(), now=NOW)
    address = f"/devices/{device.hardware_id}"
    client.get(address)

    with django_assert_max_num_queries(12):
        page = client.get(address)

    for told in ("report.pdf", "Test license", "Last return"):
        assert told in page.text


def test_fifty_devices_to_assign_to_take_at_most_twelve_statements(
    client: Client, project: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    activated(project, {"Port": 200, "UC": 50})
    devices = [make_device(project=project, name="A branch") for _number in range(50)]
    for device in devices:
        assigned(device, 1)
        assigned(device, 1, "UC")
    address = f"/projects/{project.pk}/assign"
    wanted = {
        "devices": "\n".join(device.hardware_id for device in devices),
        "product": "Port/14",
        "quantity": "2",
    }
    client.get(address)

    with django_assert_max_num_queries(12):
        page = client.get(address, {"find": "branch"})
    with django_assert_max_num_queries(12):
        preview = client.post(address, {"act_key": "1", **wanted})
    after = client.post(address, {"act_key": "1", **wanted, "confirm": "1"}, follow=True)

    assert page.text.count("00-90-33-") >= 50
    assert preview.context["preview"].free_after == 50
    assert "2 × Port 14 assigned to each of 50 devices." in after.text


def test_a_device_in_the_list_costs_few_calls(client: Client, project: Project) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            device = make_device(project=project, name="A branch")
            DeviceContact.objects.create(device=device, last_at=NOW)
            assigned(device, 1)
            assigned(device, 1, "UC")

    activated(project, {"Port": 100, "UC": 100})

    assert for_a_row(client, f"/projects/{project.pk}", add) <= MOST_CALLS_FOR_A_DEVICE


def test_an_entry_of_a_history_costs_few_calls(client: Client, project: Project, company: Company) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            balances.transfer_licenses(
                source=project,
                destination=company,
                product=get_product(),
                quantity=1,
                caller=caller(),
                now=NOW,
            )

    activated(project, {"Port": 100})

    assert for_a_row(client, f"/companies/{company.pk}/history", add) <= MOST_CALLS_FOR_AN_ENTRY

"""What a device's page asks of the database, however much the device has behind it."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Project, User
from licenses import delivery
from tests.factories import NOW, activated, assigned, caller, make_device

pytestmark = pytest.mark.usefixtures("catalogue", "keyring", "today")


@pytest.mark.django_db
@pytest.mark.parametrize("is_handed_out", [True, False], ids=["handed out", "with something new"])
def test_it_is_at_most_twelve_statements(
    alice: User,
    project: Project,
    client: Client,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    is_handed_out: bool,
) -> None:
    activated(project, {"Port": 50, "UC": 50})
    device = make_device(project=project)
    device.pinned_spki, device.pinned_at = b"\x11" * 32, NOW
    device.save()
    for product in ("Port", "UC"):
        assigned(device, 2, product)
    delivery.download(device=device, caller=caller(), now=NOW)
    if not is_handed_out:
        assigned(device)
    client.force_login(alice)
    client.get(f"/devices/{device.hardware_id}")

    with django_assert_max_num_queries(12):
        page = client.get(f"/devices/{device.hardware_id}")

    assert page.status_code == 200

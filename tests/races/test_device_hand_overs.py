"""A device is handed over while its licenses are assigned, returned and its project changes company."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts.models import Company, Project, User
from devices.models import Device
from licenses import assignment, device_hand_overs, verification
from tests.factories import (
    NOW,
    activated,
    assigned,
    caller,
    first_project,
    free,
    get_product,
    give_back,
    make_company,
    make_device,
    make_project,
    make_user,
)
from tests.races.pool import Pool, often

pytestmark = pytest.mark.usefixtures("catalogue", "keyring")


@pytest.fixture
def buyer(charlie: User) -> Project:
    return first_project(make_company(founder=charlie, name="Buyer"))


def test_against_assignment_and_return_it_comes_wholly_before_or_after(
    pool: Pool, company: Company, buyer: Project, alice: User
) -> None:
    sam = make_user(name="Sam", is_staff=True)
    for number in range(often(24)):
        project = activated(make_project(company=company), {"Port": 3})
        device = make_device(project=project)
        grant = assigned(device, 2)
        bought = free(buyer)
        racers: list[Callable[[], Any]] = [
            partial(
                device_hand_overs.hand_over_device,
                device=device,
                project=buyer,
                consent_of=alice,
                caller=caller(sam, reason="Sold."),
                now=NOW,
            ),
            partial(
                assignment.assign,
                device=device,
                product=get_product(),
                quantity=1,
                caller=caller(),
                now=NOW,
            ),
            partial(give_back, device, grant),
        ]

        outcomes = pool.race(racers[number % 3 :] + racers[: number % 3])

        # An assignment that came after is of a project that the device has left.
        assert set(outcomes.refused) <= {"no-such-device", "insufficient-licenses"}
        assert Device.objects.get(pk=device.pk).project == buyer
        on_device = device.grants.filter(state="live").count()
        assert free(project) + (free(buyer) - bought) + on_device == 3
    assert list(verification.violations()) == []

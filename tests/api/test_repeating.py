"""A change can be asked for twice under one name: every operation of the OpenAPI document that changes
something, one after the other (mission rule 37). At once: tests/races/test_repeated_requests.py."""

from collections.abc import Iterator

import pytest
import time_machine

from accounts.models import User
from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity
from devices.models import Device
from tests import factories, rows
from tests.api import changing
from tests.api.changing import World
from tests.api.conftest import ApiOf
from tests.api.scenes import HARDWARE_ID
from tests.device_api.devices import Signer

pytestmark = pytest.mark.usefixtures("catalogue", "keyring", "anchor")
# Looking is told in the history each time, and a claim code is made anew, since it is kept nowhere.
WRITTEN_AGAIN = {"look-at-key": "core.AuditEntry", "make-claim-code": "licenses.ClaimCode"}


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """When the factory's certificates are valid."""
    with time_machine.travel(factories.NOW, tick=False):
        yield


@pytest.fixture
def world(alice: User, device: Device, authority: Authority) -> World:
    identity = make_identity(authority, HARDWARE_ID, kind="P-256", now=factories.NOW)
    return World(alice=alice, device=device, signer=Signer.of(identity))


def test_every_operation_that_changes_something_has_its_request_here() -> None:
    assert set(changing.REQUESTS) == set(changing.changing_operations())


@pytest.mark.parametrize("operation", changing.REQUESTS)
def test_the_second_time_changes_nothing_and_is_answered_like_the_first(
    api: ApiOf, world: World, operation: str
) -> None:
    request = changing.REQUESTS[operation](world)
    program = api(world.alice)

    first = program.call(request.method, request.path, request.body, key="req-1")
    before = rows.everything()
    second = program.call(request.method, request.path, request.body, key="req-1")

    assert first[0] in (200, 201), first
    assert second[0] == first[0]
    assert changing.without_secret(operation, second[1]) == changing.without_secret(operation, first[1])
    changed = {table for table, found in rows.everything().items() if found != before[table]}
    assert changed == {WRITTEN_AGAIN[operation]} & set(before) if operation in WRITTEN_AGAIN else not changed

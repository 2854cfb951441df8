"""One request fifty times at once, through the whole of the portal, has one effect and one answer."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import Project, User
from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity
from licenses import verification
from portal.core.models import Act, AuditEntry
from tests import factories
from tests.api import changing
from tests.api.changing import World
from tests.api.conftest import encoded
from tests.api.scenes import HARDWARE_ID
from tests.device_api.devices import Signer
from tests.races.pool import Pool

pytestmark = pytest.mark.usefixtures("catalogue", "keyring", "anchor")
AT_ONCE = 50
# One of each sort: by the ledger, by a statement, with a secret, with a mail, of companies and of people. All
# of them take minutes; each of them twice, one after the other, is in tests/api/test_repeating.py.
EVERY_DAY = {
    "activate-key",
    "transfer-licenses",
    "assign-licenses",
    "carry-statement",
    "create-company-token",
    "invite-member",
    "consent-to-import",
    "leave-company",
    "ask-for-move",
}
# Named by what they are about, or no act at all, since nothing is changed.
NO_ACT = {"look-at-key", "look-up-customer"}
NO_ACT_OF_THAT_NAME = NO_ACT | {"carry-statement", "carry-claim", "download-test-license"}


@pytest.fixture(scope="module")
def pool(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Pool]:
    """More threads than other races have."""
    with django_db_blocker.unblock():
        made = Pool(AT_ONCE)
        yield made
        made.close()


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """When the factory's certificates are valid."""
    with time_machine.travel(factories.NOW, tick=False):
        yield


@pytest.fixture
def world(alice: User, project: Project, authority: Authority) -> World:
    factories.activated(project, {"Port": 5})
    device = factories.make_device(project=project, hardware_id=HARDWARE_ID, name="Reception")
    identity = make_identity(authority, HARDWARE_ID, kind="P-256", now=factories.NOW)
    return World(alice=alice, device=device, signer=Signer.of(identity))


def clients_of(user: User) -> list[Client]:
    """One for each racer, all with one session."""
    first = Client()
    first.force_login(user)
    others = [Client() for _ in range(AT_ONCE - 1)]
    for client in others:
        client.cookies = first.cookies
    return [first, *others]


def send(client: Client, request: changing.Request) -> tuple[int, Any]:
    data, media_type = encoded(request.body)
    response = client.generic(
        request.method,
        f"/api/v1/{request.path}",
        data,
        content_type=media_type,
        headers={"Idempotency-Key": "the-one"},
    )
    return response.status_code, json.loads(response.content)


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(operation, marks=() if operation in EVERY_DAY else pytest.mark.long)
        for operation in changing.REQUESTS
    ],
)
def test_fifty_at_once_have_one_effect_and_one_answer(pool: Pool, world: World, operation: str) -> None:
    request = changing.REQUESTS[operation](world)
    acts, entries = Act.objects.count(), AuditEntry.objects.count()

    outcomes = pool.race([partial(send, client, request) for client in clients_of(world.alice)])

    answers = [(status, changing.without_secret(operation, body)) for status, body in outcomes.answers]
    assert answers[0][0] in (200, 201), answers[0]
    assert all(answer == answers[0] for answer in answers)
    if operation not in NO_ACT:
        assert Act.objects.count() == acts + 1
        told = AuditEntry.objects.filter(pk__in=AuditEntry.objects.order_by("pk")[entries:].values("pk"))
        assert len({entry.act_id for entry in told.exclude(act=None)}) == 1
    if operation not in NO_ACT_OF_THAT_NAME:
        assert Act.objects.filter(key="the-one").count() == 1
    if changing.SECRETS.get(operation) == "secret":
        assert sum(body["secret"] is not None for _status, body in outcomes.answers) == 1
    assert list(verification.violations()) == []

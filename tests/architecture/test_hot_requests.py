"""What the hot requests may cost, whole, from the middleware on: statements, round trips to Redis, calls.

A gate by numbers that no busy machine changes. `calls` is how many functions of Python a request calls for
each one that its floor calls: five statements by the ORM, the least that an act which is redeemed once takes
(docs/performance.md). Counted for a second request of its kind; a number that falls is lowered here.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest
import redis
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from accounts.models import Project, User
from portal.core.kept_redis import KeptRedisCache
from portal.core.models import OutboxJob, ScheduledJob
from tests.api.conftest import Api
from tests.factories import NOW, activated, make_device, make_key

pytestmark = [
    pytest.mark.usefixtures("catalogue", "keyring"),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite is not measured"),
]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The most that a request may cost."""

    statements: int
    redis: int
    calls: float


BUDGETS = {
    "activation": Budget(statements=6, redis=1, calls=3.6),
    "assignment": Budget(statements=7, redis=0, calls=3.9),
}


class TestHotRequests:
    def test_an_activation_keeps_its_budget(self, alice: User, project: Project) -> None:
        api = Api(alice)
        codes = [make_key(lines={"Port": 5}) for _ in range(3)]

        def activate() -> None:
            api.post("keys/activate", {"code": codes.pop(), "project": project.pk})

        keeps("activation", activate)

    def test_an_assignment_keeps_its_budget(self, alice: User, project: Project) -> None:
        activated(project, {"Port": 50})
        api, device = Api(alice), make_device(project=project)
        body = {"product": "Port", "version": 14, "quantity": 1}

        keeps("assignment", lambda: api.post(f"devices/{device.hardware_id}/assignments", body, status=201))


def keeps(name: str, request: Callable[[], Any]) -> None:
    """Hold a request to its budget; it is made three times, and the first time does not count."""
    budget = BUDGETS[name]
    request()
    with CaptureQueriesContext(connection) as captured, round_trips() as sent:
        request()
    statements = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == budget.statements, "\n".join(statements)
    if isinstance(cache._connections[cache._alias], KeptRedisCache):  # type: ignore[attr-defined]
        assert len(sent) == budget.redis, sent
    five_statements()
    ratio = calls_of(request) / calls_of(five_statements)
    assert ratio <= budget.calls, f"{ratio:.2f} times the calls of its floor"


@transaction.atomic
def five_statements() -> None:
    """The floor: lock a row, change it, insert two, add to one in the database."""
    job, _made = ScheduledJob.objects.get_or_create(name="floor", defaults={"next_at": NOW})
    locked = ScheduledJob.objects.select_for_update().get(name="floor")
    locked.next_at = NOW
    locked.save(update_fields=["next_at"])
    for _ in range(2):
        OutboxJob.objects.create(handler="floor", created_at=NOW, due_at=NOW)
    OutboxJob.objects.filter(pk=job.pk).update(attempts=F("attempts") + 1)


def calls_of(act: Callable[[], Any]) -> int:
    """How many functions of Python it calls."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(before)
    return calls


@contextmanager
def round_trips() -> Iterator[list[str]]:
    """What is sent to Redis meanwhile, written down on its way."""
    sent: list[str] = []
    send = redis.connection.AbstractConnection.send_packed_command

    def written_down(self: Any, command: Any, check_health: bool = True) -> Any:
        sent.append(repr(command)[:80])
        return send(self, command, check_health)  # type: ignore[no-untyped-call]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis.connection.AbstractConnection, "send_packed_command", written_down)
        yield sent

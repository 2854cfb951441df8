"""What the portal rests on, part by part: `/readyz` tells balancers, the status page tells staff."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count, Min, Q
from redis import Redis, RedisError

from portal.core import signs
from portal.core.models import OutboxJob

LATE_AFTER = timedelta(minutes=5)
"""A job that has been due for so long is late: nobody works, or not enough."""

log = structlog.get_logger(__name__)


class State(StrEnum):
    """`failed`: nothing can be served without. `degraded`: the portal answers, but something waits."""

    READY = "ready"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Part:
    """How one part stands. `detail` is for operators, so in English; it holds no address and no secret."""

    name: str
    state: State
    detail: str = ""


Look = Callable[..., Part]


def database() -> Part:
    """The database answers a query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Part(name="database", state=State.READY)


def migrations() -> Part:
    """The tables are those of this release."""
    waiting = _of_this_release() - MigrationRecorder(connection).applied_migrations().keys()
    if waiting:
        return Part(
            name="migrations", state=State.FAILED, detail=f"{len(waiting)} are to come: manage.py migrate"
        )
    return Part(name="migrations", state=State.READY)


@cache
def _of_this_release() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations or ())


def redis() -> Part:
    """Cache and wake-ups. Without it processes count tries alone (portal.core.caches), and jobs wait."""
    if not settings.REDIS_URL:
        return Part(name="redis", state=State.READY, detail="none: the cache is in the database")
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
            client.ping()
    except RedisError as error:
        return Part(name="redis", state=State.DEGRADED, detail=f"does not answer: {type(error).__name__}")
    return Part(name="redis", state=State.READY)


def outbox(*, now: datetime) -> Part:
    """Jobs are done soon after they are due."""
    depth = outbox_depth(now=now)
    state = State.DEGRADED if depth.oldest > LATE_AFTER else State.READY
    seconds = round(depth.oldest.total_seconds())
    return Part(name="outbox", state=state, detail=f"{depth.due} due, the oldest for {seconds} s")


def worker(*, now: datetime) -> Part:
    """Somebody works off the outbox."""
    last = signs.last(signs.WORKER)
    if last is None or now - last > signs.SILENT_AFTER:
        return Part(name="worker", state=State.DEGRADED, detail=f"no sign of life since {last or 'ever'}")
    return Part(name="worker", state=State.READY)


@dataclass(frozen=True, kw_only=True)
class OutboxDepth:
    """Jobs that are due now, those that failed before, and since when the oldest is due."""

    due: int
    failing: int
    oldest: timedelta


def outbox_depth(*, now: datetime) -> OutboxDepth:
    """How much is to be done. Jobs under way, with a lease, are among those due."""
    found = OutboxJob.objects.aggregate(
        due=Count("id", filter=Q(due_at__lte=now)),
        failing=Count("id", filter=~Q(last_error="")),
        first=Min("due_at"),
    )
    first = found["first"]
    oldest = max(timedelta(0), now - first) if first is not None else timedelta(0)
    return OutboxDepth(due=found["due"], failing=found["failing"], oldest=oldest)


def look(*looks: tuple[str, Callable[[], Part]]) -> list[Part]:
    """Look at each part; what raises has failed. Once the database has failed, nothing else is asked."""
    found: list[Part] = []
    for name, ask in looks:
        try:
            found.append(ask())
        except DatabaseError as error:
            log.warning("part failed", part=name, error=type(error).__name__)
            connection.close()
            found.append(Part(name=name, state=State.FAILED, detail=f"{type(error).__name__}"))
            if name == "database":
                break
    return found

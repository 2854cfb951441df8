"""How the portal itself is: what it rests on, what waits, what happens by the clock, keys, room, versions."""

import platform
import shutil
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import django
import redis
from django.conf import settings
from django.db import connection

from accounts import mail_queries
from devices import queries as devices
from licenses import key_inspection, keyring, readiness
from licenses.key_inspection import KeyState
from portal.core import schedule, signs
from portal.core.readiness import LATE_AFTER, OutboxDepth, Part, State, outbox_depth
from portal.core.schedule import Scheduled


@dataclass(frozen=True, kw_only=True)
class Room:
    """Bytes on the disk of the portal's files, and of the database; None where nobody can say."""

    free: int
    total: int
    database: int | None

    @property
    def percent_free(self) -> int:
        """Of the disk of the portal's files."""
        return 100 * self.free // self.total


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A job of the schedule, and whether it was asked for in time."""

    job: Scheduled
    is_late: bool

    @property
    def minutes(self) -> int:
        """Of the interval."""
        return round(self.job.interval.total_seconds() / 60)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Everything that the status page says."""

    state: State
    parts: list[Part]
    outbox: OutboxDepth
    alerts: int
    mails_not_delivered: int
    worker_at: datetime | None
    schedule_at: datetime | None
    turns: list[Turn]
    keys: list[KeyState]
    key_set: int | None
    room: Room
    versions: dict[str, str]


def of_portal(*, now: datetime) -> Condition:
    """Look at everything; where a part is away, what it would have told is left out."""
    parts = readiness.parts(now=now)
    key_set, keys = _keys()
    return Condition(
        state=readiness.of_all(parts),
        parts=parts,
        outbox=outbox_depth(now=now),
        alerts=devices.open_alerts().count(),
        mails_not_delivered=mail_queries.not_delivered().count(),
        worker_at=signs.last(signs.WORKER),
        schedule_at=signs.last(signs.SCHEDULE),
        turns=[Turn(job=job, is_late=_is_late(job, now)) for job in schedule.standing()],
        keys=keys,
        key_set=key_set,
        room=_room(),
        versions=_versions(),
    )


def _is_late(job: Scheduled, now: datetime) -> bool:
    return job.last_at is None or now - job.last_at > job.interval + LATE_AFTER


def _keys() -> tuple[int | None, list[KeyState]]:
    try:
        ring, keys = key_inspection.keys_listed()
    except (keyring.NoKeySet, keyring.DemoKeys):
        return None, []
    return ring.version, keys


def _room() -> Room:
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(settings.DATA_DIR)
    return Room(free=usage.free, total=usage.total, database=_database_bytes())


def _database_bytes() -> int | None:
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def _versions() -> dict[str, str]:
    found: dict[str, Any] = {"Python": platform.python_version(), "Django": django.get_version()}
    version = ".".join(map(str, connection.get_database_version()))
    found["PostgreSQL" if connection.vendor == "postgresql" else "SQLite"] = version
    if settings.REDIS_URL:
        try:
            with redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
            ) as client:
                found["Redis"] = str(client.info("server")["redis_version"])
        except redis.RedisError:
            found["Redis"] = ""
    return found

"""Jobs as rows: written with the business, claimed with a lease, deleted when done.

`put()` belongs into an operation's transaction: the job exists exactly if the business does. Workers call
`work_off()`; Celery and the embedded worker do nothing else (architecture.md, "Transactions, jobs"). A
handler takes ids as keyword arguments, opens its own transactions and may run twice.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from django.db import connection, transaction

from portal.core import batches, logs, metrics, tracing
from portal.core.batches import Batch
from portal.core.models import OutboxJob

LEASE = timedelta(minutes=5)
BATCH = 20
LONGEST_PAUSE = timedelta(hours=1)

log = structlog.get_logger(__name__)


class Handler(Protocol):
    """Does one job. Tolerates arguments it does not know: an older worker may meet a newer job."""

    def __call__(self, *, now: datetime, **arguments: Any) -> None: ...


@dataclass(frozen=True)
class Claim:
    id: int
    handler: str
    arguments: dict[str, Any]
    attempts: int
    request_id: str = ""


class NotYet(Exception):
    """Raised by a handler that knows when its job is worth another try."""

    def __init__(self, *, until: datetime, why: str) -> None:
        self.until, self.why = until, why
        super().__init__(why)


_handlers: dict[str, Handler] = {}


def handler(name: str) -> Callable[[Handler], Handler]:
    """Register the function below as the handler of jobs named `name`; used in an app's tasks.py."""

    def register(function: Handler) -> Handler:
        assert name not in _handlers, f"two handlers for {name}"
        _handlers[name] = function
        return function

    return register


def put(
    name: str, *, now: datetime, due_at: datetime | None = None, batch: Batch | None = None, **arguments: Any
) -> None:
    """Ask for a job, after the current transaction commits and not before `due_at`."""
    job = OutboxJob(
        handler=name, arguments=arguments, created_at=now, due_at=due_at or now, request_id=logs.request_id()
    )
    batches.write([job], batch=batch)


def put_all(name: str, jobs: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Ask for several jobs of one name in one statement; each of `jobs` is the arguments of one."""
    OutboxJob.objects.bulk_create(
        OutboxJob(handler=name, arguments=dict(job), created_at=now, due_at=now, request_id=logs.request_id())
        for job in jobs
    )


def claim(*, now: datetime, limit: int = BATCH) -> list[Claim]:
    """Take up to `limit` due jobs that nobody else has, for the length of a lease.

    One statement, so that it is the same on both databases; SKIP LOCKED keeps workers on PostgreSQL from
    queueing behind each other, SQLite writes one at a time anyway. The choice is made once, beforehand: as a
    plain subquery PostgreSQL may run it again for each row, and then takes more than `limit`.
    """
    skip = "FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    table = OutboxJob._meta.db_table
    as_parameter = connection.ops.adapt_datetimefield_value
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"WITH due AS MATERIALIZED (SELECT id FROM {table} WHERE due_at <= %s"  # noqa: S608
            f" AND (leased_until IS NULL OR leased_until <= %s) ORDER BY due_at, id LIMIT %s {skip})"
            f" UPDATE {table} SET leased_until = %s, attempts = attempts + 1"
            " WHERE id IN (SELECT id FROM due) RETURNING id, handler, arguments, attempts, request_id",
            [as_parameter(now), as_parameter(now), limit, as_parameter(now + LEASE)],
        )
        rows = cursor.fetchall()
    return [
        Claim(id=row[0], handler=row[1], arguments=json.loads(row[2]), attempts=row[3], request_id=row[4])
        for row in rows
    ]


def work_off(*, clock: Callable[[], datetime], limit: int = BATCH) -> int:
    """Claim a batch and do it. Returns how many jobs were tried; none is ever dropped."""
    claims = claim(now=clock(), limit=limit)
    for job in claims:
        # What the handler logs, and what it asks for, goes by the request that asked for this job.
        with (
            structlog.contextvars.bound_contextvars(request_id=job.request_id, job=job.id),
            tracing.span(job.handler, kind="consumer", request_id=job.request_id, job=job.id),
        ):
            outcome = _do(job, clock=clock)
        metrics.JOBS.labels(job.handler, outcome).inc()
    return len(claims)


def _do(job: Claim, *, clock: Callable[[], datetime]) -> str:
    began = time.perf_counter()
    try:
        _handlers[job.handler](now=clock(), **job.arguments)
    except NotYet as later:
        # The handler has told of it where people look; no mistake of the portal's, so no traceback.
        log.info("outbox job put off", handler=job.handler, attempts=job.attempts)
        _mine(job).update(due_at=later.until, leased_until=None, last_error=later.why[:2000])
        return "put-off"
    except Exception as error:
        # Whatever went wrong, the job stays and says so; the pause doubles up to an hour.
        log.exception("outbox job failed", handler=job.handler, attempts=job.attempts)
        pause = min(LONGEST_PAUSE, timedelta(seconds=2 ** min(job.attempts, 12)))
        _mine(job).update(
            due_at=clock() + pause,
            leased_until=None,
            last_error=f"{type(error).__name__}: {error}"[:2000],
        )
        return "failed"
    _mine(job).delete()
    ms = round((time.perf_counter() - began) * 1000, 1)
    log.info("outbox job done", handler=job.handler, attempts=job.attempts, ms=ms)
    return "done"


def _mine(job: Claim) -> Any:
    return OutboxJob.objects.filter(pk=job.id, attempts=job.attempts)

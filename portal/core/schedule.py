"""What happens by the clock: a small table of jobs, each asked for once in its interval.

Celery beat wakes `ask()`, and the embedded worker does by itself; both may, as often as they like. Asking is
putting a job into the outbox, in the transaction that moves the time of the next one on: nothing is lost if
a worker dies, and two workers do not ask twice. After a standstill each job is asked for once, not once for
each interval that was missed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.module_loading import autodiscover_modules

from portal.core import outbox
from portal.core.models import ScheduledJob

_intervals: dict[str, timedelta] = {}


def every(interval: timedelta, name: str) -> None:
    """Have a job of the outbox asked for by the clock; stands beside its handler in an app's tasks.py."""
    assert name not in _intervals, f"{name} is in the schedule already"
    _intervals[name] = interval


def names() -> set[str]:
    """The names of all jobs in the schedule."""
    return set(_intervals)


def ask(*, now: datetime) -> list[str]:
    """Put every job that is due into the outbox. Returns their names."""
    known = dict(ScheduledJob.objects.values_list("name", "next_at"))
    return [
        name
        for name, interval in _intervals.items()
        if (name not in known or _is_due(known[name], interval, now)) and _ask(name, interval, now=now)
    ]


def _is_due(next_at: datetime, interval: timedelta, now: datetime) -> bool:
    # A time further away than the interval was written by a clock that ran ahead.
    return next_at <= now or next_at > now + interval


def _ask(name: str, interval: timedelta, *, now: datetime) -> bool:
    with transaction.atomic():
        ScheduledJob.objects.bulk_create([ScheduledJob(name=name, next_at=now)], ignore_conflicts=True)
        # The condition in the UPDATE lets one of two at once ask.
        due = ScheduledJob.objects.filter(Q(next_at__lte=now) | Q(next_at__gt=now + interval), name=name)
        if not due.update(next_at=now + interval):
            return False
        outbox.put_all(name, [{}], now=now)
    return True


@dataclass(frozen=True, kw_only=True)
class Scheduled:
    """One job of the schedule: how often it is asked for, and when it last was; None before that."""

    name: str
    interval: timedelta
    last_at: datetime | None


def standing() -> list[Scheduled]:
    """All jobs of the schedule, by name. In a process that answers requests, too: it knows no handlers."""
    autodiscover_modules("tasks")  # they say what is in the schedule
    next_at = dict(ScheduledJob.objects.values_list("name", "next_at"))
    return [
        Scheduled(name=name, interval=interval, last_at=next_at[name] - interval if name in next_at else None)
        for name, interval in sorted(_intervals.items())
    ]


def overdue(*, now: datetime) -> timedelta:
    """How long the most overdue job of the schedule is overdue; nothing if each was asked for in time."""
    behind = [now - job.last_at - job.interval for job in standing() if job.last_at is not None]
    return max([timedelta(0), *behind])

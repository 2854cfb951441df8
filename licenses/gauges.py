"""What rows tell Prometheus: how much waits, what was given up, whether every part stands."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count
from prometheus_client.core import Metric

from accounts.models import Mail
from devices import queries as devices
from licenses import readiness
from portal.core.metrics import gauge
from portal.core.models import LongJob
from portal.core.readiness import State, outbox_depth
from portal.core.schedule import overdue


def of_rows(*, now: datetime) -> Iterable[Metric]:
    """Gauges of this moment. Without a database only the parts, which say so."""
    parts = readiness.parts(now=now)
    yield gauge(
        "part_ready",
        "1 if a part is ready, 0.5 if it is degraded, 0 if it failed.",
        {(part.name,): _VALUES[part.state] for part in parts},
        labels=("part",),
    )
    if parts[0].state is State.FAILED:
        return
    depth = outbox_depth(now=now)
    yield gauge("outbox_due_jobs", "Jobs that are due, with those under way.", {(): depth.due})
    yield gauge("outbox_failing_jobs", "Jobs that failed and are tried again.", {(): depth.failing})
    yield gauge(
        "outbox_oldest_seconds", "Since when the oldest job is due.", {(): depth.oldest.total_seconds()}
    )
    mails = dict(
        Mail.objects.exclude(state=Mail.State.SENT)
        .values_list("state")
        .annotate(count=Count("id"))
        .order_by()
    )
    yield gauge(
        "mails",
        "Mails that wait, and those of the last 90 days that were given up.",
        {(state,): mails.get(state, 0) for state in (Mail.State.QUEUED, Mail.State.FAILED)},
        labels=("state",),
    )
    jobs = dict(LongJob.objects.values_list("state").annotate(count=Count("id")).order_by())
    yield gauge(
        "long_jobs",
        "Work in the background that somebody watches, by state; kept for seven days.",
        {(state,): jobs.get(state, 0) for state in LongJob.State.values},
        labels=("state",),
    )
    yield gauge("open_alerts", "Alerts that nobody has settled.", {(): devices.open_alerts().count()})
    yield gauge(
        "schedule_late_seconds",
        "How long what happens by the clock is overdue; the most overdue of all.",
        {(): overdue(now=now).total_seconds()},
    )


_VALUES = {State.READY: 1.0, State.DEGRADED: 0.5, State.FAILED: 0.0}

"""Signs of life of the processes that answer no request: workers, and whoever keeps the schedule.

One row for each, so that a status page can say since when nobody has worked; written at most every fifteen
seconds.
"""

import socket
from datetime import datetime, timedelta

from portal.core.models import SignOfLife

WRITTEN_AFTER = timedelta(seconds=15)
SILENT_AFTER = timedelta(minutes=3)
"""Who gave no sign for so long is not at work."""
FORGOTTEN_AFTER = timedelta(days=1)

WORKER, SCHEDULE = "worker", "schedule"

_last: dict[str, datetime] = {}


def give(kind: str, *, now: datetime) -> None:
    """Say that this machine's worker, or the schedule, lives."""
    name = f"{kind}@{socket.gethostname()}"[:100]
    last = _last.get(name)
    if last is not None and last <= now < last + WRITTEN_AFTER:
        return
    _last[name] = now
    SignOfLife.objects.update_or_create(name=name, defaults={"kind": kind, "at": now})
    SignOfLife.objects.filter(at__lt=now - FORGOTTEN_AFTER).delete()


def last(kind: str) -> datetime | None:
    """The last sign of any of a kind, or None."""
    return SignOfLife.objects.filter(kind=kind).order_by("-at").values_list("at", flat=True).first()

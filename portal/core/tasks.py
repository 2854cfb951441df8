"""What Celery runs: nothing but working off the outbox (architecture.md, "Transactions, jobs")."""

from typing import Any

from celery import shared_task

from portal.core import clock, outbox


@shared_task(name="core.work_off_outbox", acks_late=True)
def work_off_outbox(**_: Any) -> int:
    """Work off due jobs until none is due. Returns how many were tried."""
    tried = 0
    while done := outbox.work_off(clock=clock.now):
        tried += done
    return tried

"""What Celery runs: it works off the outbox and keeps the schedule (architecture.md, "Transactions")."""

from typing import Any

from celery import shared_task

from portal.core import clock, outbox, schedule


@shared_task(name="core.work_off_outbox", acks_late=True)
def work_off_outbox(**_: Any) -> int:
    """Work off due jobs until none is due. Returns how many were tried."""
    tried = 0
    while done := outbox.work_off(clock=clock.now):
        tried += done
    return tried


@shared_task(name="core.keep_schedule", acks_late=True)
def keep_schedule(**_: Any) -> int:
    """Ask for the jobs that the clock wants. Returns how many were asked for."""
    return len(schedule.ask(now=clock.now()))

"""What Celery runs: it works off the outbox and keeps the schedule (architecture.md, "Transactions")."""

from datetime import datetime, timedelta
from typing import Any

from celery import shared_task

from portal.core import clock, long_jobs, outbox, schedule, signs


@shared_task(name="core.work_off_outbox", acks_late=True)
def work_off_outbox(**_: Any) -> int:
    """Work off due jobs until none is due. Returns how many were tried."""
    signs.give(signs.WORKER, now=clock.now())
    tried = 0
    while done := outbox.work_off(clock=clock.now):
        tried += done
    return tried


@shared_task(name="core.keep_schedule", acks_late=True)
def keep_schedule(**_: Any) -> int:
    """Ask for the jobs that the clock wants. Returns how many were asked for."""
    signs.give(signs.SCHEDULE, now=clock.now())
    return len(schedule.ask(now=clock.now()))


@outbox.handler("work-on-long-job")
def work_on_long_job(*, now: datetime, **arguments: Any) -> None:
    """Do one slice of a long job; done before, it is not done again."""
    long_jobs.work_on(job_id=arguments["job_id"], number=arguments["number"], now=now)


schedule.every(timedelta(minutes=5), "tidy-long-jobs")


@outbox.handler("tidy-long-jobs")
def tidy_long_jobs(*, now: datetime, **arguments: Any) -> None:
    """Erase long jobs whose days are over, and secrets soon after they were taken."""
    long_jobs.tidy(now=now)

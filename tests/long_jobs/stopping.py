"""The embedded worker, in a process that can be killed at a chosen place in the work on a long job."""

import sys
from datetime import datetime
from typing import Any

from django.core.management import call_command

from portal.core import outbox
from portal.core.long_job_kinds import Slice
from portal.core.models import LongJob, OutboxJob
from tests.long_jobs.counting import count_slice, known


def work(place: str, number: int) -> None:
    """Work everything off, and stand still within the slice of this number ("inside"), or behind its commit,
    before the job of the outbox is gone ("after")."""

    def stopping(job: LongJob, *, now: datetime) -> Slice:
        did = count_slice(job, now=now)
        if place == "inside" and job.slices == number:
            _stand_still()
        return did

    def mine(job: outbox.Claim) -> Any:
        if place == "after" and job.arguments.get("number") == number:
            _stand_still()
        return OutboxJob.objects.filter(pk=job.id, attempts=job.attempts)

    outbox._mine = mine
    with known(work=stopping):
        call_command("work", once=True)


def _stand_still() -> None:
    sys.stdout.write("here\n")
    sys.stdout.flush()
    sys.stdin.read()  # until the kill

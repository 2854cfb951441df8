"""The embedded worker, in a process that can be killed at a chosen place while it enters a list of orders."""

import sys
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.core.management import call_command

from orders import uploads
from portal.core import long_job_kinds, outbox
from portal.core.long_job_kinds import Slice
from portal.core.models import LongJob, OutboxJob


def work(place: str, number: int) -> None:
    """Work everything off, and stand still within the slice of this number ("inside"), or behind its commit,
    before the job of the outbox is gone ("after")."""

    def stopping(job: LongJob, *, now: datetime) -> Slice:
        did = uploads.enter_slice(job, now=now)
        if place == "inside" and job.slices == number:
            _stand_still()
        return did

    def mine(job: outbox.Claim) -> Any:
        if place == "after" and job.arguments.get("number") == number:
            _stand_still()
        return OutboxJob.objects.filter(pk=job.id, attempts=job.attempts)

    outbox._mine = mine
    long_job_kinds._kinds[uploads.KIND] = replace(long_job_kinds._kinds[uploads.KIND], work=stopping)
    call_command("work", once=True)


def _stand_still() -> None:
    sys.stdout.write("here\n")
    sys.stdout.flush()
    sys.stdin.read()  # until the kill

"""How far a long job is, as people and programs are told (portal.core.long_jobs)."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from portal.core.errors import DomainError, every_refusal
from portal.core.long_job_kinds import kind_of
from portal.core.long_jobs import OPEN, has_result
from portal.core.models import LongJob


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A job as people see it, for the component `long_job`.

    left: seconds, at the rate so far; None while nobody can tell.
    refusal: why it failed, None if it did not.
    """

    id: Any
    label: str | Promise
    state: str
    done: int
    total: int
    left: int | None
    ended_at: datetime | None
    kept_until: datetime | None
    name: str
    size: int
    has_result: bool
    secret: bool
    refusal: DomainError | None

    @property
    def is_open(self) -> bool:
        """Whether something is left to be done."""
        return self.state in OPEN

    @property
    def status(self) -> str:
        """The state as a word of the component `status`."""
        return f"job-{self.state}"


def progress_of(job: LongJob, *, now: datetime) -> Progress:
    """How far a job is."""
    kind = kind_of(job)
    return Progress(
        id=job.pk,
        label=kind.label,
        state=job.state,
        done=job.done,
        total=job.total,
        left=seconds_left(job),
        ended_at=job.ended_at,
        kept_until=job.kept_until,
        name=job.name,
        size=job.size,
        has_result=has_result(job, now=now),
        secret=kind.secret,
        refusal=refusal_of(job),
    )


def seconds_left(job: LongJob) -> int | None:
    """How long the rest takes at the rate so far; None while nobody can tell."""
    if job.state != LongJob.State.RUNNING or not job.done or job.started_at is None or job.moved_at is None:
        return None
    taken = (job.moved_at - job.started_at).total_seconds()
    return math.ceil(taken / job.done * (job.total - job.done))


def refusal_of(job: LongJob) -> DomainError | None:
    """Why a job failed; None if it did not."""
    if job.state != LongJob.State.FAILED:
        return None
    refusals = {refusal.code: refusal for refusal in every_refusal()}
    # What an earlier release refused may have no words any more.
    return refusals.get(job.refusal, refusals["internal-error"])(**job.facts)

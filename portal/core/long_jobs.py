"""Work that takes long, with a bar to watch it by: a large export, an order of many keys.

Whoever wants it calls `ask()` in the transaction of the business and leads the person to `/background/<id>`.
The outbox works it off in slices: each is one transaction that does some rows, adds to the result, and puts
the job of the next slice. A worker that dies loses the slice at hand, and the next one goes on where the last
commit was; a slice that was committed is never done again. A cancellation takes effect between two slices.

The kinds of work stand beside the operations they belong to:

    @kind("export-history", label=_("History as CSV"), may=_still_may)
    def export_slice(job: LongJob, *, now: datetime) -> Slice:
        ...

Both the door that asks and the app's tasks.py import that module: so pages and workers know the kind.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from portal.core import acts, outbox
from portal.core.acts import Caller
from portal.core.errors import UNSEEN, Conflict, DomainError, NotFound
from portal.core.long_job_kinds import kind_of, kinds
from portal.core.models import LongJob, LongJobPiece

KEPT = timedelta(days=7)
"""How long an ended job and its result stay, unless the result is secret and was taken."""
TAKEN_AGAIN = timedelta(minutes=10)
"""How long a secret result can be taken once more: the first answer may have been lost on its way."""
MOST_FAILURES = 8
"""In vain so often, with the pauses of the outbox in between (four minutes in all), and a job has failed."""
OPEN = (LongJob.State.WAITING, LongJob.State.RUNNING)

log = structlog.get_logger(__name__)


class NoSuchLongJob(NotFound):
    code = "no-such-background-job"
    title = _("There is no such work in the background, or it is not yours.")
    why = UNSEEN
    way_out = _("What ended more than seven days ago is tidied up. Ask for it again if you still need it.")


class LongJobOver(Conflict):
    code = "background-job-over"
    title = _("This work in the background has ended.")
    why = _("What is done is done: it can be cancelled only as long as something is left to do.")
    way_out = _("Look at what came of it. Nothing was changed.")


class LongJobNotFailed(Conflict):
    code = "background-job-not-failed"
    title = _("This work in the background did not fail, so there is nothing to go on with.")
    why = _("Only work that stopped half way can go on. What runs, runs; what was cancelled was not wanted.")
    way_out = _("Wait for its end, or ask for it anew. Nothing was changed.")


class NoResult(Conflict):
    code = "no-result"
    title = _("There is nothing to download from this work in the background.")
    why = _(
        "The result is there when the work is done, and for seven days. One that holds secrets is erased ten "
        "minutes after it was first downloaded, so that it does not lie around."
    )
    way_out = _("Wait for its end if it still runs. If the result is gone, ask for the work again.")


# --- Asking, looking, taking ---


def ask(
    name: str,
    *,
    total: int,
    result: str,
    content_type: str,
    caller: Caller,
    now: datetime,
    **arguments: Any,
) -> LongJob:
    """Ask for a long job, which begins when the current transaction has committed.

    The same call again (`caller.key` with the same arguments) finds the job it made before.

    :param total: how many rows there are to do, at most.
    :param result: the file name of the result; `content_type` what it is.
    :param arguments: what the kind needs to know; JSON, and no secrets: it is kept in clear.
    """
    assert name in kinds(), f"nobody does {name}"
    with transaction.atomic():
        wanted = LongJob(
            kind=name,
            owner_id=caller.user_id,
            token_id=caller.token_id,
            call=acts.call_id(name, caller, arguments),
            arguments=arguments,
            total=total,
            asked_at=now,
            name=result,
            content_type=content_type,
        )
        LongJob.objects.bulk_create([wanted], ignore_conflicts=True)
        job = LongJob.objects.get(call=wanted.call)
        if job.pk == wanted.pk:
            _put_next(job, now=now)
    return job


def jobs_of(caller: Caller) -> QuerySet[LongJob]:
    """All jobs that somebody asked for, the latest first."""
    return LongJob.objects.filter(_owned_by(caller), kind__in=kinds()).order_by("-asked_at", "pk")


def find(job_id: Any, *, caller: Caller) -> LongJob:
    """A job of the caller's.

    :raises NoSuchLongJob: there is none, it is another's, or its owner may not see any more what it is about.
    """
    job = jobs_of(caller).filter(pk=job_id).first()
    if job is None or not kind_of(job).may(job):
        raise NoSuchLongJob
    return job


def has_result(job: LongJob, *, now: datetime) -> bool:
    """Whether there is something to take."""
    ended = job.state == LongJob.State.DONE or (job.ended_at is not None and kind_of(job).partial)
    return ended and job.size > 0 and (job.kept_until is None or now < job.kept_until)


@transaction.atomic(durable=True)
def take(*, job: LongJob, now: datetime) -> Iterator[bytes]:
    """The result, piece by piece. A secret one is erased ten minutes after it was first taken.

    :raises NoResult: there is none, none yet, or none any more.
    """
    job = LongJob.objects.select_for_update(no_key=True).get(pk=job.pk)
    if not has_result(job, now=now):
        raise NoResult
    secret = kind_of(job).secret
    if secret and job.taken_at is None:
        job.taken_at = now
        job.kept_until = min(job.kept_until or now + KEPT, now + TAKEN_AGAIN)
        job.save(update_fields=["taken_at", "kept_until"])
    return _pieces(job, secret=secret)


def _pieces(job: LongJob, *, secret: bool) -> Iterator[bytes]:
    numbers = list(job.pieces.order_by("number").values_list("number", flat=True))
    for number in numbers:
        content = bytes(job.pieces.get(number=number).content)
        yield _vault().decrypt(content) if secret else content


# --- Working ---


def work_on(*, job_id: Any, number: int, now: datetime) -> None:
    """Do one slice, unless it was done before or the job has ended; asked for by the outbox.

    A refusal ends the job; whatever else goes wrong is tried again by the outbox, some times.
    """
    try:
        _work_on(job_id=job_id, number=number, now=now)
    except DomainError as refusal:
        _fail(job_id, number, refusal.code, refusal.facts, now=now)
    except Exception:
        failures = _count_failure(job_id, number)
        if failures < MOST_FAILURES:
            raise
        log.exception("long job failed", job=str(job_id), slice=number)
        _fail(job_id, number, "internal-error", {}, now=now)


@transaction.atomic(durable=True)
def _work_on(*, job_id: Any, number: int, now: datetime) -> None:
    job = _hold(job_id, number)
    if job is None:
        return
    wanted = kind_of(job)
    if not wanted.may(job):
        raise NoSuchLongJob
    job.state = LongJob.State.RUNNING
    job.started_at = job.started_at or now
    did = wanted.work(job, now=now)
    if did.content:
        content = _vault().encrypt(did.content) if wanted.secret else did.content
        LongJobPiece.objects.create(job=job, number=number, content=content)
    job.done = min(job.done + did.rows, job.total)
    job.rest = dict(did.rest)
    job.size += len(did.content)
    job.slices = number + 1
    job.failures = 0
    if did.over:
        job.state, job.ended_at, job.kept_until = LongJob.State.DONE, now, now + KEPT
        job.done = job.total
    job.moved_at = now
    job.save()
    if not did.over:
        _put_next(job, now=now)


def _hold(job_id: Any, number: int) -> LongJob | None:
    """Lock the job for one slice of it, before every other lock; None if that slice is not to be done.

    The lock keeps a cancellation out until the commit, and a second worker whose lease on the same slice came
    when the first was thought to be dead. `slices` is the fence: what was committed is not done again.
    """
    job = LongJob.objects.select_for_update(no_key=True).filter(pk=job_id).first()
    return job if job is not None and job.slices == number and job.state in OPEN else None


@transaction.atomic(durable=True)
def cancel(*, job: LongJob, now: datetime) -> LongJob:
    """End a job between two slices. What its slices did stays; cancelled again, it stays cancelled.

    :raises LongJobOver: it has ended already.
    """
    job = LongJob.objects.select_for_update(no_key=True).get(pk=job.pk)
    if job.state == LongJob.State.CANCELLED:
        return job
    if job.state not in OPEN:
        raise LongJobOver
    job.state, job.ended_at, job.kept_until = LongJob.State.CANCELLED, now, now + KEPT
    job.save(update_fields=["state", "ended_at", "kept_until"])
    return job


@transaction.atomic(durable=True)
def resume(*, job: LongJob, now: datetime) -> LongJob:
    """Let a job that failed go on where it stopped.

    :raises LongJobNotFailed: it runs, was done, or was cancelled.
    """
    job = LongJob.objects.select_for_update(no_key=True).get(pk=job.pk)
    if job.state != LongJob.State.FAILED:
        raise LongJobNotFailed
    job.state, job.ended_at, job.kept_until = LongJob.State.WAITING, None, None
    job.refusal, job.facts, job.failures = "", {}, 0
    # The rate is that of this run: the pause in between says nothing about it.
    job.started_at = job.moved_at = None
    job.save()
    _put_next(job, now=now)
    return job


def tidy(*, now: datetime) -> None:
    """Erase the jobs whose time is over with their results; of secrets that were taken, the result alone."""
    LongJob.objects.filter(ended_at__lte=now - KEPT).delete()
    over = LongJob.objects.filter(kept_until__lte=now, size__gt=0)
    LongJobPiece.objects.filter(job__in=over).delete()
    over.update(size=0)


def forget(*, user_id: int) -> None:
    """Erase all that a person asked for, running or not: they left."""
    LongJob.objects.filter(owner_id=user_id).delete()


def _put_next(job: LongJob, *, now: datetime) -> None:
    outbox.put("work-on-long-job", now=now, job_id=str(job.pk), number=job.slices)


@transaction.atomic(durable=True)
def _fail(job_id: Any, number: int, code: str, facts: Mapping[str, Any], *, now: datetime) -> None:
    job = _hold(job_id, number)
    if job is None:
        return
    job.state, job.ended_at, job.kept_until = LongJob.State.FAILED, now, now + KEPT
    job.refusal, job.facts = code, dict(facts)
    job.save(update_fields=["state", "ended_at", "kept_until", "refusal", "facts"])


def _count_failure(job_id: Any, number: int) -> int:
    waiting = LongJob.objects.filter(pk=job_id, slices=number, state__in=OPEN)
    waiting.update(failures=F("failures") + 1)
    return waiting.values_list("failures", flat=True).first() or 0


def _owned_by(caller: Caller) -> Q:
    if caller.token_id is not None:
        return Q(token_id=caller.token_id)
    return Q(owner_id=caller.user_id, token_id=None)


def _vault() -> MultiFernet:
    # The keys that keep activation codes until they are delivered: such codes are what secret results hold.
    return MultiFernet([Fernet(key) for key in settings.DELIVERY_KEYS])

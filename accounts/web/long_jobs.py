"""Work in the background as its owner sees it: how far it is, what came of it, cancel, go on."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.requests import caller, signed_in
from portal.core import clock, long_job_progress, long_jobs
from portal.core.errors import DomainError
from portal.core.long_job_kinds import kind_of
from portal.core.models import LongJob

SHOWN = 50


@signed_in
def own(request: HttpRequest) -> HttpResponse:
    """All that somebody has in the background, the latest first."""
    now = clock.now()
    found = [job for job in long_jobs.jobs_of(caller(request))[:SHOWN] if kind_of(job).may(job)]
    jobs = [(long_job_progress.progress_of(job, now=now), job.asked_at) for job in found]
    return render(request, "accounts/long_jobs.html", {"jobs": jobs})


@signed_in
def one(request: HttpRequest, job_id: Any) -> HttpResponse:
    """How far a job is; with `?part` only the part of the page that says so."""
    job = long_jobs.find(job_id, caller=caller(request))
    template = "accounts/long_job_part.html" if "part" in request.GET else "accounts/long_job.html"
    return render(request, template, {"job": long_job_progress.progress_of(job, now=clock.now())})


@signed_in
@require_POST
def cancel(request: HttpRequest, job_id: Any) -> HttpResponse:
    """The button below the bar."""
    return _change(request, job_id, long_jobs.cancel)


@signed_in
@require_POST
def resume(request: HttpRequest, job_id: Any) -> HttpResponse:
    """The button of a job that failed."""
    return _change(request, job_id, long_jobs.resume)


@signed_in
@require_POST
def result(request: HttpRequest, job_id: Any) -> HttpResponseBase:
    """What came of it, as a file."""
    return as_file(long_jobs.find(job_id, caller=caller(request)), now=clock.now())


def as_file(job: LongJob, *, now: datetime) -> HttpResponseBase:
    """The result as a download.

    :raises NoResult: there is none.
    """
    response = StreamingHttpResponse(long_jobs.take(job=job, now=now), content_type=job.content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{job.name}"'
    response.headers["Content-Length"] = str(job.size)
    return response


def _change(request: HttpRequest, job_id: Any, operation: Callable[..., LongJob]) -> HttpResponse:
    job = long_jobs.find(job_id, caller=caller(request))
    try:
        operation(job=job, now=clock.now())
    except DomainError as refusal:
        messages.error(request, f"{refusal.headline} {refusal.detail}")
    return redirect("long-job", job_id=job.pk)

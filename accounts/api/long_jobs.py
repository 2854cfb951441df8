"""REST doors on work in the background. Each caller, person or token, sees what it asked for itself."""

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import outputs
from accounts.api.doors import Door
from accounts.api.inputs import Nothing
from accounts.api.reference import operation
from accounts.models import ApiToken
from accounts.requests import caller, idempotency_key
from portal.core import clock, long_job_progress, long_jobs
from portal.core.long_jobs import LongJobOver, NoResult, NoSuchLongJob
from portal.core.models import LongJob

JOB_ID = OpenApiParameter("job_id", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH)
# What kind of file it is depends on the work; Content-Type says so.
FILE = {"type": "string", "format": "binary", "description": "The file."}


class OneJob(Door):
    @operation(
        "get-background-job",
        "Look how far a work in the background is",
        scope=ApiToken.Scope.READ,
        answer=outputs.LongJob,
        parameters=(JOB_ID,),
        refusals=(NoSuchLongJob,),
    )
    def get(self, request: Request, job_id: Any) -> Response:
        """For whoever asked for the work; seven days after its end it is tidied up."""
        return _answer(long_jobs.find(job_id, caller=caller(request)))


class Cancellation(Door):
    @operation(
        "cancel-background-job",
        "Cancel a work in the background",
        scope=ApiToken.Scope.READ,
        takes=Nothing,
        answer=outputs.LongJob,
        parameters=(JOB_ID,),
        refusals=(NoSuchLongJob, LongJobOver),
    )
    def post(self, request: Request, job_id: Any) -> Response:
        """What is done of it stays done."""
        Nothing.read(request.data)
        job = long_jobs.find(job_id, caller=caller(request, key=idempotency_key(request)))
        return _answer(long_jobs.cancel(job=job, now=clock.now()))


class Result(Door):
    # HEAD would start the ten minutes of a secret without anybody getting it.
    http_method_names = ["get"]

    @operation(
        "get-background-result",
        "Download the result of a work in the background",
        scope=ApiToken.Scope.READ,
        answer=FILE,
        media_type="application/octet-stream",
        parameters=(JOB_ID,),
        refusals=(NoSuchLongJob, NoResult),
    )
    def get(self, request: Request, job_id: Any) -> StreamingHttpResponse:
        """Kept for seven days. One that holds secrets is erased ten minutes after the first download."""
        job = long_jobs.find(job_id, caller=caller(request))
        return StreamingHttpResponse(
            long_jobs.take(job=job, now=clock.now()),
            content_type=job.content_type,
            headers={
                "Content-Disposition": f'attachment; filename="{job.name}"',
                "Content-Length": str(job.size),
            },
        )


def _answer(job: LongJob) -> Response:
    return Response(outputs.LongJob(long_job_progress.progress_of(job, now=clock.now())).data)

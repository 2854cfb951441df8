"""What only the vendor's own machines ask: `/readyz` and `/metrics`, at the inner ports.

nginx answers neither, and a request that came through it is not answered here either. Whoever asks names the
machine, not the portal (`web:8000`), so this stands before anything that looks at the Host header; and before
the log, which need not hear of it every few seconds.
"""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from licenses import gauges, readiness
from portal.core import clock, metrics
from portal.core.readiness import State


class Inside:
    """Answers the two addresses, unless a proxy asks for somebody else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = ANSWERS.get(request.path_info)
        if answer is None or "HTTP_X_FORWARDED_FOR" in request.META:
            return self.get_response(request)
        return answer()


def ready() -> HttpResponse:
    """200 while the portal can serve, if degraded; 503 if not. JSON says how each part stands."""
    parts = readiness.parts(now=clock.now())
    state = readiness.of_all(parts)
    body = {
        "state": state,
        "parts": [{"name": part.name, "state": part.state, "detail": part.detail} for part in parts],
    }
    failed = state is State.FAILED
    return JsonResponse(body, status=HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK)


def measured() -> HttpResponse:
    """What this pool counted, and, from the web pool, what rows tell."""
    rows = [partial(gauges.of_rows, now=clock.now())] if settings.METRICS_OF_ROWS else []
    return HttpResponse(metrics.exposition(*rows), content_type=metrics.CONTENT_TYPE)


ANSWERS: dict[str, Callable[[], HttpResponse]] = {"/readyz": ready, "/metrics": measured}

"""What every request gets: an id in its logs and answer, and one mapping from refusals to answers."""

import re
import secrets
import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from portal.core import metrics, pages, problems, tracing
from portal.core.errors import DomainError

log = structlog.get_logger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestLog:
    """Names each request, and writes one line about it: route, status, milliseconds. Never a query string."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # From META: `request.headers` is made of all headers, for each request anew, to find this one.
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began = time.perf_counter()
        response = self._traced(request, request_id) if tracing.WANTED else self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else ""
        seconds = time.perf_counter() - began
        metrics.requested(
            method=request.method or "", route=route, status=response.status_code, seconds=seconds
        )
        log.info(
            "request",
            method=request.method,
            route=route,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
        response.headers["X-Request-Id"] = request_id
        return response

    def _traced(self, request: HttpRequest, request_id: str) -> HttpResponse:
        with tracing.span(str(request.method), kind="server", request_id=request_id) as span:
            response = self.get_response(request)
            route = request.resolver_match.route if request.resolver_match else ""
            span.update_name(f"{request.method} {route}")
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", response.status_code)
            return response


class NoSensors:
    """No page may use camera, microphone or place, but one that says so itself: it scans codes."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response


class Refusals:
    """Turns a DomainError that leaves a view into a problem document under /api/, into a page elsewhere."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        if problems.wanted_by(request):
            return problems.respond(exception)
        return pages.respond(request, exception)

"""Refusals as RFC 9457 problem documents: the one mapping from kinds to HTTP for machines.

Shape: {"type": "/problems/<code>", "title", "status", "detail", "code", ...facts}. `type` is a reference to
the page that explains the code; `code` is the same word alone, for programs (docs/decisions/0005).
"""

import sys
from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions as drf
from rest_framework.views import set_rollback

from portal.core import metrics
from portal.core.errors import (
    UNSEEN,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    LengthRequired,
    NotFound,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

CONTENT_TYPE = "application/problem+json"
COMES_BACK = (Throttled, Unavailable)
"""Kinds whose answer says when to ask again (Retry-After)."""
_RESERVED = {"type", "title", "status", "detail", "code"}

STATUS: dict[type[DomainError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Forbidden: HTTPStatus.FORBIDDEN,
    Invalid: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Throttled: HTTPStatus.TOO_MANY_REQUESTS,
    LengthRequired: HTTPStatus.LENGTH_REQUIRED,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


class NoSuchThing(NotFound):
    code = "not-found"
    title = _("There is nothing here, or nothing that you may see.")
    why = UNSEEN
    way_out = _("Check the address, or sign in as somebody who may see it.")
    source = "RFC 9110, section 15.5.5"


class MalformedInput(Invalid):
    code = "invalid-input"
    title = _("Something in the request cannot be read.")
    why = _(
        "The portal does not guess what was meant: a wrong guess could put your licenses in the wrong place. "
        "So it does either exactly what a request says, or nothing."
    )
    way_out = _("Correct the members that are listed and send the request again.")
    source = "RFC 9110, section 15.5.1"


class SignInRequired(Unauthenticated):
    code = "sign-in-required"
    title = _("Please sign in first.")
    why = _(
        "What is here belongs to somebody. Only when the portal knows who asks can it see whether it is "
        "yours."
    )
    way_out = _("Sign in, then send the request again.")
    source = "RFC 9110, section 15.5.2"


class NotAllowed(Forbidden):
    code = "not-allowed"
    title = _("You may not do this.")
    why = _(
        "A company gives each person the rights for their work. So a slip or a stolen password does as "
        "little harm as possible."
    )
    way_out = _("Ask an admin of the company for the right, or sign in as somebody who has it.")
    source = "mission rule 5"


class MethodNotAllowed(Invalid):
    code = "method-not-allowed"
    title = _("This address does not answer that method.")
    why = _(
        "The method says whether a request only reads or also changes something. The portal does not take "
        "one for the other, so nothing changes by mistake."
    )
    way_out = _("See the API reference for the methods of this address.")
    source = "RFC 9110, section 15.5.6"


class MediaTypeNotSupported(Invalid):
    code = "media-type-not-supported"
    title = _("The body is of a kind that this address does not read.")
    why = _(
        "The same bytes can mean different things in different formats. The portal reads only the one it can "
        "check strictly, so that nothing is misunderstood."
    )
    way_out = _("Send application/json.")
    source = "RFC 9110, section 15.5.16"


class NotAcceptable(Invalid):
    code = "not-acceptable"
    title = _("This address cannot answer in the form that was asked for.")
    why = _(
        "A program that gets another form than it asked for may misread it. So the portal says that it has "
        "no such form, instead of sending a different one."
    )
    way_out = _("Accept application/json.")
    source = "RFC 9110, section 15.5.7"


class InternalError(Unavailable):
    code = "internal-error"
    title = _("Something went wrong on our side.")
    why = _(
        "The portal met a fault of its own and stopped, because half a transfer would be worse than none. "
        "What was begun was taken back."
    )
    way_out = _("Nothing was half done: please try again. If it stays, tell support the request id.")
    source = "mission rule 37"


class DatabaseAway(Unavailable):
    code = "database-away"
    title = _("The portal cannot reach its database at the moment.")
    why = _(
        "It is being restarted, has no room, or keeps others waiting for longer than is good. What the "
        "portal has confirmed is kept; what it has not may have been done or not."
    )
    way_out = _(
        "Please send the same again in %(seconds)s seconds, with the same Idempotency-Key or from the same "
        "form: what was done already is not done twice."
    )
    source = "mission rule 37"


AWAY = (OperationalError, InterfaceError)
"""What the database driver raises when the fault is not in the statement: no server, no room, a deadlock."""


def fault_at_hand() -> DomainError:
    """What a handler500 says: that the database is away, or a bug. Called while the error is handled."""
    return DatabaseAway(seconds=5) if isinstance(sys.exception(), AWAY) else InternalError()


def status_of_fault(fault: DomainError) -> int:
    """503 tells programs to come back, 500 that somebody has to look."""
    return int(HTTPStatus.SERVICE_UNAVAILABLE if isinstance(fault, DatabaseAway) else 500)


def wanted_by(request: HttpRequest) -> bool:
    """Whether the caller is a program: then it gets a problem document, not a page."""
    return request.path.startswith(("/api/", "/device/", "/keys/", "/.well-known/"))


def status_of(error: DomainError) -> HTTPStatus:
    """The HTTP status of a refusal, by its kind."""
    return next(status for kind, status in STATUS.items() if isinstance(error, kind))


def body_of(error: DomainError, *, status: int | None = None) -> dict[str, Any]:
    """The members of the problem document."""
    facts = {name: _plain(value) for name, value in error.facts.items() if name not in _RESERVED}
    return {
        "type": f"/problems/{error.code}",
        "title": error.headline,
        "status": status or int(status_of(error)),
        "detail": error.detail,
        "code": error.code,
        **facts,
    }


def respond(error: DomainError, *, status: int | None = None) -> HttpResponse:
    """The refusal as an HTTP answer. It is never cached."""
    metrics.PROBLEMS.labels(error.code).inc()
    body = body_of(error, status=status)
    response = JsonResponse(body, status=body["status"], content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    say_when(response, error)
    return response


def say_when(response: HttpResponse, error: DomainError) -> None:
    """Let the answer say when to ask again, where that is worth it (RFC 9110, section 10.2.3)."""
    if isinstance(error, COMES_BACK):
        response.headers["Retry-After"] = str(error.facts.get("seconds", 60))


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's EXCEPTION_HANDLER: its own refusals take our shape; bugs stay bugs."""
    translated = _translate(error)
    if translated is None:
        return None
    set_rollback()
    refusal, status = translated
    response = respond(refusal, status=status)
    if isinstance(error, drf.MethodNotAllowed):
        response.headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return response


def _translate(error: Exception) -> tuple[DomainError, int | None] | None:
    match error:
        case DomainError():
            return error, None
        case Http404() | drf.NotFound():
            return NoSuchThing(), None
        case drf.ValidationError():
            return MalformedInput(errors=_plain(error.detail)), None
        case drf.ParseError():
            return MalformedInput(errors={"body": [str(error.detail)]}), None
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            return SignInRequired(), int(HTTPStatus.UNAUTHORIZED)
        case drf.PermissionDenied():
            return NotAllowed(), None
        case drf.MethodNotAllowed():
            return MethodNotAllowed(), int(HTTPStatus.METHOD_NOT_ALLOWED)
        case drf.UnsupportedMediaType():
            return MediaTypeNotSupported(), int(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        case drf.NotAcceptable():
            return NotAcceptable(), int(HTTPStatus.NOT_ACCEPTABLE)
        case _:
            return None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (bool, int, type(None))):
        return value
    return str(value)

"""The device doors (trust.md 9): no cookies, no CSRF, nothing cached, problem+json.

Plain Django views: a fetch must cost little more than its signature, and DRF has nothing to add to bytes
that were signed elsewhere (docs/decisions/0006).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from devices import jose, statements
from licenses import delivery, keyring
from portal.core import clock, problems
from portal.core.addresses import address_of
from portal.core.errors import DomainError, LengthRequired
from portal.core.parsers import BodyTooLarge

JOSE = "application/jose"
_LONGEST_LENGTH = 20  # digits of a Content-Length, with leading zeros

View = Callable[..., HttpResponse]


class LengthMissing(LengthRequired):
    code = "length-required"
    title = _("The request does not say how long its body is.")
    way_out = _("Send a Content-Length; chunked bodies are not read.")


def door(*methods: str, store: bool = False) -> Callable[[View], View]:
    """What all doors here share: their methods, problems for refusals, no CSRF since there are no cookies,
    and, unless `store`, a fresh nonce in every answer to a POST and nothing cached."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                if request.method not in methods:
                    raise problems.MethodNotAllowed
                response = view(request, *args, **kwargs)
            except problems.MethodNotAllowed as error:
                response = problems.respond(error, status=405)
                response.headers["Allow"] = ", ".join(methods)
            except DomainError as error:
                response = problems.respond(error)
            if not store:
                response.headers["Cache-Control"] = "no-store"
            if request.method == "POST":
                response.headers["Replay-Nonce"] = statements.new_nonce(now=clock.now())
            return response

        return wrapped

    return decorate


@door("GET", "HEAD")
def directory(request: HttpRequest) -> HttpResponse:
    """Where everything is, who we are, what we take."""
    return JsonResponse(
        {
            "urls": {"nonce": _url(new_nonce_path()), "licenses": _url(licenses_path())},
            "portal": settings.PORTAL_ID,
            "algorithms": list(jose.ALGORITHMS),
            "limits": {"body": jose.MAX_TOKEN_BYTES, "chain": jose.MAX_CHAIN_LENGTH},
            "time": clock.posix(clock.now()),
        }
    )


@door("GET", "HEAD")
def new_nonce(request: HttpRequest) -> HttpResponse:
    """204 with a Replay-Nonce."""
    response = HttpResponse(status=204)
    response.headers["Replay-Nonce"] = statements.new_nonce(now=clock.now())
    return response


@door("POST")
def licenses(request: HttpRequest) -> HttpResponse:
    """`lic-fetch+jws` in, the bundle out; 204 if the device has it."""
    now = clock.now()
    received = statements.receive_fetch(
        read_body(request), url=licenses_path(), address=address_of(request), now=now
    )
    bundle = delivery.fetch(
        device=received.device,
        have=received.statement.have,
        key_set_held=received.statement.ks,
        caller=received.caller,
        now=now,
    )
    if bundle is None:
        return HttpResponse(status=204)
    return HttpResponse(bundle.content, content_type="application/json")


@door("GET", "HEAD", store=True)
def key_set(request: HttpRequest, version: int | None = None) -> HttpResponse:
    """The key set as the roots signed it: the current one, or one by version, for ever."""
    response = HttpResponse(keyring.published(version), content_type="application/json")
    response.headers["Cache-Control"] = (
        "public, max-age=300" if version is None else "public, max-age=31536000, immutable"
    )
    return response


@door("GET", "HEAD", store=True)
def jwks(request: HttpRequest) -> HttpResponse:
    """The document keys as a plain RFC 7517 set, for readers of other makes."""
    response = JsonResponse(keyring.plain_jwks())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def read_body(request: HttpRequest) -> bytes:
    """The statement as it was sent. Its size is known before a byte is read.

    :raises LengthMissing: there is no Content-Length: the server would hand an empty body on.
    :raises BodyTooLarge: it is above 64 KiB.
    :raises Malformed: it is declared as something else than application/jose.
    """
    length = request.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit()):
        raise LengthMissing
    # By its digits first: int() refuses a number of more than some thousand.
    if len(length) > _LONGEST_LENGTH or int(length) > jose.MAX_TOKEN_BYTES:
        raise BodyTooLarge(limit=jose.MAX_TOKEN_BYTES)
    if request.content_type != JOSE:
        raise statements.Malformed(reason="the body is not declared as application/jose")
    return request.body


def licenses_path() -> str:
    return reverse("device-licenses")


def new_nonce_path() -> str:
    return reverse("device-new-nonce")


def _url(path: str) -> str:
    """On the first of our origins: never from the Host header (trust.md 3)."""
    return f"{settings.PORTAL_ORIGINS[0]}{path}"

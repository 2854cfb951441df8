"""The device doors (trust.md 9): no cookies, no CSRF, nothing cached, problem+json.

Plain Django views: a fetch must cost little more than its signature, and DRF has nothing to add to bytes
that were signed elsewhere (docs/decisions/0006).
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from devices import jose, statements
from licenses import acknowledgement, claims, delivery, keyring, returns
from portal.core import clock, metrics, problems
from portal.core.addresses import address_of
from portal.core.errors import DomainError, LengthRequired
from portal.core.parsers import BodyTooLarge

JOSE = "application/jose"
# What the directory lists, by the names of its members (trust.md 9).
ROUTES = {
    "nonce": "device-new-nonce",
    "licenses": "device-licenses",
    "returns": "device-returns",
    "acks": "device-acks",
    "claims": "device-claims",
}
_LONGEST_LENGTH = 20  # digits of a Content-Length, with leading zeros

View = Callable[..., HttpResponse]


class LengthMissing(LengthRequired):
    code = "length-required"
    title = _("The request does not say how long its body is.")
    why = _(
        "The portal looks at the length before it reads. So nobody can keep it busy with a body that never "
        "ends, while other devices wait."
    )
    way_out = _("Send a Content-Length; chunked bodies are not read.")
    source = "RFC 9110, section 15.5.12"


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
            "urls": {name: _url(reverse(route)) for name, route in ROUTES.items()},
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
    received = _receive(request, statements.FETCH, now)
    bundle = delivery.fetch(
        device=received.device,
        seq_seen=received.statement.seq,
        have=received.statement.have,
        key_set_held=received.statement.ks,
        caller=received.caller,
        now=now,
    )
    if bundle is None:
        metrics.FETCHES.labels("unchanged").inc()
        return HttpResponse(status=204)
    metrics.FETCHES.labels("new").inc()
    return HttpResponse(bundle.content, content_type="application/json")


@door("POST")
def returned(request: HttpRequest) -> HttpResponse:
    """`lic-return+jws` in, receipt and bundle out, both as they were signed."""
    now = clock.now()
    received = _receive(request, statements.RETURN, now)
    answer = returns.return_licenses(
        device=received.device,
        statement=received.statement,
        payload_sha256=received.payload_sha256,
        caller=received.caller,
        now=now,
    )
    return HttpResponse(
        b'{"receipt":' + answer.receipt + b',"bundle":' + answer.bundle.content + b"}",
        content_type="application/json",
    )


@door("POST")
def acknowledged(request: HttpRequest) -> HttpResponse:
    """`lic-ack+jws` in, 204 out."""
    now = clock.now()
    received = _receive(request, statements.ACKNOWLEDGEMENT, now)
    acknowledgement.acknowledge(
        device=received.device,
        statement=received.statement,
        payload_sha256=received.payload_sha256,
        caller=received.caller,
        now=now,
    )
    return HttpResponse(status=204)


@door("POST")
def claimed(request: HttpRequest) -> HttpResponse:
    """`lic-claim+jws` in, out whether the device changed project or support has to look at it."""
    now = clock.now()
    received = _receive(request, statements.CLAIM, now)
    result = claims.claim_device(
        device=received.device,
        statement=received.statement,
        payload_sha256=received.payload_sha256,
        caller=received.caller,
        now=now,
    )
    return JsonResponse({"result": result})


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


def _receive(
    request: HttpRequest, kind: statements.Kind[statements.Said], now: datetime
) -> statements.Received[statements.Said]:
    return statements.receive_online(
        read_body(request), kind, url=request.path, address=address_of(request), now=now
    )


def read_body(request: HttpRequest) -> bytes:
    """The statement as it was sent. Its size is known before a byte is read.

    :raises LengthMissing: there is no Content-Length: the server would hand an empty body on.
    :raises BodyTooLarge: it is above 64 KiB.
    :raises Malformed: it is declared as something else than application/jose, or the connection broke.
    """
    length = request.META.get("CONTENT_LENGTH", "")
    if not (length.isascii() and length.isdigit()):
        raise LengthMissing
    # By its digits first: int() refuses a number of more than some thousand.
    if len(length) > _LONGEST_LENGTH or int(length) > jose.MAX_TOKEN_BYTES:
        raise BodyTooLarge(limit=jose.MAX_TOKEN_BYTES)
    if request.content_type != JOSE:
        raise statements.Malformed(reason="the body is not declared as application/jose")
    try:
        return request.body
    except UnreadablePostError as error:  # no fault of ours, and nobody is there to read of one
        raise statements.Malformed(reason="the body was cut off") from error


def _url(path: str) -> str:
    """On the first of our origins: never from the Host header (trust.md 3)."""
    return f"{settings.PORTAL_ORIGINS[0]}{path}"

"""The door of the device's page: nothing behind it is shown or done without the password."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from appliance.access import SESSION_SECONDS, SHORTEST_PASSWORD, Secret, read_secret, set_password
from appliance.refusals import Refusal
from appliance.serving import HOME_VARIABLE

COOKIE: Final = "appliance_session"
SIGN_IN: Final = "/sign-in"
_OPEN: Final = frozenset({SIGN_IN})
_TRIES: Final = 10
_PAUSE: Final = 60.0


class Attempts:
    """Wrong passwords in a row. After ten the device listens to none for a minute: guessing is slow."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong = 0
        self._since = 0.0

    def check(self) -> None:
        """Refuse to look at a password.

        :raises Refusal: `too-many-attempts`.
        """
        with self._lock:
            if self._wrong >= _TRIES and time.monotonic() - self._since < _PAUSE:
                raise Refusal("too-many-attempts")

    def count(self, *, right: bool) -> None:
        """Note how an attempt ended."""
        with self._lock:
            self._wrong = 0 if right else self._wrong + 1
            self._since = time.monotonic()


_attempts: Final = Attempts()


class SignInMiddleware:
    """Lead everybody without a session to the sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on a request that has a session, or asks for one."""
        if request.path in _OPEN or _signed_in(request):
            return self._get_response(request)
        back = {"next": request.get_full_path()} if request.method == "GET" and request.path != "/" else {}
        return redirect(f"{SIGN_IN}?{urlencode(back)}" if back else SIGN_IN)


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for the password; of a device that has none yet, let it be chosen."""
    refusal, first = None, False
    try:
        secret = read_secret(_home())
        first = secret is None
        if request.method == "POST":
            secret = _first_password(request) if secret is None else _checked(request, secret)
            return _begin_session(secret, _own_path(request.POST.get("next", "")))
    except Refusal as error:
        refusal = error
    context = {
        "first": first,
        "refusal": refusal,
        "next": _own_path(request.POST.get("next", request.GET.get("next", ""))),
        "shortest": SHORTEST_PASSWORD,
    }
    return render(request, "appliance/sign_in.html", context, status=403 if refusal else 200)


@never_cache
@require_POST
def sign_out(_request: HttpRequest) -> HttpResponse:
    """Forget the session in this browser."""
    answer = redirect(SIGN_IN)
    answer.delete_cookie(COOKIE, samesite="Strict")
    return answer


def _home() -> Path:
    return Path(os.environ[HOME_VARIABLE])


def _signed_in(request: HttpRequest) -> bool:
    token = request.COOKIES.get(COOKIE, "")
    try:
        secret = read_secret(_home())
    except Refusal:
        return False
    return secret is not None and secret.is_session(token, int(time.time()))


def _first_password(request: HttpRequest) -> Secret:
    typed = request.POST.get("password", "")
    if typed != request.POST.get("again", ""):
        raise Refusal("passwords-differ")
    return set_password(_home(), typed, only_first=True)


def _checked(request: HttpRequest, secret: Secret) -> Secret:
    _attempts.check()
    right = secret.is_password(request.POST.get("password", ""))
    _attempts.count(right=right)
    if not right:
        raise Refusal("wrong-password")
    return secret


def _begin_session(secret: Secret, path: str) -> HttpResponse:
    answer = redirect(path)
    answer.set_cookie(
        COOKIE,
        secret.session(int(time.time())),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="Strict",
    )
    return answer


def _own_path(path: str) -> str:
    """Return `path` if it leads to a page of this device; anything else leads to the first one."""
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if own else "/"

"""What stands between a signed-in person and every page."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode

from accounts import kept_reads
from accounts.models import User
from portal.core import problems

GetResponse = Callable[[HttpRequest], HttpResponse]
Page = TypeVar("Page", bound=Callable[..., object])


def open_without_terms(page: Page) -> Page:
    """A page that is open to somebody who has not accepted the terms of now."""
    page.open_without_terms = True  # type: ignore[attr-defined]
    return page


class SignedIn(AuthenticationMiddleware):
    """Django's, with the person read by a query whose plan is kept (docs/decisions/0017)."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _who(request))  # type: ignore[assignment]


def _who(request: Any) -> User | AnonymousUser:
    if not hasattr(request, "_cached_user"):
        request._cached_user = _plainly_signed_in(request.session) or auth.get_user(request)
    found: User | AnonymousUser = request._cached_user
    return found


def _plainly_signed_in(session: Any) -> User | None:
    """The person of a session that needs nothing done to it. None says nothing: then Django looks, who ends
    sessions of before a password was changed, and renews those of an earlier SECRET_KEY."""
    user_id, kept_hash = str(session.get(auth.SESSION_KEY, "")), session.get(auth.HASH_SESSION_KEY)
    if (
        not user_id.isdecimal()
        or session.get(auth.BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS
    ):
        return None
    user = kept_reads.user(int(user_id))
    if user is None or not user.is_active or not kept_hash:
        return None
    return user if constant_time_compare(kept_hash, user.get_session_auth_hash()) else None


class TermsFirst:
    """Leads a signed-in person to new terms before anything else (mission rule 1).

    Programs are not led anywhere: their doors refuse (accounts.api.authentication).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, page: Callable[..., object], arguments: Any, named: Any
    ) -> HttpResponse | None:
        # Without the cookie nobody is signed in, and the question would cost every public answer its cache.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or problems.wanted_by(request):
            return None
        user = request.user
        if not isinstance(user, User) or user.has_accepted_terms or hasattr(page, "open_without_terms"):
            return None
        query = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
        return redirect(f"{reverse('accept-terms')}{'?' if query else ''}{query}")

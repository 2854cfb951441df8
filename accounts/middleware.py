"""What stands between a signed-in person and every page."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts.models import User
from portal.core import problems

GetResponse = Callable[[HttpRequest], HttpResponse]
Page = TypeVar("Page", bound=Callable[..., object])


def open_without_terms(page: Page) -> Page:
    """A page that is open to somebody who has not accepted the terms of now."""
    page.open_without_terms = True  # type: ignore[attr-defined]
    return page


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

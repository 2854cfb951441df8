"""What stands around every page for the vendor's people: a company's view, and the writing down of looks."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.models import User
from accounts.permissions import Permission
from accounts.requests import LOOKING
from portal.core import clock, pages, problems
from portal.core.addresses import address_of
from portal.core.errors import Forbidden
from support import looks

VIEWING = "viewing_company"
"""Where the session keeps which company's pages are looked at: `id` and `name`."""
# What somebody who views may still send: the way out of it.
WAYS_OUT = frozenset({"staff-view-leave", "sign-out", "account_logout"})

GetResponse = Callable[[HttpRequest], HttpResponse]


class OnlyLooking(Forbidden):
    code = "only-looking"
    title = _("You are looking at the pages of %(company)s: nothing can be sent from here.")
    why = _(
        "What a company does stands in its history under its own people's names. Somebody of the vendor's "
        "who only wants to see what the customer sees must not act there, not even by mistake."
    )
    way_out = _("Nothing was changed. Leave the view by the button on top, then do it in the console.")
    source = "mission rule 38"


class CustomersView:
    """Lets a member of staff see a company's pages as it sees them itself; and refuses whatever is sent.

    The person is the same; `viewing` says to accounts.queries what they find (accounts.models.User).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, page: Callable[..., object], arguments: Any, named: Any
    ) -> HttpResponse | None:
        # Without the cookie nobody is signed in, and the question would cost every public answer its cache.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        viewed = request.session.get(VIEWING)
        user = request.user
        if not viewed or not isinstance(user, User):
            return None
        if not _still_may(user):
            del request.session[VIEWING]
            return None
        request.viewing = viewed  # type: ignore[attr-defined]
        name = request.resolver_match.url_name if request.resolver_match else None
        if request.method not in LOOKING and name not in WAYS_OUT:
            refusal = OnlyLooking(company=viewed["name"])
            return (
                problems.respond(refusal) if problems.wanted_by(request) else pages.respond(request, refusal)
            )
        if not hasattr(page, "staff_permissions"):
            user.viewing = viewed["id"]
        return None


def _still_may(user: User) -> bool:
    secured = not settings.STAFF_SECOND_FACTOR or staff.has_second_factor(user)
    return secured and Permission.VIEW_AS_CUSTOMER in staff.permissions_of(user)


class LooksWrittenDown:
    """Writes down each page of the console, and of a company that is viewed, that somebody had before them.

    In one place, so that no page can be forgotten. The row is there before the answer leaves.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        if request.method != "GET" or response.status_code != 200 or match is None:
            return response
        user = getattr(request, "user", None) if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        if not isinstance(user, User):
            return response
        if user.viewing is None and not hasattr(match.func, "staff_permissions"):
            return response
        looks.record(
            actor=user,
            page=match.url_name or "",
            named=match.kwargs,
            found_by=_searched(request),
            company_id=user.viewing,
            address=address_of(request),
            now=clock.now(),
        )
        return response


def _searched(request: HttpRequest) -> str:
    """What had been searched for; never the name or address of a person, who may leave one day."""
    text = request.GET.get("q", "").strip().replace("\x00", "")
    of_a_person = "@" in text or getattr(request, "found_people", False)
    about_one = request.resolver_match is not None and "user_id" in request.resolver_match.kwargs
    return "" if of_a_person or about_one else text

"""Who calls the REST doors. For now people signed in by session; API tokens come with the partners' API."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.authentication import SessionScheme
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from accounts.terms import TermsNotAccepted
from portal.core.errors import Forbidden


class CSRFTokenMissing(Forbidden):
    code = "csrf-token-missing"
    title = _("The request carries no valid CSRF token.")
    why = _(
        "A browser sends your cookies along whichever site starts the request. The token proves that the "
        "request comes from the portal's own pages, and not from another site that acts in your name."
    )
    way_out = _("Send the value of the cookie csrftoken in the header X-CSRFToken, and a Referer over HTTPS.")
    source = "RFC 6265, section 8.2"


class SessionAuthentication(authentication.SessionAuthentication):
    """Django's session, with CSRF checked for every request of a signed-in person."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """:raises TermsNotAccepted: there are new terms; programs cannot accept them, people can."""
        found = super().authenticate(request)
        if found is not None and not found[0].has_accepted_terms:
            raise TermsNotAccepted
        return found

    def enforce_csrf(self, request: Request) -> None:
        """:raises CSRFTokenMissing: the token is missing or wrong."""
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as error:
            raise CSRFTokenMissing from error


class _Scheme(SessionScheme):  # type: ignore[no-untyped-call]
    """Tells the OpenAPI document that it is a session cookie like any other."""

    target_class = "accounts.api.authentication.SessionAuthentication"

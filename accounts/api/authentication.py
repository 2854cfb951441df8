"""Who calls the REST doors: a program with an API token, or a person signed in by session."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext_lazy as _
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from accounts import api_tokens
from accounts.models import ApiToken
from accounts.terms import TermsNotAccepted
from portal.core import clock
from portal.core.errors import Forbidden

BEARER = 'Bearer realm="License Portal"'


class CSRFTokenMissing(Forbidden):
    code = "csrf-token-missing"
    title = _("The request carries no valid CSRF token.")
    why = _(
        "A browser sends your cookies along whichever site starts the request. The token proves that the "
        "request comes from the portal's own pages, and not from another site that acts in your name."
    )
    way_out = _("Send the value of the cookie csrftoken in the header X-CSRFToken, and a Referer over HTTPS.")
    source = "RFC 6265, section 8.2"


class ScopeMissing(Forbidden):
    code = "scope-missing"
    title = _("The API token has not the scope “%(needed)s”.")
    why = _(
        "A token that is stolen or used by a faulty program does no more harm than its scopes allow. So "
        "each operation asks for one."
    )
    way_out = _("Make a token with this scope; the scopes of a token that is there do not change.")
    source = "RFC 6750, section 3.1"


class PersonNeeded(Forbidden):
    code = "person-needed"
    title = _("This is done by people who sign in, not by programs with an API token.")
    why = _(
        "Who belongs to a company, and what each may do there, is decided by people. With a stolen token "
        "nobody shall be able to let somebody in."
    )
    way_out = _("Sign in to the portal in the browser and do it there.")
    source = "mission rule 5"


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer olp_…`. The token is `request.auth`; there is no user then."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiToken] | None:
        """:raises ApiTokenNotValid: the token is none, was revoked, or has ended."""
        scheme, _blank, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = clock.now()
        token = api_tokens.find_by_secret(secret.strip(), now=now)
        api_tokens.record_use(api_token=token, now=now)
        return AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        return BEARER


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


class _TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the OpenAPI document of API tokens."""

    target_class = "accounts.api.authentication.TokenAuthentication"
    name = "apiToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "olp_ and 43 characters"}

"""Doors for the vendor's own programs, such as the ERP, and for staff who may do the same in the console."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication
from rest_framework.request import Request

from accounts import staff, staff_queries, vendor_tokens
from accounts.api.authentication import BEARER, ScopeMissing, SessionAuthentication, TokenAuthentication
from accounts.api.doors import Door, Known
from accounts.models import VendorToken
from accounts.permissions import Permission
from accounts.requests import caller, person
from accounts.staff import RoleMissing
from accounts.vendor_tokens import VendorTokenNotValid
from portal.core import acts, clock
from portal.core.acts import Caller
from portal.core.addresses import address_of
from portal.core.errors import Forbidden


class SecondFactorNeeded(Forbidden):
    code = "second-factor-needed"
    title = _("This takes a second factor beside your password.")
    why = _("Whoever enters orders issues licenses. A password alone is guessed or given away too easily.")
    way_out = _("Set up an authenticator app or a passkey under Account, or use a token of the vendor's.")
    source = "mission rule 5"


VENDOR_REFUSALS = (RoleMissing, SecondFactorNeeded, VendorTokenNotValid)


class VendorTokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer olpv_…`. The token is `request.auth`; there is no user then."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, VendorToken] | None:
        """:raises VendorTokenNotValid: the token is none, or was revoked."""
        scheme, _blank, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip().startswith(vendor_tokens.PREFIX):
            return None
        return AnonymousUser(), vendor_tokens.find_by_secret(secret.strip(), now=clock.now())

    def authenticate_header(self, request: Request) -> str:
        return BEARER


class _KnownToVendor(Known):
    def has_permission(self, request: Request, view: object) -> bool:
        return isinstance(request.auth, VendorToken) or super().has_permission(request, view)  # type: ignore[arg-type]


class VendorDoor(Door):
    """A door that no company's token opens: it is refused for its scope, and so are tokens of the vendor's
    that were made for other doors."""

    authentication_classes = [VendorTokenAuthentication, TokenAuthentication, SessionAuthentication]
    permission_classes = [_KnownToVendor]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """:raises ScopeMissing: the token has not the scope of the operation."""
        super().initial(request, *args, **kwargs)
        scope = getattr(getattr(self, str(request.method).lower(), None), "scope", None)
        if isinstance(request.auth, VendorToken) and scope is not None and scope not in request.auth.granted:
            raise ScopeMissing(needed=scope)


def vendor_caller(request: Request, permission: Permission, *, key: str = "", reason: str = "") -> Caller:
    """The vendor's program, or the member of staff with the permission, as caller of an operation.

    :raises RoleMissing: somebody else is signed in.
    :raises SecondFactorNeeded: a member of staff without one.
    """
    token = request.auth
    if isinstance(token, VendorToken):
        return Caller(
            scope=f"vendor-token:{token.pk}",
            key=key or acts.new_key(),
            name=token.name_in_histories,
            reason=reason,
            address=address_of(request),
        )
    user = person(request)
    if permission not in staff.permissions_of(user):
        raise staff.missing(permission)
    if settings.STAFF_SECOND_FACTOR and not staff_queries.has_second_factor(user):
        raise SecondFactorNeeded
    return caller(request, key=key, reason=reason)


class _Scheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the OpenAPI document of the vendor's tokens."""

    target_class = "accounts.api.vendor.VendorTokenAuthentication"
    name = "vendorToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "olpv_ and 43 characters"}

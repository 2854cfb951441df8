"""From a request to the person who makes it, and to the caller of an operation."""

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from accounts import staff, staff_queries
from accounts.models import ApiToken, Company, Principal, User
from accounts.permissions import READING, Permission
from portal.core import acts
from portal.core.acts import Caller
from portal.core.addresses import address_of
from portal.core.errors import Invalid

LONGEST_KEY = 100

LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})

Page = Callable[..., HttpResponseBase]
LONGEST_NAME = 200  # what an act and an audit entry keep; two names of a hundred and a blank are longer


class IdempotencyKeyMalformed(Invalid):
    code = "idempotency-key-malformed"
    title = _("The request id cannot be used.")
    why = _(
        "By this id the portal recognizes a request that is sent again after a lost answer, and does nothing "
        "twice. An id it cannot keep exactly would not protect you."
    )
    way_out = _("Send an Idempotency-Key of 1 to 100 printable ASCII characters, new for each new request.")
    source = "mission rule 37"


def signed_in(page: Page) -> Page:
    """A page for signed-in people only; others sign in first. No browser or proxy keeps it."""
    return never_cache(login_required(page))


def staff_only(permission: Permission, *, change: Permission | None = None) -> Callable[[Page], Page]:
    """A page for members of the vendor's staff with a permission. To anybody else it is not there, like any
    address that is none; staff without the permission are told what is missing (accounts.permissions).

    Every page of the console goes through here: what it asks of its people is asked in this place. Without a
    second factor they are led to setting one up, and see nothing before.

    :param permission: what looking at the page takes; and sending something, if `change` is not given.
    :param change: what sending something takes. A page that is only for looking answers nothing that is sent.
    """
    sending = change or (None if permission in READING else permission)

    def guard(page: Page) -> Page:
        @functools.wraps(page)
        def for_staff(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = person(request)
            if not user.is_staff:
                raise Http404
            if _lacks_second_factor(user):
                return redirect("staff-second-factor")
            held = user.staff_permissions = staff.permissions_of(user)
            looks = request.method in LOOKING
            if permission not in held:
                raise staff.missing(permission)
            if not looks:
                if sending is None:
                    return HttpResponseNotAllowed(sorted(LOOKING))
                if sending not in held:
                    raise staff.missing(sending)
            return page(request, *args, **kwargs)

        for_staff.staff_permissions = (permission, sending)  # type: ignore[attr-defined]
        return signed_in(for_staff)

    return guard


def superusers_only(page: Page) -> Page:
    """A page for superusers, who need a second factor as in the console; to anybody else it is not there."""

    @functools.wraps(page)
    def for_superusers(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = person(request)
        if not user.is_superuser:
            raise Http404
        if _lacks_second_factor(user):
            return redirect("staff-second-factor")
        user.staff_permissions = staff.permissions_of(user)
        return page(request, *args, **kwargs)

    # By this it is written down who looked (support.middleware).
    for_superusers.staff_permissions = (None, None)  # type: ignore[attr-defined]
    return signed_in(for_superusers)


def _lacks_second_factor(user: User) -> bool:
    return settings.STAFF_SECOND_FACTOR and not staff_queries.has_second_factor(user)


def inside(request: HttpRequest, target: str) -> str:
    """Where to go afterwards: a page of this host, otherwise the overview. Never another site."""
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else reverse("home")


def person(request: HttpRequest) -> User:
    """The signed-in person. Behind a sign-in check only."""
    assert request.user.is_authenticated, "views behind sign-in only"
    return request.user


def principal(request: HttpRequest) -> Principal:
    """The program whose token came with the request, otherwise the signed-in person."""
    token = getattr(request, "auth", None)
    return token if isinstance(token, ApiToken) else person(request)


def answerable(request: HttpRequest) -> User:
    """The signed-in person, or whoever made the token: somebody to ask about what was done."""
    who = principal(request)
    return who.made_by if isinstance(who, ApiToken) else who


def caller(
    request: HttpRequest, *, company: Company | None = None, key: str = "", reason: str = ""
) -> Caller:
    """The signed-in person, or the program with its token, as caller of an operation.

    The act is named by `key`: the Idempotency-Key header of a program, the hidden field of a form. It is
    unique in the company the act concerns, else for the person. A token is always its company's.

    :raises IdempotencyKeyMalformed: the key is too long or not printable ASCII.
    """
    who = principal(request)
    if key and not (len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise IdempotencyKeyMalformed
    if isinstance(who, ApiToken):
        return Caller(
            scope=f"company:{who.company_id}",
            key=key or acts.new_key(),
            name=who.name_in_histories,
            token_id=who.pk,
            reason=reason,
            address=address_of(request),
        )
    return Caller(
        scope=f"company:{company.pk}" if company else f"user:{who.pk}",
        key=key or acts.new_key(),
        name=(who.get_full_name() or who.email)[:LONGEST_NAME],
        user_id=who.pk,
        reason=reason,
        address=address_of(request),
    )


def idempotency_key(request: HttpRequest) -> str:
    """The Idempotency-Key header of a program's request, "" without one.

    :raises IdempotencyKeyMalformed: there is one, and nothing in it: whoever sent it relies on it.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return ""
    if not key.strip():
        raise IdempotencyKeyMalformed
    return key

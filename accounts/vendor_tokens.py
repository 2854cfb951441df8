"""Tokens of the vendor's own programs: made by staff, seen once, ended by staff (docs/decisions/0026).

A token begins with `olpv_`. Here is its hash (accounts.token_secrets).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import staff, token_secrets
from accounts.models import User, VendorToken
from accounts.permissions import Permission
from accounts.token_secrets import NotATokenSecret
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid, NotFound, Unauthenticated

PREFIX = "olpv_"
LONGEST_NAME = 100
USE_WRITTEN_AT_MOST_EVERY = timedelta(hours=1)


class VendorTokenNeedsAName(Invalid):
    code = "vendor-token-needs-a-name"
    title = _("The vendor's token needs a name.")
    why = _("What the ERP or the shop entered stands under its name in the histories of years.")
    way_out = _("Enter a name of at most 100 characters, like that of the program that will use it.")
    source = "mission rule 38"


class VendorTokenNameTaken(Conflict):
    code = "vendor-token-name-taken"
    title = _("The vendor has a token named “%(name)s” already.")
    why = _("Histories name programs by their tokens: two of one name would be one and the same there.")
    way_out = _("Choose another name, or revoke the token of that name first.")
    source = "mission rule 38"


class VendorTokenNeedsAScope(Invalid):
    code = "vendor-token-needs-a-scope"
    title = _("The vendor's token needs to say what it may do: orders, customers, or both.")
    why = _(
        "A program that keeps the customer list shall not be able to issue keys, and the other way round: "
        "then a stolen token does no more harm than it must."
    )
    way_out = _("Choose at least one, and no more than the program needs.")
    source = "mission rule 5"


class NoSuchVendorToken(NotFound):
    code = "no-such-vendor-token"
    title = _("There is no such token of the vendor's.")
    why = _("Tokens are ended one by one, so that none is hit by mistake.")
    way_out = _("Load the list of tokens again.")


class VendorTokenNotValid(Unauthenticated):
    code = "vendor-token-not-valid"
    title = _("The vendor's token is not valid: it is unknown or was revoked.")
    why = _(
        "Whoever holds the token can issue keys. Which of the reasons it is would help those who try stolen "
        "or invented ones, so they get one answer."
    )
    way_out = _("Have fulfilment make a new one. Send it as “Authorization: Bearer olpv_…”.")
    source = "RFC 6750, section 3.1"


@dataclass(frozen=True, kw_only=True)
class MadeVendorToken:
    """A token that was made, and its text; None for whoever asks again: it is shown once."""

    token: VendorToken
    secret: str | None


@transaction.atomic(durable=True)
def create_vendor_token(
    *, name: str, scopes: Sequence[str], maker: User, caller: Caller, now: datetime
) -> MadeVendorToken:
    """Make a token.

    :param scopes: words of `VendorToken.Scope`.
    :raises RoleMissing: the maker has no right to.
    :raises VendorTokenNeedsAName: the name is empty or too long.
    :raises VendorTokenNeedsAScope: there is no scope, or one that no token has.
    :raises VendorTokenNameTaken: a token that is not revoked has the name.
    """
    staff.require(Permission.VENDOR_TOKENS, user_id=maker.pk)
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise VendorTokenNeedsAName
    known = list(VendorToken.Scope)
    granted = " ".join(scope for scope in known if scope in scopes)
    if not granted or not set(scopes) <= set(known):
        raise VendorTokenNeedsAScope
    given = {"name": name, "scopes": granted, "maker": maker.pk}
    act = acts.begin(operation="create-vendor-token", caller=caller, given=given, now=now)
    if act.outcome is not None:
        return MadeVendorToken(token=VendorToken.objects.get(pk=act.outcome["token"]), secret=None)
    secret = token_secrets.make(PREFIX)
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            token = VendorToken.objects.create(
                name=name,
                scopes=granted,
                secret_sha256=secret.sha256,
                last_four=secret.last_four,
                made_by=maker,
                made_at=now,
            )
    except IntegrityError as error:
        raise VendorTokenNameTaken(name=name) from error
    audit.record("vendor-token-created", caller=caller, now=now, act=act, name=name, scopes=granted)
    acts.finish(act, outcome={"token": token.pk})
    return MadeVendorToken(token=token, secret=secret.text)


@transaction.atomic(durable=True)
def revoke_vendor_token(*, token: VendorToken, caller: Caller, now: datetime) -> None:
    """End a token for good. Of one that is revoked already nothing changes.

    :raises RoleMissing: a person calls who has no right to.
    """
    staff.require(Permission.VENDOR_TOKENS, user_id=caller.user_id)
    act = acts.begin(operation="revoke-vendor-token", caller=caller, given={"token": token.pk}, now=now)
    if act.outcome is not None:
        return
    # The condition in the UPDATE lets one of two at once tell of it.
    if VendorToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        audit.record("vendor-token-revoked", caller=caller, now=now, act=act, name=token.name)
    acts.finish(act, outcome={})


def get_vendor_token(token_id: int) -> VendorToken:
    """:raises NoSuchVendorToken: there is none."""
    found = VendorToken.objects.filter(pk=token_id).first()
    if found is None:
        raise NoSuchVendorToken
    return found


def find_by_secret(secret: str, *, now: datetime) -> VendorToken:
    """The token that a program sent; that it was used is remembered, at most once an hour.

    :raises VendorTokenNotValid: there is none of that text, or it was revoked.
    """
    try:
        sha256 = token_secrets.sha256_of(secret, prefix=PREFIX)
    except NotATokenSecret as error:
        raise VendorTokenNotValid from error
    token = VendorToken.objects.filter(secret_sha256=sha256, revoked_at=None).first()
    if token is None:
        raise VendorTokenNotValid
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_WRITTEN_AT_MOST_EVERY)
    if token.last_used_at is None or now - token.last_used_at >= USE_WRITTEN_AT_MOST_EVERY:
        VendorToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token

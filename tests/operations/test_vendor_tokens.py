"""Tokens of the vendor's own programs (docs/decisions/0026)."""

from datetime import timedelta

import pytest

from accounts import vendor_tokens
from accounts.models import User, VendorToken
from accounts.permissions import Role
from accounts.staff import RoleMissing
from accounts.vendor_tokens import (
    NoSuchVendorToken,
    VendorTokenNameTaken,
    VendorTokenNeedsAName,
    VendorTokenNeedsAScope,
    VendorTokenNotValid,
)
from tests.factories import NOW, caller, make_user, make_vendor_token
from tests.operations.bookkeeping import last_entry, refused, unchanged


@pytest.fixture
def clerk() -> User:
    return make_user(name="Frank", is_staff=True, roles=[Role.FULFILMENT])


def test_its_text_opens_and_is_kept_nowhere(clerk: User) -> None:
    made = make_vendor_token(clerk, " ERP ")

    assert made.secret is not None
    token = vendor_tokens.find_by_secret(made.secret, now=NOW)
    assert (token, token.name, token.granted) == (made.token, "ERP", ["orders"])
    assert made.secret.encode() not in bytes(token.secret_sha256)
    assert (last_entry().event, last_entry().facts) == (
        "vendor-token-created",
        {"name": "ERP", "scopes": "orders"},
    )


def test_it_is_shown_once(clerk: User) -> None:
    once = caller(clerk, key="once")
    made = vendor_tokens.create_vendor_token(name="ERP", scopes=["orders"], maker=clerk, caller=once, now=NOW)
    with unchanged():
        again = vendor_tokens.create_vendor_token(
            name="ERP", scopes=["orders"], maker=clerk, caller=once, now=NOW
        )

    assert (again.token, again.secret) == (made.token, None)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_it_needs_a_name(clerk: User, name: str) -> None:
    with refused(VendorTokenNeedsAName):
        vendor_tokens.create_vendor_token(
            name=name, scopes=["orders"], maker=clerk, caller=caller(clerk), now=NOW
        )


@pytest.mark.parametrize("scopes", [[], ["read"], ["orders", "everything"]])
def test_it_needs_to_say_what_it_may(clerk: User, scopes: list[str]) -> None:
    with refused(VendorTokenNeedsAScope):
        make_vendor_token(clerk, scopes=scopes)


def test_two_in_force_have_two_names(clerk: User) -> None:
    made = make_vendor_token(clerk, "ERP")
    with refused(VendorTokenNameTaken, name="erp"):
        make_vendor_token(clerk, "erp")

    vendor_tokens.revoke_vendor_token(token=made.token, caller=caller(clerk), now=NOW)

    make_vendor_token(clerk, "erp")


def test_who_may_not_makes_none_and_ends_none(clerk: User) -> None:
    supporter = make_user(name="Sue", is_staff=True)
    token = make_vendor_token(clerk).token

    with refused(RoleMissing):
        make_vendor_token(supporter)
    with refused(RoleMissing):
        vendor_tokens.revoke_vendor_token(token=token, caller=caller(supporter), now=NOW)


def test_a_revoked_one_is_none(clerk: User) -> None:
    made = make_vendor_token(clerk)
    once = caller(clerk, key="once")
    vendor_tokens.revoke_vendor_token(token=made.token, caller=once, now=NOW)
    with unchanged():
        vendor_tokens.revoke_vendor_token(token=made.token, caller=once, now=NOW)

    with refused(VendorTokenNotValid):
        vendor_tokens.find_by_secret(str(made.secret), now=NOW)


@pytest.mark.parametrize(
    "text", ["", "olpv_", "olp_" + "A" * 43, "olpv_" + "A" * 43, "olpv_" + "A" * 42 + "B"]
)
def test_what_is_no_token_is_none(clerk: User, text: str) -> None:
    make_vendor_token(clerk)

    with refused(VendorTokenNotValid):
        vendor_tokens.find_by_secret(text, now=NOW)
    with refused(NoSuchVendorToken):
        vendor_tokens.get_vendor_token(999_999)


def test_its_use_is_written_once_an_hour(clerk: User) -> None:
    secret = str(make_vendor_token(clerk).secret)
    vendor_tokens.find_by_secret(secret, now=NOW)
    with unchanged():
        vendor_tokens.find_by_secret(secret, now=NOW + timedelta(minutes=59))

    later = NOW + timedelta(hours=1)
    vendor_tokens.find_by_secret(secret, now=later)

    assert VendorToken.objects.get().last_used_at == later

"""People who may not sign in any more."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import api_tokens, leaving, person_blocking
from accounts.api_tokens import ApiTokenNotValid
from accounts.models import Company, User
from accounts.permissions import Role
from accounts.person_blocking import NobodyToBlock, NotForYouToBlock, PersonBlockedAlready, PersonNotBlocked
from accounts.staff import RoleMissing
from portal.core.models import AuditEntry
from tests.factories import NOW, caller, give_roles, make_token, make_user
from tests.operations.bookkeeping import refused, unchanged


def block(user: User, by: User | None = None, *, key: str | None = None) -> User:
    who = caller(by, key=key, reason="The password leaked.")
    return person_blocking.block_person(user=user, caller=who, now=NOW)


def unblock(user: User, by: User | None = None) -> User:
    who = caller(by, reason="A new password.")
    return person_blocking.unblock_person(user=user, caller=who, now=NOW)


def test_whoever_is_blocked_is_signed_out_and_their_tokens_end(
    company: Company, alice: User, bob: User, sam: User
) -> None:
    stolen = make_token("read", company=company, maker=alice, name="Stolen")
    kept = make_token("read", company=company, maker=bob, name="Kept")
    browser = Client()
    browser.force_login(alice)
    assert browser.get(reverse("account")).status_code == 200

    for _again in range(2):
        block(alice, sam, key="once")

    assert browser.get(reverse("account")).status_code == 302
    with refused(ApiTokenNotValid):
        api_tokens.find_by_secret(str(stolen.secret), now=NOW)
    assert api_tokens.find_by_secret(str(kept.secret), now=NOW) == kept.api_token
    entry = AuditEntry.objects.get(event="person-blocked")
    assert entry.facts == {"user": alice.pk, "reason": "The password leaked.", "tokens": 1}


def test_whoever_is_unblocked_signs_in_again_and_has_no_old_token(
    company: Company, alice: User, sam: User
) -> None:
    token = make_token("read", company=company, maker=alice)
    block(alice, sam)

    assert unblock(alice, sam).is_active

    browser = Client()
    browser.force_login(alice)
    assert browser.get(reverse("account")).status_code == 200
    with refused(ApiTokenNotValid):
        api_tokens.find_by_secret(str(token.secret), now=NOW)


def test_it_is_done_once_in_either_direction(alice: User) -> None:
    with refused(PersonNotBlocked), unchanged():
        unblock(alice)
    block(alice)
    with refused(PersonBlockedAlready), unchanged():
        block(alice)


def test_who_has_left_is_not_there(bob: User) -> None:
    leaving.delete_account(user=bob, caller=caller(bob), now=NOW)

    with refused(NobodyToBlock), unchanged():
        unblock(bob)


def test_nobody_blocks_themselves_or_who_stands_above_them(sam: User) -> None:
    root = make_user(name="Root", is_staff=True)
    User.objects.filter(pk=root.pk).update(is_superuser=True)

    with refused(NotForYouToBlock), unchanged():
        block(sam, sam)
    with refused(NotForYouToBlock), unchanged():
        block(root, sam)
    assert not block(sam, root).is_active


def test_only_senior_support_may(alice: User, sam: User) -> None:
    give_roles(sam, Role.SUPPORT)

    with pytest.raises(RoleMissing), unchanged():
        block(alice, sam)

"""Activation keys that must not be used any more (mission rule 10)."""

import pytest

from accounts.models import Project, User
from accounts.permissions import Role
from accounts.staff import RoleMissing
from licenses import activation, fulfilment, key_blocking
from licenses.activation import KeyBlocked
from licenses.key_blocking import KeyNotBlocked, KeyNotIssued
from licenses.models import ActivationKey
from portal.core.acts import ReasonNeeded
from tests.factories import NOW, caller, find_key, free, give_roles, make_key
from tests.operations.bookkeeping import last_entry, refused, unchanged

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def code(db: None) -> str:
    return make_key(lines={"Port": 3})


def block(code: str, by: User | None = None, *, key: str | None = None) -> ActivationKey:
    who = caller(by, key=key, reason="The letter was stolen.")
    return key_blocking.block_activation_key(key=find_key(code), caller=who, now=NOW)


def unblock(code: str, by: User | None = None) -> ActivationKey:
    who = caller(by, reason="It was found.")
    return key_blocking.unblock_activation_key(key=find_key(code), caller=who, now=NOW)


def test_a_blocked_key_activates_nothing_until_it_is_unblocked(
    code: str, project: Project, sam: User
) -> None:
    for _again in range(2):
        block(code, sam, key="once")
    entry = last_entry()
    assert (entry.event, entry.actor) == ("activation-key-blocked", sam)
    assert entry.facts["reason"] == "The letter was stolen."
    with refused(KeyBlocked):
        activation.activate_key(code=code, target=project, caller=caller(), now=NOW)

    unblock(code, sam)

    activation.activate_key(code=code, target=project, caller=caller(), now=NOW)
    assert free(project) == 3


def test_one_that_is_blocked_keeps_its_name_and_reason(code: str) -> None:
    block(code)

    with refused(KeyNotIssued, state="blocked"), unchanged():
        block(code)


def test_one_that_was_activated_is_corrected_instead(code: str, project: Project) -> None:
    activation.activate_key(code=code, target=project, caller=caller(), now=NOW)

    with refused(KeyNotIssued, state="activated"), unchanged():
        block(code)
    with refused(KeyNotBlocked), unchanged():
        unblock(code)


def test_one_that_was_canceled_stays_dead(code: str) -> None:
    order = find_key(code).order
    fulfilment.cancel_order(order=order, caller=caller(reason="Paid twice."), now=NOW)

    with refused(KeyNotIssued, state="canceled"), unchanged():
        block(code)
    with refused(KeyNotBlocked), unchanged():
        unblock(code)


def test_only_who_may_and_with_a_reason(code: str, sam: User) -> None:
    with refused(ReasonNeeded, longest=1000), unchanged():
        key_blocking.block_activation_key(key=find_key(code), caller=caller(sam), now=NOW)
    give_roles(sam, Role.AUDITOR)
    with pytest.raises(RoleMissing), unchanged():
        block(code, sam)

"""Lost keys: replaced by new ones that take over everything (mission rules 2 and 10)."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.models import CustomerAccount, Project, User
from accounts.permissions import Role
from accounts.staff import RoleMissing
from licenses import fulfilment, key_replacement, order_queries, verification
from licenses.activation import KeyBlocked
from licenses.key_replacement import KeyNotReplaceable, ReplacementAsked
from licenses.models import ActivationKey, ReplacementRequest
from portal.core.acts import ReasonNeeded
from tests.factories import NOW, caller, free, give_roles, make_user
from tests.operations.bookkeeping import last_entry, last_leaf, refused, unchanged
from tests.operations.ordering import ORDER, activate, cancel, held, place, swap

pytestmark = pytest.mark.usefixtures("catalogue")


def ask(lost: ActivationKey, user: User, account: CustomerAccount, **given: Any) -> ReplacementRequest:
    assert account.company is not None
    return key_replacement.ask_for_replacement(
        activation_key=lost,
        company=account.company,
        user=user,
        caller=caller(user, reason="The letter never came.", **given),
        now=NOW,
    )


class TestReplacingALostKey:
    def test_the_new_one_has_it_all_and_the_old_one_is_dead(self, project: Project) -> None:
        placed = place()
        old = placed.keys[0]

        new = swap(old.activation_key)

        assert new.code not in (None, old.code)
        assert held(old.activation_key) == {}
        assert held(new.activation_key) == {"Port 14": 13, "UC 14": 5}
        assert (new.activation_key.order, new.activation_key.replaces) == (placed.order, old.activation_key)
        assert list(verification.violations()) == []
        with refused(KeyBlocked):
            activate(old.code, project)
        activate(new.code, project)
        assert (free(project), free(project, "UC")) == (13, 5)
        assert list(verification.violations()) == []

    def test_it_is_in_log_and_history_with_the_reason(self) -> None:
        old = place().keys[0].activation_key

        new = swap(old).activation_key

        assert last_leaf().type == "correction"
        assert last_entry().event == "key-replaced"
        assert last_entry().facts == {
            "order": "SO-2026/17",
            "key": old.last_four,
            "new": new.last_four,
            "reason": "The letter was lost.",
        }

    def test_the_order_sent_again_is_answered_with_the_new_code(self) -> None:
        old = place().keys[0]
        new = swap(old.activation_key)

        assert [key.code for key in place().keys] == [None, new.code]

    def test_asked_again_it_gives_the_same_key_until_delivery_is_confirmed(self) -> None:
        placed = place()
        first = swap(placed.keys[0].activation_key, key="once")
        with unchanged():
            assert swap(placed.keys[0].activation_key, key="once") == first

        fulfilment.confirm_delivery(order=placed.order, caller=caller(), now=NOW)

        assert swap(placed.keys[0].activation_key, key="once").code is None

    def test_it_takes_a_reason(self) -> None:
        key = place().keys[0].activation_key

        with refused(ReasonNeeded):
            key_replacement.replace_key(activation_key=key, caller=caller(), now=NOW)

    def test_a_key_without_content_is_not_replaced(self, project: Project) -> None:
        used, twice, canceled = (place(number=f"SO-{number}") for number in range(3))
        activate(used.keys[0].code, project)
        swap(twice.keys[0].activation_key)
        cancel(canceled.order)

        for placed in (used, twice, canceled):
            with refused(KeyNotReplaceable):
                swap(placed.keys[0].activation_key)

    def test_a_new_key_can_be_lost_as_well(self) -> None:
        first = place().keys[0].activation_key
        second = swap(first).activation_key

        third = swap(second).activation_key

        assert held(third) == {"Port 14": 13, "UC 14": 5}
        assert list(verification.violations()) == []
        cancel(third.order)
        endings = ActivationKey.objects.order_by("pk").values_list("ending", flat=True)
        assert list(endings) == ["replaced", "replaced", "canceled"]

    def test_an_admin_asks_and_fulfilment_replaces(self, alice: User, account: CustomerAccount) -> None:
        key = place(account="C-10042").keys[0].activation_key
        asked = ask(key, alice, account)
        assert [*order_queries.open_replacements()] == [asked]
        assert last_entry().company_id == account.company_id

        swap(key)

        asked.refresh_from_db()
        assert asked.state == "replaced"
        assert not order_queries.open_replacements().exists()

    def test_one_asks_once(self, alice: User, account: CustomerAccount) -> None:
        key = place(account="C-10042").keys[0].activation_key
        asked = ask(key, alice, account, key="once")
        with unchanged():
            assert ask(key, alice, account, key="once") == asked

        with refused(ReplacementAsked):
            ask(key, alice, account)

    def test_fulfilment_may_refuse_and_says_why(self, alice: User, account: CustomerAccount) -> None:
        key = place(account="C-10042").keys[0].activation_key
        asked = ask(key, alice, account)
        who = caller(reason="It was delivered by hand today.", key="once")

        decided = key_replacement.refuse_replacement(request=asked, caller=who, now=NOW)

        assert decided.state == "refused"
        assert held(key) == {"Port 14": 13, "UC 14": 5}
        with unchanged():
            key_replacement.refuse_replacement(request=asked, caller=who, now=NOW)
        assert ask(key, alice, account) != asked


class TestWhoMay:
    def test_of_people_only_fulfilment(self, alice: User, account: CustomerAccount) -> None:
        placed = place(account="C-10042")
        key, now = placed.keys[0].activation_key, NOW
        asked = ask(key, alice, account)
        supporter = make_user(name="Sue", is_staff=True)

        for person in (alice, supporter):
            who = caller(person, reason="I want it.")
            with refused(RoleMissing):
                fulfilment.place_order(order=replace(ORDER, number="SO-2"), caller=who, now=now)
            with refused(RoleMissing):
                fulfilment.confirm_delivery(order=placed.order, caller=who, now=now)
            with refused(RoleMissing):
                fulfilment.cancel_order(order=placed.order, caller=who, now=now)
            with refused(RoleMissing):
                key_replacement.replace_key(activation_key=key, caller=who, now=now)
            with refused(RoleMissing):
                key_replacement.refuse_replacement(request=asked, caller=who, now=now)

    def test_a_clerk_of_fulfilment_may(self) -> None:
        clerk = make_user(name="Frank", is_staff=True)
        give_roles(clerk, Role.FULFILMENT)

        fulfilment.place_order(order=ORDER, caller=caller(clerk), now=NOW)

        assert last_entry().actor == clerk

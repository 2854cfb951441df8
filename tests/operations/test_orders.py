"""Orders: one key or one for each line, canceled, delivered, lost, replaced (mission rules 2, 8 and 10)."""

import hashlib
from typing import Any

import pytest

from accounts.models import Company, CustomerAccount, Project, User
from licenses import fulfilment, key_replacement, order_queries, verification
from licenses.activation import KeyBlocked
from licenses.fulfilment import OrderActivated, OrderCanceled
from licenses.issuing import (
    OrderAccountUnknown,
    OrderNeedsLines,
    OrderNeedsNumber,
    OrderNumberTaken,
)
from licenses.models import ActivationKey, KeyDelivery, LogLeaf, Transfer
from licenses.order_queries import NoSuchActivationKey, NoSuchOrder
from portal.core.acts import ReasonNeeded
from portal.core.models import Act, AuditEntry
from tests.factories import NOW, caller
from tests.operations.bookkeeping import last_entry, last_leaf, refused, unchanged
from tests.operations.ordering import ORDER, PER_LINE, activate, cancel, held, place, swap

pytestmark = pytest.mark.usefixtures("catalogue")


class TestPlacingAnOrder:
    def test_one_key_holds_it_all(self) -> None:
        placed = place()

        assert placed.is_new
        assert [held(key.activation_key) for key in placed.keys] == [{"Port 14": 13, "UC 14": 5}]
        assert list(verification.violations()) == []

    def test_or_each_line_has_a_key_of_its_own(self) -> None:
        placed = place(PER_LINE)

        found = [held(key.activation_key) for key in placed.keys]
        assert found == [{"Port 14": 10}, {"UC 14": 5}, {"Port 14": 3}]
        assert len({key.code for key in placed.keys}) == 3
        assert list(verification.violations()) == []

    def test_however_many_keys_it_is_one_act_and_one_leaf_of_the_log(self) -> None:
        place(PER_LINE)

        assert Act.objects.get().operation == "issue-key"
        assert (LogLeaf.objects.count(), LogLeaf.objects.get().lines.count()) == (1, 3)
        assert AuditEntry.objects.filter(event="key-issued").count() == 3

    def test_it_is_of_an_account_of_the_customer_list(self, account: CustomerAccount) -> None:
        placed = place(account=" c-10042 ", customer="")

        assert placed.order.account == account
        assert placed.order.customer == account.name
        assert last_entry().company_id == account.company_id

    def test_an_account_that_the_list_does_not_have_is_refused(self) -> None:
        with refused(OrderAccountUnknown):
            place(account="C-1")

    def test_the_same_order_again_has_the_same_codes(self) -> None:
        first = place(PER_LINE)

        with unchanged():
            again = place(PER_LINE)

        assert again == first
        assert not again.is_new

    @pytest.mark.parametrize(
        "change", [{"keys_per": "line"}, {"account": "C-10042"}, {"lines": ORDER.lines[:2]}]
    )
    def test_other_content_under_its_number_is_refused(
        self, account: CustomerAccount, change: dict[str, Any]
    ) -> None:
        place()

        with refused(OrderNumberTaken):
            place(**change)

    def test_an_order_of_a_release_before_is_answered_as_it_was(self) -> None:
        """Its act was named by an input that knew neither accounts nor keys for lines."""
        place(lines=ORDER.lines[:1])

        before = (
            '["issue-key",{"customer":"Example Telecom","lines":[["Port",14,10]],'
            '"number":"SO-2026/17","reference":"PO 4711"}]'
        )
        assert bytes(Act.objects.get().input_hash) == hashlib.sha256(before.encode()).digest()

    @pytest.mark.parametrize("number", ["SO\n1", "SO\t1", "SO\x001", "\u202eSO-1"])
    def test_its_number_is_printed_so_all_of_it_can_be(self, number: str) -> None:
        with refused(OrderNeedsNumber):
            place(number=number)

    def test_it_has_two_hundred_lines_at_most(self) -> None:
        place(number="SO-1", lines=ORDER.lines[:1] * 200)

        with refused(OrderNeedsLines, most=200):
            place(number="SO-2", lines=ORDER.lines[:1] * 201)


class TestConfirming:
    def test_all_its_codes_are_forgotten(self) -> None:
        placed = place(PER_LINE)

        delivered = fulfilment.confirm_delivery(order=placed.order, caller=caller(), now=NOW)

        assert delivered.delivered_at == NOW
        assert not KeyDelivery.objects.exists()
        assert [key.code for key in place(PER_LINE).keys] == [None, None, None]

    def test_once_more_under_another_name_changes_nothing_of_it(self) -> None:
        order = place().order
        fulfilment.confirm_delivery(order=order, caller=caller(), now=NOW)

        fulfilment.confirm_delivery(order=order, caller=caller(), now=NOW)

        assert AuditEntry.objects.filter(event="key-delivery-confirmed").count() == 1

    def test_what_was_canceled_is_not_delivered(self) -> None:
        order = cancel(place().order)

        with refused(OrderCanceled):
            fulfilment.confirm_delivery(order=order, caller=caller(), now=NOW)


class TestCanceling:
    def test_its_keys_are_dead_and_empty(self, project: Project) -> None:
        placed = place(PER_LINE)

        order = cancel(placed.order)

        assert order_queries.state_of(order_queries.get_order(order.number)) == "canceled"
        for key in ActivationKey.objects.all():
            assert (key.state, key.ending, held(key)) == ("blocked", "canceled", {})
        for issued in placed.keys:
            with refused(KeyBlocked):
                activate(issued.code, project)
        assert (last_leaf().type, last_leaf().lines.count()) == ("correction", 3)
        assert list(verification.violations()) == []

    def test_it_went_to_where_nothing_comes_back_from(self) -> None:
        cancel(place().order)

        moved = Transfer.objects.filter(destination__kind="retired")
        assert sorted(moved.values_list("product__code", "quantity")) == [("Port", 13), ("UC", 5)]

    def test_it_says_why(self) -> None:
        order = place().order

        with refused(ReasonNeeded):
            fulfilment.cancel_order(order=order, caller=caller(), now=NOW)

        cancel(order)
        assert last_entry().event == "order-canceled"
        assert last_entry().facts == {"order": "SO-2026/17", "reason": "The customer changed their mind."}

    def test_once_more_changes_nothing_of_it(self) -> None:
        order = place().order
        cancel(order, key="once")
        with unchanged():
            cancel(order, key="once")

        cancel(order)

        assert AuditEntry.objects.filter(event="order-canceled").count() == 1
        assert LogLeaf.objects.count() == 2

    def test_not_once_something_of_it_was_activated(self, project: Project) -> None:
        placed = place(PER_LINE)
        activate(placed.keys[1].code, project)

        with refused(OrderActivated):
            cancel(placed.order)

    def test_its_codes_are_answered_no_more(self) -> None:
        cancel(place().order)

        assert [key.code for key in place().keys] == [None]

    def test_a_blocked_key_is_canceled_like_any_other(self) -> None:
        placed = place()
        ActivationKey.objects.update(state="blocked")

        cancel(placed.order)

        assert ActivationKey.objects.get().ending == "canceled"
        assert list(verification.violations()) == []

    def test_nobody_waits_for_a_key_of_it_any_more(
        self, alice: User, company: Company, account: CustomerAccount
    ) -> None:
        placed = place(PER_LINE, account="C-10042")
        for issued in placed.keys:
            who = caller(alice, reason="It never came.")
            key_replacement.ask_for_replacement(
                activation_key=issued.activation_key,
                company=company,
                user=alice,
                caller=who,
                now=NOW,
            )

        cancel(placed.order)

        assert not order_queries.open_replacements().exists()


class TestLookingForOrders:
    def test_what_became_of_an_order(self, project: Project) -> None:
        placed = place(PER_LINE)
        number = placed.order.number

        def look() -> str:
            return order_queries.state_of(order_queries.get_order(number))

        seen = [look()]
        ActivationKey.objects.update(state="blocked")
        seen.append(look())
        ActivationKey.objects.update(state="issued")
        activate(placed.keys[0].code, project)
        seen.append(look())
        for key in placed.keys[1:]:
            activate(key.code, project)
        seen.append(look())

        assert seen == ["issued", "blocked", "partly-activated", "activated"]

    def test_a_replaced_key_does_not_keep_an_order_open(self, project: Project) -> None:
        placed = place()
        new = swap(placed.keys[0].activation_key)

        assert order_queries.state_of(order_queries.get_order(placed.order.number)) == "issued"
        activate(new.code, project)
        assert order_queries.state_of(order_queries.get_order(placed.order.number)) == "activated"

    @pytest.mark.parametrize(
        "given",
        [
            {"text": "2026/1"},
            {"text": "po 47"},
            {"text": "telecom"},
            {"number": "SO-2026/17"},
            {"account": "C-10042"},
            {"reference": "4711"},
            {"state": "issued"},
            {"since": NOW},
        ],
        ids=str,
    )
    def test_orders_are_found(self, account: CustomerAccount, given: dict[str, Any]) -> None:
        placed = place(account="C-10042")

        assert [*order_queries.find_orders(**given)] == [placed.order]

    def test_also_by_the_last_characters_of_a_key(self) -> None:
        placed = place()

        last_four = placed.keys[0].activation_key.last_four
        assert [*order_queries.find_orders(text=last_four.lower())] == [placed.order]

    @pytest.mark.parametrize(
        "given",
        [{"text": "other"}, {"number": "SO-2026"}, {"account": "C-1"}, {"state": "blocked"}, {"until": NOW}],
        ids=str,
    )
    def test_others_are_not(self, given: dict[str, Any]) -> None:
        place()

        assert not order_queries.find_orders(**given).exists()

    def test_a_company_sees_the_orders_of_its_account(
        self, account: CustomerAccount, company: Company
    ) -> None:
        ours, other = place(account="C-10042"), place(number="SO-2")

        assert [*order_queries.orders_of(company)] == [ours.order]
        assert order_queries.get_order_of(company, order_id=ours.order.pk) == ours.order
        with pytest.raises(NoSuchOrder):
            order_queries.get_order_of(company, order_id=other.order.pk)

    def test_keys_and_lines_are_those_of_the_order(self) -> None:
        first, second = place(PER_LINE), place(number="SO-2")
        orders = [first.order, second.order]

        keys, lines = order_queries.keys_of(orders), order_queries.lines_of(orders)

        assert [len(keys[order.pk]) for order in orders] == [3, 1]
        assert [transfer.quantity for transfer in lines[first.order.pk]] == [10, 5, 3]
        key = second.keys[0].activation_key
        assert order_queries.get_key(second.order, key_id=key.pk) == key
        with pytest.raises(NoSuchActivationKey):
            order_queries.get_key(first.order, key_id=key.pk)

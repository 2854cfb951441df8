"""From an order to an activation key, and forgetting its code (mission rule 8)."""

from datetime import timedelta

import pytest
from django.conf import settings

from licenses import activation_code, fulfilment, ledger
from licenses.issuing import (
    IssuedKey,
    OrderLine,
    OrderNeedsLines,
    OrderNeedsNumber,
    OrderNumberTaken,
    OrderTextTooLong,
)
from licenses.ledger import QuantityOutOfRange
from licenses.models import ActivationKey, KeyDelivery, LogLeaf, Order, Transfer
from licenses.queries import NoSuchProduct
from portal.core.acts import IdempotencyKeyReused
from portal.core.models import AuditEntry, OutboxJob
from tests.factories import NOW, caller
from tests.operations.bookkeeping import last_entry, refused, unchanged

pytestmark = pytest.mark.usefixtures("catalogue")

TEN_PORTS = [OrderLine(code="Port", version=14, quantity=10)]


def issue(
    *,
    number: str = "SO-1",
    reference: str = "PO 4711",
    customer: str = "Example Telecom",
    lines: list[OrderLine] | None = None,
    key: str | None = None,
) -> IssuedKey:
    return fulfilment.issue_key(
        number=number,
        reference=reference,
        customer=customer,
        lines=TEN_PORTS if lines is None else lines,
        caller=caller(key=key),
        now=NOW,
    )


def code_of(issued: IssuedKey) -> str:
    assert issued.code is not None
    return issued.code


class TestIssuingAKey:
    def test_it_gives_a_code_that_reads_back_to_the_key(self) -> None:
        issued = issue()

        canonical = activation_code.read(code_of(issued))
        fingerprint = activation_code.fingerprint(canonical, settings.ACTIVATION_CODE_PEPPER)
        assert ActivationKey.objects.get(fingerprint=fingerprint) == issued.activation_key
        assert issued.activation_key.last_four == canonical[-4:]
        assert issued.activation_key.state == ActivationKey.State.ISSUED

    def test_the_key_holds_the_whole_order(self) -> None:
        issued = issue(lines=[*TEN_PORTS, OrderLine(code="UC", version=13, quantity=5)])

        holder = ledger.key_holder(issued.activation_key)
        held = {str(holding.product): holding.balance for holding in holder.holdings.all()}
        assert held == {"Port 14": 10, "UC 13": 5}

    def test_a_product_may_be_on_two_lines(self) -> None:
        issued = issue(lines=[*TEN_PORTS, OrderLine(code="Port", version=14, quantity=7)])

        [holding] = ledger.key_holder(issued.activation_key).holdings.all()
        assert holding.balance == 17
        assert Transfer.objects.count() == 2

    def test_the_order_is_kept_with_its_reference(self) -> None:
        issue(number=" SO-7 ", reference="PO 4711", customer="Example Telecom")

        order = Order.objects.get()
        assert (order.number, order.reference, order.customer) == ("SO-7", "PO 4711", "Example Telecom")

    def test_the_code_is_not_stored_in_the_clear(self) -> None:
        code = code_of(issue())

        delivery = KeyDelivery.objects.get()
        assert code.encode() not in bytes(delivery.ciphertext)
        assert activation_code.read(code).encode() not in bytes(ActivationKey.objects.get().fingerprint)

    def test_it_is_in_the_log_and_in_the_history(self) -> None:
        code = code_of(issue())

        assert LogLeaf.objects.get().type == "order"
        assert (last_entry().event, last_entry().facts) == ("key-issued", {"order": "SO-1", "key": code[-4:]})

    def test_a_job_will_forget_the_code_after_seven_days(self) -> None:
        issued = issue()

        job = OutboxJob.objects.get()
        assert (job.handler, job.arguments) == (
            "forget-activation-code",
            {"key_ids": [issued.activation_key.pk]},
        )
        assert job.due_at == NOW + timedelta(days=7)

    @pytest.mark.parametrize("number", ["", "   ", "9" * 41])
    def test_an_order_needs_a_number(self, number: str) -> None:
        with refused(OrderNeedsNumber):
            issue(number=number)

    def test_an_order_needs_lines(self) -> None:
        with refused(OrderNeedsLines):
            issue(lines=[])

    @pytest.mark.parametrize("text", [{"customer": "x" * 201}, {"reference": "x" * 101}], ids=str)
    def test_texts_have_an_end(self, text: dict[str, str]) -> None:
        with refused(OrderTextTooLong):
            issue(**text)  # type: ignore[arg-type]

    @pytest.mark.parametrize("quantity", [0, -1, 1_000_001, 2**63])
    def test_quantities_have_bounds(self, quantity: int) -> None:
        with refused(QuantityOutOfRange, quantity=quantity, largest=1_000_000):
            issue(lines=[*TEN_PORTS, OrderLine(code="UC", version=14, quantity=quantity)])

    @pytest.mark.parametrize(("code", "version"), [("Port", 10), ("port", 14), ("Teleporter", 14)])
    def test_products_are_of_the_catalogue(self, code: str, version: int) -> None:
        with refused(NoSuchProduct, product=code, version=version):
            issue(lines=[*TEN_PORTS, OrderLine(code=code, version=version, quantity=1)])

    def test_an_order_entered_again_gets_the_same_code(self) -> None:
        first = issue()

        with unchanged():
            second = issue()

        assert second == first

    def test_it_is_the_number_that_names_the_order_whoever_enters_it(self) -> None:
        first = issue(key="one request")

        with unchanged():
            second = issue(key="another request")

        assert second == first

    @pytest.mark.parametrize(
        "change",
        [
            {"reference": "other"},
            {"customer": "other"},
            {"lines": [OrderLine(code="Port", version=14, quantity=11)]},
            {"lines": [OrderLine(code="Port", version=13, quantity=10)]},
        ],
        ids=str,
    )
    def test_an_order_does_not_change_its_content(self, change: dict[str, object]) -> None:
        issue()

        with refused(OrderNumberTaken):
            issue(**change)  # type: ignore[arg-type]


class TestConfirmingADelivery:
    def test_the_code_is_forgotten(self) -> None:
        key = issue().activation_key

        fulfilment.confirm_delivery(order=key.order, caller=caller(), now=NOW)

        assert not KeyDelivery.objects.exists()
        assert last_entry().event == "key-delivery-confirmed"
        assert issue() == IssuedKey(activation_key=key, code=None)

    def test_confirming_again_changes_nothing(self) -> None:
        key, request = issue().activation_key, caller(key="once")
        fulfilment.confirm_delivery(order=key.order, caller=request, now=NOW)

        with unchanged():
            fulfilment.confirm_delivery(order=key.order, caller=request, now=NOW)

    def test_another_delivery_under_the_same_request_id_is_refused(self) -> None:
        first, second = issue(number="SO-1").activation_key, issue(number="SO-2").activation_key
        request = caller(key="once")
        fulfilment.confirm_delivery(order=first.order, caller=request, now=NOW)

        with refused(IdempotencyKeyReused):
            fulfilment.confirm_delivery(order=second.order, caller=request, now=NOW)


class TestForgettingACode:
    def test_it_is_kept_for_seven_days(self) -> None:
        issued = issue()
        last = NOW + timedelta(days=7) - timedelta(seconds=1)

        fulfilment.forget_codes(key_ids=[issued.activation_key.pk], now=last)

        assert issue() == issued

    def test_it_is_gone_after_seven_days(self) -> None:
        issued = issue()

        fulfilment.forget_codes(key_ids=[issued.activation_key.pk], now=NOW + timedelta(days=7))

        assert issue() == IssuedKey(activation_key=issued.activation_key, code=None)

    def test_it_may_run_twice(self) -> None:
        issued = issue()
        fulfilment.forget_codes(key_ids=[issued.activation_key.pk], now=NOW + timedelta(days=7))

        with unchanged():
            fulfilment.forget_codes(key_ids=[issued.activation_key.pk], now=NOW + timedelta(days=7))

    def test_it_leaves_other_codes_alone(self) -> None:
        first, second = issue(number="SO-1"), issue(number="SO-2")

        fulfilment.forget_codes(key_ids=[first.activation_key.pk], now=NOW + timedelta(days=7))

        assert issue(number="SO-2") == second
        assert AuditEntry.objects.filter(event="key-issued").count() == 2

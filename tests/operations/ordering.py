"""Orders as tests of orders and of lost keys place, cancel and use them."""

from dataclasses import replace
from typing import Any

from accounts.models import Company, Project
from licenses import activation, fulfilment, key_replacement, ledger
from licenses.issuing import OrderLine, PlacedOrder, WantedOrder
from licenses.models import ActivationKey, Order
from tests.factories import NOW, caller

ORDER = WantedOrder(
    number="SO-2026/17",
    reference="PO 4711",
    customer="Example Telecom",
    lines=(
        OrderLine(code="Port", version=14, quantity=10),
        OrderLine(code="UC", version=14, quantity=5),
        OrderLine(code="Port", version=14, quantity=3),
    ),
)
PER_LINE = replace(ORDER, keys_per="line")


def place(order: WantedOrder = ORDER, **changes: Any) -> PlacedOrder:
    return fulfilment.place_order(order=replace(order, **changes), caller=caller(), now=NOW)


def cancel(order: Order, **given: Any) -> Order:
    who = caller(reason="The customer changed their mind.", **given)
    return fulfilment.cancel_order(order=order, caller=who, now=NOW)


def swap(lost: ActivationKey, **given: Any) -> Any:
    who = caller(reason="The letter was lost.", **given)
    return key_replacement.replace_key(activation_key=lost, caller=who, now=NOW)


def held(key: ActivationKey) -> dict[str, int]:
    holdings = ledger.key_holder(key).holdings.filter(balance__gt=0)
    return {str(holding.product): holding.balance for holding in holdings}


def activate(code: str | None, target: Company | Project) -> None:
    assert code is not None
    activation.activate_key(code=code, target=target, caller=caller(), now=NOW)

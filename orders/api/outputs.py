"""What the doors on orders answer. A code is only in the answer to whoever enters the order."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from accounts.api.outputs import NEXT, example
from licenses import order_queries
from licenses.issuing import PlacedOrder
from licenses.models import ActivationKey, Order

_LINES = [
    {"product": "Port", "version": 14, "quantity": 10},
    {"product": "UC", "version": 14, "quantity": 5},
]
_ORDER = {
    "number": "SO-2026-0017",
    "account": "C-10042",
    "reference": "PO 4711",
    "customer": "Example Telecom GmbH",
    "state": "issued",
    "placed_at": "2026-11-24T12:00:00Z",
    "delivered_at": None,
    "lines": _LINES,
}
_KEY = {"id": 7, "last_four": "Q8ZK", "state": "issued", "lines": _LINES}


class OrderedLine(serializers.Serializer[Any]):
    product = serializers.CharField()
    version = serializers.IntegerField()
    quantity = serializers.IntegerField()


class OrderedKey(serializers.Serializer[Any]):
    """An activation key of an order, by its last characters."""

    id = serializers.IntegerField()
    last_four = serializers.CharField()
    state = serializers.ChoiceField(["issued", "activated", "blocked", "canceled", "replaced"])
    lines = OrderedLine(many=True, help_text="What it was issued for; of a replacement: none of its own.")


class EnteredKey(OrderedKey):
    code = serializers.CharField(
        allow_null=True, help_text="The key in full, until its delivery is confirmed or seven days are over."
    )


class _Order(serializers.Serializer[Any]):
    number = serializers.CharField()
    account = serializers.CharField(allow_null=True)
    reference = serializers.CharField()
    customer = serializers.CharField()
    state = serializers.ChoiceField(order_queries.STATES)
    placed_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True, help_text="When delivery was confirmed.")
    lines = OrderedLine(many=True)


@example({**_ORDER, "keys": [_KEY]})
class OneOrder(_Order):
    """An order and its keys, without their codes."""

    keys = OrderedKey(many=True)


@example({**_ORDER, "keys": [{**_KEY, "code": "7K2QM-4X9RT-0VBNH-J6WEA-PSQ8Z"}]})
class EnteredOrder(_Order):
    """An order and its keys, with their codes as long as they are kept."""

    keys = EnteredKey(many=True)


@example({"orders": [{**_ORDER, "keys": [_KEY]}], "next": None})
class OrderList(serializers.Serializer[Any]):
    orders = OneOrder(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


@example({"dry_run": True, "keys_before": 0, "keys_after": 1})
class OrderDryRun(serializers.Serializer[Any]):
    """What would come of the order: nothing was changed."""

    dry_run = serializers.BooleanField(help_text="Always true.")
    keys_before = serializers.IntegerField(help_text="The keys of the order now; 0 if it is new.")
    keys_after = serializers.IntegerField(help_text="Its keys if it were entered.")


def told(orders: Iterable[Order]) -> list[dict[str, Any]]:
    """Orders of `order_queries.orders()` in the shape of `OneOrder`."""
    orders = list(orders)
    keys, lines = order_queries.keys_of(orders), order_queries.lines_of(orders)
    return [_told(order, keys.get(order.pk, []), lines.get(order.pk, []), codes={}) for order in orders]


def told_with_codes(placed: PlacedOrder) -> dict[str, Any]:
    """An order that was just entered, in the shape of `EnteredOrder`."""
    order = order_queries.get_order(placed.order.number)
    codes = {issued.activation_key.pk: issued.code for issued in placed.keys}
    keys = [issued.activation_key for issued in placed.keys]
    return _told(order, keys, order_queries.lines_of([order]).get(order.pk, []), codes=codes)


def _told(
    order: Order, keys: Iterable[ActivationKey], lines: Iterable[Any], *, codes: Mapping[int, str | None]
) -> dict[str, Any]:
    lines = list(lines)
    return {
        "number": order.number,
        "account": order.account.number if order.account else None,
        "reference": order.reference,
        "customer": order.customer,
        "state": order_queries.state_of(order),
        "placed_at": order.placed_at,
        "delivered_at": order.delivered_at,
        "lines": [_line(line) for line in lines],
        "keys": [
            {
                "id": key.pk,
                "last_four": key.last_four,
                "state": key.ending or key.state,
                "lines": [_line(line) for line in lines if line.destination.activation_key_id == key.pk],
                "code": codes.get(key.pk),
            }
            for key in keys
        ],
    }


def _line(line: Any) -> dict[str, Any]:
    return {"product": line.product.code, "version": line.product.version, "quantity": line.quantity}

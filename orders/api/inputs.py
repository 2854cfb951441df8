"""What the doors on orders take. Shape only: operations hold the rules."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from accounts.api.inputs import Input, Integer, Text
from accounts.api.paging import Page
from licenses.issuing import MOST_LINES, OrderLine, WantedOrder
from licenses.models import Order
from licenses.order_queries import STATES


class NewOrderLine(Input):
    product = Text(max_length=40, help_text="Its code in the catalogue, like `Port`.")
    version = Integer(help_text="The major version.")
    quantity = Integer(help_text="From 1 to 1,000,000.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An order",
            value={
                "number": "SO-2026-0017",
                "account": "C-10042",
                "reference": "PO 4711",
                "customer": "Example Telecom GmbH",
                "keys": "per-order",
                "lines": [
                    {"product": "Port", "version": 14, "quantity": 10},
                    {"product": "UC", "version": 14, "quantity": 5},
                ],
            },
        )
    ]
)
class NewOrder(Input):
    number = Text(help_text="The order's number in your books, at most 40 characters: it names the order.")
    account = Text(
        required=False, default="", help_text="The customer's account number in the customer list."
    )
    reference = Text(required=False, default="", help_text="The customer's own; at most 100 characters.")
    customer = Text(
        required=False,
        default="",
        help_text="The name on the certificate, at most 200 characters; empty: that of the account.",
    )
    keys = serializers.ChoiceField(
        [f"per-{choice}" for choice in Order.KeysPer.values],
        required=False,
        default="per-order",
        help_text="One key for all lines, or one for each.",
    )
    lines = serializers.ListField(
        child=NewOrderLine(), max_length=MOST_LINES, help_text=f"From 1 to {MOST_LINES}."
    )

    @classmethod
    def order(cls, data: object) -> WantedOrder:
        """The order that was sent.

        :raises ValidationError: a member is missing, unknown, of another type, or too long.
        """
        given = cls.read(data)
        return WantedOrder(
            number=given["number"],
            account=given["account"],
            reference=given["reference"],
            customer=given["customer"],
            keys_per=given["keys"].removeprefix("per-"),
            lines=tuple(
                OrderLine(code=line["product"], version=line["version"], quantity=line["quantity"])
                for line in given["lines"]
            ),
        )


@extend_schema_serializer(examples=[OpenApiExample("A reason", value={"reason": "The customer withdrew."})])
class Cancellation(Input):
    reason = Text(help_text="Why: it stands in the history of the order.")


class OrderPage(Page):
    """Query parameters of the list of orders, hence texts."""

    number = serializers.CharField(required=False, default="", max_length=40, help_text="Exactly this one.")
    account = serializers.CharField(
        required=False, default="", max_length=40, help_text="Only orders of this account."
    )
    reference = serializers.CharField(
        required=False, default="", max_length=100, help_text="Only references with this part."
    )
    state = serializers.ChoiceField(STATES, required=False, default="", help_text="Only in this state.")
    since = serializers.DateTimeField(
        required=False, default=None, help_text="Only orders entered at or after this instant."
    )
    until = serializers.DateTimeField(
        required=False, default=None, help_text="Only orders entered before this instant."
    )

    @classmethod
    def split(cls, data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """What to look for, and which page of it."""
        given = cls.read(data)
        page = {name: given.pop(name) for name in ("after", "limit")}
        return given, page

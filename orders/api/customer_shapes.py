"""What the doors on the customer list take and answer. Shape only: operations hold the rules."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from accounts.api.inputs import Input, Text
from accounts.api.outputs import NEXT, example
from accounts.api.paging import Page
from accounts.customer_rows import Customer
from accounts.models import CustomerAccount

MOST_AT_ONCE = 200
_CUSTOMER = {
    "number": "C-10042",
    "postal_code": "71063",
    "name": "Example Telecom GmbH",
    "town": "Sindelfingen",
    "country": "DE",
    "email": "office@example.com",
}
_COUNTS = {"new": 1, "changed": 0, "unchanged": 0}


class NewCustomer(Input):
    number = Text(help_text="The account number in your books, at most 40 characters; kept in capitals.")
    postal_code = Text(help_text="At most 20 characters: with the number it finds the account.")
    name = Text(help_text="At most 200 characters.")
    town = Text(required=False, default="", help_text="At most 100 characters.")
    country = Text(help_text="ISO 3166-1 alpha-2, like `DE`.")
    email = Text(
        required=False,
        default="",
        help_text="Where the link is mailed to that links a company; empty: fulfilment alone can link one.",
    )


@extend_schema_serializer(examples=[OpenApiExample("A customer", value={"customers": [_CUSTOMER]})])
class NewCustomers(Input):
    customers = serializers.ListField(
        child=NewCustomer(),
        min_length=1,
        max_length=MOST_AT_ONCE,
        help_text=f"From 1 to {MOST_AT_ONCE}, and at most 64 KiB: send a longer list in parts.",
    )

    @classmethod
    def customers_of(cls, data: object) -> list[Customer]:
        """The customers that were sent.

        :raises ValidationError: a member is missing, unknown or of another type.
        """
        return [Customer(**given) for given in cls.read(data)["customers"]]


class CustomerPage(Page):
    """Query parameters of the customer list, hence texts."""

    q = serializers.CharField(
        required=False,
        default="",
        max_length=100,
        help_text="Only numbers that begin with it, and names and towns with this part.",
    )


@example({**_CUSTOMER, "company": "Example Telecom", "linked_at": "2026-11-24T12:00:00Z"})
class ListedCustomer(serializers.Serializer[CustomerAccount]):
    """An account of the customer list, all of it: for the vendor alone."""

    number = serializers.CharField()
    postal_code = serializers.CharField()
    name = serializers.CharField()
    town = serializers.CharField()
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2.")
    email = serializers.CharField()
    company = serializers.CharField(
        source="company.name", default=None, allow_null=True, help_text="The company that is linked to it."
    )
    linked_at = serializers.DateTimeField(allow_null=True)


@example({"customers": [{**_CUSTOMER, "company": None, "linked_at": None}], "next": None})
class ListedCustomers(serializers.Serializer[Any]):
    customers = ListedCustomer(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


class _Counts(serializers.Serializer[Any]):
    new = serializers.IntegerField(help_text="Accounts that were not there.")
    changed = serializers.IntegerField(help_text="Accounts that were there with other data.")
    unchanged = serializers.IntegerField()


@example({"loaded": 1, **_COUNTS})
class LoadedCustomers(_Counts):
    """What was done, in accounts."""

    loaded = serializers.IntegerField(help_text="All of them.")


@example({"dry_run": True, **_COUNTS})
class CustomersDryRun(_Counts):
    """What would be done: nothing was changed."""

    dry_run = serializers.BooleanField(help_text="Always true.")

"""What the doors on companies and projects take. Shape only: operations hold the rules.

Every text is bounded, and a member that no door knows is refused: a mistyped name must not be ignored.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from accounts.models import ApiToken, Membership, ProjectRight

LONGEST_TEXT = 1000
LONGEST_DESCRIPTION = 10_000


class Text(serializers.CharField):
    """A JSON string as it was sent; a number is no text."""

    def __init__(self, *, max_length: int = LONGEST_TEXT, **options: Any) -> None:
        super().__init__(max_length=max_length, trim_whitespace=False, allow_blank=True, **options)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Integer(serializers.IntegerField):
    """A JSON integer; neither a string of digits nor a boolean is one."""

    def to_internal_value(self, data: object) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class Flag(serializers.BooleanField):
    """JSON's true or false; neither a text nor a number is one."""

    def to_internal_value(self, data: object) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Input(serializers.Serializer[Any]):
    """An object that has no members but its fields."""

    def to_internal_value(self, data: object) -> dict[str, Any]:
        if isinstance(data, Mapping) and (unknown := [name for name in data if name not in self.fields]):
            raise serializers.ValidationError({name: [_("There is no such member.")] for name in unknown})
        read: dict[str, Any] = super().to_internal_value(data)
        return read

    @classmethod
    def read(cls, data: object) -> dict[str, Any]:
        """The members of `data`, each of its type.

        :raises ValidationError: one is missing, unknown, of another type, or too long.
        """
        members: dict[str, Any] = _kept(cls).run_validation(data)
        return members


@cache
def _kept(shape: type[Input]) -> Input:
    """One reader for all requests: it keeps nothing of what it read, and making it copies every field."""
    return shape()


class Nothing(Input):
    """No body, or an empty object."""


@extend_schema_serializer(examples=[OpenApiExample("A company", value={"name": "Example Telecom"})])
class NewCompany(Input):
    name = Text(help_text="At most 200 characters.")


@extend_schema_serializer(
    examples=[OpenApiExample("A customer", value={"number": "C-10042", "postal_code": "71063"})]
)
class CustomerNamed(Input):
    number = Text(help_text="The account number, as invoices write it.")
    postal_code = Text(help_text="Blanks, dashes and case do not matter.")


@extend_schema_serializer(
    examples=[OpenApiExample("A colleague", value={"email": "bob@example.com", "role": "member"})]
)
class NewMember(Input):
    email = Text(help_text="Where the invitation is mailed to.")
    role = serializers.ChoiceField(Membership.Role.choices)


@extend_schema_serializer(
    examples=[OpenApiExample("An end customer", value={"email": "erin@example.com", "right": "operate"})]
)
class NewInProject(Input):
    email = Text(help_text="Where the invitation is mailed to.")
    right = serializers.ChoiceField(ProjectRight.Level.choices)


@extend_schema_serializer(examples=[OpenApiExample("An admin", value={"role": "admin"})])
class NewRole(Input):
    role = serializers.ChoiceField(Membership.Role.choices)


@extend_schema_serializer(examples=[OpenApiExample("A right", value={"user": 2, "right": "operate"})])
class NewRight(Input):
    user = Integer(help_text="Somebody who belongs to the company, or has a right in the project already.")
    right = serializers.ChoiceField(ProjectRight.Level.choices)


@extend_schema_serializer(
    examples=[
        OpenApiExample("A project", value={"name": "Town hall", "description": "PBX and gateways, two sites"})
    ]
)
class NewProject(Input):
    name = Text(help_text="At most 100 characters; unique in the company, upper and lower case alike.")
    description = Text(required=False, default="", max_length=LONGEST_DESCRIPTION)


@extend_schema_serializer(
    examples=[OpenApiExample("A token", value={"name": "ERP", "scopes": ["read", "operate"]})]
)
class NewApiToken(Input):
    name = Text(help_text="At most 100 characters; other than those of the company's tokens in force.")
    scopes = serializers.ListField(
        child=Text(max_length=40),
        max_length=len(ApiToken.Scope),
        help_text="Of `read`, which every token has, `operate`, `activate`, `transfer` and `manage`. A "
        "project's token has no `activate` and no `transfer`.",
    )
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Its end; null: it has none."
    )

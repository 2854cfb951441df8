"""What the doors on people, companies and projects answer."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from accounts.models import Membership

_COMPANY = {"id": 1, "name": "Example Telecom"}
_MEMBERSHIP = {**_COMPANY, "role": "admin"}
_PROJECT = {
    "id": 1,
    "name": "DEFAULT",
    "description": "",
    "company": _COMPANY,
    "created_at": "2026-11-24T12:00:00Z",
    "archived_at": None,
}


def example(value: dict[str, Any]) -> Any:
    """Give a shape an example for the reference."""
    return extend_schema_serializer(examples=[OpenApiExample("Example", value=value)])


class CompanyName(serializers.Serializer[Any]):
    """A company, by id and name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


@example(_MEMBERSHIP)
class Company(serializers.Serializer[Membership]):
    """A company, as seen by one of its members."""

    id = serializers.IntegerField(source="company.pk")
    name = serializers.CharField(source="company.name")
    role = serializers.ChoiceField(Membership.Role.choices)


@example({"companies": [_MEMBERSHIP]})
class CompanyList(serializers.Serializer[Any]):
    companies = Company(many=True)


@example(
    {
        "id": 1,
        "email": "alice@example.com",
        "forename": "Alice",
        "surname": "Example",
        "companies": [_MEMBERSHIP],
    }
)
class Me(serializers.Serializer[Any]):
    """The person who is signed in."""

    id = serializers.IntegerField(source="user.pk")
    email = serializers.EmailField(source="user.email")
    forename = serializers.CharField(source="user.forename")
    surname = serializers.CharField(source="user.surname")
    companies = Company(many=True)


@example(_PROJECT)
class Project(serializers.Serializer[Any]):
    """A project: it owns devices, and a balance of its own."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    company = CompanyName()
    created_at = serializers.DateTimeField()
    archived_at = serializers.DateTimeField(allow_null=True)


@example({"projects": [_PROJECT]})
class ProjectList(serializers.Serializer[Any]):
    projects = Project(many=True)

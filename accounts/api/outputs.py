"""What the doors on people, companies and projects answer."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from accounts import models
from accounts.models import ApiToken as Token
from accounts.models import Membership, ProjectRight
from portal.core.long_job_progress import Progress

NEXT = "`after` of the next page; null on the last one."
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


@example({"number": "C-10042", "name": "Example Telecom GmbH", "town": "Sindelfingen", "country": "DE"})
class Customer(serializers.Serializer[models.CustomerAccount]):
    """What of the vendor's customer list may be shown to somebody who has proven nothing."""

    number = serializers.CharField()
    name = serializers.CharField()
    town = serializers.CharField()
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2.")


@example({"companies": [_MEMBERSHIP], "next": None})
class CompanyList(serializers.Serializer[Any]):
    companies = Company(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


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


@example({"projects": [_PROJECT], "next": None})
class ProjectList(serializers.Serializer[Any]):
    projects = Project(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


_TOKEN: dict[str, Any] = {
    "id": 1,
    "name": "ERP",
    "company": _COMPANY,
    "project": None,
    "scopes": ["read", "operate"],
    "last_four": "x9Qk",
    "made_by": "Alice Example",
    "made_at": "2026-11-24T12:00:00Z",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": None,
}


@example(_TOKEN)
class ApiToken(serializers.Serializer[Token]):
    """An API token: its secret is not known to the portal."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    company = CompanyName()
    project = serializers.IntegerField(
        source="project_id", allow_null=True, help_text="Null: it is a token of the whole company."
    )
    scopes = serializers.ListField(child=serializers.ChoiceField(Token.Scope.choices), source="granted")
    last_four = serializers.CharField(help_text="The last characters of the secret.")
    made_by = serializers.CharField(source="made_by.name_in_histories")
    made_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(
        source="use.last_at", allow_null=True, default=None, help_text="Within an hour."
    )


@example({"api_tokens": [_TOKEN], "next": None})
class ApiTokenList(serializers.Serializer[Any]):
    api_tokens = ApiToken(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


@example({"api_token": _TOKEN, "secret": "olp_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"})
class MadeApiToken(serializers.Serializer[Any]):
    api_token = ApiToken()
    secret = serializers.CharField(
        allow_null=True,
        help_text="What to send in `Authorization: Bearer …`. Shown once: the repetition of a request gets "
        "null here. If the answer was lost, revoke the token and make another one.",
    )


_PERSON = {"id": 2, "forename": "Bob", "surname": "Example", "email": "bob@example.com"}
_MEMBER = {**_PERSON, "role": "member", "joined_at": "2026-11-24T12:00:00Z"}
_RIGHT = {**_PERSON, "right": "operate"}
_INVITATION = {
    "id": 1,
    "company": _COMPANY,
    "project": None,
    "email": "bob@example.com",
    "role": "member",
    "right": "",
    "invited_at": "2026-11-24T12:00:00Z",
    "expires_at": "2026-12-08T12:00:00Z",
    "end": "",
}


@example(_MEMBER)
class Member(serializers.Serializer[Membership]):
    """Somebody who belongs to a company."""

    id = serializers.IntegerField(source="user.pk")
    forename = serializers.CharField(source="user.forename")
    surname = serializers.CharField(source="user.surname")
    email = serializers.EmailField(source="user.email")
    role = serializers.ChoiceField(Membership.Role.choices)
    joined_at = serializers.DateTimeField()


@example({"members": [_MEMBER], "next": None})
class MemberList(serializers.Serializer[Any]):
    members = Member(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


@example(_RIGHT)
class Right(serializers.Serializer[ProjectRight]):
    """What somebody may do in one project."""

    id = serializers.IntegerField(source="user.pk")
    forename = serializers.CharField(source="user.forename")
    surname = serializers.CharField(source="user.surname")
    email = serializers.EmailField(source="user.email")
    right = serializers.ChoiceField(ProjectRight.Level.choices, source="level")


@example({"rights": [_RIGHT], "next": None})
class RightList(serializers.Serializer[Any]):
    rights = Right(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


class ProjectName(serializers.Serializer[Any]):
    """A project, by id and name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


@example(_INVITATION)
class Invitation(serializers.Serializer[models.Invitation]):
    """Into a company with a role, or into one project with a right."""

    id = serializers.IntegerField()
    company = CompanyName()
    project = ProjectName(allow_null=True)
    email = serializers.CharField(help_text="Kept while the invitation is open, then empty.")
    role = serializers.CharField(help_text="Empty for an invitation into a project.")
    right = serializers.CharField(source="level", help_text="Empty for an invitation into a company.")
    invited_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    end = serializers.CharField(
        help_text="Empty while it is open; then `accepted`, `declined`, `withdrawn` or `expired`."
    )


@example({"invitations": [_INVITATION], "next": None})
class InvitationList(serializers.Serializer[Any]):
    invitations = Invitation(many=True)
    next = serializers.CharField(allow_null=True, help_text=NEXT)


@example(
    {
        "id": "8f14e45f-ceea-467f-a0b1-3f1d0c3a9b52",
        "what": "History as CSV",
        "state": "running",
        "done": 30500,
        "total": 100000,
        "seconds_left": 95,
        "ended_at": None,
        "has_result": False,
        "name": "history-Example-Telecom.csv",
        "code": None,
    }
)
class LongJob(serializers.Serializer[Any]):
    """A work in the background. Ask again every few seconds while it is `waiting` or `running`."""

    id = serializers.UUIDField()
    what = serializers.CharField(source="label")
    state = serializers.ChoiceField(["waiting", "running", "done", "failed", "cancelled"])
    done = serializers.IntegerField(help_text="Rows.")
    total = serializers.IntegerField(help_text="Rows there are to do, at most.")
    seconds_left = serializers.IntegerField(
        source="left", allow_null=True, help_text="At the rate so far; null while nobody can tell."
    )
    ended_at = serializers.DateTimeField(allow_null=True)
    has_result = serializers.BooleanField(help_text="Whether there is a file to download.")
    name = serializers.CharField(help_text="The file's name.")
    code = serializers.SerializerMethodField(help_text="Of the refusal it failed with.")

    def get_code(self, progress: Progress) -> str | None:
        return progress.refusal.code if progress.refusal else None

"""What ends, across all projects of a person: test licenses, and API tokens for those who may revoke them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import ApiToken, Company, Membership, Project, User
from accounts.queries import MANAGE, projects_of
from licenses import trial_queries


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Something that ends.

    kind: "test-license" or "api-token".
    number: of its row; with the kind it names the ending for ever.
    name: a hardware ID, or the name of a token.
    since: when the end was fixed.
    project: None for a token of the whole company.
    """

    kind: str
    number: int
    name: str
    ends_at: datetime
    since: datetime
    company: Company
    project: Project | None


def endings_of(user: User, *, after: datetime, until: datetime) -> list[Ending]:
    """What ends after one moment and at the latest at another, the first to end first."""
    found = _test_licenses(user, after=after, until=until) + _api_tokens(user, after=after, until=until)
    return sorted(found, key=lambda ending: (ending.ends_at, ending.kind, ending.number))


def _test_licenses(user: User, *, after: datetime, until: datetime) -> list[Ending]:
    ending = trial_queries.test_licenses_that_end(after=after, until=until)
    return [
        Ending(
            kind="test-license",
            number=one.pk,
            name=one.hardware_id,
            ends_at=one.ends_at,
            since=one.started_at,
            company=one.device.project.company,
            project=one.device.project,
        )
        for one in ending.filter(device__project__in=projects_of(user).order_by())
        if one.ends_at is not None and one.started_at is not None
    ]


def _api_tokens(user: User, *, after: datetime, until: datetime) -> list[Ending]:
    if user.viewing is not None:
        return []
    admin = Membership.objects.filter(user=user, role=Membership.Role.ADMIN).values("company")
    may_revoke = Q(project__in=projects_of(user, right=MANAGE).order_by()) | Q(company__in=admin)
    tokens = ApiToken.objects.filter(
        may_revoke, revoked_at=None, expires_at__gt=after, expires_at__lte=until
    ).select_related("company", "project")
    return [
        Ending(
            kind="api-token",
            number=token.pk,
            name=token.name,
            ends_at=token.expires_at,
            since=token.made_at,
            company=token.company,
            project=token.project,
        )
        for token in tokens
        if token.expires_at is not None
    ]

"""The overview: companies, projects and balances of the signed-in person, and what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import invitation_queries
from accounts import queries as accounts
from accounts.models import Company, Membership, Project
from accounts.requests import person, signed_in
from devices import queries as devices
from licenses import queries
from licenses.queries import BalanceRow
from portal.core import clock


@dataclass(frozen=True, kw_only=True)
class ProjectLine:
    """One project on the overview."""

    project: Project
    free: Sequence[BalanceRow]
    devices: int


@dataclass(kw_only=True)
class CompanyPart:
    """A company with those of its projects that the person may see; `role` is "" for an end customer."""

    company: Company
    role: str
    free: Sequence[BalanceRow] = ()
    projects: list[ProjectLine] = field(default_factory=list)


@signed_in
def overview(request: HttpRequest) -> HttpResponse:
    """The first page after signing in."""
    user = person(request)
    memberships = list(accounts.memberships_of(user))
    projects = list(accounts.projects_of(user).filter(archived_at=None))
    parts = _parts(memberships, projects)
    context = {
        "parts": parts,
        "invitations": invitation_queries.invitations_for(user, now=clock.now()),
        "is_member": bool(memberships),
        "has_devices": any(line.devices for part in parts for line in part.projects),
        "has_licenses": any(part.free or any(line.free for line in part.projects) for part in parts),
    }
    return render(request, "licenses/home.html", context)


def _parts(memberships: Sequence[Membership], projects: Sequence[Project]) -> list[CompanyPart]:
    parts = {
        membership.company.pk: CompanyPart(company=membership.company, role=membership.role)
        for membership in memberships
    }
    free = queries.free_by_balance(companies=[part.company for part in parts.values()], projects=projects)
    for part in parts.values():
        part.free = free.get(part.company, ())
    counts = devices.count_by_project(projects)
    for project in projects:
        part = parts.setdefault(project.company_id, CompanyPart(company=project.company, role=""))
        part.projects.append(
            ProjectLine(project=project, free=free.get(project, ()), devices=counts.get(project.pk, 0))
        )
    return list(parts.values())

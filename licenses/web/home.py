"""The overview: companies, projects and balances of the signed-in person, and what to do next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import invitation_queries
from accounts import queries as accounts
from accounts.models import Company, Membership, Project
from accounts.requests import person, signed_in
from licenses import attention, queries, records
from licenses import history_sentences as history
from licenses.history_sentences import HistoryLine
from licenses.models import CompanyImport
from licenses.queries import BalanceRow
from portal.core import clock

HISTORY = 8
MOST = 5  # things of one sort that are named; the rest is behind a link or on the devices' pages


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
    if user.viewing is not None:  # whoever only looks decides nothing, and is offered nothing
        for one in memberships:
            one.role = Membership.Role.MEMBER
    projects = list(accounts.projects_of(user).filter(archived_at=None))
    now = clock.now()
    counted = attention.waiting(projects, now=now)
    parts = _parts(memberships, projects, devices={one.project.pk: one.devices for one in counted})
    moves = attention.open_moves(projects, now=now, limit=MOST + 1) if projects else []
    context = {
        "parts": parts,
        "invitations": invitation_queries.invitations_for(user, now=now),
        "waiting": [one for one in counted if one.not_fetched or one.for_reset],
        "imports": _imports(memberships, now),
        "tests_ending": attention.test_licenses_ending(projects, now=now, limit=MOST) if projects else [],
        "moves": moves[:MOST],
        "more_moves": len(moves) > MOST,
        "history": _history(memberships, projects),
        "is_member": bool(memberships),
        "has_devices": any(line.devices for part in parts for line in part.projects),
        "has_licenses": any(part.free or any(line.free for line in part.projects) for part in parts),
    }
    return render(request, "licenses/home.html", context)


def _imports(memberships: Sequence[Membership], now: datetime) -> list[CompanyImport]:
    admin_of = [one.company for one in memberships if one.role == Membership.Role.ADMIN]
    return list(attention.imports_to_answer(admin_of, now=now)) if admin_of else []


def _history(memberships: Sequence[Membership], projects: Sequence[Project]) -> list[HistoryLine]:
    companies = [one.company for one in memberships]
    known = {company.pk for company in companies}
    shared = [project for project in projects if project.company_id not in known]
    entries = records.entries_of_all(
        companies=companies,
        projects=[project for project in projects if project.company_id in known],
        shared=shared,
    )
    return history.told(entries[:HISTORY], only_known={project.pk: project.name for project in shared})


def _parts(
    memberships: Sequence[Membership], projects: Sequence[Project], *, devices: Mapping[int, int]
) -> list[CompanyPart]:
    parts = {
        membership.company.pk: CompanyPart(company=membership.company, role=membership.role)
        for membership in memberships
    }
    free = queries.free_by_balance(companies=[part.company for part in parts.values()], projects=projects)
    for part in parts.values():
        part.free = free.get(part.company, ())
    for project in projects:
        part = parts.setdefault(project.company_id, CompanyPart(company=project.company, role=""))
        part.projects.append(
            ProjectLine(project=project, free=free.get(project, ()), devices=devices.get(project.pk, 0))
        )
    return list(parts.values())

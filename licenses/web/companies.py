"""A company's page: its balance, projects and members."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import queries as accounts
from accounts.queries import MANAGE
from accounts.requests import person, signed_in
from accounts.web import active
from devices import queries as devices
from licenses import history_sentences as history
from licenses import queries

HISTORY = 10


@signed_in
def company(request: HttpRequest, company_id: int) -> HttpResponse:
    """Balance, projects, members and history, for members of the company."""
    user = person(request)
    company = accounts.get_company(company_id=company_id, user=user)
    active.work_in(request, company)
    projects = list(accounts.projects_of(user).filter(company=company, archived_at=None))
    counts = devices.count_by_project(projects)
    admin = accounts.is_admin(company=company, user=user)
    context = {
        "company": company,
        "is_admin": admin,
        "can_transfer": admin or accounts.projects_of(user, right=MANAGE).filter(company=company).exists(),
        "balance": queries.balance_of_company(company),
        "projects": [(project, counts.get(project.pk, 0)) for project in projects],
        "members": accounts.members_of(company),
        "history": history.told(queries.history_of_company(company, user=user, limit=HISTORY)),
    }
    return render(request, "licenses/company.html", context)

"""The active company and project: where somebody works just now, kept with the session (mission rule 6).

Opening a page of a project or company makes it the active one; the bar on top leads back to it from
everywhere, and forms offer it first. Nothing is allowed because of it: pages ask for rights as always.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts import queries
from accounts.models import Company, Project
from accounts.requests import person, signed_in

_PROJECT, _COMPANY = "active_project", "active_company"


def work_in(request: HttpRequest, scope: Company | Project) -> None:
    """Remember where the person works. The session is written only when it changes."""
    company = scope.company if isinstance(scope, Project) else scope
    if isinstance(scope, Project):
        _keep(request, _PROJECT, {"id": scope.pk, "name": scope.name, "company": company.pk})
    elif (request.session.get(_PROJECT) or {}).get("company") != company.pk:
        _keep(request, _PROJECT, None)
    _keep(request, _COMPANY, {"id": company.pk, "name": company.name})


def forget(request: HttpRequest) -> None:
    """Work nowhere, as after signing in."""
    _keep(request, _PROJECT, None)
    _keep(request, _COMPANY, None)


def active_project(request: HttpRequest) -> int | None:
    """The id of the active project; the person may have lost the right to see it."""
    kept = request.session.get(_PROJECT)
    return kept["id"] if kept else None


def where(request: HttpRequest) -> dict[str, Any]:
    """For templates: `active`, with name and address of the active project or company, or None."""
    if not hasattr(request, "session"):
        return {}
    project, company = request.session.get(_PROJECT), request.session.get(_COMPANY)
    if project and company:
        # Every company has a project DEFAULT: the name alone would not say which.
        name = f"{project['name']} · {company['name']}"  # the bar cuts off what is too long
        return {"active": {"name": name, "href": reverse("project", args=[project["id"]])}}
    if company:
        return {"active": {"name": company["name"], "href": reverse("company", args=[company["id"]])}}
    return {"active": None}


@signed_in
def switch(request: HttpRequest) -> HttpResponse:
    """Choose where to work: all companies and projects of the person."""
    user = person(request)
    if request.method == "POST":
        project = request.POST.get("project", "")
        if project.isdecimal():
            found = queries.get_project(project_id=int(project), user=user)
            work_in(request, found)
            return redirect("project", project_id=found.pk)
        company = request.POST.get("company", "")
        found_company = queries.get_company(company_id=int(company) if company.isdecimal() else 0, user=user)
        work_in(request, found_company)
        return redirect("company", company_id=found_company.pk)
    parts: dict[int, dict[str, Any]] = {
        company.pk: {"company": company, "is_member": True, "projects": []}
        for company in queries.companies_of(user)
    }
    for one in queries.projects_of(user).filter(archived_at=None):
        part = parts.setdefault(one.company_id, {"company": one.company, "is_member": False, "projects": []})
        part["projects"].append(one)
    context = {"parts": list(parts.values()), "active_project": active_project(request)}
    return render(request, "accounts/switch.html", context)


def _keep(request: HttpRequest, name: str, value: dict[str, Any] | None) -> None:
    if request.session.get(name) != value:
        request.session[name] = value

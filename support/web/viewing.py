"""Seeing a company's pages as it sees them itself, and leaving them again (support.middleware)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.permissions import Permission
from accounts.requests import staff_only
from accounts.web import active
from support import queries
from support.middleware import VIEWING


@staff_only(Permission.VIEW_AS_CUSTOMER, change=Permission.VIEW_AS_CUSTOMER)
def begin(request: HttpRequest, company_id: int) -> HttpResponse:
    """A POST begins; from then on every page says so."""
    company = queries.get_company(company_id)
    if request.method != "POST":
        return redirect("staff-company", company_id=company.pk)
    request.session[VIEWING] = {"id": company.pk, "name": company.name}
    active.work_in(request, company)
    return redirect("company", company_id=company.pk)


@staff_only(Permission.LOOK, change=Permission.LOOK)
def leave(request: HttpRequest) -> HttpResponse:
    """A POST ends it, and leads back to the company in the console."""
    if request.method != "POST":
        return redirect("staff")
    viewed = request.session.pop(VIEWING, None)
    active.forget(request)
    return redirect("staff-company", company_id=viewed["id"]) if viewed else redirect("staff")

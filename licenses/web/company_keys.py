"""The activation keys of a company: what each brought in, when, by whom, and into which balance."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import queries as accounts
from accounts.requests import person, signed_in
from licenses import records
from licenses.search import key_has
from licenses.web.searching import SearchForm

KEYS_A_PAGE = 50


@signed_in
def company_keys(request: HttpRequest, company_id: int) -> HttpResponse:
    """The latest first; narrowed by order number, reference or last characters."""
    user = person(request)
    company = accounts.get_company(company_id=company_id, user=user)
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    keys = records.keys_of(company, user=user)
    if text:
        keys = keys.filter(key_has(text))
    page = Paginator(keys.order_by("-activated_by__at", "-pk"), KEYS_A_PAGE).get_page(request.GET.get("page"))
    lines = records.brought_in(page)
    into = {key.pk: records.into_project_of(key) for key in page}
    projects = {project.pk: project for project in accounts.projects_of(user).filter(company=company)}
    context = {
        "company": company,
        "text": text,
        "page": page,
        "rows": [(key, projects.get(into[key.pk] or 0), lines.get(key.pk, ())) for key in page],
    }
    return render(request, "licenses/company_keys.html", context)

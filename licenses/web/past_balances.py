"""Balances as they were at any moment: how many were free, and on devices, a month ago."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from accounts.models import Company, Project
from accounts.requests import person, signed_in
from licenses import past, queries
from licenses.web import choices
from portal.core import clock
from portal.core.forms import ZoneField


class MomentForm(forms.Form):
    at = forms.DateTimeField(
        label=gettext_lazy("Moment"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    zone = ZoneField()

    def moment(self, now: datetime) -> datetime:
        """The moment that is asked for; now, where none is."""
        given: datetime | None = self.cleaned_data.get("at") if self.is_valid() else None
        return given.replace(tzinfo=self.cleaned_data["zone"]).astimezone(UTC) if given else now


@signed_in
def company_balance(request: HttpRequest, company_id: int) -> HttpResponse:
    """Of the company's own balance; with the way to those of its projects."""
    user = person(request)
    company = accounts.get_company(company_id=company_id, user=user)
    projects = accounts.projects_of(user).filter(company=company)
    page = {"company": company, "is_member": True, "projects": projects}
    return _balance(request, company, page)


@signed_in
def project_balance(request: HttpRequest, project_id: int) -> HttpResponse:
    """Of a project, and of the devices that were in it then."""
    user = person(request)
    project = accounts.get_project(project_id=project_id, user=user)
    _right, is_member = accounts.standing_in(project=project, user=user)
    return _balance(
        request, project, {"company": project.company, "project": project, "is_member": is_member}
    )


def _balance(request: HttpRequest, balance: Company | Project, page: dict[str, Any]) -> HttpResponse:
    now = clock.now()
    form = MomentForm(request.GET or None, initial={"at": now})
    if not form.is_bound:  # so that it can be shown in the reader's zone
        form.fields["at"].widget.attrs["data-utc"] = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    moment = form.moment(now)
    context = {
        **page,
        "form": form,
        "moment": moment,
        "at": f"{moment:%Y-%m-%dT%H:%M}",
        "balance_name": choices.label_of(balance),
        "of_project": isinstance(balance, Project),
        "balance": past.balance_as_of(balance, at=moment) if moment < now else queries.balance_of(balance),
    }
    return render(request, "licenses/past_balance.html", context)

"""Creating companies and projects."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import companies, customers, projects, queries
from accounts.requests import caller, person, signed_in
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, respond


class CompanyForm(ActForm):
    name = forms.CharField(
        label=gettext_lazy("Name of the company"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )


class LookUpForm(ActForm):
    """Optional: the vendor's customer list fills in the name (mission rule 2)."""

    number = forms.CharField(
        label=gettext_lazy("Account number"),
        max_length=40,
        help_text=gettext_lazy("It stands on the vendor's invoices."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    postal_code = forms.CharField(
        label=gettext_lazy("Postal code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )


class ProjectForm(ActForm):
    name = forms.CharField(
        label=gettext_lazy("Name of the project"),
        max_length=100,
        help_text=gettext_lazy("For example the customer, the site or the order."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@signed_in
def create_company(request: HttpRequest) -> HttpResponse:
    """Create a company with the signed-in person as admin (mission rule 2)."""
    if "look-up" in request.POST:
        return _look_up(request)
    form = CompanyForm(request.POST or None)
    if form.is_valid():
        try:
            company = companies.create_company(
                name=form.cleaned_data["name"],
                founder=person(request),
                caller=caller(request, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(
                request,
                _("The company %(name)s is there, with a first project named DEFAULT.")
                % {"name": company.name},
            )
            return redirect("company", company_id=company.pk)
    return respond(
        request, "accounts/company_new.html", {"look_up": LookUpForm(auto_id="look_%s")}, form=form
    )


def _look_up(request: HttpRequest) -> HttpResponse:
    """The same page, with the name filled in from the customer list; nothing is created."""
    look_up = LookUpForm(request.POST, auto_id="look_%s")
    name = ""
    found = None
    if look_up.is_valid():
        try:
            found = customers.look_up(
                number=look_up.cleaned_data["number"],
                postal_code=look_up.cleaned_data["postal_code"],
                caller=caller(request, key=look_up.cleaned_data["act_key"]),
                now=clock.now(),
            )
            name = found.name
        except DomainError as refusal:
            look_up.refuse(refusal)
    context = {"look_up": look_up, "found": found, "company_form": CompanyForm(initial={"name": name})}
    return respond(request, "accounts/company_new.html", context, form=look_up)


@signed_in
def create_project(request: HttpRequest, company_id: int) -> HttpResponse:
    """Create a project in a company, as one of its admins (mission rule 4)."""
    company = queries.get_company(company_id=company_id, user=person(request), admin=True)
    form = ProjectForm(request.POST or None)
    if form.is_valid():
        try:
            project = projects.create_project(
                company=company,
                name=form.cleaned_data["name"],
                description=form.cleaned_data["description"],
                caller=caller(request, company=company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="name")
        else:
            messages.success(
                request,
                _("The project %(name)s is there. It has a balance of its own.") % {"name": project.name},
            )
            return redirect("project", project_id=project.pk)
    return respond(request, "accounts/project_new.html", {"company": company}, form=form)

"""Importing a company in the browser: ask, look at the numbers, consent or refuse (mission rule 3)."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from accounts.requests import caller, person, signed_in
from accounts.web import active
from licenses import company_import, import_queries
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, respond


class ImportForm(ActForm):
    number = forms.IntegerField(
        label=gettext_lazy("Number of the other company"),
        min_value=1,
        max_value=2**53,
        help_text=gettext_lazy("It stands on this page of the other company."),
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name of the other company"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@signed_in
def imports(request: HttpRequest, company_id: int) -> HttpResponse:
    """What is asked, and the form to ask."""
    user = person(request)
    company = accounts.get_company(company_id=company_id, user=user, admin=True)
    form = ImportForm(request.POST or None)
    if form.is_valid():
        try:
            wanted = company_import.ask_for_company(
                target=company,
                number=form.cleaned_data["number"],
                name=form.cleaned_data["name"],
                asker=user,
                caller=caller(request, company=company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The admins of %(name)s are asked.") % {"name": wanted.source.name})
            if accounts.is_admin(company=wanted.source, user=user):
                return redirect("company-import", company_id=wanted.source.pk, import_id=wanted.pk)
            return redirect("company-imports", company_id=company.pk)
    active.work_in(request, company)
    context = {
        "company": company,
        "imports": import_queries.open_imports_of(company, now=clock.now()),
    }
    return respond(request, "licenses/imports.html", context, form=form)


@signed_in
def one_import(request: HttpRequest, company_id: int, import_id: int) -> HttpResponse:
    """The numbers, and the two answers; for admins of the company that shall be taken in."""
    user = person(request)
    wanted = import_queries.get_import_for_consent(import_id=import_id, source_id=company_id, user=user)
    form = ActForm(request.POST or None)
    if form.is_valid():
        consents = request.POST.get("answer") == "consent"
        answer = company_import.consent_to_import if consents else company_import.refuse_import
        try:
            answer(
                wanted=wanted,
                caller=caller(request, company=wanted.target, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            if not consents:
                messages.success(request, _("The import is refused."))
                return redirect("company", company_id=company_id)
            messages.success(
                request,
                _("%(source)s is part of %(target)s now.")
                % {"source": wanted.source.name, "target": wanted.target.name},
            )
            return redirect("company", company_id=wanted.target.pk)
    context = {
        "company": wanted.source,
        "wanted": wanted,
        "preview": company_import.look_at_import(wanted),
    }
    return respond(request, "licenses/import.html", context, form=form)


@signed_in
def withdraw(request: HttpRequest, company_id: int, import_id: int) -> HttpResponse:
    """Take back what was asked for; the button is in the list."""
    company = accounts.get_company(company_id=company_id, user=person(request), admin=True)
    wanted = import_queries.get_import(import_id=import_id, target=company)
    form = ActForm(request.POST)
    if request.method == "POST" and form.is_valid():
        company_import.withdraw_import(
            wanted=wanted,
            caller=caller(request, company=company, key=form.cleaned_data["act_key"]),
            now=clock.now(),
        )
        messages.success(request, _("The request is withdrawn."))
    return redirect("company-imports", company_id=company.pk)

"""Linking a company to its account in the vendor's customer list, in the browser (mission rule 2)."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from accounts import customers, queries
from accounts.middleware import open_without_terms
from accounts.requests import caller, person, signed_in
from accounts.web import active
from accounts.web.question import Question, ask
from portal.core import clock
from portal.core.acts import Caller
from portal.core.addresses import address_of
from portal.core.errors import DomainError
from portal.core.forms import ActForm, respond


class CustomerForm(ActForm):
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


@signed_in
def customer(request: HttpRequest, company_id: int) -> HttpResponse:
    """Which account the company is linked to, or the form that sends the mail."""
    company = queries.get_company(company_id=company_id, user=person(request), admin=True)
    form = CustomerForm(request.POST or None)
    if form.is_valid():
        try:
            customers.mail_link(
                company=company,
                number=form.cleaned_data["number"],
                postal_code=form.cleaned_data["postal_code"],
                caller=caller(request, company=company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The mail is on its way to the address in the customer list."))
            return redirect("company", company_id=company.pk)
    active.work_in(request, company)
    context = {"company": company, "account": queries.customer_account_of(company)}
    return respond(request, "accounts/customer_link.html", context, form=form)


@never_cache
@open_without_terms
def follow_link(request: HttpRequest, token: str) -> HttpResponse:
    """Where the mail's link leads. Who has the mail may answer it, with or without an account here."""
    link = customers.find_link(token, now=clock.now())

    def do(key: str) -> HttpResponse:
        customers.open_link(
            token=token,
            caller=Caller(
                scope=f"customer:{link.account.number}",
                key=key,
                name="the address in the customer list",
                address=address_of(request),
            ),
            now=clock.now(),
        )
        messages.success(
            request, _("%(name)s is linked to the customer account.") % {"name": link.company.name}
        )
        return redirect("home")

    question = Question(
        title=_("Is %(company)s your company?") % {"company": link.company.name},
        meaning=[
            _("It would be linked to customer account %(number)s, %(name)s.")
            % {"number": link.account.number, "name": link.account.name},
            _("It can then order, and replace lost keys."),
        ],
        yes=_("Yes, link it"),
        back=reverse("home"),
    )
    return ask(request, question, do=do)

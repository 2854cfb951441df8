"""Transferring licenses between a company's balance and its projects: look at the numbers, then confirm."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from accounts.models import Company, Project, User
from accounts.queries import MANAGE, RightMissing
from accounts.requests import caller, person, signed_in
from licenses import balances, queries
from licenses.balances import SameBalance
from licenses.ledger import InsufficientLicenses, QuantityOutOfRange
from licenses.queries import BalanceRow
from licenses.web import choices
from licenses.web.products import ProductField
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, OfferedField, respond

FIELD_OF: dict[type[DomainError], str] = {
    SameBalance: "destination",
    InsufficientLicenses: "quantity",
    QuantityOutOfRange: "quantity",
}


class TransferForm(ActForm):
    source = OfferedField(label=gettext_lazy("From"))
    destination = OfferedField(label=gettext_lazy("To"))
    product = ProductField(label=gettext_lazy("Product"))
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"), widget=forms.NumberInput(attrs={"inputmode": "numeric", "min": 1})
    )

    def offer(
        self,
        *,
        sources: list[Company | Project],
        destinations: list[Company | Project],
        rows: list[BalanceRow],
    ) -> None:
        """Fill the selects with what there is now."""
        for name, offered in (("source", sources), ("destination", destinations)):
            field = self.fields[name]
            assert isinstance(field, OfferedField), "set by the class"
            field.offer([choice for __, group in choices.offered(offered) for choice in group])
        product = self.fields["product"]
        assert isinstance(product, ProductField), "set by the class"
        product.offer_products(rows, with_free=False)


@signed_in
def transfer(request: HttpRequest, company_id: int) -> HttpResponse:
    """Step one shows the numbers before and after; step two, with `confirm`, transfers."""
    user = person(request)
    company = accounts.get_company(company_id=company_id, user=user)
    sources, destinations = _offered(company, user)
    free = queries.free_by_balance(
        companies=[balance for balance in sources if isinstance(balance, Company)],
        projects=[balance for balance in sources if isinstance(balance, Project)],
    )
    chosen = request.GET.get("from", "")
    form = TransferForm(
        request.POST or None, initial={"source": chosen, "destination": request.GET.get("to", "")}
    )
    # First what is in the chosen balance: the first product of the list is the one that stands in the form.
    ordered = sorted(sources, key=lambda balance: choices.name_of(balance) != chosen)
    products = {row.product: row for balance in ordered for row in free.get(balance, ())}
    form.offer(sources=sources, destinations=destinations, rows=list(products.values()))
    context: dict[str, Any] = {
        "company": company,
        "free": [(choices.label_of(balance), free.get(balance, ())) for balance in sources],
        "nothing_free": not free,
    }
    if form.is_valid():
        try:
            given = _given(form, user)
            if "confirm" in request.POST:
                return _transfer(request, form, company, given)
            context["preview"] = balances.look_at_transfer(**given)
            context |= {
                "given": given,
                "source": choices.label_of(given["source"]),
                "destination": choices.label_of(given["destination"]),
            }
        except DomainError as refusal:
            form.refuse(refusal, field=FIELD_OF.get(type(refusal)))
        else:
            return respond(request, "licenses/transfer_confirm.html", context, form=form)
    return respond(request, "licenses/transfer.html", context, form=form)


def _transfer(
    request: HttpRequest, form: TransferForm, company: Company, given: dict[str, Any]
) -> HttpResponse:
    balances.transfer_licenses(
        **given,
        caller=caller(request, company=company, key=form.cleaned_data["act_key"]),
        now=clock.now(),
    )
    messages.success(
        request,
        _("%(quantity)s × %(product)s transferred: from “%(source)s” to “%(destination)s”.")
        % {
            "quantity": given["quantity"],
            "product": given["product"],
            "source": choices.label_of(given["source"]),
            "destination": choices.label_of(given["destination"]),
        },
    )
    destination = given["destination"]
    if isinstance(destination, Project):
        return redirect("project", project_id=destination.pk)
    return redirect("company", company_id=company.pk)


def _given(form: TransferForm, user: User) -> dict[str, Any]:
    """What the form names, as this person may use it: mission rule 5."""
    code, version = form.cleaned_data["product"]
    return {
        "source": choices.find_balance(form.cleaned_data["source"], user=user, right=MANAGE, admin=True),
        "destination": choices.find_balance(form.cleaned_data["destination"], user=user, right=MANAGE),
        "product": queries.get_product(code=code, version=version),
        "quantity": form.cleaned_data["quantity"],
    }


def _offered(company: Company, user: User) -> tuple[list[Company | Project], list[Company | Project]]:
    """From where and to where this person may transfer.

    :raises RightMissing: from nowhere.
    """
    managed = list(accounts.projects_of(user, right=MANAGE).filter(company=company, archived_at=None))
    sources: list[Company | Project] = [*managed]
    if accounts.is_admin(company=company, user=user):
        sources.insert(0, company)
    if not sources:
        raise RightMissing(needed=MANAGE)
    return sources, [company, *managed]

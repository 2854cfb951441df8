"""The vendor's customer list in the console: a file is checked, then loaded by whoever read the report."""

import gzip
import hashlib
from typing import Any

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from accounts import customer_lists
from accounts.customer_lists import find_customers
from accounts.customer_rows import COLUMNS, MOST_BYTES, MOST_TOLD, REASONS
from accounts.models import CustomerAccount
from accounts.permissions import Permission
from accounts.requests import caller, person, staff_only
from portal.core import clock
from portal.core.errors import Conflict, DomainError
from portal.core.forms import ActForm, PortalForm, respond

A_PAGE = 50
KEPT_SECONDS = 60 * 60  # what was checked waits so long for its confirmation
FIELDS = {
    "postal_code": gettext_lazy("Postal code"),
    "name": gettext_lazy("Name"),
    "town": gettext_lazy("Town"),
    "country": gettext_lazy("Country"),
    "email": gettext_lazy("E-mail address"),
}


class CheckedListGone(Conflict):
    code = "checked-list-gone"
    title = gettext_lazy("The customer list that you checked is no longer kept.")
    why = gettext_lazy(
        "A list that was checked waits an hour for its confirmation: after that the accounts may be others, "
        "and addresses of customers shall not lie around."
    )
    way_out = gettext_lazy("Choose the file again. Nothing was changed.")
    source = "mission rule 2"


class ListForm(PortalForm):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=format_lazy(
            "{} {}",
            gettext_lazy(
                "CSV in UTF-8, with commas or semicolons, at most 100,000 lines and 10 MB; the first line is:"
            ),
            ",".join(COLUMNS),
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )


class LoadForm(ActForm):
    checked = forms.RegexField(regex=r"^[0-9a-f]{64}$", widget=forms.HiddenInput(attrs={"id": False}))


@staff_only(Permission.LOOK, change=Permission.CUSTOMERS)
def customers(request: HttpRequest) -> HttpResponse:
    """The accounts, by number; and the form for a new list."""
    return _show(request, ListForm())


@staff_only(Permission.CUSTOMERS)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Say what a list would do, line by line where it cannot be taken, and ask."""
    form = ListForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, form)
    content = form.cleaned_data["file"].read(MOST_BYTES + 1)
    try:
        report = customer_lists.check(content)
    except DomainError as refusal:
        form.refuse(refusal, field="file")
        return _show(request, form)
    checked = hashlib.sha256(content).hexdigest()
    cache.set(_place(request, checked), gzip.compress(content), KEPT_SECONDS)
    context: dict[str, Any] = {
        "report": report,
        "faults": [(fault.line, REASONS[fault.reason]) for fault in report.faults[:MOST_TOLD]],
        "more_faults": max(len(report.faults) - MOST_TOLD, 0),
        "linked": [
            (one, [(FIELDS[name], old or "–", new or "–") for name, old, new in one.changes])
            for one in report.linked[:MOST_TOLD]
        ],
        "more_linked": max(len(report.linked) - MOST_TOLD, 0),
        "missing_linked": report.missing_linked[:MOST_TOLD],
    }
    return respond(
        request, "staff/customers_check.html", context, form=LoadForm(initial={"checked": checked})
    )


@staff_only(Permission.CUSTOMERS)
@require_POST
def load(request: HttpRequest) -> HttpResponse:
    """Load the list that was checked."""
    form = LoadForm(request.POST)
    kept = cache.get(_place(request, form.cleaned_data["checked"])) if form.is_valid() else None
    if kept is None:
        raise CheckedListGone
    count = customer_lists.load_list(
        content=gzip.decompress(kept),
        caller=caller(request, key=form.cleaned_data["act_key"]),
        now=clock.now(),
    )
    said = ngettext(
        "The customer list is loaded: %(count)s account.",
        "The customer list is loaded: %(count)s accounts.",
        count,
    )
    messages.success(request, said % {"count": count})
    return redirect("staff-customers")


def _show(request: HttpRequest, form: ListForm) -> HttpResponse:
    text = request.GET.get("q", "")[:100].strip()
    page = Paginator(find_customers(text), A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "text": text, "total": CustomerAccount.objects.count()}
    return respond(request, "staff/customers.html", context, form=form)


def _place(request: HttpRequest, checked: str) -> str:
    return f"checked-customer-list:{person(request).pk}:{checked}"

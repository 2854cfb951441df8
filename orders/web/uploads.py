"""Lists of orders in the console: checked with a report, confirmed, watched, handed out once."""

import csv
import itertools
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import Permission
from accounts.requests import caller, person, staff_only
from orders import upload_checks, uploads
from orders.order_sheet import PROBLEMS
from orders.tables import LARGEST_FILE
from portal.core import clock, long_job_progress
from portal.core.errors import DomainError
from portal.core.forms import ActForm, respond
from portal.core.spreadsheets import harmless

SHOWN = 200
LISTS_SHOWN = 50
STATES = {
    "checking": gettext_lazy("being checked"),
    "stopped": gettext_lazy("not checked to its end"),
    "wrong": gettext_lazy("cannot be entered"),
    "right": gettext_lazy("waits for your confirmation"),
    "entering": gettext_lazy("being entered"),
    "entered": gettext_lazy("entered; its keys wait for you"),
    "taken": gettext_lazy("entered; its keys were downloaded"),
    "delivered": gettext_lazy("delivered"),
}


class UploadForm(ActForm):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV in UTF-8 or XLSX (its first sheet), at most 100,000 lines and 20 MB. The first line names "
            "the columns."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx,text/csv"}),
    )


class TakeForm(ActForm):
    passphrase = forms.CharField(max_length=40, widget=forms.HiddenInput(attrs={"id": False}))


@staff_only(Permission.ORDERS)
def upload(request: HttpRequest) -> HttpResponse:
    """Take a list in, and show those that are kept. What is wrong with one is said on its own page."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            kept = upload_checks.keep_file(
                content=file.read(LARGEST_FILE + 1),  # one byte more than is allowed is enough to know
                name=file.name,
                user=person(request),
                caller=caller(request, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="file")
        else:
            return redirect("staff-order-list", upload_id=kept.pk)
    lists = upload_checks.lists_of(person(request))[:LISTS_SHOWN]
    context = {
        "lists": [(one, STATES[upload_checks.state_of(one)], upload_checks.kept_until(one)) for one in lists]
    }
    return respond(request, "staff/order_upload.html", context, form=form)


@staff_only(Permission.ORDERS)
def one_list(request: HttpRequest, upload_id: Any) -> HttpResponse:
    """A list: being checked, wrong, to be confirmed, under way, or entered. A POST confirms it, or the
    delivery of its keys."""
    found = upload_checks.get_upload(upload_id, user=person(request))
    form = ActForm(request.POST or None)
    if form.is_valid():
        who, now = caller(request, key=form.cleaned_data["act_key"]), clock.now()
        try:
            if request.POST.get("do") == "delivered":
                uploads.confirm_delivery(upload=found, caller=who, now=now)
                messages.success(request, _("The delivery is confirmed; the keys are forgotten here."))
            else:
                uploads.confirm_upload(upload=found, caller=who, now=now)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return redirect("staff-order-list", upload_id=found.pk)
    now = clock.now()
    refused = uploads.refusals_of(found)
    job = found.job if found.checked_at else found.checking
    page = Paginator(upload_checks.problems_of(found), SHOWN).get_page(request.GET.get("page"))
    context = {
        "upload": found,
        "state": upload_checks.state_of(found),
        "job": long_job_progress.progress_of(job, now=now) if job else None,
        "unreadable": upload_checks.unreadable_of(found),
        "page": page,
        "problems": [(one.line, one.number, PROBLEMS[one.reason]) for one in page],
        "kept_until": upload_checks.kept_until(found),
        "entered": uploads.is_entered(found),
        "refused": refused[:SHOWN],
        "taken": found.taken_at is not None and now >= found.taken_at + uploads.TAKEN_AGAIN,
        "passphrase": uploads.new_passphrase(),
    }
    return respond(request, "staff/order_list.html", context, form=form)


@staff_only(Permission.ORDERS)
def problems(request: HttpRequest, upload_id: Any) -> HttpResponseBase:
    """Every line of a list that cannot be entered, as CSV."""
    found = upload_checks.get_upload(upload_id, user=person(request))
    rows = (
        (one.line, harmless(one.number), one.reason, PROBLEMS[one.reason])
        for one in upload_checks.problems_of(found).iterator(2000)
    )
    writer = csv.writer(_Echo())
    head = ("line", "order", "reason", "in words")
    lines = (writer.writerow(row) for row in itertools.chain([head], rows))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="problems.csv"'
    return response


@staff_only(Permission.ORDERS)
def keys(request: HttpRequest, upload_id: Any) -> HttpResponseBase:
    """The keys of a list as an encrypted ZIP, by POST, with the passphrase that the page showed."""
    found = upload_checks.get_upload(upload_id, user=person(request))
    form = TakeForm(request.POST or None)
    if not form.is_valid():
        return redirect("staff-order-list", upload_id=found.pk)
    try:
        parts = uploads.take_keys(
            upload=found,
            passphrase=form.cleaned_data["passphrase"],
            caller=caller(request),
            now=clock.now(),
        )
    except DomainError as refusal:
        messages.error(request, f"{refusal.headline} {refusal.detail}")
        return redirect("staff-order-list", upload_id=found.pk)
    response = StreamingHttpResponse(parts, content_type="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="keys.zip"'
    return response


class _Echo:
    """Gives each line back, for the answer that is sent while it is read."""

    def write(self, line: str) -> str:
        return line

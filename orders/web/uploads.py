"""Lists of orders in the console: checked with a report, confirmed, watched, handed out once."""

import csv
import io
import tempfile
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import Permission
from accounts.requests import caller, person, staff_only
from orders import order_sheet, uploads
from orders.models import OrderUpload
from orders.order_sheet import PROBLEMS, Sheet
from orders.sheets import LARGEST_FILE
from portal.core import clock, long_job_progress
from portal.core.errors import DomainError
from portal.core.forms import ActForm, respond
from portal.core.spreadsheets import harmless

SHOWN = 200
LISTS_SHOWN = 20


class UploadForm(ActForm):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV or XLSX, at most 100,000 lines and 20 MB. The first line names the columns."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx,text/csv"}),
    )


class TakeForm(ActForm):
    passphrase = forms.CharField(max_length=40, widget=forms.HiddenInput(attrs={"id": False}))


@staff_only(Permission.ORDERS)
def upload(request: HttpRequest) -> HttpResponse:
    """Check a list. What is wrong with it is said line by line; if nothing is, it waits to be confirmed."""
    form = UploadForm(request.POST or None, request.FILES or None)
    sheet: Sheet | None = None
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            # One byte more than is allowed is enough to know.
            sheet = order_sheet.read(file.read(LARGEST_FILE + 1))
            if not sheet.problems:
                kept = uploads.keep_upload(
                    sheet=sheet,
                    name=file.name,
                    user=person(request),
                    caller=caller(request, key=form.cleaned_data["act_key"]),
                    now=clock.now(),
                )
                return redirect("staff-order-list", upload_id=kept.pk)
        except DomainError as refusal:
            form.refuse(refusal, field="file")
    if sheet is not None and sheet.problems and "report" in request.POST:
        return _report(sheet)
    context = {
        "sheet": sheet,
        "problems": _told(sheet)[:SHOWN] if sheet else [],
        "more": max(len(sheet.problems) - SHOWN, 0) if sheet else 0,
        "lists": OrderUpload.objects.filter(made_by=person(request)).order_by("-made_at")[:LISTS_SHOWN],
    }
    response = respond(request, "staff/order_upload.html", context, form=form)
    if sheet is not None and sheet.problems:
        response.status_code = 409
    return response


@staff_only(Permission.ORDERS)
def one_list(request: HttpRequest, upload_id: Any) -> HttpResponse:
    """A list: to be confirmed, under way, or entered. A POST confirms it, or the delivery of its keys."""
    found = uploads.get_upload(upload_id, user=person(request))
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
    context = {
        "upload": found,
        "job": long_job_progress.progress_of(found.job, now=now) if found.job else None,
        "entered": uploads.is_entered(found),
        "refused": refused[:SHOWN],
        "taken": found.taken_at is not None and now >= found.taken_at + uploads.TAKEN_AGAIN,
        "passphrase": uploads.new_passphrase(),
    }
    return respond(request, "staff/order_list.html", context, form=form)


@staff_only(Permission.ORDERS)
def keys(request: HttpRequest, upload_id: Any) -> HttpResponseBase:
    """The keys of a list as an encrypted ZIP, by POST, with the passphrase that the page showed."""
    found = uploads.get_upload(upload_id, user=person(request))
    form = TakeForm(request.POST or None)
    if not form.is_valid():
        return redirect("staff-order-list", upload_id=found.pk)
    # On disk only when it is large, and encrypted in any case.
    into = tempfile.SpooledTemporaryFile(max_size=5_000_000)  # noqa: SIM115 - the response closes it
    try:
        uploads.take_keys(
            upload=found,
            passphrase=form.cleaned_data["passphrase"],
            into=into,
            caller=caller(request),
            now=clock.now(),
        )
    except DomainError as refusal:
        into.close()
        messages.error(request, f"{refusal.headline} {refusal.detail}")
        return redirect("staff-order-list", upload_id=found.pk)
    into.seek(0)
    return FileResponse(into, as_attachment=True, filename="keys.zip", content_type="application/zip")


def _told(sheet: Sheet) -> list[tuple[int, str, Any]]:
    return [(problem.line, problem.number, PROBLEMS[problem.reason]) for problem in sheet.problems]


def _report(sheet: Sheet) -> HttpResponse:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("line", "order", "reason", "in words"))
    for problem in sheet.problems:
        writer.writerow((problem.line, harmless(problem.number), problem.reason, PROBLEMS[problem.reason]))
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="problems.csv"'
    return response

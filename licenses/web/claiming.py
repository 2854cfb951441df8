"""Claiming a device that is in another project: a code for it to sign, and the file it writes (rule 7)."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from accounts.models import Project
from accounts.queries import OPERATE
from accounts.requests import caller, person, signed_in
from devices.enrollment import HardwareIDMalformed, canonical_hardware_id
from devices.statements import StatementOfAnotherDevice, UnknownDevice
from licenses import claims, uploading
from licenses.web.statement_form import LARGEST_KIB, StatementForm
from licenses.web.statements import tell_of_claim
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, PortalForm, respond


class HardwareIDField(forms.CharField):
    """A hardware ID as people type it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=_("Hardware ID"),
            max_length=64,
            help_text=_("From the type label, like 00-90-33-01-0A-FF. Separators do not matter."),
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
            **options,
        )


class ClaimForm(ActForm):
    hardware_id = HardwareIDField()


class ClaimFileForm(StatementForm):
    hardware_id = HardwareIDField()
    field_order = ("hardware_id", "file", "text")


# It stands beside the form for the code, which has a hardware ID as well.
IDS_OF_FILE_FORM = "id_carried_%s"


@signed_in
def claim(request: HttpRequest, project_id: int) -> HttpResponse:
    """Explain claiming; make a code for the device to sign, and show it this once."""
    user = person(request)
    project = accounts.get_project(project_id=project_id, user=user, right=OPERATE)
    given = {"hardware_id": request.GET.get("hardware_id", "")}
    form = ClaimForm(request.POST or None, initial=given)
    if form.is_valid():
        try:
            made = claims.make_claim_code(
                project=project,
                hardware_id=form.cleaned_data["hardware_id"],
                user=user,
                caller=caller(request, company=project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="hardware_id")
        else:
            wanted = canonical_hardware_id(form.cleaned_data["hardware_id"])
            context = _context(request, project) | {
                "made": made,
                "hardware_id": wanted,
                "file_form": ClaimFileForm(auto_id=IDS_OF_FILE_FORM, initial={"hardware_id": wanted}),
            }
            return render(request, "licenses/claim_code.html", context)
    file_form = ClaimFileForm(auto_id=IDS_OF_FILE_FORM, initial=given)
    return _page(request, project, form, file_form, shown=form)


@signed_in
def hand_in(request: HttpRequest, project_id: int) -> HttpResponse:
    """Take the claim that the device wrote; the form is on the page for claiming."""
    if request.method != "POST":
        return redirect("claim", project_id=project_id)
    user = person(request)
    project = accounts.get_project(project_id=project_id, user=user, right=OPERATE)
    form = ClaimFileForm(request.POST, request.FILES, auto_id=IDS_OF_FILE_FORM)
    if form.is_valid():
        try:
            hardware_id = canonical_hardware_id(form.cleaned_data["hardware_id"])
            uploaded = uploading.take_claim(
                token=form.statement(),
                hardware_id=hardware_id,
                carrier=caller(request, company=project.company),
                now=clock.now(),
            )
        except (HardwareIDMalformed, StatementOfAnotherDevice, UnknownDevice) as refusal:
            form.refuse(refusal, field="hardware_id")
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            assert uploaded.claimed is not None, "nothing but a claim is taken"
            return tell_of_claim(request, uploaded.claimed, hardware_id=hardware_id, project=project)
    return _page(request, project, ClaimForm(), form, shown=form)


def _page(
    request: HttpRequest, project: Project, form: ClaimForm, file_form: ClaimFileForm, *, shown: PortalForm
) -> HttpResponse:
    context = _context(request, project) | {"claim_form": form, "file_form": file_form}
    return respond(request, "licenses/claim.html", context, form=shown)


def _context(request: HttpRequest, project: Project) -> dict[str, Any]:
    return {
        "project": project,
        "is_member": accounts.is_member(company=project.company, user=person(request)),
        "largest_kib": LARGEST_KIB,
    }

"""What is done on a device's page: assigning and undoing, and downloading the license document as a file."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.queries import OPERATE
from accounts.requests import caller, person, signed_in
from devices import queries as devices
from devices.models import Device
from licenses import assignment, delivery, ledger, queries
from licenses.handout import Bundle
from licenses.web import device_page
from licenses.web.device_page import AssignForm
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm


@signed_in
def device(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """What the device holds, its document and its history."""
    user = person(request)
    return device_page.show(request, devices.get_device(hardware_id=hardware_id, user=user), user)


@signed_in
def assign(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """Assign licenses from the project's balance; the form is on the device's page."""
    if request.method != "POST":
        return redirect("device", hardware_id=hardware_id)
    user = person(request)
    device = devices.get_device(hardware_id=hardware_id, user=user, right=OPERATE)
    form = AssignForm(request.POST)
    if form.is_valid():
        code, version = form.cleaned_data["product"]
        try:
            done = assignment.assign(
                device=device,
                product=queries.get_product(code=code, version=version),
                quantity=form.cleaned_data["quantity"],
                caller=caller(request, company=device.project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except (ledger.InsufficientLicenses, ledger.QuantityOutOfRange) as refusal:
            form.refuse(refusal, field="quantity")
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(
                request,
                _("%(quantity)s × %(product)s assigned. They are in the license document with seq %(seq)s.")
                % {
                    "quantity": done.grant.quantity,
                    "product": done.grant.product,
                    "seq": done.document.seq,
                },
            )
            # Else the browser would keep the form's "#assign" and scroll past the message.
            return redirect(f"{reverse('device', args=[device.hardware_id])}#main")
    return device_page.show(request, device, user, assigning=form)


@signed_in
def undo(request: HttpRequest, hardware_id: str, grant_id: str) -> HttpResponse:
    """Undo an assignment that no document handed out has carried (mission rule 12)."""
    if request.method != "POST":
        return redirect("device", hardware_id=hardware_id)
    user = person(request)
    device = devices.get_device(hardware_id=hardware_id, user=user, right=OPERATE)
    grant = queries.get_grant(grant_id=grant_id, device=device)
    form = ActForm(request.POST)
    if form.is_valid():
        try:
            done = assignment.undo_assignment(
                grant=grant,
                caller=caller(request, company=device.project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(
                request,
                _("Undone: %(quantity)s × %(product)s are back in the balance of the project.")
                % {"quantity": done.grant.quantity, "product": done.grant.product},
            )
            return redirect("device", hardware_id=device.hardware_id)
    return device_page.show(request, device, user, refused=form)


@signed_in
def download(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """The `.lic` file: the signed bytes as they are stored (trust.md 4)."""
    if request.method != "POST":
        return redirect("device", hardware_id=hardware_id)
    user = person(request)
    device = devices.get_device(hardware_id=hardware_id, user=user, right=OPERATE)
    form = ActForm(request.POST)
    if form.is_valid():
        try:
            bundle = delivery.download(
                device=device,
                caller=caller(request, company=device.project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return as_file(bundle, device)
    return device_page.show(request, device, user, refused=form)


def as_file(bundle: Bundle, device: Device) -> HttpResponse:
    """The bundle as a `.lic` file that the browser saves."""
    response = HttpResponse(bundle.content, content_type="application/json")
    file_name = f"{device.hardware_id}-{bundle.seq}.lic"
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response.headers["Cache-Control"] = "no-store"
    return response

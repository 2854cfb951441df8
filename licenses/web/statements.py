"""Handing in what a device signed, and what came of a return (mission rules 16 to 19)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import queries as accounts
from accounts.models import Project
from accounts.queries import OPERATE
from accounts.requests import caller, person, signed_in
from devices import queries as devices
from devices.models import Device
from devices.queries import NoSuchDevice
from licenses import queries, uploading
from licenses.claims import Result
from licenses.queries import NoSuchReturn
from licenses.uploading import Uploaded
from licenses.web import device_page
from licenses.web.statement_form import StatementForm
from portal.core import clock
from portal.core.errors import DomainError


@signed_in
def upload(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """Take a return, an acknowledgement or a claim; the form is on the device's page."""
    if request.method != "POST":
        return redirect("device", hardware_id=hardware_id)
    user = person(request)
    device = devices.get_device(hardware_id=hardware_id, user=user, right=OPERATE)
    form = StatementForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            uploaded = uploading.take_file(
                token=form.statement(),
                hardware_id=device.hardware_id,
                # The act is the device's and has its name: a file that is sent twice has one effect.
                carrier=caller(request, company=device.project.company),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            return _tell(request, uploaded, device)
    return device_page.show(request, device, user, carrying=form)


@signed_in
def returned(request: HttpRequest, hardware_id: str, jti: str) -> HttpResponse:
    """What came of a return, grant by grant, and what to do next."""
    user = person(request)
    device = devices.get_device(hardware_id=hardware_id, user=user)
    record = queries.get_return(jti=jti, device=device)
    acknowledged = queries.acknowledged(device)
    right = accounts.right_in(project=device.project, user=user)
    context = {
        "device": device,
        "project": device.project,
        "is_member": accounts.is_member(company=device.project.company, user=user),
        "can_operate": accounts.reaches(right, needed=OPERATE),
        "record": record,
        "given_back": any(result.outcome == "returned" for result in record.results),
        "arrived": acknowledged is not None and acknowledged.installed_seq >= record.next_seq,
    }
    return render(request, "licenses/returned.html", context)


def tell_of_claim(
    request: HttpRequest, result: Result, *, hardware_id: str, project: Project
) -> HttpResponse:
    """Say what came of a claim, on the device's page if the device is where the person may see it.

    :param project: to whose page to lead otherwise.
    """
    if result == "changed":
        messages.success(
            request,
            _("The device %(hardware_id)s has proven itself, and is now in the project that claimed it.")
            % {"hardware_id": hardware_id},
        )
    else:
        messages.warning(
            request,
            _(
                "The device %(hardware_id)s has proven itself, but it still holds licenses of its present "
                "project. Support will look at it; it is quicker if they are given back first."
            )
            % {"hardware_id": hardware_id},
        )
    try:
        devices.get_device(hardware_id=hardware_id, user=person(request))
    except NoSuchDevice:
        return redirect("project", project_id=project.pk)
    return redirect(f"{reverse('device', args=[hardware_id])}#main")


def _tell(request: HttpRequest, uploaded: Uploaded, device: Device) -> HttpResponse:
    if uploaded.claimed is not None:
        return tell_of_claim(
            request, uploaded.claimed, hardware_id=device.hardware_id, project=device.project
        )
    if uploaded.acknowledged is not None:
        messages.success(
            request,
            _("The device has said: seq %(installed)s is installed, seq %(effective)s is in effect.")
            % {
                "installed": uploaded.acknowledged.installed_seq,
                "effective": uploaded.acknowledged.effective_seq,
            },
        )
    elif uploaded.returned is not None:
        try:
            record = queries.get_return(jti=uploaded.returned.jti, device=device)
        except NoSuchReturn:
            messages.info(
                request, _("This return was taken before the device came into this project. Nothing changed.")
            )
        else:
            return redirect("device-return", hardware_id=device.hardware_id, jti=record.jti)
    # Else the browser would keep the form's "#files" and scroll past the message.
    return redirect(f"{reverse('device', args=[device.hardware_id])}#main")

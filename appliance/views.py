"""The device's page General/License: each view makes one call on the device and says what came of it."""

import os
from collections.abc import Callable
from pathlib import Path

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from appliance import acknowledging
from appliance.bundle import MAX_BYTES
from appliance.device import Device
from appliance.fetching import fetch
from appliance.refusals import Refusal
from appliance.result import Result
from appliance.serving import HOME_VARIABLE
from appliance.status import Status
from appliance.wording import license_state, moment, result_sentences


@never_cache
@require_GET
def general_license(request: HttpRequest) -> HttpResponse:
    """Show what is installed and in effect."""
    try:
        status = _device().status()
    except Refusal as refusal:
        return render(request, "appliance/broken.html", {"refusal": refusal}, status=503)
    return render(request, "appliance/license.html", _page(status))


@never_cache
@require_POST
def fetch_licenses(request: HttpRequest) -> HttpResponse:
    """Fetch from the portal."""
    return _act(request, fetch)


@never_cache
@require_POST
def install_file(request: HttpRequest) -> HttpResponse:
    """Install a license file from the administrator's computer."""
    file = request.FILES.get("file")

    def install(device: Device) -> Result:
        if file is None or file.size is None:
            raise Refusal("malformed", "no file was chosen")
        if file.size > MAX_BYTES:
            raise Refusal("too-large")
        return device.install(file.read())

    return _act(request, install)


@never_cache
@require_POST
def reset(request: HttpRequest) -> HttpResponse:
    """Bring what is installed into effect."""
    return _act(request, acknowledging.reset)


@never_cache
@require_GET
def download(request: HttpRequest) -> HttpResponse:
    """Give the installed bundle as a file."""
    try:
        device = _device()
        bundle = device.installed_bundle()
    except Refusal as refusal:
        messages.error(request, str(refusal), extra_tags=refusal.code)
        return redirect("license")
    name = f"{device.home.identity.hardware_id}.lic"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(bundle, content_type="application/json", headers=headers)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that did not come from this page."""
    return render(request, "appliance/forged.html", {"reason": reason}, status=403)


def _act(request: HttpRequest, act: Callable[[Device], Result]) -> HttpResponse:
    try:
        device = _device()
        result = act(device)
        for sentence in result_sentences(result, device.status()):
            messages.success(request, gettext(sentence), extra_tags=result.outcome)
    except Refusal as refusal:
        messages.error(request, str(refusal), extra_tags=refusal.code)
    return redirect("license")


def _device() -> Device:
    return Device(Path(os.environ[HOME_VARIABLE]))


def _page(status: Status) -> dict[str, object]:
    rows = [
        {
            "license": entry,
            "end": moment(entry.expires_at),
            "words": license_state(entry),
            "light": "on" if entry.state == "in-effect" else entry.waiting,
        }
        for entry in status.licenses
    ]
    due = moment(status.reset_due) if status.reset_due is not None else ""
    return {"status": status, "rows": rows, "due": due, "time": moment(status.time)}

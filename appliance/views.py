"""The device's page General/License: each view makes one call on the device and says what came of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from appliance import acknowledging, page
from appliance.bundle import MAX_BYTES
from appliance.device import Device
from appliance.fetching import fetch
from appliance.refusals import Refusal
from appliance.result import Result
from appliance.status import GivenBack, Status
from appliance.wording import fate, given_back, license_state, moment


@never_cache
@require_GET
def general_license(request: HttpRequest) -> HttpResponse:
    """Show what is installed and in effect, and what goes on between the device and its portal."""
    try:
        status = page.device().status()
    except Refusal as refusal:
        return render(request, "appliance/broken.html", {"refusal": refusal}, status=503)
    return render(request, "appliance/license.html", _page(status))


@never_cache
@require_POST
def fetch_licenses(request: HttpRequest) -> HttpResponse:
    """Fetch from the portal."""
    return page.act(request, fetch)


@never_cache
@require_POST
def install_file(request: HttpRequest) -> HttpResponse:
    """Install a license file from the administrator's computer, chosen, dropped or pasted."""
    file, text = request.FILES.get("file"), request.POST.get("text", "").strip()

    def install(device: Device) -> Result:
        if file is None or file.size is None:
            if not text:
                raise Refusal("malformed", "no file was chosen, and no text was pasted")
            return device.install(text.encode())
        if file.size > MAX_BYTES:
            raise Refusal("too-large")
        return device.install(file.read())

    return page.act(request, install)


@never_cache
@require_POST
def reset(request: HttpRequest) -> HttpResponse:
    """Bring what is installed into effect."""
    return page.act(request, acknowledging.reset)


@never_cache
@require_GET
def download(request: HttpRequest) -> HttpResponse:
    """Give the installed bundle as a file."""
    try:
        device = page.device()
        bundle = device.installed_bundle()
    except Refusal as refusal:
        page.refused(request, refusal)
        return redirect("license")
    name = f"{device.home.identity.hardware_id}.lic"
    return page.attachment(bundle, name=name, content_type="application/json")


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that did not come from this page."""
    return render(request, "appliance/forged.html", {"reason": reason}, status=403)


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
    waiting, receipt = status.waiting_return, status.last_receipt
    return {
        "status": status,
        "limit": MAX_BYTES,
        "rows": rows,
        "due": moment(status.reset_due) if status.reset_due is not None else "",
        "time": moment(status.time),
        "waiting": [given_back(entry) for entry in waiting.licenses] if waiting else [],
        "receipt": [_answered(entry) for entry in receipt.licenses] if receipt else [],
        "receipt_time": moment(receipt.issued_at) if receipt else "",
    }


def _answered(entry: GivenBack) -> dict[str, str]:
    return {"license": given_back(entry), "fate": fate(entry)}

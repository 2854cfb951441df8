"""The device's page General/License: each view makes one call on the device and says what came of it."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from appliance import acknowledging, page
from appliance.bundle import MAX_BYTES
from appliance.device import Device
from appliance.fetching import fetch
from appliance.operating import Work
from appliance.pending import ALL
from appliance.refusals import Refusal
from appliance.result import Result
from appliance.status import GivenBack, effect_of_leaving
from appliance.wording import CLASSES, TEST_MODE_ON, fate, given_back, license_state, moment

PAGES_TO_COME_BACK_TO = frozenset({"license", "check-up", "gateway", "pbx", "objects"})


@never_cache
@require_GET
def general_license(request: HttpRequest) -> HttpResponse:
    """Show what is installed and in effect, and what goes on between the device and its portal."""
    return page.show(request, "appliance/license.html", _license, place="license")


@never_cache
@require_POST
def fetch_licenses(request: HttpRequest) -> HttpResponse:
    """Fetch from the portal."""
    return page.act(request, fetch, to=_back(request))


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
    """Restart the device: calls and test mode end, and what is installed comes into effect."""
    return page.act(request, acknowledging.reset, to=_back(request))


@never_cache
@require_GET
def confirm_deletion(request: HttpRequest) -> HttpResponse:
    """Say what deleting will do, before anything is done."""
    everything, ids = "all" in request.GET, request.GET.getlist("grant")

    def make(work: Work) -> dict[str, object]:
        if not everything and not ids:
            raise Refusal("nothing-chosen")
        # What the installed document no longer lists leaves at the reset anyway.
        listed = [entry for entry in work.status.licenses if not entry.leaves_at_reset]
        chosen = [entry for entry in listed if everything or entry.id in ids]
        if not chosen:
            raise Refusal("nothing-installed" if everything else "not-installed")
        leaving = {entry.id for entry in chosen}
        return {
            "everything": everything,
            "chosen": chosen,
            "effects": effect_of_leaving(work.status.licenses, leaving),
        }

    return page.show(request, "appliance/delete.html", make, place="license")


@never_cache
@require_POST
def delete(request: HttpRequest) -> HttpResponse:
    """Take what was confirmed out of the device at the next reset."""
    chosen: Sequence[str] = ALL if "all" in request.POST else request.POST.getlist("grant")
    return page.act(request, lambda device: Result(device.delete(chosen)))


@never_cache
@require_POST
def test_mode(request: HttpRequest) -> HttpResponse:
    """Switch test mode on, or off again, which resets the device."""

    def switch(device: Device) -> Result | str:
        if request.POST.get("switch") == "off":
            return acknowledging.end_test_mode(device)
        device.begin_test_mode()
        return TEST_MODE_ON

    return page.act(request, switch, to=_back(request))


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


def _back(request: HttpRequest) -> str:
    """Return the name of the page that the form was on."""
    place = request.POST.get("place", "")
    return place if place in PAGES_TO_COME_BACK_TO else "license"


def _license(work: Work) -> dict[str, object]:
    status = work.status
    rows = [
        {
            "license": entry,
            "kind": CLASSES[entry.license_class],
            "end": moment(entry.expires_at),
            "words": license_state(entry),
            "light": "on" if entry.state == "in-effect" else entry.waiting,
        }
        for entry in status.licenses
    ]
    waiting, receipt = status.waiting_return, status.last_receipt
    return {
        "limit": MAX_BYTES,
        "rows": rows,
        "time": moment(status.time),
        "waiting": [given_back(entry) for entry in waiting.licenses] if waiting else [],
        "receipt": [_answered(entry) for entry in receipt.licenses] if receipt else [],
        "receipt_time": moment(receipt.issued_at) if receipt else "",
    }


def _answered(entry: GivenBack) -> dict[str, str]:
    return {"license": given_back(entry), "fate": fate(entry)}

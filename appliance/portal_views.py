"""The part of the page that speaks to the portal for the device: giving back, acknowledging, claiming."""

from collections.abc import Callable, Sequence
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from appliance import page
from appliance.acknowledging import acknowledge, acknowledgement_file
from appliance.claiming import claim, claim_file
from appliance.device import Device
from appliance.operating import Work
from appliance.pending import ALL
from appliance.refusals import Refusal
from appliance.result import Result
from appliance.returning import begin_return_file, give_back, return_file, send_return
from appliance.returns import read_grants
from appliance.status import Status, effect_of_leaving
from appliance.wording import CLAIMED, RETURN_WAITS, TOLD

BY_FILE: Final = "file"
_MAX_DIGITS: Final = 16


@never_cache
@require_GET
def confirm_return(request: HttpRequest) -> HttpResponse:
    """Say what giving back will do, before anything is done."""

    def make(work: Work) -> dict[str, object]:
        grants = _grants(request.GET.getlist("grant"), everything="all" in request.GET)
        return _confirmation(work.status, grants)

    return page.show(request, "appliance/return.html", make, place="license")


@never_cache
@require_POST
def return_licenses(request: HttpRequest) -> HttpResponse:
    """Give back what was confirmed: send it, or keep it as a file to be carried."""
    posted = request.POST

    def give(device: Device) -> Result | str:
        grants = _grants(posted.getlist("grant"), everything="all" in posted)
        min_seq = _min_seq(posted.get("min_seq", "")) if grants == ALL else None
        if posted.get("way") == BY_FILE:
            begin_return_file(device, grants, min_seq=min_seq)
            return RETURN_WAITS
        return give_back(device, grants, min_seq=min_seq)

    return page.act(request, give)


@never_cache
@require_POST
def send_waiting_return(request: HttpRequest) -> HttpResponse:
    """Send the return that waits once more."""
    return page.act(request, send_return)


@never_cache
@require_GET
def download_return(request: HttpRequest) -> HttpResponse:
    """Give the return that waits as a file: the same payload each time, so that a GET changes nothing."""
    return _statement(request, "return", return_file)


@never_cache
@require_POST
def tell_portal(request: HttpRequest) -> HttpResponse:
    """Tell the portal what is installed and in effect, or give it as a file."""
    if request.POST.get("way") == BY_FILE:
        return _statement(request, "acknowledgement", acknowledgement_file)

    def tell(device: Device) -> str:
        acknowledge(device)
        return TOLD

    return page.act(request, tell)


@never_cache
@require_POST
def claim_device(request: HttpRequest) -> HttpResponse:
    """Sign a claim code, and send it or give it as a file."""
    code = request.POST.get("code", "")
    if request.POST.get("way") == BY_FILE:
        return _statement(request, "claim", lambda device: claim_file(device, code))
    return page.act(request, lambda device: CLAIMED[claim(device, code)])


def _grants(ids: Sequence[str], *, everything: bool) -> tuple[str, ...]:
    return ALL if everything else read_grants(ids)


def _min_seq(text: str) -> int | None:
    typed = text.strip()
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) <= _MAX_DIGITS and int(typed)):
        raise Refusal("min-seq-out-of-range", f"{typed[:_MAX_DIGITS]} is not a number")
    return int(typed)


def _confirmation(status: Status, grants: tuple[str, ...]) -> dict[str, object]:
    everything = grants == ALL
    chosen = [entry for entry in status.licenses if everything or entry.id in grants]
    held = {entry.id for entry in chosen}
    returning = [entry for entry in chosen if entry.returnable or entry.license_class != "bought"]
    return {
        "everything": everything,
        "grants": () if everything else grants,
        "returning": returning,
        "staying": [entry for entry in chosen if entry not in returning],
        "unknown": [] if everything else [name for name in grants if name not in held],
        "effects": effect_of_leaving(status.licenses, {entry.id for entry in returning}),
    }


def _statement(request: HttpRequest, kind: str, sign: Callable[[Device], bytes]) -> HttpResponse:
    try:
        device = page.device()
        statement = sign(device)
    except Refusal as refusal:
        page.refused(request, refusal)
        return redirect("license")
    name = f"{device.home.identity.hardware_id}-{kind}.jws"
    return page.attachment(statement, name=name, content_type=page.JOSE)

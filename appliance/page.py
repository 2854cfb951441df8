"""What every part of the device's page does: find the device, do one act, and tell what came of it."""

import os
from collections.abc import Callable
from pathlib import Path

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from appliance.device import Device
from appliance.refusals import Refusal
from appliance.result import Result
from appliance.returning import ReturnWaits
from appliance.serving import HOME_VARIABLE
from appliance.wording import CONFIRMED, RETURN_WAITS, UNTOLD, outcome_sentence

JOSE = "application/jose"


def device() -> Device:
    """Return the device whose page this is.

    :raises Refusal: `no-home`, and whatever says that the home is damaged.
    """
    return Device(Path(os.environ[HOME_VARIABLE]))


def act(request: HttpRequest, act_on: Callable[[Device], Result | str]) -> HttpResponse:
    """Do one act, and lead back to the page with a notice of what it came to.

    :param act_on: returns what the device's own acts return, or a sentence of success.
    """
    try:
        here = device()
        _tell(request, here, act_on(here))
    except Refusal as refusal:
        refused(request, refusal)
    except ReturnWaits as waits:
        refused(request, waits.reason)
        messages.warning(request, gettext(RETURN_WAITS), extra_tags="return-waits")
    return redirect("license")


def refused(request: HttpRequest, refusal: Refusal) -> None:
    """Put a refusal among the notices of the next page."""
    messages.error(request, str(refusal), extra_tags=refusal.code)


def attachment(data: bytes, *, name: str, content_type: str) -> HttpResponse:
    """Return a file to be kept on the administrator's computer."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(data, content_type=content_type, headers=headers)


def _tell(request: HttpRequest, here: Device, done: Result | str) -> None:
    if isinstance(done, str):
        messages.success(request, gettext(done), extra_tags="done")
        return
    if done.receipt is not None:
        messages.success(request, gettext(CONFIRMED), extra_tags="receipt")
    messages.success(request, gettext(outcome_sentence(done.outcome, here.status())), extra_tags=done.outcome)
    for refusal in done.refused:
        refused(request, refusal)
    if done.untold is not None:
        messages.info(request, gettext(UNTOLD), extra_tags="untold")

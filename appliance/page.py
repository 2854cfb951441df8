"""What every page of the device does: find the device, do one act, tell what came of it, show it."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from appliance.device import Device
from appliance.operating import Work
from appliance.refusals import Refusal
from appliance.result import Result
from appliance.returning import ReturnWaits
from appliance.serving import HOME_VARIABLE
from appliance.status import Status
from appliance.wording import CONFIRMED, RETURN_WAITS, UNTOLD, duration, moment, outcome_sentence

JOSE = "application/jose"


def device() -> Device:
    """Return the device whose page this is.

    :raises Refusal: `no-home`, and whatever says that the home is damaged.
    """
    return Device(Path(os.environ[HOME_VARIABLE]))


def show(
    request: HttpRequest, template: str, make: Callable[[Work], Mapping[str, object]], *, place: str
) -> HttpResponse:
    """Show a page of the device as it is now.

    :param make: makes the context; what it refuses leads to the first page.
    :param place: the name of the page in the navigation.
    """
    try:
        work = device().work()
    except Refusal as refusal:
        return render(request, "appliance/broken.html", {"refusal": refusal}, status=503)
    try:
        context = make(work)
    except Refusal as refusal:
        refused(request, refusal)
        return redirect("license")
    return render(request, template, {**_frame(work.status), "place": place, **context})


def act(
    request: HttpRequest,
    act_on: Callable[[Device], Result | str],
    *,
    to: str = "license",
    object_id: int | None = None,
) -> HttpResponse:
    """Do one act, and lead to a page with a notice of what it came to.

    :param act_on: returns what the device's own acts return, or a sentence of success.
    :param to: the name of the page that is shown then, that of an object if `object_id` is given.
    """
    try:
        here = device()
        _tell(request, here, act_on(here))
    except Refusal as refusal:
        refused(request, refusal)
    except ReturnWaits as waits:
        refused(request, waits.reason)
        messages.warning(request, gettext(RETURN_WAITS), extra_tags="return-waits")
    return redirect(to) if object_id is None else redirect(to, object_id)


def refused(request: HttpRequest, refusal: Refusal) -> None:
    """Put a refusal among the notices of the next page."""
    messages.error(request, str(refusal), extra_tags=refusal.code)


def attachment(data: bytes, *, name: str, content_type: str) -> HttpResponse:
    """Return a file to be kept on the administrator's computer."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(data, content_type=content_type, headers=headers)


def _frame(status: Status) -> dict[str, object]:
    left = status.test_mode_left
    return {
        "status": status,
        "due": moment(status.reset_due) if status.reset_due is not None else "",
        "test_mode": duration(left) if left is not None else "",
        "light": "waiting" if status.reset_required or left is not None else "on",
    }


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

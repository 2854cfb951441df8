"""A device's new certificate: what it is, what accepting it does, and the two people that it takes."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.permissions import Permission
from accounts.requests import caller, person, staff_only
from devices import new_keys, queries
from devices.models import NewKey
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ReasonForm, respond


@staff_only(Permission.LOOK, change=Permission.ACCEPT_CERTIFICATE)
def new_key(request: HttpRequest, hardware_id: str, key_hash: str) -> HttpResponse:
    """One key that spoke for a device and is not its own; a POST accepts it, or drops what one accepted."""
    device = queries.find_device(hardware_id)
    seen = queries.get_other_key(device, key_hash)
    form = ReasonForm(request.POST or None)
    drops = request.POST.get("do") == "drop"
    if form.is_valid():
        act = new_keys.drop_key if drops else new_keys.accept_key
        who = caller(request, key=form.cleaned_data["act_key"], reason=form.cleaned_data["reason"])
        try:
            done = act(device=device, key_hash=seen.subject, caller=who, now=clock.now())
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _said(done))
            return redirect("staff-device", device.hardware_id)
    device = queries.find_device(hardware_id)
    waiting = queries.waiting_key(device)
    blocked = queries.get_blocked_key(bytes.fromhex(seen.subject))
    is_pinned = device.pinned_spki is not None and bytes(device.pinned_spki).hex() == seen.subject
    context = {
        "device": device,
        "seen": seen,
        "valid_from": datetime.fromisoformat(seen.facts["valid_from"]),
        "valid_until": datetime.fromisoformat(seen.facts["valid_until"]),
        "waiting": waiting,
        "blocked": blocked,
        "is_pinned": is_pinned,
        "earlier": [
            one
            for one in queries.new_keys_of(device)
            if one.state != NewKey.State.WAITS and bytes(one.spki_sha256).hex() == seen.subject
        ],
        **_may(request, waiting, can_be_accepted=not blocked and not is_pinned),
    }
    return respond(request, "staff/new_key.html", context, form=form)


def _may(request: HttpRequest, waiting: NewKey | None, *, can_be_accepted: bool) -> dict[str, bool]:
    """What the reader may do here: accept as the first or the second one, and drop."""
    user = person(request)
    has = user.staff_permissions
    if Permission.ACCEPT_CERTIFICATE not in has:
        return {"may_accept": False, "may_drop": False}
    second = waiting is not None and waiting.asked_by_id != user.pk and Permission.SECOND_PERSON in has
    return {
        "may_accept": can_be_accepted and (waiting is None or second),
        "may_drop": waiting is not None,
    }


def _said(done: NewKey) -> str:
    if done.state == NewKey.State.WAITS:
        return _("Your name is noted. The new certificate takes a second person.")
    if done.state == NewKey.State.DROPPED:
        return _("The new certificate was not accepted. The device is known by the key that it had.")
    return _("The device is known by its new certificate from now on.")

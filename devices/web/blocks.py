"""Devices and keys that are not listened to: blocking and unblocking (the list: support.web.blocked)."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.permissions import Permission
from accounts.requests import caller, staff_only
from devices import blocking, queries
from devices.blocking import DeviceBlockedAlready, DeviceKeyBlockedAlready, KeyHashMalformed
from devices.queries import NoSuchDevice
from portal.core import clock
from portal.core.acts import Caller
from portal.core.errors import DomainError
from portal.core.forms import ReasonForm, respond


class BlockDeviceForm(ReasonForm):
    device = forms.CharField(
        label=gettext_lazy("Hardware ID"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"class": "mono", "autocomplete": "off", "placeholder": "00-90-33-01-0A-FF"}
        ),
    )
    field_order = ["device", "reason"]


class BlockKeyForm(ReasonForm):
    key = forms.CharField(
        label=gettext_lazy("SHA-256 of the public key"),
        max_length=200,
        help_text=gettext_lazy("64 digits and letters from a to f; colons and blanks do not matter."),
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ["key", "reason"]


@staff_only(Permission.BLOCK)
def block_device(request: HttpRequest) -> HttpResponse:
    """Step one shows which device it is and what blocking does; step two, with `confirm`, blocks it."""
    form = BlockDeviceForm(request.POST or None, initial={"device": request.GET.get("device", "")})
    if form.is_valid():
        try:
            device = queries.find_device(form.cleaned_data["device"])
            if "confirm" in request.POST:
                blocking.block_device(device=device, caller=_caller(request, form), now=clock.now())
        except DomainError as refusal:
            named = isinstance(refusal, NoSuchDevice | DeviceBlockedAlready)
            form.refuse(refusal, field="device" if named else None)
        else:
            if "confirm" in request.POST:
                messages.success(request, _("The device %(device)s is blocked.") % {"device": device})
                return redirect("staff-blocks")
            return respond(request, "staff/block_device_confirm.html", {"device": device}, form=form)
    return respond(request, "staff/block_device.html", {}, form=form)


@staff_only(Permission.BLOCK)
def block_key(request: HttpRequest) -> HttpResponse:
    """Block a public key, whichever hardware ID its certificates name."""
    form = BlockKeyForm(request.POST or None, initial={"key": request.GET.get("key", "")})
    if form.is_valid():
        try:
            blocking.block_key(
                key_hash=form.cleaned_data["key"], caller=_caller(request, form), now=clock.now()
            )
        except DomainError as refusal:
            named = isinstance(refusal, KeyHashMalformed | DeviceKeyBlockedAlready)
            form.refuse(refusal, field="key" if named else None)
        else:
            messages.success(request, _("The key is blocked."))
            return redirect("staff-blocks")
    return respond(request, "staff/block_key.html", {}, form=form)


@staff_only(Permission.BLOCK)
def unblock_device(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """Say who blocked the device and why; a POST with a reason unblocks it."""
    device = queries.find_device(hardware_id)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        try:
            blocking.unblock_device(device=device, caller=_caller(request, form), now=clock.now())
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The device %(device)s is listened to again.") % {"device": device})
            return redirect("staff-blocks")
    why = queries.blockings([device]).get(device.hardware_id) if device.blocked_at else None
    return respond(request, "staff/unblock_device.html", {"device": device, "why": why}, form=form)


@staff_only(Permission.BLOCK)
def unblock_key(request: HttpRequest, key_hash: str) -> HttpResponse:
    """Say who blocked the key and why; a POST with a reason unblocks it."""
    form = ReasonForm(request.POST or None)
    sha256 = blocking.read_key_hash(key_hash)
    if form.is_valid():
        try:
            blocking.unblock_key(key_hash=key_hash, caller=_caller(request, form), now=clock.now())
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("Certificates of the key count again."))
            return redirect("staff-blocks")
    context = {"key_hash": sha256.hex(), "key": queries.get_blocked_key(sha256)}
    return respond(request, "staff/unblock_key.html", context, form=form)


def _caller(request: HttpRequest, form: ReasonForm) -> Caller:
    return caller(request, key=form.cleaned_data["act_key"], reason=form.cleaned_data["reason"])

"""Everything that is blocked, on one page: by whom, when, why, and the way to unblock it."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy

from accounts.permissions import Permission
from accounts.requests import person, staff_only
from devices import queries as devices
from support import blocked

MOST_SHOWN = 200
KINDS = {
    "devices": gettext_lazy("Devices"),
    "certificates": gettext_lazy("Keys of devices, and their certificates"),
    "activation-keys": gettext_lazy("Activation keys"),
    "people": gettext_lazy("People"),
}


class KindForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("Show"),
        required=False,
        choices=[("", gettext_lazy("Everything")), *KINDS.items()],
    )


@staff_only(Permission.LOOK)
def blocks(request: HttpRequest) -> HttpResponse:
    """What is blocked; one kind of it, if one is asked for."""
    form = KindForm(request.GET)
    kind = form.cleaned_data["kind"] if form.is_valid() else ""
    wanted = [kind] if kind else list(KINDS)
    found = {
        "devices": devices.blocked_devices(),
        "certificates": devices.blocked_keys(),
        "activation-keys": blocked.activation_keys(),
        "people": blocked.people(),
    }
    shown: dict[str, list[Any]] = {one: list(found[one][:MOST_SHOWN]) for one in wanted}
    context: dict[str, Any] = {
        "form": form,
        "wanted": wanted,
        "may": person(request).staff_permissions,
    }
    context["more"] = any(found[one].count() > MOST_SHOWN for one in wanted if len(shown[one]) == MOST_SHOWN)
    if "devices" in wanted:
        why = devices.blockings(shown["devices"])
        context["devices"] = [(one, why.get(one.hardware_id)) for one in shown["devices"]]
    if "certificates" in wanted:
        context["keys"] = [(bytes(one.spki_sha256).hex(), one) for one in shown["certificates"]]
    if "activation-keys" in wanted:
        of_keys = blocked.why_keys(shown["activation-keys"])
        context["activation_keys"] = [(one, of_keys.get(one.pk)) for one in shown["activation-keys"]]
    if "people" in wanted:
        of_people = blocked.why_people(shown["people"])
        context["people"] = [(one, of_people.get(one.pk)) for one in shown["people"]]
    return render(request, "staff/blocks.html", context)

"""Adding many devices from a pasted list: checked line by line first, added when that is confirmed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy, ngettext

from accounts import queries as accounts
from accounts.queries import OPERATE
from accounts.requests import caller, person, signed_in
from licenses import adding
from licenses.web import pasted
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, respond


class DeviceListForm(ActForm):
    devices = forms.CharField(
        label=gettext_lazy("Devices"),
        max_length=100_000,
        help_text=gettext_lazy(
            "One a line: the hardware ID, and a name behind a comma, semicolon, tab or blank if you like. "
            "Columns of a spreadsheet can be pasted as they are."
        ),
        widget=forms.Textarea(
            attrs={
                "rows": 10,
                "autocomplete": "off",
                "spellcheck": "false",
                "class": "mono",
                "placeholder": "00-90-33-01-0A-FF; City hospital",
            }
        ),
    )


@signed_in
def add_many(request: HttpRequest, project_id: int) -> HttpResponse:
    """Step one says what is wrong with which line; step two, with `confirm`, adds the devices."""
    user = person(request)
    project = accounts.get_project(project_id=project_id, user=user, right=OPERATE)
    form = DeviceListForm(request.POST or None)
    context: dict[str, Any] = {
        "project": project,
        "is_member": accounts.is_member(company=project.company, user=user),
        "most": adding.MOST_DEVICES,
    }
    if form.is_valid():
        lines = pasted.read(form.cleaned_data["devices"])
        listed = [(line.hardware_id, line.name) for line in lines]
        try:
            if "confirm" in request.POST:
                added = adding.add_devices(
                    project=project,
                    listed=listed,
                    caller=caller(request, company=project.company, key=form.cleaned_data["act_key"]),
                    now=clock.now(),
                )
                told = ngettext("%(count)s device added.", "%(count)s devices added.", added)
                messages.success(request, told % {"count": added})
                return redirect("project", project_id=project.pk)
            adding.require_list(listed)
        except DomainError as refusal:
            form.refuse(refusal, field="devices")
        else:
            checked = adding.check_devices(project=project, listed=listed)
            good = [(device.hardware_id, device.name) for device in checked if device.refusal is None]
            context |= {
                "wrong": [
                    (line.number, device)
                    for line, device in zip(lines, checked, strict=True)
                    if device.refusal is not None
                ],
                "good": good,
                "list": pasted.write(good),
            }
            return respond(request, "licenses/add_many_confirm.html", context, form=form)
    return respond(request, "licenses/add_many.html", context, form=form)

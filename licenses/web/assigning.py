"""Assigning to many devices of a project at once: what would change on each is shown before anything does."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from accounts.models import Project
from accounts.queries import OPERATE
from accounts.requests import caller, person, signed_in
from devices import queries as devices
from devices.hardware_id import NotAHardwareID, parse
from devices.models import Device
from licenses import assignment, device_lists, ledger, queries
from licenses.web import pasted
from licenses.web.products import ProductField
from licenses.web.projects import chosen
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, respond


class AssignManyForm(ActForm):
    devices = forms.CharField(
        label=gettext_lazy("Devices"),
        max_length=20_000,
        help_text=gettext_lazy("One hardware ID a line; what stands behind it does not matter."),
        widget=forms.Textarea(
            attrs={"rows": 8, "autocomplete": "off", "spellcheck": "false", "class": "mono"}
        ),
    )
    product = ProductField(label=gettext_lazy("Product"))
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity for each device"),
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "min": 1}),
    )
    project: Project

    def clean_devices(self) -> list[Device]:
        """The devices that are listed, each once; the lines that name none of the project are told."""
        wanted: dict[str, int] = {}
        wrong: list[tuple[int, str]] = []
        for line in pasted.read(self.cleaned_data["devices"]):
            try:
                wanted.setdefault(parse(line.hardware_id), line.number)
            except NotAHardwareID:
                wrong.append((line.number, line.hardware_id))
        found = devices.devices_named(wanted, project=self.project)
        known = {device.hardware_id for device in found}
        wrong += [(number, name) for name, number in wanted.items() if name not in known]
        if wrong:
            raise ValidationError(
                [
                    _("Line %(number)s: “%(text)s” is no device of this project.")
                    % {"number": number, "text": text[:40]}
                    for number, text in sorted(wrong)[:20]
                ]
            )
        if not found:
            raise ValidationError(_("No device is listed."))
        return found


@signed_in
def assign_many(request: HttpRequest, project_id: int) -> HttpResponse:
    """Step one shows each device and the balance before and after; step two, with `confirm`, assigns."""
    user = person(request)
    project = accounts.get_project(project_id=project_id, user=user, right=OPERATE)
    form = AssignManyForm(request.POST or None, initial={"devices": _listed(request, project)})
    form.project = project
    balance = queries.free_in_project(project)
    product = form.fields["product"]
    assert isinstance(product, ProductField), "set by the form's class"
    product.offer_products(balance)
    context: dict[str, Any] = {
        "project": project,
        "is_member": accounts.is_member(company=project.company, user=user),
        "most": assignment.MOST_DEVICES,
        "has_free": any(row.free for row in balance),
    }
    if form.is_valid():
        try:
            given = _given(form)
            if "confirm" in request.POST:
                return _assign(request, form, given)
            preview = assignment.look_at_assignment(**given, now=clock.now())
        except (ledger.InsufficientLicenses, ledger.QuantityOutOfRange) as refusal:
            form.refuse(refusal, field="quantity")
        except DomainError as refusal:
            form.refuse(refusal, field="devices")
        else:
            context |= {
                "preview": preview,
                "given": given,
                "list": "\n".join(device.hardware_id for device in given["devices"]),
            }
            return respond(request, "licenses/assign_many_confirm.html", context, form=form)
    return respond(request, "licenses/assign_many.html", context, form=form)


def _assign(request: HttpRequest, form: AssignManyForm, given: dict[str, Any]) -> HttpResponse:
    made = assignment.assign_to_devices(
        **given,
        caller=caller(request, company=form.project.company, key=form.cleaned_data["act_key"]),
        now=clock.now(),
    )
    messages.success(
        request,
        _("%(quantity)s × %(product)s assigned to each of %(devices)s devices.")
        % {"quantity": given["quantity"], "product": given["product"], "devices": len(made)},
    )
    return redirect("project", project_id=form.project.pk)


def _given(form: AssignManyForm) -> dict[str, Any]:
    code, version = form.cleaned_data["product"]
    return {
        "devices": form.cleaned_data["devices"],
        "product": queries.get_product(code=code, version=version),
        "quantity": form.cleaned_data["quantity"],
    }


def _listed(request: HttpRequest, project: Project) -> str:
    """What was chosen on the project's page: devices by their mark, or all that were shown."""
    marked = request.GET.getlist("device")
    if not marked and not {"find", "show"} & request.GET.keys():
        return ""
    if not marked:
        shown = device_lists.listed(project, **chosen(request))
        marked = [device.hardware_id for device in shown[: assignment.MOST_DEVICES]]
    return "\n".join(marked[: assignment.MOST_DEVICES])

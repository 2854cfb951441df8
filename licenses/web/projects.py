"""A project's page: its balance and its devices."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from accounts.models import Project, User
from accounts.queries import MANAGE, OPERATE
from accounts.requests import caller, person, signed_in
from accounts.web import active
from devices.enrollment import DeviceNameTooLong
from licenses import adding, assignment, device_lists, queries
from licenses import history_sentences as history
from licenses.device_lists import Held
from licenses.web import choices
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, respond

DEVICES_A_PAGE = 50
HISTORY = 10


class DeviceRow(NamedTuple):
    """A device in the list, as the template takes it apart.

    state: what stands in its way, a word of `portal.core.words`; "" for nothing. contact: the last one.
    """

    hardware_id: str
    name: str
    href: str
    state: str
    held: Sequence[Held]
    contact: datetime | None


class DevicesForm(forms.Form):
    """Which devices are shown. Whatever is typed into the address instead shows all of them."""

    find = forms.CharField(required=False, max_length=100)
    show = forms.CharField(required=False, max_length=30)
    sort = forms.CharField(required=False, max_length=10)


# What the list can be narrowed to (licenses.device_lists), as people read it.
NARROWED: dict[str, Any] = {
    "": gettext_lazy("All devices"),
    "without-licenses": gettext_lazy("Without licenses"),
    "not-fetched": gettext_lazy("Document not fetched yet"),
    "waiting-for-reset": gettext_lazy("Waiting for a reset"),
    "silent": gettext_lazy("Never heard of"),
}


class DeviceForm(ActForm):
    hardware_id = forms.CharField(
        label=gettext_lazy("Hardware ID"),
        max_length=64,
        help_text=gettext_lazy("From the type label, like 00-90-33-01-0A-FF. Separators do not matter."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("As you call the device, for example its site."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@signed_in
def project(request: HttpRequest, project_id: int) -> HttpResponse:
    """Balance, devices and history of a project."""
    user = person(request)
    form = DeviceForm(initial={"hardware_id": request.GET.get("hardware_id", "")})
    return _page(request, accounts.get_project(project_id=project_id, user=user), user, form)


@signed_in
def add_device(request: HttpRequest, project_id: int) -> HttpResponse:
    """Add a device; the form is on the project's page."""
    if request.method != "POST":
        return redirect("project", project_id=project_id)
    user = person(request)
    project = accounts.get_project(project_id=project_id, user=user, right=OPERATE)
    form = DeviceForm(request.POST)
    if form.is_valid():
        try:
            device = adding.add_device(
                project=project,
                hardware_id=form.cleaned_data["hardware_id"],
                name=form.cleaned_data["name"],
                caller=caller(request, company=project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="name" if isinstance(refusal, DeviceNameTooLong) else "hardware_id")
        else:
            messages.success(
                request,
                _("The device %(hardware_id)s is in the project. Next: assign licenses to it.")
                % {"hardware_id": device.hardware_id},
            )
            # Else the browser would keep the form's "#add" and scroll past the message.
            return redirect(f"{reverse('device', args=[device.hardware_id])}#main")
    return _page(request, project, user, form)


def chosen(request: HttpRequest) -> dict[str, str]:
    """Which devices the address asks for, as `device_lists.listed` takes it."""
    form = DevicesForm(request.GET)
    given = form.cleaned_data if form.is_valid() else {}
    return {
        "text": given.get("find", ""),
        "shown": given.get("show", ""),
        "sort": given.get("sort", "") or "id",
    }


def _rows(page: Iterable[Any], *, now: datetime) -> list[DeviceRow]:
    held = device_lists.held_by(page, now=now)
    # Asked once: a hardware ID stands in an address as it is.
    pages = reverse("device", args=["-"]).removesuffix("-")
    return [
        DeviceRow(
            hardware_id=device.hardware_id,
            name=device.name,
            href=pages + device.hardware_id,
            state=_state(device),
            held=held.get(device.pk, ()),
            contact=device.last_contact,
        )
        for device in page
    ]


def _state(device: Any) -> str:
    """Of a device as `device_lists.listed` gives it."""
    if device.blocked_at:
        return "blocked"
    if device.latest_seq and not device.handed_out_at:
        return "waiting"
    if (device.installed_seq or 0) > (device.effective_seq or 0):
        return "reset"
    return ""


def _page(request: HttpRequest, project: Project, user: User, form: DeviceForm) -> HttpResponse:
    active.work_in(request, project)
    right, is_member = accounts.standing_in(project=project, user=user)
    can_operate = accounts.reaches(right, needed=OPERATE)
    wanted = chosen(request)
    page = Paginator(device_lists.listed(project, **wanted), DEVICES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "project": project,
        "name": choices.name_of(project),
        "right": right,
        "is_member": is_member,
        "can_operate": can_operate and project.archived_at is None,
        "can_manage": accounts.reaches(right, needed=MANAGE),
        "can_activate": can_operate and is_member and project.archived_at is None,
        "can_transfer": accounts.reaches(right, needed=MANAGE) and is_member and project.archived_at is None,
        "balance": queries.balance_of_project(project),
        "page": page,
        "rows": _rows(page, now=clock.now()),
        "wanted": wanted,
        "narrowed": NARROWED.items(),
        "is_narrowed": bool(wanted["text"] or wanted["shown"]),
        "most_at_once": assignment.MOST_DEVICES,
        "history": history.told(
            queries.history_of_project(project, limit=HISTORY), only_known=None if is_member else project.name
        ),
    }
    return respond(request, "licenses/project.html", context, form=form)

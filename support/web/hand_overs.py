"""Handing a device over to another company: to whom, who loses and gains what, and why (mission rule 7)."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from accounts.models import Company, Membership, Project, User
from accounts.permissions import Permission
from accounts.requests import caller, staff_only
from devices import queries as devices
from devices.models import Device
from licenses import device_hand_overs, move_queries
from licenses import queries as licenses
from licenses.device_hand_overs import ConsentNeeded, ConsentOfAnother
from licenses.models import Grant
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import OfferedField, ReasonForm, respond
from support import queries

LONGEST = 100


class HandOverForm(ReasonForm):
    consent = OfferedField(
        label=gettext_lazy("Who agreed"),
        help_text=gettext_lazy("An admin of the company that loses licenses. Say below how they agreed."),
    )
    field_order = ["consent", "reason"]

    def offer_admins(self, company: Company) -> None:
        """Those who can agree for the company."""
        admins = accounts.members_of(company).filter(role=Membership.Role.ADMIN)
        nobody: list[tuple[Any, Any]] = [("", _("Choose"))]
        consent: Any = self.fields["consent"]
        consent.offer(nobody + [(one.user_id, one.user.get_full_name()) for one in admins])


@staff_only(Permission.HAND_OVER)
def choose(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """To whom: projects that claim the device, and those of companies that are searched for."""
    device = devices.find_device(hardware_id)
    text = request.GET.get("q", "").strip().replace("\x00", "")[:LONGEST]
    context = {
        "device": device,
        "text": text,
        "claiming": queries.projects_that_claim(device),
        "found": queries.projects_called(text, besides=device.project.company) if text else [],
    }
    return render(request, "staff/hand_over_to.html", context)


@staff_only(Permission.HAND_OVER)
def hand_over(request: HttpRequest, hardware_id: str, project_id: int) -> HttpResponse:
    """Who loses and gains what; a POST with a reason does it."""
    device = devices.find_device(hardware_id)
    project = queries.get_project(project_id)
    now = clock.now()
    form = HandOverForm(request.POST or None)
    context = _context(device, project, now)
    if context["lost"]:
        form.offer_admins(device.project.company)
    else:
        del form.fields["consent"]
    if form.is_valid():
        who = caller(request, key=form.cleaned_data["act_key"], reason=form.cleaned_data["reason"])
        try:
            device_hand_overs.hand_over_device(
                device=device,
                project=project,
                consent_of=_somebody(form.cleaned_data.get("consent", "")),
                caller=who,
                now=now,
            )
        except DomainError as refusal:
            about_consent = isinstance(refusal, ConsentNeeded | ConsentOfAnother)
            form.refuse(refusal, field="consent" if about_consent and "consent" in form.fields else None)
        else:
            said = _("The device %(device)s is in %(company)s / %(project)s now.")
            names = {"device": device, "company": project.company.name, "project": project.name}
            messages.success(request, said % names)
            return redirect("staff-device", device.hardware_id)
    return respond(request, "staff/hand_over.html", context, form=form)


def _context(device: Device, project: Project, now: datetime) -> dict[str, Any]:
    grants = list(licenses.grants_at(device, now=now))
    bridged = any(grant.license_class == Grant.Class.BRIDGE for grant in grants)
    lost = [] if bridged else device_hand_overs.lost_with(grants)
    return {
        "device": device,
        "project": project,
        "lost": lost,
        "stays": [grant for grant in grants if grant not in lost],
        "in_the_way": bridged or move_queries.has_open_move(device, now=now),
        "same_company": device.project.company_id == project.company_id,
    }


def _somebody(number: str) -> User | None:
    return queries.get_person(int(number)) if number.isascii() and number.isdecimal() else None

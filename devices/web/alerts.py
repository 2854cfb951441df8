"""Alerts as sentences: what was noticed, what it means, what to do; and settling them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Project
from accounts.permissions import Permission
from accounts.requests import caller, staff_only
from devices import alerts as operations
from devices import queries
from devices.models import Alert
from devices.web.reasons import ReasonForm
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import respond
from portal.core.models import AuditEntry

MOST_OPEN = 50
MOST_SETTLED = 20


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """What an alert of one kind says; the facts of the alert go into each."""

    noticed: Any
    means: Any
    do: Any
    command: str = ""


SENTENCES: Mapping[str, Sentences] = {
    Alert.Kind.COUNTER_FORK: Sentences(
        noticed=gettext_lazy("Two different statements carry the device's counter %(ctr)s."),
        means=gettext_lazy(
            "A device counts each statement it signs. The same number twice shows that the device, or its "
            "memory, is there twice: its key was copied, or a snapshot of it was restored."
        ),
        do=gettext_lazy(
            "Ask the company whether the device was restored or replaced. If nobody knows of it, block the "
            "device, and its key if it may have been copied."
        ),
    ),
    Alert.Kind.SEQ_AHEAD: Sentences(
        noticed=gettext_lazy(
            "The device has seen license document %(seq)s, %(ahead)s ahead of the portal's."
        ),
        means=gettext_lazy(
            "Documents are numbered by the portal alone, so the portal's database may be older than it was. "
            "For this device the portal has risen above that number by itself."
        ),
        do=gettext_lazy(
            "If the database was restored from a backup, raise the numbers of all devices with the command. "
            "If it was not, find out who else signs license documents."
        ),
        command="manage.py seq_floor raise NUMBER --reason …",
    ),
    Alert.Kind.SEQ_FAR_AHEAD: Sentences(
        noticed=gettext_lazy(
            "The device has seen license document %(seq)s, %(ahead)s ahead of the portal's."
        ),
        means=gettext_lazy(
            "That is further than the portal follows by itself. Until somebody decides, the device refuses "
            "every document of the portal as too old."
        ),
        do=gettext_lazy(
            "Find out how the device came to that number. If it is genuine, raise this one device with the "
            "command; it takes its next document then."
        ),
        command="manage.py seq_floor device %(hardware_id)s %(seq)s --reason …",
    ),
    Alert.Kind.CLAIM_WITH_SUPPORT: Sentences(
        noticed=gettext_lazy("Somebody proved to have the device, and wants it in %(project)s."),
        means=gettext_lazy(
            "The device still has licenses that can be returned, so it does not change project by itself."
        ),
        do=gettext_lazy(
            "Ask the company that has it to give the licenses back from the device. A new claim then goes "
            "through without support."
        ),
    ),
    Alert.Kind.MOVED_DEVICE_ALIVE: Sentences(
        noticed=gettext_lazy("The device spoke, although its licenses were moved away as from a broken one."),
        means=gettext_lazy(
            "Somebody said that it was dead and could sign nothing. It was given its current document, which "
            "lists nothing of what moved; until it has reset itself it may run on as before."
        ),
        do=gettext_lazy(
            "Ask the company what became of the device. If it is only being repaired, book it in when it is "
            "back; if licenses run in two places, block the device."
        ),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """An alert in words, and how it was settled if it is."""

    alert: Alert
    noticed: str
    means: str
    do: str
    command: str
    settlement: AuditEntry | None = None


@staff_only(Permission.LOOK)
def alerts(request: HttpRequest) -> HttpResponse:
    """The open alerts, the oldest first, and the last that were settled."""
    open_ones = queries.open_alerts()
    settled = list(queries.settled_alerts()[:MOST_SETTLED])
    shown = told(open_ones[:MOST_OPEN])
    return render(
        request,
        "staff/alerts.html",
        {"open": shown, "more": open_ones.count() - len(shown), "settled": told(settled)},
    )


@staff_only(Permission.LOOK, change=Permission.SETTLE_ALERTS)
def alert(request: HttpRequest, alert_id: int) -> HttpResponse:
    """One alert; a POST settles it, with what came of it."""
    found = queries.get_alert(alert_id)
    form = ReasonForm(request.POST or None)
    form.fields["reason"].label = _("What came of it")
    if form.is_valid():
        try:
            operations.settle_alert(
                settled=found,
                caller=caller(request, key=form.cleaned_data["act_key"], reason=form.cleaned_data["reason"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
            found.refresh_from_db(fields=["settled_at"])
        else:
            messages.success(
                request,
                _("The alert about %(hardware_id)s is settled.") % {"hardware_id": found.device.hardware_id},
            )
            return redirect("staff-alerts")
    [in_words] = told([found])
    return respond(request, "staff/alert.html", {"told": in_words}, form=form)


def told(found: Iterable[Alert]) -> list[Told]:
    """The alerts in words; those that are settled with how."""
    found = list(found)
    settlements = queries.settlements([alert for alert in found if alert.settled_at is not None])
    wanted = {alert.facts["project"] for alert in found if "project" in alert.facts}
    projects = {
        project.pk: project for project in Project.objects.filter(pk__in=wanted).select_related("company")
    }
    return [_in_words(alert, projects, settlements.get(alert.pk)) for alert in found]


def _in_words(alert: Alert, projects: Mapping[int, Project], settlement: AuditEntry | None) -> Told:
    sentences = SENTENCES[alert.kind]
    project = projects.get(alert.facts.get("project", 0))
    facts = {
        **alert.facts,
        "hardware_id": alert.device.hardware_id,
        "project": f"{project.company.name} / {project.name}" if project else "",
    }
    return Told(
        alert=alert,
        noticed=str(sentences.noticed) % facts,
        means=str(sentences.means),
        do=str(sentences.do),
        command=sentences.command % facts,
        settlement=settlement,
    )

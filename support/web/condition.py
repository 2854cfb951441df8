"""The status page: how the portal itself is, for those who have to know before a partner calls."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Permission
from accounts.requests import staff_only
from portal.core import clock
from portal.core.readiness import Part, State
from support import condition

WORDS: Mapping[str, tuple[Any, Any, Any]] = {
    # Part: its name, what it is there for, what happens while it is not ready.
    "database": (
        _("Database"),
        _("Holds everything."),
        _("Nothing works without it."),
    ),
    "migrations": (
        _("Tables"),
        _("Are those of this release."),
        _("The release needs tables that are not there yet. The migration has to be run."),
    ),
    "redis": (
        _("Redis"),
        _("Counts tries and wakes the worker."),
        _(
            "Each process counts tries by itself, and jobs wait: mails and background work come later. "
            "Nothing is lost."
        ),
    ),
    "keys": (
        _("Keys"),
        _("Sign documents and receipts."),
        _("No new document can be signed; devices keep what they have."),
    ),
    "outbox": (
        _("Jobs"),
        _("Are done soon after they are due."),
        _(
            "Mails, signatures and background work wait. Nothing is lost; "
            "it is done once the worker comes after."
        ),
    ),
    "worker": (
        _("Worker"),
        _("Does the jobs."),
        _("Nobody works: mails and background work wait until a worker is started."),
    ),
}

JOBS: Mapping[str, Any] = {
    "digest-of-alerts": _("Mail open alerts to support"),
    "forget-old-mails": _("Delete old mails"),
    "remind-of-test-licenses": _("Tell people that test licenses end"),
    "sum-up-months": _("Sum up what became of orders, by month"),
    "tidy-long-jobs": _("Go on with background work, and clear away what is over"),
    "tidy-order-uploads": _("Clear away lists of orders that nobody entered"),
}
"""What happens by the clock, in words; a test holds that no job is missing."""


@staff_only(Permission.LOOK)
def status(request: HttpRequest) -> HttpResponse:
    """How each part is, what waits, the schedule, keys, room and versions."""
    found = condition.of_portal(now=clock.now())
    parts = [_told(part) for part in found.parts]
    turns = [(JOBS[turn.job.name], turn) for turn in found.turns]
    told = {"found": found, "parts": parts, "turns": turns, "state": found.state.value}
    return render(request, "staff/status.html", told)


def _told(part: Part) -> dict[str, Any]:
    name, purpose, otherwise = WORDS[part.name]
    return {
        "name": name,
        "word": f"part-{part.state}",
        "sentence": purpose if part.state is State.READY else otherwise,
        "detail": "" if part.state is State.READY else part.detail,
    }

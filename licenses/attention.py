"""What waits for somebody to do something, in the projects and companies that a person may see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet

from accounts.models import Company, Project
from devices.models import Device
from licenses import move_queries, trial_queries
from licenses.models import CompanyImport, Grant, LicenseDocument, TestLicense

SOON = timedelta(days=14)
"""How long before its end a test license is something to look at."""
PATIENCE = timedelta(days=1)
"""How long a device may leave a new document lying before somebody is told."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How many devices a project has, and how many of them wait: for their new document, or for a reset after
    installing it."""

    project: Project
    devices: int
    not_fetched: int
    for_reset: int


def waiting(projects: Sequence[Project], *, now: datetime) -> list[Waiting]:
    """How many devices wait in each of the projects, in the order given; one query."""
    later = LicenseDocument.objects.filter(
        device=OuterRef("device"), seq__gt=OuterRef("seq"), handed_out_at__isnull=False
    )
    lying = LicenseDocument.objects.filter(
        ~Exists(later), device=OuterRef("pk"), handed_out_at=None, issued_at__lte=now - PATIENCE
    )
    installed = Q(acknowledged__installed_seq__gt=F("acknowledged__effective_seq"))
    counted = (
        Device.objects.filter(project__in=[project.pk for project in projects], released_at=None)
        .alias(lies=Exists(lying))
        .values_list("project")
        .annotate(
            devices=Count("pk"),
            not_fetched=Count("pk", filter=Q(lies=True)),
            for_reset=Count("pk", filter=installed),
        )
    )
    by_project = {project: found for project, *found in counted}
    return [
        Waiting(project=project, devices=devices, not_fetched=not_fetched, for_reset=for_reset)
        for project in projects
        for devices, not_fetched, for_reset in [by_project.get(project.pk, (0, 0, 0))]
    ]


def test_licenses_ending(projects: Sequence[Project], *, now: datetime, limit: int) -> list[TestLicense]:
    """Test licenses of the projects' devices that end soon, the first to end first."""
    by_pk = {project.pk: project for project in projects}
    ending = trial_queries.test_licenses_that_end(after=now, until=now + SOON).select_related(None)
    found = list(ending.filter(device__project__in=by_pk).select_related("device")[:limit])
    for one in found:
        one.device.project = by_pk[one.device.project_id]
    return found


def open_moves(projects: Sequence[Project], *, now: datetime, limit: int) -> list[Any]:
    """Undecided moves of the projects, the oldest first, each with `bridge_ends_at`: None without one."""
    by_pk = {project.pk: project for project in projects}
    running = Q(
        bridges__grant__state=Grant.State.LIVE,
        bridges__grant__license_class=Grant.Class.BRIDGE,
        bridges__grant__expires_at__gt=now,
    )
    moves = (
        move_queries.open_moves(now=now)
        .filter(project__in=by_pk)
        .annotate(bridge_ends_at=Min("bridges__grant__expires_at", filter=running))
        .select_related("broken")
        .order_by("requested_at", "pk")
    )
    found = list(moves[:limit])
    for move in found:
        move.project = by_pk[move.project_id]
    return found


def imports_to_answer(companies: Iterable[Company], *, now: datetime) -> QuerySet[CompanyImport]:
    """Imports that were asked of the companies, and that an admin of them may still consent to or refuse."""
    return (
        CompanyImport.objects.filter(source__in=[company.pk for company in companies], ended_at=None)
        .filter(expires_at__gt=now)
        .select_related("source", "target")
        .order_by("asked_at", "pk")
    )

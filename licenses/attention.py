"""What waits for somebody to do something, in the projects and companies that a person may see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from accounts.models import Company, Project
from devices.models import Device
from licenses.models import Acknowledged, CompanyImport, LicenseDocument

PATIENCE = timedelta(days=1)
"""How long a device may leave a new document lying before somebody is told."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How many devices of a project wait: for their new document, or for a reset after installing it."""

    project: Project
    not_fetched: int
    for_reset: int


def waiting(projects: Sequence[Project], *, now: datetime) -> list[Waiting]:
    """The projects in which devices wait, in the order given; one query."""
    later = LicenseDocument.objects.filter(
        device=OuterRef("device"), seq__gt=OuterRef("seq"), handed_out_at__isnull=False
    )
    lying = LicenseDocument.objects.filter(
        ~Exists(later), device=OuterRef("pk"), handed_out_at=None, issued_at__lte=now - PATIENCE
    )
    installed = Acknowledged.objects.filter(device=OuterRef("pk"), installed_seq__gt=F("effective_seq"))
    counted = (
        Device.objects.filter(project__in=[project.pk for project in projects], released_at=None)
        .alias(lies=Exists(lying), reset=Exists(installed))
        .values_list("project")
        .annotate(not_fetched=Count("pk", filter=Q(lies=True)), for_reset=Count("pk", filter=Q(reset=True)))
        .filter(Q(not_fetched__gt=0) | Q(for_reset__gt=0))
    )
    by_project = {project: (not_fetched, for_reset) for project, not_fetched, for_reset in counted}
    return [
        Waiting(project=project, not_fetched=not_fetched, for_reset=for_reset)
        for project in projects
        if (found := by_project.get(project.pk))
        for not_fetched, for_reset in [found]
    ]


def imports_to_answer(companies: Iterable[Company], *, now: datetime) -> QuerySet[CompanyImport]:
    """Imports that were asked of the companies, and that an admin of them may still consent to or refuse."""
    return (
        CompanyImport.objects.filter(source__in=[company.pk for company in companies], ended_at=None)
        .filter(expires_at__gt=now)
        .select_related("source", "target")
        .order_by("asked_at", "pk")
    )

"""What was done: histories, and the keys that were activated, as one person or token may see them."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Company, Principal, Project, User
from accounts.queries import companies_of, is_member, projects_of
from devices.models import Device
from licenses.models import ActivationKey, Holder, Transfer
from portal.core.models import AuditEntry


def entries_of_company(company: Company, *, user: Principal) -> QuerySet[AuditEntry]:
    """The entries of a company, the latest first, without those of projects that the user may not see."""
    visible = projects_of(user).filter(company=company).order_by().values("pk")
    return _entries().filter(Q(project_id=None) | Q(project_id__in=visible), company_id=company.pk)


def entries_of_project(project: Project) -> QuerySet[AuditEntry]:
    """The entries of a project, its devices' among them, the latest first."""
    return _entries().filter(project_id=project.pk)


def entries_of_device(device: Device) -> QuerySet[AuditEntry]:
    """The entries of a device in its present project, the latest first; what it did elsewhere is another's
    business."""
    return _entries().filter(hardware_id=device.hardware_id, project_id=device.project_id)


def entries_of_all(
    *, companies: Iterable[Company], projects: Iterable[Project], shared: Iterable[Project]
) -> QuerySet[AuditEntry]:
    """The entries of several companies, the latest first: those of no project, and of the given projects.

    :param projects: of the companies, those that the reader may see.
    :param shared: further projects, of companies that the reader does not belong to.
    """
    ours = [company.pk for company in companies]
    visible = [project.pk for project in projects]
    entries = Q(Q(project_id=None) | Q(project_id__in=visible), company_id__in=ours)
    # Only where there are any: by an index the database finds the latest of a company, but not of an "or".
    if elsewhere := [project.pk for project in shared]:
        entries |= Q(project_id__in=elsewhere)
    return _entries().filter(entries)


def only_known_to(user: Principal, *, project: Project) -> str | None:
    """The name of the one project that an end customer knows; None for whoever belongs to the company."""
    return None if is_member(company=project.company, user=user) else project.name


def facts_of(entry: AuditEntry, *, only_known: str | None) -> dict[str, Any]:
    """The facts of an entry; for an end customer without the names of other balances that took part, which
    are None then (mission rule 5)."""
    facts = dict(entry.facts)
    for name in ("source", "destination"):
        if only_known is not None and name in facts and facts[name] != only_known:
            facts[name] = None
    return facts


def _entries() -> QuerySet[AuditEntry]:
    return AuditEntry.objects.select_related("actor").order_by("-at", "-pk")


def keys_of(company: Company, *, user: Principal) -> QuerySet[ActivationKey]:
    """The keys that filled a company's balance, or one of its projects' that the user may see.

    Each with its order and act, and `into_project`: the project, None for the company's balance.
    """
    visible = projects_of(user).filter(company=company).order_by().values("pk")
    return _keys_into(Q(destination__company=company) | _into(visible))


def keys_known_to(user: User) -> QuerySet[ActivationKey]:
    """The keys of all companies that somebody is a member of, as `keys_of` gives those of one.

    Keys are no business of end customers (mission rule 5).
    """
    companies = companies_of(user).order_by().values("pk")
    visible = projects_of(user).filter(company__in=companies).order_by().values("pk")
    return _keys_into(Q(destination__company__in=companies) | _into(visible))


def into_project_of(key: ActivationKey) -> int | None:
    """The project that a key of these lists filled, by primary key; None for the company's balance."""
    project: int | None = key.into_project  # type: ignore[attr-defined]
    return project


def _into(projects: QuerySet[Project, Any]) -> Q:
    # A project that came over with another company had another holder before.
    return Q(destination__project__in=projects) | Q(destination__former_project__in=projects)


def _keys_into(ours: Q) -> QuerySet[ActivationKey]:
    into = Transfer.objects.filter(act=OuterRef("activated_by"), source__kind=Holder.Kind.KEY)
    project = Coalesce("destination__project", "destination__former_project")
    return (
        ActivationKey.objects.filter(Exists(into.filter(ours)), state=ActivationKey.State.ACTIVATED)
        .select_related("order", "activated_by__actor")
        .annotate(into_project=Subquery(into.values(into=project)[:1]))
    )


def brought_in(keys: Iterable[ActivationKey]) -> dict[int, list[Transfer]]:
    """What each of several activated keys brought in, line by line, by the key's primary key."""
    transfers = (
        Transfer.objects.filter(act__in=[key.activated_by_id for key in keys], source__kind=Holder.Kind.KEY)
        .select_related("product", "source")
        .order_by("pk")
    )
    lines: dict[int, list[Transfer]] = {}
    for transfer in transfers:
        lines.setdefault(transfer.source.activation_key_id or 0, []).append(transfer)
    return lines

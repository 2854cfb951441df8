"""What comes over when a company is imported into another one (mission rule 3): steps of
`company_import.consent_to_import`, in its transaction."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from accounts.models import Company, Membership, Project, ProjectRight
from licenses import ledger, transparency
from licenses.log_line import LeafType
from licenses.models import Grant
from portal.core.models import Act

LONGEST_NAME = 100


def move_licenses(
    projects: Sequence[Project], *, source: Company, target: Company, act: Act, now: datetime
) -> None:
    """Balances by transfer; grants stay on their devices, and the log says whose they are from here on."""
    transfers = ledger.take_over(act=act, projects=projects, source=source, target=target)
    grants = (
        Grant.objects.filter(device__project__in=projects, device__released_at=None, state=Grant.State.LIVE)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .select_related("product", "device")
        .order_by("made_at", "pk")
    )
    told = [transparency.Told(transfer=transfer) for transfer in transfers]
    if grants:
        earlier, later = ledger.company_holder(source), ledger.company_holder(target)
        told += [transparency.Told(grant=grant, source=earlier, destination=later) for grant in grants]
    if told:
        transparency.record(act=act, leaf_type=LeafType.COMPANY_IMPORT, told=told, now=now)


def move_projects(projects: Sequence[Project], *, source: Company, target: Company) -> None:
    """Into the target, each under a name that is free there."""
    for project, name in new_names(projects, source, target):
        project.company, project.name = target, name
        project.save(update_fields=["company", "name"])


def new_names(projects: Sequence[Project], source: Company, target: Company) -> list[tuple[Project, str]]:
    """The name each project will have in the target: its own, or one with the source's name behind it."""
    taken = {name.lower() for name in Project.objects.filter(company=target).values_list("name", flat=True)}
    names = []
    for project in projects:
        name = project.name if project.name.lower() not in taken else ""
        number = 1
        while not name or name.lower() in taken:
            behind = f" ({source.name[:60]})" if number == 1 else f" ({source.name[:60]} {number})"
            name = f"{project.name[: LONGEST_NAME - len(behind)]}{behind}"
            number += 1
        taken.add(name.lower())
        names.append((project, name))
    return names


def move_members(projects: Sequence[Project], *, source: Company, target: Company, now: datetime) -> None:
    """Members become members of the target; who was admin keeps `manage` in the projects that come over."""
    members = list(Membership.objects.filter(company=source).order_by("pk"))
    for membership in members:
        if membership.role == Membership.Role.ADMIN:
            # An admin had `manage` without a row for it.
            for project in projects:
                ProjectRight.objects.update_or_create(
                    user_id=membership.user_id,
                    project=project,
                    defaults={"level": ProjectRight.Level.MANAGE},
                )
        Membership.objects.get_or_create(
            user_id=membership.user_id,
            company=target,
            defaults={"role": Membership.Role.MEMBER, "joined_at": now},
        )
        membership.delete()

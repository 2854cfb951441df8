"""Histories as people look through them: whose it is, and which of its entries are wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import queries as accounts
from accounts.models import Company, Project, User
from accounts.queries import NoSuchCompany
from devices import queries as devices
from devices.hardware_id import is_canonical
from licenses import records
from portal.core.models import AuditEntry

# What events are about, by how their names begin. Every event of licenses.history_sentences is about one.
KINDS: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "licenses": (_("Licenses"), ("licenses-", "assignment-", "test-license-")),
    "keys": (_("Activation keys"), ("key-", "order-", "activation-key-")),
    "documents": (_("License documents"), ("document-", "device-acknowledged")),
    "devices": (
        _("Devices"),
        (
            "device-added",
            "device-released",
            "device-left",
            "device-joined",
            "device-key-",
            "device-claimed",
            "device-handed-",
            "device-blocked",
            "device-unblocked",
            "device-seq-",
            "claim-",
        ),
    ),
    "moves": (_("Moves"), ("move-", "replacement-", "bridge-", "hardware-", "evidence-")),
    "people": (
        _("People and rights"),
        ("member-", "invit", "role-", "right-", "api-token-"),
    ),
    "company": (_("Company and projects"), ("company-", "project-", "customer-")),
}


@dataclass(frozen=True, kw_only=True)
class History:
    """Of a company, a project, or a device in its present project.

    name: whose it is.
    entries: all that the reader may see, the latest first.
    only_known: for an end customer, the name of the one project they know; else None.
    projects: names of the projects that the entries are of, by primary key.
    given: what `find` finds it again by; JSON.
    """

    name: str
    entries: QuerySet[AuditEntry]
    only_known: str | None
    projects: Mapping[int, str]
    company: Company
    project: Project | None
    is_member: bool
    given: Mapping[str, Any]


def of_company(company_id: int, *, user: User) -> History:
    """With that of its projects that the member may see.

    :raises NoSuchCompany: the person is no member.
    """
    company = accounts.get_company(company_id=company_id, user=user)
    return History(
        name=company.name,
        entries=records.entries_of_company(company, user=user),
        only_known=None,
        projects={one.pk: one.name for one in accounts.projects_of(user).filter(company=company)},
        company=company,
        project=None,
        is_member=True,
        given={"company": company_id},
    )


def of_project(project_id: int, *, user: User) -> History:
    """With that of its devices.

    :raises NoSuchProject: there is none that the person may see.
    """
    project = accounts.get_project(project_id=project_id, user=user)
    entries = records.entries_of_project(project)
    return _in_project(project, user, entries, name=project.name, given={"project": project_id})


def of_device(hardware_id: str, *, user: User) -> History:
    """While it was in its present project.

    :raises NoSuchDevice: there is none that the person may see.
    """
    device = devices.get_device(hardware_id=hardware_id, user=user)
    entries = records.entries_of_device(device)
    given = {"device": device.hardware_id}
    return _in_project(device.project, user, entries, name=device.hardware_id, given=given)


def find(given: Mapping[str, Any], *, user: User) -> History:
    """The history that was looked at before, if the person may still see it.

    :raises NoSuchCompany, NoSuchProject, NoSuchDevice: not any more.
    """
    if "company" in given:
        return of_company(given["company"], user=user)
    if "project" in given:
        return of_project(given["project"], user=user)
    if "device" in given:
        return of_device(given["device"], user=user)
    raise NoSuchCompany


def _in_project(
    project: Project, user: User, entries: QuerySet[AuditEntry], *, name: str, given: Mapping[str, Any]
) -> History:
    _right, is_member = accounts.standing_in(project=project, user=user)
    return History(
        name=name,
        entries=entries,
        only_known=None if is_member else project.name,
        projects={project.pk: project.name},
        company=project.company,
        project=project,
        is_member=is_member,
        given=given,
    )


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which entries are wanted; what is empty or None asks for nothing.

    device: part of a hardware ID, as somebody types it.
    project: primary key.
    kind: a key of `KINDS`.
    since, until: instants; what happened at `until` is not wanted.
    """

    device: str = ""
    project: int | None = None
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def of(self, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """The entries that are wanted."""
        if part := self.device.strip():
            kept = _as_kept(part)
            # A whole one is found by an index, a part of one by looking at all.
            by = "hardware_id" if is_canonical(kept) else "hardware_id__contains"
            entries = entries.filter(**{by: kept})
        if self.project:
            entries = entries.filter(project_id=self.project)
        if self.kind:
            about = Q()
            for beginning in KINDS[self.kind][1]:
                about |= Q(event__startswith=beginning)
            entries = entries.filter(about)
        if self.since:
            entries = entries.filter(at__gte=self.since)
        if self.until:
            entries = entries.filter(at__lt=self.until)
        return entries

    def as_json(self) -> dict[str, Any]:
        """To be kept; `from_json` reads it."""
        return {
            "device": self.device,
            "project": self.project,
            "kind": self.kind,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Wanted":
        """What `as_json` kept."""
        since, until = (
            datetime.fromisoformat(kept[end]) if kept[end] else None for end in ("since", "until")
        )
        return cls(
            device=kept["device"], project=kept["project"], kind=kept["kind"], since=since, until=until
        )


def _as_kept(part: str) -> str:
    """Part of a hardware ID in the form that entries keep: pairs of digits with dashes between."""
    plain = "".join(letter for letter in part.upper() if letter.isalnum())
    if "-" in part or len(plain) % 2 or not plain:
        return part.upper().replace(":", "-")
    return "-".join(plain[place : place + 2] for place in range(0, len(plain), 2))

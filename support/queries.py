"""What support sees of a device, a company, a key or a person: everything, wherever it is."""

import copy
from datetime import datetime
from typing import Any

from allauth.usersessions.models import UserSession
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, CustomerAccount, Mail, Project, User
from accounts.queries import NoSuchProject
from devices.hardware_id import is_canonical
from devices.models import Alert, Device, ProjectChange
from devices.queries import NoSuchDevice
from licenses import queries as licenses
from licenses.models import ActivationKey, Grant, Holder, Move, Transfer
from portal.core.errors import NotFound
from portal.core.models import AuditEntry
from support import search

SECURITY = ("sign", "second-factor", "person-", "staff-role")
"""How events begin that are about the safety of an account."""


class NoSuchKey(NotFound):
    code = "no-key-of-that-number"
    title = _("There is no such activation key.")
    why = _(
        "A key is looked at by its number in the portal, never by its code: the code is its buyer's secret."
    )
    way_out = _("Search for the last characters of the key, or for its order.")
    source = "mission rule 8"


class NobodyOfThatNumber(NotFound):
    code = "nobody-of-that-number"
    title = _("There is no such person, or they have left.")
    why = _("Whoever leaves takes name and address along. Histories then say “a former member”.")
    way_out = _("Search for the beginning of the name or of the e-mail address.")
    source = "mission rule 1"


class NoCompanyOfThatNumber(NotFound):
    code = "no-company-of-that-number"
    title = _("There is no company of this number.")
    why = _("A company keeps its number for ever, also when it was imported into another one.")
    way_out = _("Search for part of its name, or for its account in the customer list.")
    source = "mission rule 3"


def get_device(hardware_id: str) -> Device:
    """A device by its canonical hardware ID, also a released one, whose `project` is the last that had it.

    :raises NoSuchDevice: there never was one.
    """
    found = Device.objects.select_related("project__company", "contact", "acknowledged")
    device = found.filter(hardware_id=hardware_id).first() if is_canonical(hardware_id) else None
    if device is None:
        raise NoSuchDevice
    return device


def get_company(company_id: int) -> Company:
    """Any company, also an imported one.

    :raises NoCompanyOfThatNumber: there is none.
    """
    company = Company.objects.select_related("imported_into").filter(pk__exact=company_id).first()
    if company is None:
        raise NoCompanyOfThatNumber
    return company


def get_project(project_id: int) -> Project:
    """Any company's project into which something can come.

    :raises NoSuchProject: there is none, or it is archived.
    """
    found = Project.objects.select_related("company").filter(pk__exact=project_id, archived_at=None)
    project = found.filter(company__imported_into=None).first()
    if project is None:
        raise NoSuchProject
    return project


def projects_called(text: str, *, besides: Company) -> list[Project]:
    """Projects that a device could go to, of the companies that the text finds; at most `LIMIT` companies.

    :param besides: the company that has the device.
    """
    companies = [one.pk for one in search.companies_called(text)[: search.LIMIT] if one != besides]
    found = Project.objects.filter(company__in=companies, archived_at=None, company__imported_into=None)
    return list(found.select_related("company").order_by("company__name", "company", "name"))


def projects_that_claim(device: Device) -> list[Project]:
    """Projects for which the device signed a claim that is with support; without the one that has it."""
    claims = Alert.objects.filter(device=device, kind=Alert.Kind.CLAIM_WITH_SUPPORT)
    wanted = {alert.facts.get("project") for alert in claims} - {device.project_id}
    found = Project.objects.filter(pk__in=wanted, archived_at=None).exclude(company=device.project.company)
    return list(found.select_related("company").order_by("company__name", "name"))


def get_key(key_id: int) -> ActivationKey:
    """A key with its order, and its delivery as long as there is one.

    :raises NoSuchKey: there is none.
    """
    found = ActivationKey.objects.select_related("order", "activated_by__actor", "delivery")
    key = found.filter(pk=key_id).first()
    if key is None:
        raise NoSuchKey
    return key


def get_person(user_id: int) -> User:
    """Somebody with an account.

    :raises NobodyOfThatNumber: there is nobody, or they have left.
    """
    user = User.objects.filter(pk=user_id, left_at=None).first()
    if user is None:
        raise NobodyOfThatNumber
    return user


def as_seen_by(company: Company, *, staff: User) -> User:
    """The member of staff as somebody who may view everything of the company, and do nothing: what the
    queries of partners' pages take as the person."""
    reader = copy.copy(staff)
    reader.viewing = company.pk
    return reader


# --- A device ---


def history_of(device: Device) -> QuerySet[AuditEntry]:
    """All that is told of the hardware ID, in whatever project; the latest first."""
    return _latest(AuditEntry.objects.filter(hardware_id=device.hardware_id))


def places_of(device: Device) -> QuerySet[ProjectChange]:
    """Where the device was before; the latest change first."""
    changes = ProjectChange.objects.filter(device=device)
    return changes.select_related("earlier__company", "later__company", "act__actor").order_by("-pk")


def alerts_of(device: Device) -> QuerySet[Alert]:
    """Its alerts, open ones first, the latest first."""
    return Alert.objects.filter(device=device).order_by("settled_at", "-at", "-pk")


def stage_of(grant: Grant, *, handed_out: int, effective: int | None) -> str:
    """How far a live license got: `not-handed-out`, `on-its-way` until the device says that it is in effect,
    `in-effect`; what the device holds by a file and never said anything of stays on its way.

    :param handed_out: the highest `seq` that was handed out; 0 if none was.
    :param effective: the `seq` that the device said was in effect; None if it never did.
    """
    if grant.first_seq is None or grant.first_seq > handed_out:
        return "not-handed-out"
    return "in-effect" if effective is not None and grant.first_seq <= effective else "on-its-way"


def handed_out_seq(device: Device) -> int:
    """The highest `seq` of the device that was handed out; 0 if none was."""
    handed_out = device.license_documents.filter(handed_out_at__isnull=False)
    return handed_out.order_by("-seq").values_list("seq", flat=True).first() or 0


# --- A company ---


def account_of(company: Company) -> CustomerAccount | None:
    """Its account in the vendor's customer list."""
    return CustomerAccount.objects.filter(company=company).first()


def moves_of(company: Company) -> QuerySet[Move]:
    """Moves of the company, the latest first."""
    moves = Move.objects.filter(project__company=company)
    return moves.select_related("broken", "replacement", "project").order_by("-pk")


def mails_about(company: Company) -> QuerySet[Mail]:
    """Mails that concern the company, without what was in them; the latest first."""
    return Mail.objects.filter(company_id=company.pk).defer("text", "html").order_by("-written_at", "-pk")


def history_of_company(company: Company) -> QuerySet[AuditEntry]:
    """All that is told of a company and its projects; the latest first."""
    return _latest(AuditEntry.objects.filter(company_id=company.pk))


# --- A key ---


def holder_of(key: ActivationKey) -> Holder | None:
    """The holder that is the key in the books."""
    return Holder.objects.filter(activation_key=key).first()


def brought_into(key: ActivationKey) -> Company | Project | None:
    """The balance that the key filled; None for one that was not activated."""
    into = (
        Transfer.objects.filter(act=key.activated_by_id, source__activation_key=key)
        .select_related("destination__company", "destination__project__company")
        .select_related("destination__former_project__company")
        .first()
        if key.activated_by_id
        else None
    )
    if into is None:
        return None
    there = into.destination
    return there.project or there.former_project or there.company


def history_of_key(key: ActivationKey) -> list[AuditEntry]:
    """What was done with the key: the entries of its act. (Looking at it is told where it was looked at.)"""
    return list(_latest(AuditEntry.objects.filter(act=key.activated_by_id))) if key.activated_by_id else []


# --- A person ---


def sessions_of(user: User) -> int:
    """In how many browsers the person is signed in."""
    count: int = UserSession.objects.filter(user=user).count()
    return count


def mails_to(user: User) -> QuerySet[Mail]:
    """Mails to the person, without what was in them; the latest first."""
    return Mail.objects.filter(recipient=user).defer("text", "html").order_by("-written_at", "-pk")


def security_of(user: User) -> QuerySet[AuditEntry]:
    """Sign-ins, and what anybody changed about the safety of the account; the latest first."""
    safety = Q()
    for beginning in SECURITY:
        safety |= Q(event__startswith=beginning)
    return _latest(AuditEntry.objects.filter(safety, Q(actor=user) | Q(facts__user=user.pk)))


def done_by(user: User) -> QuerySet[AuditEntry]:
    """What the person did, sign-ins left out; the latest first."""
    return _latest(AuditEntry.objects.filter(actor=user).exclude(event__startswith="sign"))


def _latest(entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    return entries.select_related("actor").order_by("-at", "-pk")


def live_grants(device: Device, *, now: datetime) -> list[tuple[Grant, str]]:
    """What the device holds, each with how far it got (`stage_of`)."""
    acknowledged: Any = getattr(device, "acknowledged", None)
    handed_out = handed_out_seq(device)
    effective = acknowledged.effective_seq if acknowledged else None
    return [
        (grant, stage_of(grant, handed_out=handed_out, effective=effective))
        for grant in licenses.grants_at(device, now=now)
    ]

"""A company made by accident is imported into the right one (mission rule 3).

An admin of the right company asks, an admin of the other one consents; who is admin of both may do both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import invitations, scopes
from accounts.models import (
    ApiToken,
    Company,
    CustomerAccount,
    Invitation,
    Membership,
    Project,
    User,
)
from devices.models import Device
from licenses import coming_over, notices, queries
from licenses.models import CompanyImport
from portal.core import acts, audit, throttle
from portal.core.acts import Caller
from portal.core.errors import Conflict, NotFound
from portal.core.models import Act
from portal.core.throttle import Limit

GOOD_FOR = timedelta(days=14)
ASKED = Limit(name="company-import-asked", times=20, seconds=3600)


class NoCompanyOfThatName(NotFound):
    """One answer to a wrong number and to a wrong name: it tells a guesser nothing."""

    code = "no-company-of-that-name"
    title = _("There is no company of this number and name.")
    why = _(
        "Number and name must belong together. So nobody can read off one of them who the vendor's customers "
        "are, and no import goes to the wrong company."
    )
    way_out = _("Ask an admin of the other company: both stand on its page for imports.")
    source = "mission rule 3"


class SameCompany(Conflict):
    code = "same-company"
    title = _("A company cannot be imported into itself.")
    why = _(
        "After an import the imported company is only a name. Imported into itself, it would lose everything."
    )
    way_out = _("Enter the number and name of the other company, the one made by accident.")
    source = "mission rule 3"


class ImportAsked(Conflict):
    code = "import-asked"
    title = _("This import was asked for already, and waits for consent.")
    why = _("The other company's admins decide on one request. Several would blur what they consent to.")
    way_out = _("Ask an admin of the other company to consent, or withdraw the request.")
    source = "mission rule 3"


class ImportEnded(Conflict):
    code = "import-ended"
    title = _("This import is not open any more: it was done, refused or withdrawn, or is too old.")
    why = _("An import cannot be undone. So consent counts only for a request that both sides stand by now.")
    way_out = _("An admin of the company that shall take the other one in can ask again.")
    source = "mission rule 3"


@dataclass(frozen=True, kw_only=True)
class ComingProject:
    """A project that comes over, and the name it will have."""

    name: str
    becomes: str


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What an import would do, in numbers, as things are now."""

    projects: Sequence[ComingProject]
    devices: int
    licenses: int
    """Units free in the company's and its projects' balances."""
    members: int
    """How many people come over who do not belong to the target yet."""
    invitations: int


def ask_for_company(
    *, target: Company, number: int, name: str, asker: User, caller: Caller, now: datetime
) -> CompanyImport:
    """Ask for a company, by its number and name. Its admins are told by mail; they have 14 days.

    :raises RateLimited: this company asked too often within the hour.
    :raises NoCompanyOfThatName: number and name are not those of one company.
    :raises SameCompany: they are those of the target itself.
    :raises ImportAsked: it waits for consent already.
    :raises CompanyImported: the target is only a name by now.
    """
    # Outside the transaction: a refusal rolls back, and must be counted all the same.
    call = acts.call_id("ask-for-company", caller, {"number": number, "name": name})
    throttle.hit(ASKED, f"company:{target.pk}", now=now, call=call)
    with transaction.atomic(durable=True):
        act = acts.begin(
            operation="ask-for-company",
            caller=caller,
            given={"target": target.pk, "number": number, "name": name},
            now=now,
        )
        if act.outcome is not None:
            return _with_companies().get(pk=act.outcome["import"])
        scopes.hold_company(target)
        source = _find(number, name)
        if source == target:
            raise SameCompany
        open_ones = CompanyImport.objects.filter(source=source, target=target, ended_at=None)
        open_ones.filter(expires_at__lte=now).update(ended_at=now, end=CompanyImport.End.EXPIRED)
        try:
            with transaction.atomic():  # the unique index decides, also between two at once
                wanted = CompanyImport.objects.create(
                    source=source, target=target, asked_by=asker, asked_at=now, expires_at=now + GOOD_FOR
                )
        except IntegrityError as error:
            raise ImportAsked from error
        _tell("company-import-asked", wanted, act=act, caller=caller, now=now)
        notices.import_asked(wanted, now=now)
        acts.finish(act, outcome={"import": wanted.pk})
    return wanted


@transaction.atomic(durable=True)
def refuse_import(*, wanted: CompanyImport, caller: Caller, now: datetime) -> CompanyImport:
    """Refuse what an admin of the other company asked for.

    :raises ImportEnded: it is not open any more.
    """
    return _end(wanted, CompanyImport.End.REFUSED, event="company-import-refused", caller=caller, now=now)


@transaction.atomic(durable=True)
def withdraw_import(*, wanted: CompanyImport, caller: Caller, now: datetime) -> CompanyImport:
    """Take back what was asked for.

    :raises ImportEnded: it is not open any more.
    """
    return _end(wanted, CompanyImport.End.WITHDRAWN, event="company-import-withdrawn", caller=caller, now=now)


def look_at_import(wanted: CompanyImport) -> Preview:
    """Say what the import would do, as things are now. Changes nothing."""
    source, target = wanted.source, wanted.target
    projects = list(Project.objects.filter(company=source).order_by("pk"))
    balances = queries.free_by_balance(companies=[source], projects=projects)
    members = Membership.objects.filter(company=source)
    return Preview(
        projects=[
            ComingProject(name=project.name, becomes=new)
            for project, new in coming_over.new_names(projects, source, target)
        ],
        devices=Device.objects.filter(project__company=source, released_at=None).count(),
        licenses=sum(row.free for rows in balances.values() for row in rows),
        members=members.exclude(user__memberships__company=target).count(),
        invitations=Invitation.objects.filter(company=source, ended_at=None).count(),
    )


@transaction.atomic(durable=True)
def consent_to_import(*, wanted: CompanyImport, caller: Caller, now: datetime) -> CompanyImport:
    """Import `wanted.source` into `wanted.target`: projects with devices and rights, balances, members.

    A name that is taken gets the source's name behind it. Members become members of the target, or stay what
    they are there; who was admin keeps `manage` in the projects that come over. Invitations and API tokens
    end. What is left of the source is its name. It cannot be undone.

    :raises ImportEnded: it is not open any more, or too old.
    :raises CompanyImported: one of the two was imported elsewhere meanwhile.
    """
    act = acts.begin(operation="import-company", caller=caller, given={"import": wanted.pk}, now=now)
    if act.outcome is not None:
        return _with_companies().get(pk=wanted.pk)
    # From here on nobody puts licenses, devices or people into the source: they wait, and read anew.
    source = scopes.close_company(wanted.source, beside=[wanted.target])
    wanted = _lock(wanted)
    if wanted.ended_at is not None or wanted.expires_at <= now:
        raise ImportEnded
    target = wanted.target
    projects = list(Project.objects.filter(company=source).order_by("pk"))
    told = notices.admins_of_both(source, target)
    coming_over.move_licenses(projects, source=source, target=target, act=act, now=now)
    coming_over.move_projects(projects, source=source, target=target)
    coming_over.move_members(projects, source=source, target=target, now=now)
    _end_what_is_open(wanted, now=now)
    source.imported_into, source.imported_at = target, now
    source.save(update_fields=["imported_into", "imported_at"])
    wanted.ended_at, wanted.end, wanted.done_by = now, CompanyImport.End.DONE, act
    wanted.save(update_fields=["ended_at", "end", "done_by"])
    _tell("company-imported", wanted, act=act, caller=caller, now=now)
    notices.company_imported(source, target, told=told, caller=caller, now=now)
    for project in projects:
        audit.record(
            "project-came-over",
            caller=caller,
            now=now,
            act=act,
            company_id=target.pk,
            project_id=project.pk,
            name=project.name,
            source=source.name,
        )
    acts.finish(act, outcome={"import": wanted.pk})
    return wanted


def _end_what_is_open(wanted: CompanyImport, *, now: datetime) -> None:
    source = wanted.source
    for invitation in Invitation.objects.filter(company=source, ended_at=None):
        invitations.end(invitation, how=Invitation.End.WITHDRAWN, now=now)
    ApiToken.objects.filter(company=source, revoked_at=None).update(revoked_at=now)
    # Whose customer account it is must be proven anew.
    CustomerAccount.objects.filter(company=source).update(company=None, linked_at=None)
    # What others wanted of it, and what it wanted of others, cannot happen any more.
    others = CompanyImport.objects.filter(Q(source=source) | Q(target=source), ended_at=None)
    others.exclude(pk=wanted.pk).update(ended_at=now, end=CompanyImport.End.EXPIRED)


def _end(
    wanted: CompanyImport, how: CompanyImport.End, *, event: str, caller: Caller, now: datetime
) -> CompanyImport:
    act = acts.begin(operation=event, caller=caller, given={"import": wanted.pk}, now=now)
    wanted = _lock(wanted)
    if act.outcome is not None:
        return wanted
    if wanted.ended_at is not None:
        raise ImportEnded
    wanted.ended_at, wanted.end = now, how
    wanted.save(update_fields=["ended_at", "end"])
    _tell(event, wanted, act=act, caller=caller, now=now)
    acts.finish(act, outcome={})
    return wanted


def _lock(wanted: CompanyImport) -> CompanyImport:
    locking = CompanyImport.objects.select_for_update(of=("self",), no_key=True)
    return locking.select_related("source", "target", "asked_by").get(pk=wanted.pk)


def _with_companies() -> QuerySet[CompanyImport]:
    return CompanyImport.objects.select_related("source", "target", "asked_by")


def _find(number: int, name: str) -> Company:
    company = Company.objects.filter(pk=number, name__iexact=name.strip(), imported_into=None).first()
    if company is None:
        raise NoCompanyOfThatName
    return company


def _tell(event: str, wanted: CompanyImport, *, act: Act, caller: Caller, now: datetime) -> None:
    for company in (wanted.source, wanted.target):
        audit.record(
            event,
            caller=caller,
            now=now,
            act=act,
            company_id=company.pk,
            source=wanted.source.name,
            destination=wanted.target.name,
        )

"""One good row of each kind, and how to write another one past the operations with something wrong in it."""

import copy
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models

from accounts.models import (
    ApiToken,
    CalendarFeed,
    Company,
    CustomerAccount,
    CustomerLink,
    Invitation,
    Mail,
    Membership,
    Project,
    ProjectRight,
    ReasonTemplate,
    StaffRole,
    TermsAcceptance,
    UnwantedNotice,
    User,
)
from accounts.permissions import Role
from devices.models import (
    Alert,
    AlertDigest,
    AnchorPrefix,
    BlockedKey,
    Device,
    FirstWord,
    NewKey,
    ProjectChange,
    SeqFloor,
    StatementCounter,
    TrustAnchor,
)
from licenses import delivery, device_projects, evidence, evidence_files, keyring, ledger, queries, trials
from licenses.models import (
    ActivationKey,
    Bridge,
    ClaimCode,
    CompanyImport,
    Evidence,
    Grant,
    Holder,
    Holding,
    KeySetVersion,
    LicenseDocument,
    LogLeaf,
    LogLine,
    Move,
    Order,
    Product,
    Reminder,
    Return,
    TestLicense,
    Transfer,
)
from portal.core.models import Act, AuditEntry, LongJob, LongJobPiece, ScheduledJob, random_id
from support.models import Look
from tests.factories import (
    NOW,
    activated,
    assigned,
    caller,
    find_key,
    get_product,
    give_back,
    give_roles,
    make_company,
    make_device,
    make_key,
    make_project,
    make_token,
)
from tests.operations import moving
from tests.pictures import PDF

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows that the operations wrote."""

    user: User
    stranger: User
    terms: TermsAcceptance
    membership: Membership
    right: ProjectRight
    project: Project
    device: Device
    anchor: TrustAnchor
    prefix: AnchorPrefix
    product: Product
    order: Order
    issued: ActivationKey
    used: ActivationKey
    act: Act
    entry: AuditEntry
    holding: Holding
    transfer: Transfer
    grant: Grant
    signed: LicenseDocument
    unsigned: LicenseDocument
    key_set: KeySetVersion
    leaf: LogLeaf
    line: LogLine
    returned: Return
    counter: StatementCounter
    alert: Alert
    alert_of_company: Alert
    digest: AlertDigest
    template: ReasonTemplate
    blocked_key: BlockedKey
    new_key: NewKey
    claim_code: ClaimCode
    token: ApiToken
    into_company: Invitation
    into_project: Invitation
    account: CustomerAccount
    customer_link: CustomerLink
    company_import: CompanyImport
    project_change: ProjectChange
    first_word: FirstWord
    waiting: TestLicense
    running: TestLicense
    move: Move
    approved: Move
    bridge: Bridge
    evidence: Evidence
    mail: Mail
    unwanted: UnwantedNotice
    calendar_feed: CalendarFeed
    reminder: Reminder
    scheduled: ScheduledJob
    long_job: LongJob
    piece: LongJobPiece
    staff_role: StaffRole
    look: Look

    @property
    def issuer(self) -> Holder:
        return ledger.issuer()

    @property
    def balance(self) -> Holder:
        """The holder that is the project."""
        return ledger.project_holder(self.project)


def make_rows(user: User, stranger: User, project: Project, right: ProjectRight, anchor: TrustAnchor) -> Rows:
    """Sell, activate, assign, hand out, assign again."""
    issued = find_key(make_key(lines={"UC": 5}))
    activated(project, {"Port": 10})
    device = make_device(project=project)
    grant = assigned(device)
    delivery.download(device=device, caller=caller(), now=NOW)
    signed = queries.current_document(device)
    assigned(device)
    unsigned = queries.current_document(device)
    assert signed is not None
    assert unsigned is not None
    company, stranger_s = project.company, make_company(founder=stranger)
    moved = make_device(project=project)
    device_projects.change_project(
        device=moved, project=make_project(company=company), caller=caller(), now=NOW
    )
    other = make_device(project=project)
    give_back(other, "A" * 22)
    waiting = a_test_license(make_device(project=project))
    running = a_test_license(make_device(project=project))
    delivery.download_test_license(device=running.device, caller=caller(), now=NOW)
    move = a_move(project)
    give_roles(user, Role.SENIOR, Role.SUPPORT)
    approved = moving.approved(a_move(project), user)
    used = ActivationKey.objects.get(state="activated")
    long_job = LongJob.objects.create(kind="count", owner=user, call="1", total=2, done=1, asked_at=NOW)
    return Rows(
        user=user,
        stranger=stranger,
        terms=TermsAcceptance.objects.get(user=user),
        membership=Membership.objects.get(user=user),
        right=right,
        project=project,
        device=device,
        anchor=anchor,
        prefix=AnchorPrefix.objects.get(),
        product=get_product(),
        order=issued.order,
        issued=issued,
        used=used,
        act=Act.objects.filter(operation="assign").earliest("at"),
        entry=AuditEntry.objects.earliest("pk"),
        holding=Holding.objects.get(holder__project=project, product__code="Port"),
        transfer=Transfer.objects.filter(source__kind="key").earliest("pk"),
        grant=grant,
        signed=signed,
        unsigned=unsigned,
        token=make_token("read", company=project.company, maker=user).api_token,
        key_set=KeySetVersion.objects.get(version=keyring.current_version()),
        leaf=LogLeaf.objects.earliest("pk"),
        line=LogLine.objects.get(grant=grant),
        returned=Return.objects.get(device=other),
        counter=StatementCounter.objects.get(device=other),
        alert=Alert.objects.create(kind=Alert.Kind.SEQ_AHEAD, device=device, subject="7", at=NOW),
        alert_of_company=Alert.objects.create(
            kind=Alert.Kind.KEYS_TRIED, company=company, subject="7", at=NOW
        ),
        template=ReasonTemplate.objects.create(name="Seen", language="en", text="Seen.", made_at=NOW),
        digest=AlertDigest.objects.create(day=NOW.date(), at=NOW),
        blocked_key=BlockedKey.objects.create(spki_sha256=bytes(32), reason="stolen", blocked_at=NOW),
        new_key=NewKey.objects.create(
            device=device, spki_sha256=bytes(32), reason="repaired", asked_by=user, asked_at=NOW
        ),
        claim_code=ClaimCode.objects.create(
            code_sha256=bytes(32),
            user=user,
            project=project,
            hardware_id=device.hardware_id,
            expires_at=NOW,
            used_by=used.activated_by,
        ),
        into_company=an_invitation(company, user, role="member", token_sha256=bytes(32)),
        into_project=an_invitation(company, user, project=project, level="view", token_sha256=b"\x01" * 32),
        account=CustomerAccount.objects.create(
            number="C-1",
            postal_code="1",
            name="Example",
            town="Ulm",
            country="DE",
            company=company,
            linked_at=NOW,
        ),
        customer_link=CustomerLink.objects.create(
            token_sha256=bytes(32), account=CustomerAccount.objects.get(), company=company, expires_at=NOW
        ),
        company_import=CompanyImport.objects.create(
            source=stranger_s, target=company, asked_by=user, asked_at=NOW, expires_at=NOW
        ),
        project_change=ProjectChange.objects.get(device=moved),
        first_word=FirstWord.objects.create(device=device, project=project, at=NOW),
        waiting=waiting,
        running=TestLicense.objects.get(pk=running.pk),
        move=move,
        approved=approved,
        bridge=Bridge.objects.get(move=move),
        evidence=an_evidence(move),
        mail=Mail.objects.filter(recipient=user).earliest("pk"),
        unwanted=UnwantedNotice.objects.create(user=user, topic="returns"),
        calendar_feed=CalendarFeed.objects.create(user=user, token_sha256=bytes(32), made_at=NOW),
        reminder=Reminder.objects.create(test_license=running, days_before=30, at=NOW),
        staff_role=StaffRole.objects.get(role=Role.SENIOR),
        look=Look.objects.create(at=NOW, actor=user, page="staff"),
        scheduled=ScheduledJob.objects.create(name="forget-old-mails", next_at=NOW),
        long_job=long_job,
        piece=LongJobPiece.objects.create(job=long_job, number=0, content=b"1"),
    )


def a_move(project: Project) -> Move:
    """Open, with a bridge over the one license of the broken device."""
    broken = make_device(project=project)
    assigned(broken)
    return moving.asked(broken, make_device(project=project))


def an_evidence(move: Move) -> Evidence:
    file = evidence_files.check(name="report.pdf", content=PDF)
    evidence.add_evidence(move=move, file=file, caller=caller(), now=NOW)
    return evidence_files.get(move)


def an_invitation(company: Company, user: User, **gives: Any) -> Invitation:
    return Invitation.objects.create(
        company=company,
        email="dora@example.com",
        invited_by=user,
        invited_at=NOW,
        expires_at=NOW,
        **gives,
    )


def a_test_license(device: Device) -> TestLicense:
    return trials.create_test_license(
        device=device, version=14, slave=True, quantity=None, caller=caller(), now=NOW
    )


def a_seq_floor(value: int) -> SeqFloor:
    return SeqFloor.objects.create(value=value, raised_at=NOW)


def again(row: Row, **changes: Any) -> Row:
    """Insert the row a second time, with an id of its own and with changes."""
    clone = copy.copy(row)
    clone._state = copy.copy(row._state)
    clone._state.adding = True
    clone._state.fields_cache = {}
    clone.pk = random_id() if isinstance(row._meta.pk, models.UUIDField) else None
    for name, value in changes.items():
        setattr(clone, name, value)
    clone.save(force_insert=True)
    return clone


def change(row: models.Model, **changes: Any) -> None:
    """UPDATE the row, past save() and the operations."""
    type(row)._default_manager.filter(pk=row.pk).update(**changes)


def remove(row: models.Model) -> None:
    """DELETE the row and nothing else: Django would first look for what points at it."""
    queryset = type(row)._default_manager.filter(pk=row.pk)
    queryset._raw_delete(queryset.db)

"""Products, devices, balances and keys, for people and for doors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, Project, User
from accounts.queries import companies_of, projects_of
from devices.models import Device
from licenses import catalogue_queries, records
from licenses.models import (
    Acknowledged,
    ActivationKey,
    Grant,
    Holder,
    Holding,
    LicenseDocument,
    Product,
    Return,
    Transfer,
)
from licenses.receipt import Outcome, ReceiptV1
from portal.core import base64url
from portal.core.errors import UNSEEN, Invalid, NotFound
from portal.core.models import AuditEntry


class NoSuchProduct(Invalid):
    code = "no-such-product"
    title = _("There is no product %(product)s in version %(version)s.")
    why = _(
        "A license is good for one product in one version, and firmware takes no other. So the portal does "
        "not guess which one you meant."
    )
    way_out = _("Choose a product and version from the catalogue.")
    source = "mission rule 15"


class NoSuchGrant(NotFound):
    code = "no-such-grant"
    title = _("There is no such license on this device.")
    why = _(
        "A license is bound to one device. It may have ended meanwhile, or be on another one, and must not "
        "be touched from here."
    )
    way_out = _("Load the device's page again to see what it holds now.")
    source = "mission rule 11"


class NoSuchActivation(NotFound):
    code = "no-such-activation"
    title = _("There is no such activation, or none that you may see.")
    why = UNSEEN
    way_out = _("Look at your balances: they hold what your keys brought in.")
    source = "mission rule 5"


class NoSuchReturn(NotFound):
    code = "no-such-return"
    title = _("There is no such return of this device, or none that you may see.")
    why = UNSEEN
    way_out = _("Upload the file of the return on the device's page: what came of it is shown again.")
    source = "mission rule 5"


@dataclass(frozen=True, kw_only=True)
class ReturnedGrant:
    """What became of one grant that a return named; the grant is None where the device never had it."""

    id: str
    outcome: Outcome
    grant: Grant | None


@dataclass(frozen=True, kw_only=True)
class ReturnRecord:
    """A return that was taken, and the `seq` of the document that no longer lists what was given back."""

    jti: str
    received_at: datetime
    next_seq: int
    results: Sequence[ReturnedGrant]


@dataclass(frozen=True, kw_only=True)
class ActivationRecord:
    """An activation that was made: the key, the balance it filled, and the transfers."""

    activation_key: ActivationKey
    target: Company | Project
    transfers: Sequence[Transfer]


@dataclass(frozen=True, kw_only=True)
class BalanceRow:
    """One product in a balance: units free, and units on devices of the same scope."""

    product: Product
    free: int
    assigned: int


Units = dict[tuple[Company | Project | Device, Product], int]
"""Units of a product that an owner holds."""


def get_product(*, code: str, version: int) -> Product:
    """One product of the catalogue.

    :raises NoSuchProduct: there is none of that code and version.
    """
    product = catalogue_queries.product_named(code, version=version)
    if product is None:
        raise NoSuchProduct(product=code, version=version)
    return product


def products() -> QuerySet[Product]:
    """The whole catalogue, by version and code."""
    return Product.objects.order_by("version", "code")


def balance_of(balance: Company | Project) -> list[BalanceRow]:
    """What a company or a project has now."""
    return balance_of_company(balance) if isinstance(balance, Company) else balance_of_project(balance)


def balance_of_project(project: Project) -> list[BalanceRow]:
    """What a project has free, and what is on its devices; products with neither are left out."""
    free = {row.product: row.free for row in free_in_project(project)}
    # Summed up by the database, as a project may have thousands of devices; and by a statement of its own:
    # with an "or" to what is free, every holding there is would be read.
    held = Holding.objects.filter(holder__device__project=project, holder__device__released_at=None)
    sums = held.filter(balance__gt=0).order_by().values_list("product").annotate(units=Sum("balance"))
    assigned = dict(sums)
    missing = assigned.keys() - {product.pk for product in free}
    every = [*free, *(Product.objects.filter(pk__in=missing) if missing else ())]
    return [
        BalanceRow(product=product, free=free.get(product, 0), assigned=assigned.get(product.pk, 0))
        for product in sorted(every, key=lambda product: (product.version, product.code))
    ]


def balance_of_company(company: Company) -> list[BalanceRow]:
    """What a company has free outside its projects. Its devices are all in projects."""
    return _free(Q(holder__company=company))


def free_in_project(project: Project) -> list[BalanceRow]:
    """What a project has free, for who does not ask what is on its devices, which takes longer to tell."""
    return _free(Q(holder__project=project))


def _free(holder: Q) -> list[BalanceRow]:
    holdings = Holding.objects.filter(holder, balance__gt=0).select_related("product")
    return [
        BalanceRow(product=holding.product, free=holding.balance, assigned=0)
        for holding in holdings.order_by("product__version", "product__code")
    ]


def free_in(balance: Company | Project, *, product: Product) -> int:
    """How many units of one product a balance has free."""
    holder = Q(holder__company=balance) if isinstance(balance, Company) else Q(holder__project=balance)
    return Holding.objects.filter(holder, product=product).values_list("balance", flat=True).first() or 0


def units_of(owners: Iterable[Company | Project | Device]) -> Units:
    """How many units of each product each of the owners holds, those that hold none left out."""
    holdings = [
        (owner, holding)
        for owner in owners
        for holding in Holding.objects.filter(
            **{f"holder__{owner._meta.model_name}": owner}, balance__gt=0
        ).select_related("product")
    ]
    return {(owner, holding.product): holding.balance for owner, holding in holdings}


def free_by_balance(
    *, companies: Iterable[Company], projects: Iterable[Project]
) -> dict[Company | Project, list[BalanceRow]]:
    """What each of several balances has free, in one query; balances without anything are left out."""
    by_company = {company.pk: company for company in companies}
    by_project = {project.pk: project for project in projects}
    holdings = (
        Holding.objects.filter(
            Q(holder__company__in=list(by_company)) | Q(holder__project__in=list(by_project)), balance__gt=0
        )
        .select_related("product", "holder")
        .order_by("product__version", "product__code")
    )
    rows: dict[Company | Project, list[BalanceRow]] = {}
    for holding in holdings:
        holder = holding.holder
        balance = by_project[holder.project_id] if holder.project_id else by_company[holder.company_id or 0]
        rows.setdefault(balance, []).append(
            BalanceRow(product=holding.product, free=holding.balance, assigned=0)
        )
    return rows


def live_grants(device: Device) -> QuerySet[Grant]:
    """The live grants of a device, in the order in which documents list them; some may be past their end."""
    return (
        Grant.objects.filter(device=device, state=Grant.State.LIVE)
        .select_related("product")
        .order_by("made_at", "pk")
    )


def grants_at(device: Device, *, now: datetime) -> QuerySet[Grant]:
    """Those that have not ended: what the device holds at a moment, whatever jobs have done so far."""
    return live_grants(device).filter(Q(expires_at=None) | Q(expires_at__gt=now))


def in_order(grants: Iterable[Grant]) -> list[Grant]:
    """Grants in the order in which documents list them."""
    return sorted(grants, key=lambda grant: (grant.made_at, grant.pk))


def grants_named(ids: Iterable[str], *, device: Device) -> dict[str, Grant]:
    """Those of the grants that are or were the device's, by their ids as documents write them."""
    wanted = [UUID(bytes=base64url.decode(grant)) for grant in ids]
    found = Grant.objects.filter(device=device, pk__in=wanted).select_related("product", "device")
    return {grant_id(grant): grant for grant in found}


def next_seq(device: Device) -> int:
    """The `seq` of the device's next document: above every one it had, and above its floor.

    It is also what a return of everything must name as `min_seq`, at least (trust.md 3).
    """
    highest = LicenseDocument.objects.filter(device=device).aggregate(highest=Max("seq"))["highest"] or 0
    return max(highest, device.seq_floor) + 1


def highest_seq() -> int:
    """Of all documents of all devices. It looks at every one: for operators, not for requests."""
    return LicenseDocument.objects.aggregate(highest=Max("seq"))["highest"] or 0


def acknowledged(device: Device) -> Acknowledged | None:
    """What the device said is installed and in effect; None if it never did."""
    return Acknowledged.objects.filter(device=device).first()


def get_return(*, jti: str, device: Device) -> ReturnRecord:
    """One return by the name that the device gave it, taken while the device was in its present project.

    :raises NoSuchReturn: there is none of that name, or it was taken in another project.
    """
    row = _returns_here(device).filter(jti=jti).first() if jti.isprintable() else None
    if row is None:
        raise NoSuchReturn
    results = ReceiptV1.results_of(bytes(row.receipt_payload))
    grants = grants_named([grant for grant, _outcome in results], device=device)
    return ReturnRecord(
        jti=row.jti,
        received_at=row.received_at,
        next_seq=row.next_seq,
        results=[
            ReturnedGrant(id=grant, outcome=outcome, grant=grants.get(grant)) for grant, outcome in results
        ],
    )


def _returns_here(device: Device) -> QuerySet[Return]:
    return Return.objects.filter(device=device, act__outcome__project=device.project_id)


def get_grant(*, grant_id: str, device: Device) -> Grant:
    """One grant of the device, live or not, by its id as documents write it (22 characters).

    Its `device` is the one given, in the project it was found in.

    :raises NoSuchGrant: the device has none of that id.
    """
    try:
        key = UUID(bytes=base64url.decode(grant_id))
    except ValueError as error:
        raise NoSuchGrant from error
    grant = Grant.objects.filter(pk=key, device=device).select_related("product").first()
    if grant is None:
        raise NoSuchGrant
    grant.device = device  # as it was found: whoever acts on the grant sees whether it has left since
    return grant


def grant_id(grant: Grant) -> str:
    """The grant's id as documents write it: 16 bytes in 22 characters of base64url."""
    return base64url.encode(grant.pk.bytes)


def current_document(device: Device) -> LicenseDocument | None:
    """The device's license document with the highest `seq`, if it ever had one."""
    return LicenseDocument.objects.filter(device=device).order_by("-seq").first()


def get_activation(*, act_id: UUID, user: User) -> ActivationRecord:
    """One activation, for a member of the company whose balance it filled.

    :raises NoSuchActivation: there is none, or it filled a balance that the user may not see.
    """
    transfers = list(
        Transfer.objects.filter(act_id=act_id, source__kind=Holder.Kind.KEY)
        .select_related("product", "source__activation_key__order", "destination__company")
        .select_related("destination__project__company", "destination__former_project__company")
        .order_by("pk")
    )
    if not transfers:
        raise NoSuchActivation
    source, destination = transfers[0].source, transfers[0].destination
    # A project that came over with another company had another holder when the key was activated.
    target = destination.project or destination.former_project or destination.company
    key = source.activation_key
    assert key is not None, "a key's holder belongs to its key"
    assert target is not None, "a key is activated into a balance"
    company = target.company if isinstance(target, Project) else target
    if not companies_of(user).filter(pk=company.pk).exists():
        raise NoSuchActivation
    if isinstance(target, Project) and not projects_of(user).filter(pk=target.pk).exists():
        raise NoSuchActivation
    return ActivationRecord(activation_key=key, target=target, transfers=transfers)


def history_of_company(company: Company, *, user: User, limit: int) -> list[AuditEntry]:
    """The latest entries of a company, without those of projects that this member may not see."""
    return list(records.entries_of_company(company, user=user)[:limit])


def history_of_project(project: Project, *, limit: int) -> list[AuditEntry]:
    """The latest entries of a project, its devices' among them."""
    return list(records.entries_of_project(project)[:limit])


def history_of_device(device: Device, *, limit: int) -> list[AuditEntry]:
    """The latest entries of a device in its present project; what it did elsewhere is another's business."""
    return list(records.entries_of_device(device)[:limit])


def lines_of_order(*, key_holder_id: int) -> list[Transfer]:
    """What an activation key holds, or held before it was activated, in the order of its lines."""
    return list(
        Transfer.objects.filter(destination_id=key_holder_id).select_related("product").order_by("pk")
    )

"""The books: the only writer of holdings, transfers and grants (architecture.md, "The ledger").

Every function here runs inside the transaction of an operation. The order of locks is the same everywhere:
the act, then the key or device the operation is about, then its company (by asking for the holder), then
holdings in the order of (holder, product). Lock, then check, then act.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts import scopes
from accounts.models import Company, Project
from devices.models import Device
from devices.queries import NoSuchDevice
from licenses.models import ActivationKey, Grant, Holder, Holding, Product, Transfer
from portal.core import batches
from portal.core.batches import Batch
from portal.core.errors import Conflict, Invalid
from portal.core.models import Act

Held = Mapping[tuple[int, int], Holding]
"""Locked holdings by their place: primary keys of holder and product."""


class InsufficientLicenses(Conflict):
    code = "insufficient-licenses"
    title = _("Not enough licenses: %(wanted)s of %(product)s wanted, %(available)s free.")
    why = _(
        "No license is created or lost: the portal can give only what is free. If it gave more, one license "
        "would run in two places."
    )
    way_out = _("Take at most %(available)s, transfer more into this balance, or activate another key.")
    source = "mission rule 12"


class GrantAlreadyEnded(Conflict):
    code = "grant-already-ended"
    title = _("This license is no longer on the device.")
    why = _(
        "A license leaves a device once. If it could come back from there twice, there would be more "
        "licenses than were bought."
    )
    way_out = _("Load the device's page again to see what it holds now.")
    source = "mission rule 12"


class QuantityOutOfRange(Invalid):
    code = "quantity-out-of-range"
    title = _("A quantity must be from 1 to %(largest)s, not %(quantity)s.")
    why = _(
        "Licenses are counted in whole units. Nothing or less is no transfer, and a number that is far too "
        "large is nearly always a slip."
    )
    way_out = _("Correct the quantity.")
    source = "mission rule 12"


@dataclass(frozen=True, kw_only=True)
class Line:
    """What is to move: `quantity` units of a product from one holder to another."""

    product: Product
    quantity: int
    source: Holder
    destination: Holder


def require_quantity(quantity: int) -> None:
    """Hold a quantity within bounds, before anything is written.

    :raises QuantityOutOfRange: it is below 1 or above the largest allowed.
    """
    if not 1 <= quantity <= settings.LARGEST_QUANTITY:
        raise QuantityOutOfRange(quantity=quantity, largest=settings.LARGEST_QUANTITY)


def issuer() -> Holder:
    """The holder all licenses come from."""
    return _holder(kind=Holder.Kind.ISSUER)


def key_holder(activation_key: ActivationKey) -> Holder:
    """The holder that is an activation key: its order, until it is activated."""
    return _holder(kind=Holder.Kind.KEY, activation_key=activation_key)


def company_holder(company: Company) -> Holder:
    """The holder that is a company's balance. The company is held until the commit (accounts.scopes).

    :raises CompanyImported: the company was imported into another one.
    """
    scopes.hold_company(company)
    return _holder(kind=Holder.Kind.COMPANY, company=company)


def project_holder(project: Project) -> Holder:
    """The holder that is a project's balance. In the public log it is its company (trust.md 8).

    The company is held until the commit, so that the holder stays the project's, and the project open.

    :raises ProjectArchived: the project is archived.
    """
    scopes.hold(project.company_id)
    found = (
        Holder.objects.filter(project=project, project__company=project.company_id)
        .select_related("project")
        .first()
    )
    if found is not None and found.project is not None:
        scopes.require_open(found.project)
        return found
    # There is none yet, or the project came over to another company meanwhile.
    project = scopes.hold_project(project)
    in_the_log = _holder(kind=Holder.Kind.COMPANY, company=project.company).log_id
    return _holder(kind=Holder.Kind.PROJECT, project=project, defaults={"log_id": in_the_log})


def balance_holder(balance: Company | Project) -> Holder:
    """The holder behind a balance, a company's or a project's.

    :raises CompanyImported: the company was imported into another one.
    :raises ProjectArchived: the project is archived.
    """
    return company_holder(balance) if isinstance(balance, Company) else project_holder(balance)


def take_over(*, act: Act, projects: Sequence[Project], source: Company, target: Company) -> list[Transfer]:
    """Transfer all that a company and its projects have free to another company, when it is imported.

    Each project gets a new holder, which is the other company in the public log; the one it had keeps its
    transfers. `source` is closed, `target` held, and the projects are still those of `source`.
    """
    company, into = (_holder(kind=Holder.Kind.COMPANY, company=one) for one in (source, target))
    goes_to = {company.pk: into}
    for project in projects:
        former = Holder.objects.filter(project=project).first()
        if former is not None:
            former.project, former.former_project = None, project
            former.save(update_fields=["project", "former_project"])
        new = _holder(kind=Holder.Kind.PROJECT, project=project, defaults={"log_id": into.log_id})
        if former is not None:
            goes_to[former.pk] = new
    held = (
        Holding.objects.filter(holder__in=goes_to, balance__gt=0)
        .select_related("holder", "product")
        .order_by("holder_id", "product_id")
    )
    lines = [
        Line(
            product=holding.product,
            quantity=holding.balance,
            source=holding.holder,
            destination=goes_to[holding.holder_id],
        )
        for holding in held
    ]
    return transfer(act=act, lines=lines) if lines else []


def device_holder(device: Device) -> Holder:
    """The holder that is a device."""
    return _holder(kind=Holder.Kind.DEVICE, device=device)


def lock_device(device: Device) -> Device:
    """Lock the device for the rest of the transaction, and read it anew.

    :raises NoSuchDevice: it was released: no project has it.

    Whatever changes a device's grants, its documents or its project holds this lock: two changes at once
    would build two documents of one `seq`, or assign from a project the device has just left.
    """
    # The project is read with the device but not locked: another device of it is nobody's business here.
    locking = Device.objects.select_for_update(of=("self",), no_key=True)
    with_project = locking.select_related("project__company")
    try:
        locked = with_project.get(pk=device.pk)
    except Device.DoesNotExist:
        # It went to another project while this waited for the lock: PostgreSQL then looks whether the new row
        # fits the project of before, and finds that it does not. The lock is held from here on.
        locked = with_project.get(pk=device.pk)
    if locked.released_at is not None:
        raise NoSuchDevice
    return locked


def require_still_in(project_id: int, device: Device) -> None:
    """Whoever was let in had a right in one project. A claim can take the device to another one before it is
    locked, and the licenses of that one are not theirs to spend.

    :raises NoSuchDevice: the device, which is locked, has left the project.
    """
    if device.project_id != project_id:
        raise NoSuchDevice


def transfer(*, act: Act, lines: Sequence[Line], held: Held | None = None) -> list[Transfer]:
    """Move quantities between holders, all lines or none. One call for one act.

    :param held: the holdings at all places of the lines, where they are locked already.
    :raises InsufficientLicenses: a source has less than its lines want; facts `product`, `wanted`,
        `available`.
    """
    assert connection.in_atomic_block, "transfers belong to the transaction of an operation"
    changes: dict[tuple[int, int], int] = defaultdict(int)
    wanted: dict[tuple[int, int], int] = defaultdict(int)
    for line in lines:
        if line.source.keeps_a_balance:
            changes[line.source.pk, line.product.pk] -= line.quantity
            wanted[line.source.pk, line.product.pk] += line.quantity
        if line.destination.keeps_a_balance:
            changes[line.destination.pk, line.product.pk] += line.quantity
    holdings = _lock_holdings(changes) if held is None else held
    # Checked under the lock. The CHECK on the row would refuse as well, but could not say what is missing.
    products = {line.product.pk: line.product for line in lines}
    for (holder_id, product_id), quantity in sorted(wanted.items()):
        available = holdings[holder_id, product_id].balance
        if quantity > available:
            raise InsufficientLicenses(
                product=str(products[product_id]), wanted=quantity, available=available
            )
    _change_balances({holdings[place].pk: change for place, change in changes.items()}, batch=act.batch)
    return batches.write(
        (Transfer(act=act, **vars(line)) for line in lines),
        batch=act.batch,
    )


def retired() -> Holder:
    """The holder of what was taken out for good, like a canceled order."""
    return _holder(kind=Holder.Kind.RETIRED)


def grant(
    *, act: Act, device: Device, product: Product, quantity: int, first_seq: int, now: datetime
) -> Grant:
    """Write a bought grant: the other side of a transfer to the device. The device is locked."""
    made = Grant(
        device=device,
        product=product,
        quantity=quantity,
        license_class=Grant.Class.BOUGHT,
        made_by=act,
        made_at=now,
        first_seq=first_seq,
    )
    batches.write([made], batch=act.batch)
    return made


def grant_tests(
    *,
    act: Act,
    device: Device,
    quantities: Sequence[tuple[Product, int]],
    expires_at: datetime,
    first_seq: int,
    now: datetime,
) -> list[Grant]:
    """Write the grants of a test license; no balance has a part in them. The device is locked."""
    return Grant.objects.bulk_create(
        Grant(
            device=device,
            product=product,
            quantity=quantity,
            license_class=Grant.Class.TEST,
            made_by=act,
            made_at=now,
            expires_at=expires_at,
            first_seq=first_seq,
        )
        for product, quantity in quantities
    )


def end_grants(*, act: Act, grants: Iterable[Grant], state: Grant.State, now: datetime) -> None:
    """Take grants out of the live state. The device is locked.

    :raises GrantAlreadyEnded: one of them was not live any more.
    """
    grants = list(grants)
    ids = [grant.pk for grant in grants]
    ended = Grant.objects.filter(pk__in=ids, state=Grant.State.LIVE).update(
        state=state, ended_by=act, ended_at=now
    )
    if ended != len(ids):
        raise GrantAlreadyEnded
    for ended_grant in grants:  # the caller's rows say it too
        ended_grant.state, ended_grant.ended_by, ended_grant.ended_at = state, act, now


def _holder(
    *, kind: Holder.Kind, defaults: Mapping[str, object] | None = None, **belongs_to: object
) -> Holder:
    found = Holder.objects.filter(kind=kind, **belongs_to).first()
    if found is not None:
        return found
    # Two at once: the second waits for the first at the unique index, and then finds its row.
    Holder.objects.bulk_create([Holder(kind=kind, **belongs_to, **(defaults or {}))], ignore_conflicts=True)
    return Holder.objects.get(kind=kind, **belongs_to)


def _lock_holdings(places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Holding]:
    """Lock the holdings at (holder, product), making those that are missing.

    All of them, also those that only receive, in the order of (holder, product): an UPDATE would lock them
    anyway, in an order that two acts crossing each other would make a deadlock of. One statement makes and
    locks, because whoever makes rows after having locked others can be waited for in a circle as well. The
    update to the same value is what takes the lock.
    """
    places = sorted(places)
    if not places:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO licenses_holding (holder_id, product_id, balance, moved) VALUES "  # noqa: S608
            + ", ".join(["(%s, %s, 0, 0)"] * len(places))
            + " ON CONFLICT (holder_id, product_id) DO UPDATE SET balance = licenses_holding.balance"
            " RETURNING id, holder_id, product_id, balance",
            [value for place in places for value in place],
        )
        rows = cursor.fetchall()
    return {
        (holder_id, product_id): Holding(pk=pk, holder_id=holder_id, product_id=product_id, balance=balance)
        for pk, holder_id, product_id, balance in rows
    }


def _change_balances(changes: Mapping[int, int], *, batch: Batch | None) -> None:
    """Add each change to its balance, in the database: that is right even where a lock was forgotten."""
    amounts = {pk: amount for pk, amount in sorted(changes.items()) if amount}
    if not amounts:
        return
    cases = " ".join(["WHEN %s THEN %s"] * len(amounts))
    places = ", ".join(["%s"] * len(amounts))
    batches.change(
        f"UPDATE licenses_holding SET balance = balance + CASE id {cases} END"  # noqa: S608
        f" WHERE id IN ({places})",
        [*(value for change in amounts.items() for value in change), *amounts],
        batch=batch,
    )

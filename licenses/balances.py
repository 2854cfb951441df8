"""Transfers between a company's balance and its projects' (mission rule 12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, Project
from licenses import ledger, queries
from licenses.ledger import Line
from licenses.models import Product, Transfer
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict


class OtherCompany(Conflict):
    code = "other-company"
    title = _("Licenses are transferred within one company only.")
    why = _(
        "Licenses belong to the company that bought them. If one person could send them to another company, "
        "they could be gone before anybody noticed."
    )
    way_out = _("Choose a balance of the same company. Licenses of another one come by import or hand-over.")
    source = "mission rule 12"


class SameBalance(Conflict):
    code = "same-balance"
    title = _("The licenses are in this balance already.")
    why = _(
        "A transfer is kept for ever as a movement from one balance to another. One that moves nothing would "
        "only confuse whoever reads the history."
    )
    way_out = _("Choose another balance to transfer to.")
    source = "mission rule 12"


@dataclass(frozen=True, kw_only=True)
class BalanceTransfer:
    """What was transferred, and from where to where."""

    transfers: Sequence[Transfer]


@dataclass(frozen=True, kw_only=True)
class TransferPreview:
    """What a transfer would do to both balances, in units free."""

    source_before: int
    source_after: int
    destination_before: int
    destination_after: int


def look_at_transfer(
    *, source: Company | Project, destination: Company | Project, product: Product, quantity: int
) -> TransferPreview:
    """Say what a transfer would do, as things are now. Changes nothing.

    :raises QuantityOutOfRange: the quantity is below 1 or above the largest allowed.
    :raises OtherCompany: the balances belong to different companies.
    :raises SameBalance: source and destination are the same.
    :raises InsufficientLicenses: the source has less than that free.
    """
    _require_sound(source=source, destination=destination, quantity=quantity)
    available, there = (queries.free_in(balance, product=product) for balance in (source, destination))
    if quantity > available:
        raise ledger.InsufficientLicenses(product=str(product), wanted=quantity, available=available)
    return TransferPreview(
        source_before=available,
        source_after=available - quantity,
        destination_before=there,
        destination_after=there + quantity,
    )


@transaction.atomic(durable=True)
def transfer_licenses(
    *,
    source: Company | Project,
    destination: Company | Project,
    product: Product,
    quantity: int,
    caller: Caller,
    now: datetime,
) -> BalanceTransfer:
    """Transfer free licenses between balances of one company.

    No leaf in the public log: there, all balances of a company are one holder (trust.md 8).

    :raises QuantityOutOfRange: the quantity is below 1 or above the largest allowed.
    :raises OtherCompany: the balances belong to different companies.
    :raises SameBalance: source and destination are the same.
    :raises InsufficientLicenses: the source has less than that free.
    """
    _require_sound(source=source, destination=destination, quantity=quantity)
    company = _company_of(source)
    act = acts.begin(
        operation="transfer-licenses",
        caller=caller,
        given={
            "source": f"{source._meta.model_name}:{source.pk}",
            "destination": f"{destination._meta.model_name}:{destination.pk}",
            "product": product.pk,
            "quantity": quantity,
        },
        now=now,
    )
    if act.outcome is not None:
        return BalanceTransfer(transfers=list(act.transfers.select_related("product").order_by("pk")))
    # Made in one order, whichever way the licenses go: two transfers that cross each other between balances
    # without a holder yet would wait for each other in a circle.
    holders = {side: ledger.balance_holder(side) for side in sorted((source, destination), key=_place)}
    transfers = ledger.transfer(
        act=act,
        lines=[
            Line(
                product=product,
                quantity=quantity,
                source=holders[source],
                destination=holders[destination],
            )
        ],
    )
    for side in (source, destination):
        audit.record(
            "licenses-transferred",
            caller=caller,
            now=now,
            act=act,
            company_id=company.pk,
            project_id=side.pk if isinstance(side, Project) else None,
            product=str(product),
            quantity=quantity,
            source=source.name,
            destination=destination.name,
        )
    acts.finish(act, outcome={})
    return BalanceTransfer(transfers=transfers)


def _place(balance: Company | Project) -> tuple[bool, int]:
    return isinstance(balance, Project), balance.pk


def _require_sound(*, source: Company | Project, destination: Company | Project, quantity: int) -> None:
    ledger.require_quantity(quantity)
    if _company_of(destination) != _company_of(source):
        raise OtherCompany
    if source == destination:
        raise SameBalance


def _company_of(balance: Company | Project) -> Company:
    return balance if isinstance(balance, Company) else balance.company

"""What taking back an activated order would do, and what is in its way (mission rules 10 and 12)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, Sum

from accounts.models import Company, Project
from licenses import queries
from licenses.models import ActivationKey, Grant, Holder, Holding, Order, Product, Transfer

Balance = Company | Project
MOST_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What leaves one balance: `wanted` units of a product, of `free` that are there."""

    balance: Balance
    product: Product
    wanted: int
    free: int

    @property
    def company(self) -> Company:
        """Whose balance it is."""
        return self.balance if isinstance(self.balance, Company) else self.balance.company

    @property
    def after(self) -> int:
        """What would be left; below 0 as many as are missing."""
        return self.free - self.wanted

    @property
    def missing(self) -> int:
        """Units that are not free there any more."""
        return max(0, -self.after)


@dataclass(frozen=True, kw_only=True)
class InTheWay:
    """Where units of a product that are missing may be: on devices of the company, or in other balances."""

    correction: Correction
    devices: Sequence[tuple[str, str, int]]
    balances: Sequence[tuple[str, int]]


def corrections_of(order: Order) -> list[Correction]:
    """For each balance and product what its activated keys put there, and how much of it is free now.

    A balance follows its company into another one. Licenses of one product are alike: what is free may have
    come with another order.
    """
    activated = Transfer.objects.filter(
        source__activation_key__order=order,
        source__activation_key__state=ActivationKey.State.ACTIVATED,
        destination__kind__in=[Holder.Kind.COMPANY, Holder.Kind.PROJECT],
    ).select_related(
        "product",
        "destination__company",
        "destination__project__company",
        "destination__former_project__company",
    )
    wanted: dict[tuple[str, int, int], int] = defaultdict(int)
    things: dict[tuple[str, int, int], tuple[Balance, Product]] = {}
    for line in activated:
        balance = _now(line.destination)
        place = (balance._meta.model_name or "", balance.pk, line.product_id)
        wanted[place] += line.quantity
        things[place] = (balance, line.product)
    return [
        Correction(
            balance=things[place][0],
            product=things[place][1],
            wanted=wanted[place],
            free=queries.free_in(things[place][0], product=things[place][1]),
        )
        for place in sorted(wanted)
    ]


def in_the_way(corrections: Sequence[Correction]) -> list[InTheWay]:
    """Of what is not free any more: on which devices of the company the product is, and where it is free."""
    return [
        InTheWay(correction=one, devices=_on_devices(one), balances=_elsewhere(one))
        for one in corrections
        if one.missing
    ]


def _now(holder: Holder) -> Balance:
    project = holder.project or holder.former_project
    if project is not None:
        return project
    company = holder.company
    assert company is not None, "a CHECK of the table"
    while company.imported_into is not None:
        company = company.imported_into
    return company


def _on_devices(one: Correction) -> list[tuple[str, str, int]]:
    live = Grant.objects.filter(
        device__project__company=one.company,
        product=one.product,
        state=Grant.State.LIVE,
        license_class=Grant.Class.BOUGHT,
    )
    rows = (
        live.values_list("device__hardware_id", "device__project__name")
        .annotate(units=Sum("quantity"))
        .order_by("-units", "device__hardware_id")
    )
    return list(rows[:MOST_NAMED])


def _elsewhere(one: Correction) -> list[tuple[str, int]]:
    of_the_company = Q(holder__company=one.company) | Q(holder__project__company=one.company)
    holdings = Holding.objects.filter(of_the_company, product=one.product, balance__gt=0)
    found = [
        (holding.holder.project or holding.holder.company, holding.balance)
        for holding in holdings.select_related("holder__project", "holder__company")
    ]
    others = [(balance.name, units) for balance, units in found if balance and balance != one.balance]
    return others[:MOST_NAMED]

"""Balances as they were at a moment in the past, added up from the books."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, Sum, Value

from accounts.models import Company, Project
from devices.models import Device, ProjectChange
from licenses.models import Grant, Holding, Product, Transfer
from licenses.queries import BalanceRow


def balance_as_of(balance: Company | Project, *, at: datetime) -> list[BalanceRow]:
    """What a balance had free, and on the devices that were in it then; products with neither are left out.

    :param at: what was done at this instant counts.
    """
    free = _free(balance, at)
    assigned = _on_devices(balance, at) if isinstance(balance, Project) else {}
    products = Product.objects.filter(pk__in={*free, *assigned}).order_by("version", "code")
    rows = (
        BalanceRow(product=product, free=free.get(product.pk, 0), assigned=assigned.get(product.pk, 0))
        for product in products
    )
    return [row for row in rows if row.free or row.assigned]


def _free(balance: Company | Project, at: datetime) -> dict[int, int]:
    """What is free now, without what was done since: less to add up than everything from the beginning.

    In one statement, so that nothing is done between its parts.
    """
    since = Transfer.objects.filter(act__at__gt=at).order_by()
    came, went = (since.filter(_ends_in(balance, end)) for end in ("destination", "source"))
    now = Holding.objects.filter(_ends_in(balance, "holder")).order_by()
    parts = now.values_list("product", Value(1), "balance").union(
        came.values_list("product", Value(-1)).annotate(units=Sum("quantity")),
        went.values_list("product", Value(1)).annotate(units=Sum("quantity")),
        all=True,
    )
    free: dict[int, int] = defaultdict(int)
    for product, sign, units in parts:
        free[product] += sign * int(units)  # a sum of bigint is a Decimal to a union
    return free


def _ends_in(balance: Company | Project, end: str) -> Q:
    if isinstance(balance, Company):
        return Q(**{f"{end}__company": balance})
    # A project that came over with another company had another holder before.
    return Q(**{f"{end}__project": balance}) | Q(**{f"{end}__former_project": balance})


def _on_devices(project: Project, at: datetime) -> dict[int, int]:
    live = (
        Grant.objects.filter(device__in=_devices_then(project, at), made_at__lte=at)
        .filter(Q(ended_at=None) | Q(ended_at__gt=at))
        .filter(Q(expires_at=None) | Q(expires_at__gt=at), license_class=Grant.Class.BOUGHT)
    )
    return dict(live.order_by().values_list("product").annotate(units=Sum("quantity")))


def _devices_then(project: Project, at: datetime) -> list[int]:
    """Devices of the project at the moment, by primary key. Each change of project is a row with its time."""
    changes = ProjectChange.objects.filter(Q(earlier=project) | Q(later=project)).values("device")
    candidates = Device.objects.filter(Q(project=project) | Q(pk__in=changes))
    moved = ProjectChange.objects.filter(device__in=changes).order_by("at", "pk")
    by_device: dict[int, list[ProjectChange]] = defaultdict(list)
    for change in moved:
        by_device[change.device_id].append(change)
    found = candidates.values_list("pk", "project", "released_at")
    return [
        pk
        for pk, now_in, released_at in found
        if _project_then(by_device[pk], at, None if released_at else now_in) == project.pk
    ]


def _project_then(changes: Iterable[ProjectChange], at: datetime, now_in: int | None) -> int | None:
    """Where a device was: where the last change before brought it, or the first one after took it from."""
    then: int | None = None
    known = False
    for change in changes:
        if change.at > at:
            return then if known else change.earlier_id
        then, known = change.later_id, True
    return then if known else now_in

"""The devices of a project as people look through them: filtered, sorted, with what each holds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OrderBy, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.expressions import Combinable

from accounts.models import Project
from devices import queries as devices
from devices.models import Device
from licenses.models import Grant, LicenseDocument, Product


@dataclass(frozen=True, kw_only=True)
class HeldOfProduct:
    """Units of one product on a device, and its live grants of whatever product."""

    units: int
    grants: int


SORTED_BY: Mapping[str, tuple[F, ...]] = {"id": (F("hardware_id"),), "name": (F("name"), F("hardware_id"))}
"""Ways of sorting by name; "contact" is the third, and a minus before any turns it around."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """How many units of one product a device holds live."""

    code: str
    version: int
    quantity: int

    def __str__(self) -> str:
        return f"{self.quantity} × {self.code} {self.version}"


def listed(project: Project, *, text: str = "", shown: str = "", sort: str = "id") -> QuerySet[Device]:
    """The devices of a project.

    Each with its `last_contact`; `latest_seq` and `handed_out_at` of its newest document; and `installed_seq`
    and `effective_seq` as it acknowledged last: None where there is nothing of the kind.

    :param text: part of a hardware ID or of a name; "" for all.
    :param shown: a key of `SHOWN`, anything else for all.
    :param sort: "id", "name" or "contact", with a minus before it the other way round.
    """
    found = devices.found_in(Project.objects.filter(pk=project.pk), text=text)
    found = found.select_related(None)  # project and company are known
    document = LicenseDocument.objects.filter(device=OuterRef("pk")).order_by("-seq")
    found = found.annotate(
        latest_seq=Subquery(document.values("seq")[:1]),
        handed_out_at=Subquery(document.values("handed_out_at")[:1]),
        installed_seq=F("acknowledged__installed_seq"),
        effective_seq=F("acknowledged__effective_seq"),
        last_contact=F("contact__last_at"),
    )
    if shown in SHOWN:
        found = SHOWN[shown](found)
    return found.order_by(*_order(sort))


def _order(sort: str) -> list[Combinable | OrderBy | str]:
    down, by = sort.startswith("-"), sort.removeprefix("-")
    if by == "contact":  # never heard of: longer ago than anything
        contact = F("contact__last_at")
        return [contact.desc(nulls_last=True) if down else contact.asc(nulls_first=True), F("hardware_id")]
    return [field.desc() if down else field.asc() for field in SORTED_BY.get(by, SORTED_BY["id"])]


def _without_licenses(found: QuerySet[Device]) -> QuerySet[Device]:
    return found.exclude(Exists(Grant.objects.filter(device=OuterRef("pk"), state=Grant.State.LIVE)))


def _not_fetched(found: QuerySet[Any]) -> QuerySet[Any]:
    return found.filter(latest_seq__isnull=False, handed_out_at__isnull=True)


def _waiting_for_reset(found: QuerySet[Any]) -> QuerySet[Any]:
    return found.filter(installed_seq__gt=F("effective_seq"))


def _silent(found: QuerySet[Device]) -> QuerySet[Device]:
    return found.filter(contact__isnull=True)


SHOWN: Mapping[str, Callable[[QuerySet[Any]], QuerySet[Any]]] = {
    "without-licenses": _without_licenses,
    "not-fetched": _not_fetched,
    "waiting-for-reset": _waiting_for_reset,
    "silent": _silent,
}
"""What a list can be narrowed to: no live license; a document that nobody took yet; installed but not in
effect before a reset (mission rule 14); never heard of."""


def held_by(found: Iterable[Device], *, now: datetime) -> dict[int, list[Held]]:
    """What each of the devices holds, product by product, by the device's primary key; in one query."""
    sums = (
        Grant.objects.filter(
            _not_over(now), device__in=[device.pk for device in found], state=Grant.State.LIVE
        )
        .values_list("device", "product__code", "product__version")
        .annotate(units=Sum("quantity"))
        .order_by("product__version", "product__code")
    )
    held: dict[int, list[Held]] = {}
    for device, code, version, units in sums:
        held.setdefault(device, []).append(Held(code=code, version=version, quantity=units))
    return held


def held_by_devices(
    devices: Iterable[Device], *, product: Product, now: datetime
) -> dict[int, HeldOfProduct]:
    """How much of a product each device holds, and how many live grants of whatever, by primary key."""
    wanted = [device.pk for device in devices]
    counted = (
        Grant.objects.filter(_not_over(now), device__in=wanted, state=Grant.State.LIVE)
        .values_list("device")
        .annotate(
            units=Sum("quantity", filter=Q(product=product), default=0),
            grants=Count("pk"),
        )
    )
    held = {pk: HeldOfProduct(units=units, grants=grants) for pk, units, grants in counted}
    return {pk: held.get(pk, HeldOfProduct(units=0, grants=0)) for pk in wanted}


def _not_over(now: datetime) -> Q:
    # A test license ends by itself, and is live in the books until somebody looks.
    return Q(expires_at=None) | Q(expires_at__gt=now)

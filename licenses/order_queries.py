"""Orders as people may see them: fulfilment all, a company those of the account it is linked to (rule 2)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from accounts.models import Company
from licenses.models import ActivationKey, Holder, Order, ReplacementRequest, Transfer
from portal.core.errors import UNSEEN, NotFound

STATES = ("issued", "partly-activated", "activated", "blocked", "canceled")


class NoSuchOrder(NotFound):
    code = "no-such-order"
    title = _("There is no order of this number.")
    why = UNSEEN
    way_out = _("Compare the number with the order confirmation or the certificate.")
    source = "mission rule 2"


class NoSuchActivationKey(NotFound):
    code = "no-such-activation-key"
    title = _("The order has no such key.")
    why = UNSEEN
    way_out = _("Open the order again: it lists its keys by their last characters.")
    source = "mission rule 10"


def orders() -> QuerySet[Order]:
    """All orders, each with its `state`, the latest first."""
    keys = ActivationKey.objects.filter(order=OuterRef("pk"))
    activated, issued = keys.filter(state="activated"), keys.filter(state="issued")
    waiting = keys.filter(state__in=["issued", "blocked"], ending="")
    state = Case(
        When(canceled_by__isnull=False, then=Value("canceled")),
        When(Exists(activated) & Exists(waiting), then=Value("partly-activated")),
        When(Exists(activated), then=Value("activated")),
        When(Exists(issued), then=Value("issued")),
        default=Value("blocked"),
    )
    return (
        Order.objects.annotate(state=state)
        .select_related("account", "canceled_by__actor")
        .order_by("-placed_at", "-pk")
    )


def state_of(order: Order) -> str:
    """What has become of an order of `orders()`: one of `STATES`."""
    return str(order.state)  # type: ignore[attr-defined]


def get_order(number: str) -> Order:
    """An order by its number, with its `state`.

    :raises NoSuchOrder: there is none.
    """
    found = orders().filter(number=number).first()
    if found is None:
        raise NoSuchOrder
    return found


def get_order_by_id(order_id: int) -> Order:
    """An order by its id, with its `state`: pages name orders so, since numbers may hold anything.

    :raises NoSuchOrder: there is none.
    """
    found = orders().filter(pk=order_id).first()
    if found is None:
        raise NoSuchOrder
    return found


def find_orders(
    *,
    text: str = "",
    number: str = "",
    account: str = "",
    reference: str = "",
    state: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[Order]:
    """Orders narrowed by what is given; `text` is part of a number, reference or customer, or the last
    characters of a key."""
    found = orders()
    if text:
        ends = ActivationKey.objects.filter(order=OuterRef("pk"), last_four__iexact=text[-4:])
        parts = Q(number__icontains=text) | Q(reference__icontains=text) | Q(customer__icontains=text)
        found = found.filter(parts | Q(Exists(ends)) if len(text) <= 4 else parts)
    exact = {"number": number, "account__number": account, "state": state}
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if reference:
        found = found.filter(reference__icontains=reference)
    if since:
        found = found.filter(placed_at__gte=since)
    if until:
        found = found.filter(placed_at__lt=until)
    return found


def orders_of(company: Company) -> QuerySet[Order]:
    """The orders of the customer account that a company is linked to."""
    return orders().filter(account__company=company)


def get_order_of(company: Company, *, order_id: int) -> Order:
    """One of those.

    :raises NoSuchOrder: there is none.
    """
    found = orders_of(company).filter(pk=order_id).first()
    if found is None:
        raise NoSuchOrder
    return found


def get_key_for_staff(key_id: int) -> ActivationKey:
    """Any key, with its order.

    :raises NoSuchActivationKey: there is none of that number.
    """
    found = ActivationKey.objects.select_related("order__account").filter(pk=key_id).first()
    if found is None:
        raise NoSuchActivationKey
    return found


def get_key(order: Order, *, key_id: int) -> ActivationKey:
    """A key of an order.

    :raises NoSuchActivationKey: the order has no such key.
    """
    found = ActivationKey.objects.select_related("order__account").filter(order=order, pk=key_id).first()
    if found is None:
        raise NoSuchActivationKey
    return found


def keys_of(orders: Iterable[Order]) -> dict[int, list[ActivationKey]]:
    """The keys of each of several orders, by the order's primary key, in the order they were made."""
    keys = ActivationKey.objects.filter(order__in=list(orders)).select_related(
        "activated_by__actor", "ended_by__actor", "replaces", "delivery"
    )
    found: dict[int, list[ActivationKey]] = defaultdict(list)
    for key in keys.order_by("pk"):
        found[key.order_id].append(key)
    return found


def lines_of(orders: Iterable[Order]) -> dict[int, list[Transfer]]:
    """What each of several orders was for, line by line, by the order's primary key."""
    transfers = Transfer.objects.filter(
        source__kind=Holder.Kind.ISSUER, destination__activation_key__order__in=list(orders)
    ).select_related("product", "destination__activation_key")
    found: dict[int, list[Transfer]] = defaultdict(list)
    for transfer in transfers.order_by("pk"):
        key = transfer.destination.activation_key
        assert key is not None, "a holder that is a key has one"
        found[key.order_id].append(transfer)
    return found


def numbers_of(orders: Iterable[int]) -> dict[int, str]:
    """The order numbers by the orders' primary keys; without those that are none."""
    wanted = set(orders)
    return dict(Order.objects.filter(pk__in=wanted).values_list("pk", "number")) if wanted else {}


def lines_of_keys(keys: Iterable[ActivationKey]) -> dict[int, list[str]]:
    """What each of several keys was filled with, in words, by the key's primary key."""
    found: dict[int, list[str]] = defaultdict(list)
    transfers = Transfer.objects.filter(destination__activation_key__in=[key.pk for key in keys])
    for transfer in transfers.select_related("product", "destination").order_by("pk"):
        found[transfer.destination.activation_key_id or 0].append(f"{transfer.quantity} × {transfer.product}")
    return found


def open_replacements() -> QuerySet[ReplacementRequest]:
    """What admins asked for and fulfilment has not decided, the oldest first."""
    return (
        ReplacementRequest.objects.filter(state="open")
        .select_related("activation_key__order__account", "company", "asked_by")
        .order_by("asked_at", "pk")
    )


def replacements_of(order: Order) -> QuerySet[ReplacementRequest]:
    """What was asked for keys of one order, the latest first."""
    return (
        ReplacementRequest.objects.filter(activation_key__order=order)
        .select_related("activation_key", "company", "asked_by", "decided_by__actor")
        .order_by("-asked_at", "-pk")
    )


def get_replacement(request_id: int) -> ReplacementRequest:
    """:raises NoSuchActivationKey: there is no such request."""
    requests = ReplacementRequest.objects.select_related("activation_key__order__account", "company")
    found = requests.filter(pk=request_id).first()
    if found is None:
        raise NoSuchActivationKey
    return found

"""Orders as programs send them: counted, and rehearsed where they only ask."""

from datetime import datetime

from django.conf import settings

from licenses import fulfilment, issuing
from licenses.issuing import PlacedOrder, WantedOrder
from portal.core import acts, throttle
from portal.core.acts import Caller
from portal.core.throttle import Limit


def post_order(*, order: WantedOrder, caller: Caller, now: datetime) -> PlacedOrder:
    """Enter an order, or find it again.

    :raises RateLimited: too many orders by this program or person within a minute.
    :raises: as `licenses.fulfilment.place_order`.
    """
    _count(order, caller=caller, now=now)
    return fulfilment.place_order(order=order, caller=caller, now=now)


def rehearse_order(*, order: WantedOrder, caller: Caller, now: datetime) -> tuple[int, int]:
    """How many keys the order has now, and would have; then all of it is taken back.

    :raises: as `post_order`.
    """
    _count(order, caller=caller, now=now)
    return acts.rehearse(
        fulfilment.place_order,
        observe=lambda: _keys_of(order.number.strip()),
        order=order,
        caller=caller,
        now=now,
    )


def _keys_of(number: str) -> int:
    found = issuing.placed_orders([number]).get(number)
    return len(found.keys) if found else 0


def _count(order: WantedOrder, *, caller: Caller, now: datetime) -> None:
    limit = Limit(name="orders", times=settings.ORDERS_PER_MINUTE, seconds=60)
    # The order's number makes it one call, whatever the program calls its request.
    call = acts.call_id("post-order", caller.naming(scope=caller.scope, key=order.number), order.given())
    throttle.hit(limit, caller.scope, now=now, call=call)

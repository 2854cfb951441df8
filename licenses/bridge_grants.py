"""Grants that bridge and grants that move: beside licenses/ledger.py the only writer of these rows.

Every function runs in the transaction of an operation, which has locked both devices of the move.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from devices.models import Device
from licenses import ledger
from licenses.ledger import Line
from licenses.models import Bridge, Grant, Move, Product, Transfer
from portal.core.models import Act


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What a move did in the books: a transfer for each product, the grants that ended on the one device and
    those that are bought on the other one from now on."""

    transfers: Sequence[Transfer]
    ended: Sequence[Grant]
    bought: Sequence[Grant]


def write(
    *,
    act: Act,
    move: Move,
    sources: Sequence[Grant],
    ends_at: datetime,
    given_by: int | None,
    first_seq: int,
    now: datetime,
) -> list[Grant]:
    """Write a bridge grant over each of the sources; no balance has a part in them.

    :param given_by: id of the member of staff who gives it, None where the request alone does.
    """
    assert move.replacement is not None, "a bridge is given to a device"
    grants = Grant.objects.bulk_create(
        Grant(
            device=move.replacement,
            product=source.product,
            quantity=source.quantity,
            license_class=Grant.Class.BRIDGE,
            made_by=act,
            made_at=now,
            expires_at=ends_at,
            first_seq=first_seq,
            bridge_of=source,
        )
        for source in sources
    )
    Bridge.objects.bulk_create(
        Bridge(
            grant=grant,
            source=source,
            move=move,
            requested_at=move.requested_at,
            ends_at=ends_at,
            given_by_id=given_by,
        )
        for grant, source in zip(grants, sources, strict=True)
    )
    return grants


def lengthen(grants: Sequence[Grant], *, ends_at: datetime) -> None:
    """Let bridge grants end later."""
    ids = [grant.pk for grant in grants]
    Grant.objects.filter(pk__in=ids).update(expires_at=ends_at)
    Bridge.objects.filter(grant__in=ids).update(ends_at=ends_at)
    for grant in grants:
        grant.expires_at = ends_at


def put_away(move: Move, *, now: datetime) -> None:
    """Write down of a move's bridge grants that have ended that they have: at their own time, by nobody."""
    over = Grant.objects.filter(
        bridge__move=move, license_class=Grant.Class.BRIDGE, state=Grant.State.LIVE, expires_at__lte=now
    )
    for ends_at in list(over.values_list("expires_at", flat=True).distinct().order_by()):
        over.filter(expires_at=ends_at).update(state=Grant.State.EXPIRED, ended_at=ends_at)


def carry_over(
    *,
    act: Act,
    sources: Sequence[Grant],
    bridges: Sequence[Grant],
    broken: Device,
    replacement: Device,
    first_seq: int,
    now: datetime,
) -> Carried:
    """End the sources as moved, and make their bridges bought grants: same ids, no end (mission rule 26).

    A source without a bridge in effect gets a new grant. One transfer for each product.
    """
    quantities: dict[Product, int] = defaultdict(int)
    for source in sources:
        quantities[source.product] += source.quantity
    giver, taker = ledger.device_holder(broken), ledger.device_holder(replacement)
    transfers = ledger.transfer(
        act=act,
        lines=[
            Line(product=product, quantity=quantity, source=giver, destination=taker)
            for product, quantity in quantities.items()
        ],
    )
    ledger.end_grants(act=act, grants=sources, state=Grant.State.MOVED, now=now)
    ids = {source.pk for source in sources}
    bought = [bridge for bridge in bridges if bridge.bridge_of_id in ids]
    Grant.objects.filter(pk__in=[bridge.pk for bridge in bought]).update(
        license_class=Grant.Class.BOUGHT, expires_at=None
    )
    for bridge in bought:
        bridge.license_class, bridge.expires_at = Grant.Class.BOUGHT, None
    bridged = {bridge.bridge_of_id for bridge in bought}
    bought += [
        ledger.grant(
            act=act,
            device=replacement,
            product=source.product,
            quantity=source.quantity,
            first_seq=first_seq,
            now=now,
        )
        for source in sources
        if source.pk not in bridged
    ]
    return Carried(transfers=transfers, ended=sources, bought=bought)

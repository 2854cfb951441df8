"""Moves as the tests of several modules make them."""

from datetime import datetime, timedelta

from accounts.models import User
from devices.models import Device
from licenses import delivery, move_decisions, move_queries, moves
from licenses.models import Grant, Move
from tests.factories import NOW, caller

DAY = timedelta(days=1)
# What a replacement holds of the device that is broken (conftest.py), bridged and moved.
BRIDGED = {("bridge", "Port"): 4, ("bridge", "Channels"): 1}
BOUGHT = {("bought", "Port"): 4, ("bought", "Channels"): 1}
REASON = "The power supply burned out."


def asked(
    device: Device,
    replacement: Device | None = None,
    *,
    reason: str = REASON,
    rma: str = "",
    key: str | None = None,
    now: datetime = NOW,
) -> Move:
    return moves.ask_for_move(
        device=device, replacement=replacement, rma=rma, caller=caller(key=key, reason=reason), now=now
    )


def named(move: Move, replacement: Device, *, now: datetime = NOW) -> Move:
    return moves.name_replacement(move=move, replacement=replacement, caller=caller(), now=now)


def withdrawn(move: Move, *, now: datetime = NOW) -> Move:
    return moves.withdraw_move(move=move, caller=caller(), now=now)


def approved(move: Move, by: User, *, key: str | None = None, now: datetime = NOW) -> Move:
    who = caller(by, key=key, reason="Looks right.")
    return move_decisions.approve_move(move=move, caller=who, now=now)


def refused_by(move: Move, by: User, *, now: datetime = NOW) -> Move:
    return move_decisions.refuse_move(move=move, caller=caller(by, reason="It answers to ping."), now=now)


def bridged_by(move: Move, by: User, *, now: datetime = NOW) -> Move:
    return move_decisions.give_bridge(move=move, caller=caller(by, reason="They wait."), now=now)


def booked_in(move: Move, by: User, *, now: datetime = NOW) -> Move:
    return move_decisions.book_in(move=move, caller=caller(by, reason="It came in a box."), now=now)


def written_off(move: Move, by: User, *, now: datetime = NOW) -> Move:
    return move_decisions.write_off(move=move, caller=caller(by, reason="It burned down."), now=now)


def current(move: Move) -> Move:
    """The move as it is stored now."""
    return move_queries.get_move_for_staff(move.pk)


def fetched(device: Device, *, have: str | None = None, now: datetime = NOW) -> str | None:
    """The device fetches; the tag of what it got, None if it has that already."""
    got = delivery.fetch(
        device=device,
        seq_seen=0,
        have=have,
        key_set_held=None,
        caller=caller(scope=f"device:{device.hardware_id}"),
        now=now,
    )
    return got.tag if got else None


def held(device: Device, *, now: datetime = NOW) -> dict[tuple[str, str], int]:
    """Units in effect on a device, by class and product code."""
    units: dict[tuple[str, str], int] = {}
    for grant in Grant.objects.filter(device=device, state="live").select_related("product"):
        if grant.expires_at is None or grant.expires_at > now:
            place = (grant.license_class, grant.product.code)
            units[place] = units.get(place, 0) + grant.quantity
    return units

"""The course of a move, as part of what else happens to its devices (mission rules 25 to 29).

A bridge is given, lengthened by a hand-out, revoked or made bought; a move expires. Every function runs in
the transaction of an operation. Whoever changes a move or its bridges has locked both of its devices, in the
order of their ids: so a fetch, a return or an assignment comes wholly before it or wholly after.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Project
from devices import alerts
from devices.models import Alert, Device
from licenses import bridge_grants, documents, ledger, move_notices, move_queries, room
from licenses.log_line import LeafType
from licenses.models import Grant, Move
from licenses.transparency import Told
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act

BRIDGE_FOR = timedelta(days=14)


class MoveChanged(Conflict):
    code = "move-changed"
    title = _("The move got another replacement at this moment.")
    why = _("Whoever decides about a move decides about two certain devices.")
    way_out = _("Load the page again, look at the replacement, and try again.")
    source = "mission rule 25"


class MoveEnded(Conflict):
    """Fact `state`."""

    code = "move-ended"
    title = _("This move is no longer open.")
    why = _("A move is decided once. Otherwise two people could decide it in two ways.")
    way_out = _("Load the page again: it says what became of the move. For anything else, ask for a new one.")
    source = "mission rule 26"


class NothingToMove(Conflict):
    """Fact `hardware_id`."""

    code = "nothing-to-move"
    title = _("The device %(hardware_id)s holds no licenses that could move.")
    why = _(
        "A move carries the licenses that were bought from one device to another. A test license stays with "
        "its hardware ID."
    )
    way_out = _("Assign licenses to the replacement from the balance of its project.")
    source = "mission rule 26"


class ReplacementElsewhere(Conflict):
    code = "replacement-elsewhere"
    title = _("The replacement must be a device of the same company.")
    why = _("The licenses belong to the company of the broken device, and stay with it.")
    way_out = _("Add the replacement to one of the company's projects first, or name another device.")
    source = "mission rule 24"


def lock_devices(devices: Iterable[Device]) -> dict[int, Device]:
    """Lock several devices and read them anew, by their ids.

    :raises NoSuchDevice: one was released.
    """
    # In the order of ids: two moves that cross each other must not wait in a circle.
    return {one.pk: ledger.lock_device(one) for one in sorted(devices, key=lambda one: one.pk)}


def lock_move(move: Move, *, beside: Iterable[Device] = ()) -> Move:
    """Lock the devices of a move, and others beside them, and read the move anew.

    :raises MoveChanged: it got another replacement since `move` was read.
    :raises NoSuchDevice: one of the devices was released.
    """
    devices = [one for one in (move.broken, move.replacement, *beside) if one is not None]
    locked = lock_devices({one.pk: one for one in devices}.values())
    again = Move.objects.select_related("project__company").get(pk=move.pk)
    if again.replacement_id != move.replacement_id:
        raise MoveChanged
    again.broken = locked[again.broken_id]
    if again.replacement_id is not None:
        again.replacement = locked[again.replacement_id]
    return again


def require_same_company(move: Move, replacement: Device) -> None:
    """:raises ReplacementElsewhere: the replacement is another company's."""
    if replacement.project.company_id != move.project.company_id:
        raise ReplacementElsewhere


def require_open(move: Move, *, now: datetime) -> None:
    """:raises MoveEnded: somebody has ended the move, or its 42 days are over. Fact `state`."""
    if not move.is_open_at(now):
        raise MoveEnded(state=move.state if move.state != Move.State.OPEN else Move.State.EXPIRED)


class AlsoLock(Exception):
    """The device that spoke has an open move to `replacement`, which must be locked with it: begin again."""

    def __init__(self, replacement: Device) -> None:
        self.replacement = replacement
        super().__init__(str(replacement))


def lock_with_move(device: Device, *, beside: Device | None, now: datetime) -> tuple[Device, Move | None]:
    """Lock a device that said something, and with it the replacement if a move of it is open.

    Hardly ever is one: so the device is locked alone at first, and both of them, in the order of their ids,
    in a second try.

    :param beside: the replacement, as the try before found it.
    :raises AlsoLock: there is another one: roll back, and try again with it.
    """
    locked = lock_devices([device] if beside is None else [device, beside])
    move = move_queries.open_move_from(device, now=now)
    if move is not None:
        replacement = move.replacement
        if replacement is not None and replacement.pk not in locked:
            raise AlsoLock(replacement)
        move.broken = locked[device.pk]
        move.replacement = locked[replacement.pk] if replacement is not None else None
    return locked[device.pk], move


def give_bridge(
    move: Move, sources: Sequence[Grant], *, given_by: int | None, act: Act, caller: Caller, now: datetime
) -> datetime:
    """Give the replacement a bridge over each source, and the document that has it: 14 days, and never more
    than 42 from the request. Returns when it ends."""
    device = move.replacement
    assert device is not None, "a bridge is given to a device"
    # What has ended, and no job has put away yet, must not be in the way of a new one.
    bridge_grants.put_away(move, now=now)
    ends_at = _end(move, now=now)
    seq = documents.next_seq(device)
    grants = bridge_grants.write(
        act=act, move=move, sources=sources, ends_at=ends_at, given_by=given_by, first_seq=seq, now=now
    )
    issue(LeafType.BRIDGE, [Told(grant=grant) for grant in grants], device=device, act=act, now=now)
    tell("bridge-given", move, act=act, caller=caller, now=now, ends=ends_at.isoformat())
    return ends_at


def lengthen_bridges(device: Device, *, caller: Caller, now: datetime) -> None:
    """Lengthen the bridges that the device holds, as far as their moves are undecided and they are in their
    last 7 days: to 14 days from now, never beyond the 42 (mission rule 25). Part of a hand-out."""
    holds = move_queries.open_moves(now=now).filter(replacement=device).select_related("broken__project")
    for move in holds.order_by("pk"):
        bridges = move_queries.bridges_of(move, now=now)
        ends_at = _end(move, now=now)
        due_before = now + move_queries.LENGTHENED_IN_THE_LAST
        due = [one for one in bridges if one.expires_at is not None and one.expires_at <= due_before]
        due = [one for one in due if one.expires_at is not None and one.expires_at < ends_at]
        if not due:
            continue
        move.replacement = device
        # A fetch is no act of its own: this one is named by the document it brings about. Nobody else begins
        # an act of this name without the lock on the device: it keeps nobody waiting, though it comes after.
        act = acts.begin(
            operation="lengthen-bridge",
            caller=caller.naming(scope=f"move:{move.pk}", key=f"seq:{documents.next_seq(device)}"),
            given={},
            now=now,
        )
        bridge_grants.lengthen(due, ends_at=ends_at)
        issue(LeafType.BRIDGE, [Told(grant=grant) for grant in due], device=device, act=act, now=now)
        tell("bridge-lengthened", move, act=act, caller=caller, now=now, ends=ends_at.isoformat())
        acts.finish(act, outcome={})


def revoke_bridges(move: Move, *, act: Act, now: datetime) -> None:
    """Take the bridge from the replacement, and give it the document without it."""
    bridge_grants.put_away(move, now=now)
    bridges = move_queries.bridges_of(move, now=now)
    if bridges:
        ledger.end_grants(act=act, grants=bridges, state=Grant.State.REVOKED, now=now)
        device = move.replacement
        assert device is not None, "a bridge was given to a device"
        told = [Told(grant=grant) for grant in bridges]
        issue(LeafType.REVOCATION, told, device=device, act=act, now=now)


def carry_over(
    move: Move, sources: Sequence[Grant], *, leaf_type: LeafType, act: Act, now: datetime
) -> list[Told]:
    """Move the sources to the replacement, and give it the document that has them.

    :returns: what the leaf of the old device's document must tell; the caller issues that document, since
        other licenses may end on that device in the same act.
    """
    device = move.replacement
    assert device is not None, "somebody checked that there is a replacement"
    bridge_grants.put_away(move, now=now)
    carried = bridge_grants.carry_over(
        act=act,
        sources=sources,
        bridges=move_queries.bridges_of(move, now=now),
        broken=move.broken,
        replacement=device,
        first_seq=documents.next_seq(device),
        now=now,
    )
    giver, taker = ledger.device_holder(move.broken), ledger.device_holder(device)
    told = [Told(transfer=transfer) for transfer in carried.transfers]
    told += [Told(grant=grant, destination=taker) for grant in carried.bought]
    issue(leaf_type, told, device=device, act=act, now=now)
    return [Told(grant=grant, source=giver) for grant in carried.ended]


def goes_along(move: Move | None, grants: Sequence[Grant], *, now: datetime) -> list[Grant]:
    """Which of the grants that the broken device gives back with its signature move to the replacement
    instead (mission rule 28): what was bought, as far as the replacement's document has room for it."""
    if move is None or move.replacement is None:
        return []
    bought = [grant for grant in grants if grant.license_class == Grant.Class.BOUGHT]
    bridged = {bridge.bridge_of_id for bridge in move_queries.bridges_of(move, now=now)}
    without = sum(grant.pk not in bridged for grant in bought)
    if without and not room.has_places(move.replacement, without, now=now):
        return [grant for grant in bought if grant.pk in bridged]
    return bought


def finish_signed(move: Move, moved: Sequence[Grant], *, act: Act, caller: Caller, now: datetime) -> None:
    """Tell what the broken device's own signature moved, and end the move if nothing is left to decide."""
    if moved:
        quantity = sum(grant.quantity for grant in moved)
        tell("move-signed", move, act=act, caller=caller, now=now, quantity=quantity)
    if not move_queries.movable(move.broken):
        end(move, Move.State.SIGNED, at=now, act=act)
        if not moved:
            tell("move-signed-away", move, act=act, caller=caller, now=now)
    if moved or move.state == Move.State.SIGNED:
        quantity = sum(grant.quantity for grant in moved)
        move_notices.signed(move, quantity=quantity, caller=caller, now=now)


def end(
    move: Move,
    state: Move.State,
    *,
    at: datetime,
    act: Act | None = None,
    decided_by: int | None = None,
    reason: str = "",
) -> None:
    """Write down how a move ended, and when."""
    move.state, move.ended_at, move.ended_by, move.decision_reason = state, at, act, reason
    move.decided_by_id = decided_by
    move.save(update_fields=["state", "ended_at", "ended_by", "decided_by", "decision_reason"])


def expire(move: Move, *, now: datetime) -> None:
    """Write down that a move's 42 days are over, at that second, however late this is. The devices are
    locked."""
    bridge_grants.put_away(move, now=now)
    end(move, Move.State.EXPIRED, at=move.open_until)
    caller = Caller(scope="portal", key=f"end-of-move:{move.pk}", name="portal")
    tell("move-expired", move, act=None, caller=caller, now=move.open_until)
    move_notices.expired(move, now=now)


@transaction.atomic
def note_alive(device: Device, *, now: datetime) -> None:
    """Alert support if a device speaks although its licenses were moved away without its signature
    (mission rule 27), and tell its people, once for each move; unless its hardware came back."""
    move = move_queries.moved_away_unsigned(device)
    if move is not None and alerts.alert(
        Alert.Kind.MOVED_DEVICE_ALIVE, device=device, subject=f"move {move.pk}", now=now, move=move.pk
    ):
        move_notices.device_alive(move, now=now)


def note_late_return(device: Device, *, caller: Caller, now: datetime) -> None:
    """Tell its people if a device gave back what was moved away from it before. Part of the return."""
    move = move_queries.moved_away_unsigned(device)
    if move is not None:
        move_notices.returned_late(move, caller=caller, now=now)


def tell(event: str, move: Move, *, act: Act | None, caller: Caller, now: datetime, **facts: Any) -> None:
    """Write it into the history of both devices (mission rule 29): of the broken one where it was when the
    move was asked for, of the replacement where it is, as long as that is the same company."""
    places: list[tuple[Device, Project]] = [(move.broken, move.project)]
    if move.replacement is not None:
        where = Project.objects.get(pk=move.replacement.project_id)
        if where.company_id == move.project.company_id:
            places.append((move.replacement, where))
    # An end customer of the one project must not read what is in another one.
    apart = len({project.pk for _device, project in places}) > 1
    named = {"broken": move.broken, "replacement": move.replacement}
    for device, project in places:
        ids = {
            name: one.hardware_id if one is not None and (one == device or not apart) else ""
            for name, one in named.items()
        }
        audit.record(
            event,
            caller=caller,
            now=now,
            act=act,
            company_id=project.company_id,
            project_id=project.pk,
            hardware_id=device.hardware_id,
            move=move.pk,
            **ids,
            **facts,
        )


def _end(move: Move, *, now: datetime) -> datetime:
    """At a whole second, since documents write seconds."""
    return min((now + BRIDGE_FOR).replace(microsecond=0), move.open_until)


def issue(leaf_type: LeafType, told: Sequence[Told], *, device: Device, act: Act, now: datetime) -> None:
    """Write the device's next document, and the leaf that names it."""
    documents.issue_and_log(
        device=device, seq=documents.next_seq(device), leaf_type=leaf_type, told=told, act=act, now=now
    )

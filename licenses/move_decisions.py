"""Support decides about a move, and sees to the old hardware (mission rules 25 to 27).

Every caller is a member of staff, by name, with a role that may and with a reason.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import scopes
from accounts import staff as people
from accounts.permissions import Permission
from accounts.staff import SecondPersonNeeded, StaffNeeded
from licenses import move_course, move_notices, move_queries, room
from licenses.log_line import LeafType
from licenses.models import Grant, Move
from portal.core import acts
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act

EVENTS = {
    Move.Hardware.BOOKED_IN: "hardware-booked-in",
    Move.Hardware.WRITTEN_OFF: "hardware-written-off",
}


class NoReplacement(Conflict):
    code = "no-replacement"
    title = _("The move has no replacement yet.")
    why = _("Licenses are always bound to some hardware ID or in a balance; they cannot move to nowhere.")
    way_out = _("Wait until the partner names the replacement, or refuse the move.")
    source = "mission rule 26"


class BridgeThere(Conflict):
    code = "bridge-there"
    title = _("The replacement has a bridge for this move already.")
    why = _("There is one bridge at a time over a license. Two would count it twice.")
    way_out = _("Decide the move. The bridge lasts until then, as long as its device fetches.")
    source = "mission rule 25"


class MoveNotApproved(Conflict):
    code = "move-not-approved"
    title = _("This move was not approved: its hardware need not come back.")
    why = _("Only hardware whose licenses moved away without its signature has to come back.")
    way_out = _("Look at the move's page: it says what became of it.")
    source = "mission rule 27"


class HardwareSeenTo(Conflict):
    code = "hardware-seen-to"
    title = _("The hardware of this move was booked in or written off already.")
    why = _("It is done once, by one person with one reason, so that the history stays clear.")
    way_out = _("Nothing needs to be done. The move's page says who did it and when.")
    source = "mission rule 27"


@transaction.atomic(durable=True)
def approve_move(*, move: Move, caller: Caller, now: datetime) -> Move:
    """Approve a move: the licenses of the broken device end there as moved, and are bought ones on the
    replacement, the bridge's under their own ids.

    Where the weight is above the limit, or the company over its cap, the first call only notes who approved:
    the move stays open, and its `first_approved_by` says so. A second member of staff approves by the same
    call.

    :raises ReasonNeeded, StaffNeeded, RoleMissing: the caller gives no reason, is no person, or may not.
    :raises MoveEnded: the move is not open. Fact `state`.
    :raises NoReplacement, NothingToMove, ReplacementElsewhere, DeviceIsFull: it cannot be done.
    :raises SecondPersonNeeded: the first approval is by the same person.
    :raises RoleMissing: it takes a second person, and this one may not be it.
    :raises MoveChanged: it got another replacement at this moment.
    """
    act, staff = _begin("approve-move", move, caller=caller, now=now)
    if act.outcome is not None:
        return move_queries.get_move_for_staff(move.pk)
    # The locks let a return, a fetch and another approval come wholly before this or wholly after it.
    move = move_course.lock_move(move)
    move_course.require_open(move, now=now)
    sources = _ready(move, now=now)
    # Counted alone: two approvals at once, of two moves, would each see one place left.
    scopes.count_alone(move.project.company)
    if move_queries.takes_two(move, now=now):
        if move.first_approved_by_id is None:
            move.first_approved_by_id, move.first_approved_at = staff, now
            move.save(update_fields=["first_approved_by", "first_approved_at"])
            move_course.tell("move-approved-first", move, act=act, caller=caller, now=now)
            acts.finish(act, outcome={"move": move.pk})
            return move
        if move.first_approved_by_id == staff:
            raise SecondPersonNeeded
        people.require(Permission.SECOND_PERSON, user_id=staff)
    told = move_course.carry_over(move, sources, leaf_type=LeafType.UNSIGNED_MOVE, act=act, now=now)
    # The old device's next document lists nothing of what moved (mission rule 26).
    move_course.issue(LeafType.UNSIGNED_MOVE, told, device=move.broken, act=act, now=now)
    if move.first_approved_by_id == staff:
        # It took two when the first one approved, and takes one now: nobody is named twice.
        move.first_approved_by = move.first_approved_at = None
        move.save(update_fields=["first_approved_by", "first_approved_at"])
    move_course.end(
        move, Move.State.APPROVED, at=now, act=act, decided_by=staff, reason=acts.reason_of(caller)
    )
    quantity = sum(source.quantity for source in sources)
    move_course.tell("move-approved", move, act=act, caller=caller, now=now, quantity=quantity)
    move_notices.approved(move, quantity=quantity, caller=caller, now=now)
    acts.finish(act, outcome={"move": move.pk})
    return move


@transaction.atomic(durable=True)
def refuse_move(*, move: Move, caller: Caller, now: datetime) -> Move:
    """Refuse a move: the bridge is revoked, and the broken device keeps what it has.

    :raises ReasonNeeded, StaffNeeded, RoleMissing: the caller gives no reason, is no person, or may not.
    :raises MoveEnded: the move is not open. Fact `state`.
    :raises MoveChanged: it got another replacement at this moment.
    """
    act, staff = _begin("refuse-move", move, caller=caller, now=now)
    if act.outcome is not None:
        return move_queries.get_move_for_staff(move.pk)
    move = move_course.lock_move(move)
    move_course.require_open(move, now=now)
    move_course.revoke_bridges(move, act=act, now=now)
    reason = acts.reason_of(caller)
    move_course.end(move, Move.State.REFUSED, at=now, act=act, decided_by=staff, reason=reason)
    move_course.tell("move-refused", move, act=act, caller=caller, now=now, reason=reason)
    move_notices.refused(move, reason=reason, caller=caller, now=now)
    acts.finish(act, outcome={"move": move.pk})
    return move


@transaction.atomic(durable=True)
def give_bridge(*, move: Move, caller: Caller, now: datetime) -> Move:
    """Give the replacement a bridge where support decides first, or where the last one has ended.

    It too ends 42 days after the request at the latest.

    :raises ReasonNeeded, StaffNeeded, RoleMissing: the caller gives no reason, is no person, or may not.
    :raises MoveEnded: the move is not open. Fact `state`.
    :raises NoReplacement, NothingToMove, ReplacementElsewhere, DeviceIsFull: it cannot be done.
    :raises BridgeThere: one is in effect.
    :raises MoveChanged: the move got another replacement at this moment.
    """
    act, staff = _begin("give-bridge", move, caller=caller, now=now)
    if act.outcome is not None:
        return move_queries.get_move_for_staff(move.pk)
    move = move_course.lock_move(move)
    move_course.require_open(move, now=now)
    bridged = {bridge.bridge_of_id for bridge in move_queries.bridges_of(move, now=now)}
    sources = _ready(move, now=now)
    unbridged = [source for source in sources if source.pk not in bridged]
    if not unbridged:
        raise BridgeThere
    ends_at = move_course.give_bridge(move, unbridged, given_by=staff, act=act, caller=caller, now=now)
    move_notices.bridged(move, ends_at=ends_at, caller=caller, now=now)
    acts.finish(act, outcome={"move": move.pk})
    return move


@transaction.atomic(durable=True)
def book_in(*, move: Move, caller: Caller, now: datetime) -> Move:
    """The old hardware came back: the move no longer counts against the cap.

    :raises ReasonNeeded, StaffNeeded, RoleMissing: the caller gives no reason, is no person, or may not.
    :raises MoveNotApproved: no licenses moved away from the device without its signature.
    :raises HardwareSeenTo: it was booked in or written off.
    """
    return _see_to(move, Move.Hardware.BOOKED_IN, caller=caller, now=now)


@transaction.atomic(durable=True)
def write_off(*, move: Move, caller: Caller, now: datetime) -> Move:
    """The old hardware can never come back: a second member of staff says why (mission rule 27).

    :raises ReasonNeeded, StaffNeeded, RoleMissing: the caller gives no reason, is no person, or may not.
    :raises MoveNotApproved: no licenses moved away from the device without its signature.
    :raises HardwareSeenTo: it was booked in or written off.
    :raises SecondPersonNeeded: the same person approved the move.
    """
    return _see_to(move, Move.Hardware.WRITTEN_OFF, caller=caller, now=now)


def _see_to(move: Move, how: Move.Hardware, *, caller: Caller, now: datetime) -> Move:
    act, staff = _begin(EVENTS[how], move, caller=caller, now=now)
    if act.outcome is not None:
        return move_queries.get_move_for_staff(move.pk)
    move = move_queries.get_move_for_staff(move.pk)
    if move.state != Move.State.APPROVED:
        raise MoveNotApproved
    if how == Move.Hardware.WRITTEN_OFF and move.decided_by_id == staff:
        raise SecondPersonNeeded
    # The condition in the UPDATE lets one of two at once win, and the other one see it.
    if not Move.objects.filter(pk=move.pk, hardware="").update(
        hardware=how, hardware_at=now, hardware_by=staff
    ):
        raise HardwareSeenTo
    move = move_queries.get_move_for_staff(move.pk)
    move_course.tell(EVENTS[how], move, act=act, caller=caller, now=now, reason=acts.reason_of(caller))
    acts.finish(act, outcome={"move": move.pk})
    return move


def _begin(operation: str, move: Move, *, caller: Caller, now: datetime) -> tuple[Act, int]:
    reason = acts.reason_of(caller)
    if caller.user_id is None:
        raise StaffNeeded
    writes_off = operation == EVENTS[Move.Hardware.WRITTEN_OFF]
    needed = Permission.WRITE_OFF if writes_off else Permission.DECIDE_MOVES
    people.require(needed, user_id=caller.user_id)
    given = {"move": move.pk, "reason": reason}
    return acts.begin(operation=operation, caller=caller, given=given, now=now), caller.user_id


def _ready(move: Move, *, now: datetime) -> list[Grant]:
    """What goes to the replacement, if everything is as a move needs it."""
    if move.replacement is None:
        raise NoReplacement
    move_course.require_same_company(move, move.replacement)
    sources = move_queries.movable(move.broken)
    if not sources:
        raise move_course.NothingToMove(hardware_id=move.broken.hardware_id)
    room.require_room(
        move.replacement, more=len(sources) - len(move_queries.bridges_of(move, now=now)), now=now
    )
    return sources

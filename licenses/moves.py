"""A partner asks for a move after hardware failure (mission rules 24 and 25). Support's part is in
`licenses.move_decisions`, the devices' own in `licenses.handout` and `licenses.returns`."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import scopes
from accounts.models import Company
from devices import alerts
from devices.models import Alert, Device
from licenses import evidence_files, ledger, move_course, move_notices, move_queries, room
from licenses.evidence_files import CheckedFile
from licenses.models import Grant, Move
from licenses.models.moves import OPEN_FOR
from portal.core import acts, outbox
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid

LONGEST_RMA = 40


class MoveOpen(Conflict):
    """Fact `hardware_id`."""

    code = "move-open"
    title = _("A move of the device %(hardware_id)s is open already.")
    why = _("Its licenses can go to one replacement only. Two open moves would promise them twice.")
    way_out = _("Change the replacement in the open move, or withdraw it and ask again.")
    source = "mission rule 25"


class ReplacementOfAnOpenMove(Conflict):
    """Fact `hardware_id`."""

    code = "replacement-of-an-open-move"
    title = _("The device %(hardware_id)s is itself the replacement in an open move.")
    why = _(
        "What it runs on is a bridge over the licenses of another device. A bridge over a bridge would make "
        "it impossible to say which device those licenses belong to."
    )
    way_out = _("Change the replacement in that open move: the bridge of this device ends with it.")
    source = "mission rule 25"


class ReplacementIsBroken(Conflict):
    """Fact `hardware_id`."""

    code = "replacement-is-broken"
    title = _("The replacement %(hardware_id)s is the broken device of an open move.")
    why = _("Somebody said that this device is broken. Licenses that went there would help nobody.")
    way_out = _("Name another replacement, or withdraw the move of this one if it works after all.")
    source = "mission rule 25"


class SameDevice(Invalid):
    code = "same-device"
    title = _("The replacement is the broken device itself.")
    why = _("A license is bound to one hardware ID. A repair that keeps the hardware ID needs no move.")
    way_out = _("Give the hardware ID of the new device.")
    source = "mission rule 24"


class SameReplacement(Conflict):
    """Fact `hardware_id`."""

    code = "same-replacement"
    title = _("The device %(hardware_id)s is the replacement already.")
    why = _("Each change is an entry in the history. One that changes nothing would only confuse.")
    way_out = _("Name another device, or leave the move as it is.")
    source = "mission rule 38"


class RMATooLong(Invalid):
    code = "rma-too-long"
    title = _("An RMA number has at most %(longest)s printable characters.")
    why = _("It must be found again in the vendor's books, just as it stands there.")
    way_out = _("Give the number alone, and everything else as the reason.")
    source = "mission rule 24"


@transaction.atomic(durable=True)
def ask_for_move(
    *,
    device: Device,
    replacement: Device | None,
    rma: str = "",
    evidence: CheckedFile | None = None,
    caller: Caller,
    now: datetime,
) -> Move:
    """Ask that the licenses of a broken device move to a replacement, which gets a bridge at once.

    The caller's reason is that of the move. No bridge is given before support has looked where the company
    is at its cap, a move of the device ended without licenses moving in the last 180 days, or a license
    had its one bridge already.

    :param replacement: None where it is not known yet.
    :param rma: number of the vendor's return procedure, at most 40 characters; empty without one.
    :param evidence: a file that shows what happened, if there is one.
    :raises ReasonNeeded, RMATooLong, SameDevice: what was given makes no move.
    :raises MoveOpen, NothingToMove, ReplacementOfAnOpenMove: the broken device cannot have one now.
    :raises ReplacementElsewhere, ReplacementIsBroken, DeviceIsFull: the replacement cannot take it.
    :raises NoSuchDevice: a device was released, or left the project it was loaded with.
    :raises ProjectArchived, CompanyImported: of the broken device.
    """
    reason = acts.reason_of(caller)
    rma = rma.strip()
    if len(rma) > LONGEST_RMA or not rma.isprintable():
        raise RMATooLong(longest=LONGEST_RMA)
    if replacement is not None and replacement.pk == device.pk:
        raise SameDevice
    act = acts.begin(
        operation="ask-for-move",
        caller=caller,
        given={
            "device": device.hardware_id,
            "replacement": replacement.hardware_id if replacement else None,
            "rma": rma,
            "reason": reason,
            # Only where there is one: requests of before are known by what they gave.
            **({"evidence": evidence.sha256.hex()} if evidence else {}),
        },
        now=now,
    )
    if act.outcome is not None:
        return _move(act.outcome["move"])
    device, replacement = _locked(device, replacement)
    _require_none_open(device, now=now)
    sources = move_queries.movable(device)
    if not sources:
        raise move_course.NothingToMove(hardware_id=device.hardware_id)
    # Counted alone: two requests at once for two devices would each see one place left.
    project = scopes.hold_project(device.project)
    scopes.count_alone(project.company)
    move = Move(
        broken=device,
        replacement=replacement,
        project=project,
        reason=reason,
        rma=rma,
        requested_by=act,
        requested_at=now,
        open_until=(now + OPEN_FOR).replace(microsecond=0),  # documents write seconds
        support_first=_support_first(device, sources, company=project.company, now=now),
    )
    if replacement is not None:
        _require_fit(move, replacement, sources, now=now)
    move.save()
    if evidence is not None:
        evidence_files.store(move, evidence, act=act, now=now)
    move_course.tell("move-requested", move, act=act, caller=caller, now=now, reason=reason, rma=rma)
    bridge_ends = None
    if replacement is not None and not move.support_first:
        bridge_ends = move_course.give_bridge(move, sources, given_by=None, act=act, caller=caller, now=now)
    move_notices.asked_for(move, bridge_ends=bridge_ends, caller=caller, now=now)
    if move.support_first == Move.SupportFirst.CAP:
        _alert_support(move, now=now)
    outbox.put("tidy-move", now=now, due_at=move.open_until, move_id=move.pk)
    acts.finish(act, outcome={"move": move.pk})
    return move


@transaction.atomic(durable=True)
def name_replacement(*, move: Move, replacement: Device, caller: Caller, now: datetime) -> Move:
    """Say which device replaces the broken one, for the first time or instead of another one.

    The first one gets the bridge at once, if support need not look first. A change revokes that bridge, and
    the other device gets one from support only: one bridge for a license without a staff name.

    :raises MoveEnded: the move is not open.
    :raises SameDevice, SameReplacement: it is the broken device, or the replacement already.
    :raises ReplacementElsewhere, ReplacementIsBroken, DeviceIsFull: it cannot take the licenses.
    :raises MoveChanged: somebody named another one at this moment.
    :raises NoSuchDevice: a device was released, or left the project it was loaded with.
    """
    if replacement.pk == move.broken_id:
        raise SameDevice
    act = acts.begin(
        operation="name-replacement",
        caller=caller,
        given={"move": move.pk, "replacement": replacement.hardware_id},
        now=now,
    )
    if act.outcome is not None:
        return _move(act.outcome["move"])
    asked_in = replacement.project_id
    move = move_course.lock_move(move, beside=[replacement])
    replacement = Device.objects.select_related("project__company").get(pk=replacement.pk)
    ledger.require_still_in(asked_in, replacement)
    move_course.require_open(move, now=now)
    if move.replacement_id == replacement.pk:
        raise SameReplacement(hardware_id=replacement.hardware_id)
    sources = move_queries.movable(move.broken)
    _require_fit(move, replacement, sources, now=now)
    if move.replacement is not None:
        move_course.revoke_bridges(move, act=act, now=now)
        move_course.tell("replacement-dropped", move, act=act, caller=caller, now=now)
    move.replacement = replacement
    # Whoever approved first approved of another device.
    move.first_approved_by = move.first_approved_at = None
    if not move.support_first and move_queries.bridged_without_staff(sources):
        move.support_first = Move.SupportFirst.BRIDGED_BEFORE
    move.save(update_fields=["replacement", "first_approved_by", "first_approved_at", "support_first"])
    move_course.tell("replacement-named", move, act=act, caller=caller, now=now)
    if sources and not move.support_first:
        ends_at = move_course.give_bridge(move, sources, given_by=None, act=act, caller=caller, now=now)
        move_notices.bridged(move, ends_at=ends_at, caller=caller, now=now)
    acts.finish(act, outcome={"move": move.pk})
    return move


@transaction.atomic(durable=True)
def withdraw_move(*, move: Move, caller: Caller, now: datetime) -> Move:
    """Take the request back: the bridge is revoked, and the broken device keeps what it has.

    :raises MoveEnded: the move is not open.
    :raises MoveChanged: it got another replacement at this moment.
    """
    act = acts.begin(operation="withdraw-move", caller=caller, given={"move": move.pk}, now=now)
    if act.outcome is not None:
        return _move(act.outcome["move"])
    move = move_course.lock_move(move)
    move_course.require_open(move, now=now)
    move_course.revoke_bridges(move, act=act, now=now)
    move_course.end(move, Move.State.WITHDRAWN, at=now, act=act)
    move_course.tell("move-withdrawn", move, act=act, caller=caller, now=now)
    move_notices.withdrawn(move, caller=caller, now=now)
    acts.finish(act, outcome={"move": move.pk})
    return move


@transaction.atomic(durable=True)
def tidy_move(*, move_id: int, now: datetime) -> None:
    """Write down that a move has expired, and tell it. Run by the outbox; whoever asks what is open or in
    effect knows the end without it."""
    move = Move.objects.select_related("broken__project", "replacement__project").get(pk=move_id)
    if move.state != Move.State.OPEN or move.open_until > now:
        return
    move = move_course.lock_move(move)  # a change at this moment lets the job run again later
    if move.state == Move.State.OPEN:
        move_course.expire(move, now=now)


def _move(pk: int) -> Move:
    return Move.objects.select_related("broken", "replacement", "project__company").get(pk=pk)


def _locked(device: Device, replacement: Device | None) -> tuple[Device, Device | None]:
    asked = [device] if replacement is None else [device, replacement]
    locked = move_course.lock_devices(asked)
    for one in asked:
        ledger.require_still_in(one.project_id, locked[one.pk])
    return locked[device.pk], locked[replacement.pk] if replacement is not None else None


def _require_none_open(device: Device, *, now: datetime) -> None:
    there = Move.objects.filter(broken=device, state=Move.State.OPEN).first()
    if there is not None:
        if there.open_until > now:
            raise MoveOpen(hardware_id=device.hardware_id)
        # Over, and no job was here yet. It bridges nothing any more, whatever became of its replacement.
        there.broken = device
        move_course.expire(there, now=now)
    if move_queries.open_moves(now=now).filter(replacement=device).exists():
        raise ReplacementOfAnOpenMove(hardware_id=device.hardware_id)


def _require_fit(move: Move, replacement: Device, sources: Sequence[Grant], *, now: datetime) -> None:
    move_course.require_same_company(move, replacement)
    if move_queries.open_move_from(replacement, now=now) is not None:
        raise ReplacementIsBroken(hardware_id=replacement.hardware_id)
    room.require_room(replacement, more=len(sources), now=now)


def _alert_support(move: Move, *, now: datetime) -> None:
    company = move.project.company
    alerts.alert_about_company(
        Alert.Kind.CAP_REACHED,
        company=company,
        now=now,
        broken=move.broken.hardware_id,
        counted=move_queries.count_against_cap(company, now=now) - 1,  # without this one
        cap=settings.MOVES_WITHOUT_HARDWARE,
    )


def _support_first(
    device: Device, sources: Sequence[Grant], *, company: Company, now: datetime
) -> Move.SupportFirst | str:
    """Why support decides before there is a bridge (mission rule 25); empty if it need not."""
    if move_queries.count_against_cap(company, now=now) >= settings.MOVES_WITHOUT_HARDWARE:
        return Move.SupportFirst.CAP
    if move_queries.ended_badly_lately(device, now=now):
        return Move.SupportFirst.REPEATED
    if move_queries.bridged_without_staff(sources):
        return Move.SupportFirst.BRIDGED_BEFORE
    return ""

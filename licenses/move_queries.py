"""Moves as they are looked at: what is open, what counts, what is in the way (mission rules 24 to 29)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, Principal
from accounts.queries import projects_of
from devices.models import Device
from licenses.models import Bridge, Grant, Move
from portal.core.errors import UNSEEN, Conflict, NotFound

LENGTHENED_IN_THE_LAST = timedelta(days=7)
REPEATED_WITHIN = timedelta(days=180)

Stage = Literal[
    "needs-replacement",
    "bridged",
    "bridge-ended",
    "with-support",
    "second-person",
    "approved",
    "signed",
    "refused",
    "withdrawn",
    "expired",
]


class NoSuchMove(NotFound):
    code = "no-such-move"
    title = _("There is no such move, or none that you may see.")
    why = UNSEEN
    way_out = _("Look at the device's page: it shows its moves.")
    source = "mission rule 5"


class DeviceInMove(Conflict):
    """Fact `hardware_id`."""

    code = "device-in-move"
    title = _("A move of the device %(hardware_id)s is open.")
    why = _(
        "While a move is open, its replacement may already run on a bridge over what the broken device "
        "holds. If that changed meanwhile, licenses could run in two places."
    )
    way_out = _("Wait for support to decide the move, or withdraw it.")
    source = "mission rule 25"


@dataclass(frozen=True, kw_only=True)
class MoveRecord:
    """A move as people and programs see it at a moment.

    bridge_ends_at: end of the bridge in effect, None without one.
    units: units that are to move, or were, of all products; weight: each multiplied by its product's weight.
    """

    move: Move
    stage: Stage
    bridge_ends_at: datetime | None
    units: int
    weight: int


def open_moves(*, now: datetime) -> QuerySet[Move]:
    """All that are undecided and whose 42 days are not over."""
    return Move.objects.filter(state=Move.State.OPEN, open_until__gt=now)


def open_move_from(device: Device, *, now: datetime) -> Move | None:
    """The open move whose broken device it is."""
    found = open_moves(now=now).filter(broken=device)
    return found.select_related("replacement", "project__company").first()


def require_no_move_from(device: Device, *, now: datetime) -> None:
    """Hold that the device is not the broken one of an open move. The device is locked.

    :raises DeviceInMove: it is. Fact `hardware_id`.
    """
    if open_move_from(device, now=now) is not None:
        raise DeviceInMove(hardware_id=device.hardware_id)


def require_no_move_of(device: Device, *, now: datetime) -> None:
    """Hold that the device has no part in an open move, as the broken one or as the replacement.

    :raises DeviceInMove: it has. Fact `hardware_id`.
    """
    if has_open_move(device, now=now):
        raise DeviceInMove(hardware_id=device.hardware_id)


def has_open_move(device: Device, *, now: datetime) -> bool:
    """Whether the device has a part in an open move, as the broken one or as the replacement."""
    return open_moves(now=now).filter(Q(broken=device) | Q(replacement=device)).exists()


def open_moves_of(devices: Iterable[Device], *, now: datetime) -> dict[int, Move]:
    """The open move of each of the devices that has a part in one, by the number of the device."""
    ids = {device.pk for device in devices}
    found = open_moves(now=now).filter(Q(broken__in=ids) | Q(replacement__in=ids))
    parts = ((part, move) for move in found for part in (move.broken_id, move.replacement_id))
    return {part: move for part, move in parts if part in ids}


def movable(device: Device) -> list[Grant]:
    """The live bought grants of a device, non-returnable kinds too (mission rule 26); no test licenses."""
    live = Grant.objects.filter(device=device, state=Grant.State.LIVE, license_class=Grant.Class.BOUGHT)
    return list(live.select_related("product", "device").order_by("made_at", "pk"))


def weight_of(grants: Sequence[Grant]) -> int:
    """Units times the weight of their product, summed."""
    return sum(grant.quantity * grant.product.weight for grant in grants)


def bridges_of(move: Move, *, now: datetime) -> list[Grant]:
    """The bridge grants of a move that are in effect."""
    running = Grant.objects.filter(
        bridge__move=move,
        license_class=Grant.Class.BRIDGE,
        state=Grant.State.LIVE,
        expires_at__gt=now,
    )
    return list(running.select_related("product", "device").order_by("made_at", "pk"))


def bridged_without_staff(grants: Sequence[Grant]) -> bool:
    """Whether one of the grants ever had a bridge that no member of staff gave (mission rule 25)."""
    return Bridge.objects.filter(source__in=grants, given_by__isnull=True).exists()


def count_against_cap(company: Company, *, now: datetime) -> int:
    """Moves of a company that are undecided, or approved and the old hardware not seen to (rule 25)."""
    counted = Q(state=Move.State.OPEN, open_until__gt=now) | Q(state=Move.State.APPROVED, hardware="")
    return Move.objects.filter(counted, project__company=company).count()


def ended_badly_lately(device: Device, *, now: datetime) -> bool:
    """Whether a move of the device was refused, withdrawn or expired within 180 days (rule 25)."""
    since = now - REPEATED_WITHIN
    bad = Q(state__in=[Move.State.REFUSED, Move.State.WITHDRAWN, Move.State.EXPIRED], ended_at__gt=since)
    over = Q(state=Move.State.OPEN, open_until__lte=now, open_until__gt=since)
    return Move.objects.filter(bad | over, broken=device).exists()


def lengthened_from(grants: Sequence[Grant]) -> list[datetime]:
    """From when on a hand-out lengthens each of the bridge grants; its end where nothing can (rule 25)."""
    ids = [grant.pk for grant in grants if grant.license_class == Grant.Class.BRIDGE]
    if not ids:
        return []
    rows = Bridge.objects.filter(grant__in=ids).values_list("ends_at", "move__open_until")
    return [ends if ends >= latest else ends - LENGTHENED_IN_THE_LAST for ends, latest in rows]


def moved_away_unsigned(device: Device) -> Move | None:
    """The latest approved move of a device whose hardware was not booked in: it should be dead (rule 27)."""
    gone = Move.objects.filter(broken=device, state=Move.State.APPROVED)
    gone = gone.select_related("broken", "replacement", "project__company")
    return gone.exclude(hardware=Move.Hardware.BOOKED_IN).order_by("-pk").first()


def moves_of(device: Device) -> QuerySet[Move]:
    """All moves that the device has or had a part in, wherever it was: for support. The latest first."""
    return _with_devices(Move.objects.filter(Q(broken=device) | Q(replacement=device)))


def moves_from(device: Device) -> QuerySet[Move]:
    """The moves whose broken device it is, asked for in its present project. The latest first."""
    return _with_devices(Move.objects.filter(broken=device, project=device.project_id))


def moves_about(device: Device, *, user: Principal, now: datetime) -> QuerySet[Move]:
    """The moves from it, and those whose replacement it is, from projects of the same company that the person
    may see too. Each with its evidence, without the bytes, and `bridge_ends_at`: None without a bridge.
    """
    seen = projects_of(user).filter(company=device.project.company_id).order_by().values("pk")
    away = Q(broken=device, project=device.project_id)
    about = _with_devices(Move.objects.filter(away | Q(replacement=device, project__in=seen)))
    bridges = Grant.objects.filter(bridge__move=OuterRef("pk"), license_class=Grant.Class.BRIDGE)
    ends = bridges.filter(state=Grant.State.LIVE, expires_at__gt=now).order_by("expires_at")
    return (
        about.select_related("evidence")
        .defer("evidence__content")
        .annotate(bridge_ends_at=Subquery(ends.values("expires_at")[:1]))
    )


def _with_devices(moves: QuerySet[Move]) -> QuerySet[Move]:
    with_both = moves.select_related("broken__project__company", "replacement__project__company")
    return with_both.select_related("project__company", "first_approved_by", "decided_by").order_by("-pk")


def get_move(*, move_id: int, device: Device) -> Move:
    """One move of the broken device, asked for in its present project.

    :raises NoSuchMove: it has none of that number.
    """
    move = moves_from(device).filter(pk=move_id).first()
    if move is None:
        raise NoSuchMove
    return move


def replacement_for(user: Principal, move: Move) -> Device | None:
    """The replacement, if the person may see where it is; an end customer's may be in another project."""
    if move.replacement is None or move.replacement.project_id == move.project_id:
        return move.replacement
    return move.replacement if projects_of(user).filter(pk=move.replacement.project_id).exists() else None


def get_move_for_staff(move_id: int) -> Move:
    """Any move.

    :raises NoSuchMove: there is none.
    """
    move = _with_devices(Move.objects.filter(pk=move_id)).first()
    if move is None:
        raise NoSuchMove
    return move


def queue(*, now: datetime) -> QuerySet[Move]:
    """The open moves, the oldest first, each with its `weight`: what support has to decide."""
    bought = Q(broken__grants__state=Grant.State.LIVE, broken__grants__license_class=Grant.Class.BOUGHT)
    units = F("broken__grants__quantity") * F("broken__grants__product__weight")
    return (
        open_moves(now=now)
        .annotate(weight=Sum(units, filter=bought, default=0))
        .select_related("broken", "replacement", "project__company")
        .order_by("requested_at", "pk")
    )


def without_hardware() -> QuerySet[Move]:
    """The approved moves whose old hardware nobody has seen to, the oldest first."""
    approved = Move.objects.filter(state=Move.State.APPROVED, hardware="")
    return approved.select_related("broken", "project__company").order_by("ended_at", "pk")


def takes_two(move: Move, *, now: datetime) -> bool:
    """Whether a second member of staff must approve (mission rule 26): much is at stake, or the company is
    over its cap, this move counted."""
    heavy = weight_of(movable(move.broken)) > settings.MOVE_WEIGHT_LIMIT
    return heavy or count_against_cap(move.project.company, now=now) > settings.MOVES_WITHOUT_HARDWARE


def described(move: Move, *, now: datetime) -> MoveRecord:
    """What there is to say about a move at a moment."""
    bridges = bridges_of(move, now=now) if move.state == Move.State.OPEN else []
    if move.state == Move.State.OPEN:
        grants = movable(move.broken)
    else:
        moved = Grant.objects.filter(device=move.broken, ended_by=move.ended_by_id, state=Grant.State.MOVED)
        grants = list(moved.select_related("product")) if move.ended_by_id else []
    return MoveRecord(
        move=move,
        stage=stage_of(move, bridged=bool(bridges), now=now),
        bridge_ends_at=min((grant.expires_at for grant in bridges if grant.expires_at), default=None),
        units=sum(grant.quantity for grant in grants),
        weight=weight_of(grants),
    )


def stage_of(move: Move, *, bridged: bool, now: datetime) -> Stage:
    """Where a move stands; `bridged`: whether a bridge of it is in effect."""
    if move.state != Move.State.OPEN:
        ended: dict[str, Stage] = {
            Move.State.APPROVED: "approved",
            Move.State.SIGNED: "signed",
            Move.State.REFUSED: "refused",
            Move.State.WITHDRAWN: "withdrawn",
            Move.State.EXPIRED: "expired",
        }
        return ended[move.state]
    if move.open_until <= now:
        return "expired"
    if move.first_approved_by_id is not None:
        return "second-person"
    if bridged:
        return "bridged"
    if move.support_first:
        return "with-support"
    return "needs-replacement" if move.replacement_id is None else "bridge-ended"

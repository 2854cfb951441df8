"""What people are told by mail of a move: who may operate the broken device's project (mission rule 29).

Each runs in the transaction of what it tells of, and leaves out whoever did it. A replacement in another
project is not named: an end customer of the one must not read what is in the other.
"""

from datetime import datetime
from typing import Any

from accounts import notices
from licenses.models import Move
from portal.core.acts import Caller


def asked_for(move: Move, *, bridge_ends: datetime | None, caller: Caller, now: datetime) -> None:
    """Somebody asked for a move. If the replacement got a bridge with it, the same mail says so."""
    ends = _day(bridge_ends) if bridge_ends else ""
    facts = {"who": caller.name, "reason": move.reason, "ends": ends, "waits": bool(move.support_first)}
    _tell("move_requested", move, caller=caller, now=now, **facts)


def bridged(move: Move, *, ends_at: datetime, caller: Caller, now: datetime) -> None:
    """The replacement got its bridge later: it was named, or support had to look first."""
    _tell("move_bridged", move, caller=caller, now=now, ends=_day(ends_at))


def approved(move: Move, *, quantity: int, caller: Caller, now: datetime) -> None:
    """Support approved; the old hardware has to go back."""
    _tell("move_approved", move, caller=caller, now=now, quantity=quantity)


def refused(move: Move, *, reason: str, caller: Caller, now: datetime) -> None:
    """Support refused, and says why."""
    _tell("move_refused", move, caller=caller, now=now, reason=reason)


def withdrawn(move: Move, *, caller: Caller, now: datetime) -> None:
    """A colleague took the request back."""
    _tell("move_withdrawn", move, caller=caller, now=now, who=caller.name)


def expired(move: Move, *, now: datetime) -> None:
    """42 days passed without a decision; told when that is written down."""
    _tell("move_expired", move, caller=None, now=now)


def signed(move: Move, *, quantity: int, caller: Caller, now: datetime) -> None:
    """The old device signed for its licenses after all: `quantity` units moved by it, 0 where they went to
    the balance."""
    over = move.state == Move.State.SIGNED
    _tell("move_signed", move, caller=caller, now=now, quantity=quantity, over=over)


def device_alive(move: Move, *, now: datetime) -> None:
    """The old device spoke, although its licenses were moved away."""
    _tell("move_device_alive", move, caller=None, now=now)


def returned_late(move: Move, *, caller: Caller, now: datetime) -> None:
    """The old device gave back what had been moved away from it before: nothing was credited."""
    _tell("move_returned_late", move, caller=caller, now=now)


def _tell(name: str, move: Move, *, caller: Caller | None, now: datetime, **facts: Any) -> None:
    project, other = move.project, move.replacement
    notices.tell(
        f"licenses/email/{name}",
        notices.operators_of(project),
        context={
            "hardware_id": move.broken.hardware_id,
            "replacement": other.hardware_id if other and other.project_id == project.pk else "",
            "project": project.name,
            "company": project.company.name,
            **facts,
        },
        besides=caller.user_id if caller else None,
        company_id=project.company_id,
        project_id=project.pk,
        page=f"/devices/{move.broken.hardware_id}",
        now=now,
    )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"

"""What the constraints of moves and bridges refuse, by their names: part of tests.guards.test_constraints."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.factories import NOW
from tests.guards.rows import Rows, again, change

Violation = Callable[[Rows], Any]
DAY = timedelta(days=1)


def a_move(**changes: Any) -> Violation:
    """A further move, open, of a device that has none."""

    def violate(rows: Rows) -> None:
        again(rows.move, **({"broken": rows.device, "requested_by": rows.act} | changes))

    return violate


def an_evidence(**changes: Any) -> Violation:
    """Evidence for a move that has none."""
    return lambda rows: again(rows.evidence, move=rows.approved, **changes)


def an_ended_move(*, by: str = "", **changes: Any) -> Violation:
    """The open move, changed as it would be at its end; `by` names what the signed-in user is."""

    def violate(rows: Rows) -> None:
        named = {by: rows.user} if by else {}
        change(rows.move, **changes, **named)

    return violate


MOVES: dict[str, tuple[Violation, ...]] = {
    "one_open_move_for_a_broken_device": (lambda rows: again(rows.move, requested_by=rows.act),),
    "a_move_goes_to_another_device": (lambda rows: change(rows.move, replacement=rows.move.broken_id),),
    "what_was_moved_went_somewhere": (
        lambda rows: change(
            rows.move,
            state="approved",
            replacement=None,
            ended_at=NOW,
            ended_by=rows.act,
            decided_by=rows.user,
        ),
    ),
    "a_move_is_open_for_42_days_at_most": (
        a_move(open_until=NOW + 43 * DAY),
        a_move(open_until=NOW),
    ),
    "a_move_ends_once_and_says_how": (
        an_ended_move(ended_at=NOW),
        an_ended_move(state="withdrawn", ended_at=NOW),
        an_ended_move(state="refused", ended_at=NOW),
        an_ended_move(state="expired"),
        an_ended_move(by="decided_by", state="expired", ended_at=NOW),
        an_ended_move(by="decided_by", state="approved", ended_at=NOW),
        lambda rows: change(rows.move, state="lost", ended_at=NOW, ended_by=rows.act),
        lambda rows: change(rows.move, state="signed", ended_at=NOW, ended_by=rows.act, decided_by=rows.user),
    ),
    "a_first_approval_has_its_time": (
        an_ended_move(first_approved_at=NOW),
        an_ended_move(by="first_approved_by"),
    ),
    "two_approvals_are_by_two_people": (
        lambda rows: change(
            rows.move,
            state="approved",
            ended_at=NOW,
            ended_by=rows.act,
            decided_by=rows.user,
            first_approved_by=rows.user,
            first_approved_at=NOW,
        ),
    ),
    "hardware_is_booked_in_or_written_off_after_approval": (
        an_ended_move(by="hardware_by", hardware="booked-in", hardware_at=NOW),
        lambda rows: change(rows.approved, hardware="booked-in", hardware_at=NOW),
        lambda rows: change(rows.approved, hardware="booked-in", hardware_by=rows.user),
        lambda rows: change(rows.approved, hardware_at=NOW),
        lambda rows: change(rows.approved, hardware="lost", hardware_by=rows.user, hardware_at=NOW),
    ),
    "somebody_else_writes_hardware_off": (
        lambda rows: change(
            rows.approved, hardware="written-off", hardware_by=rows.approved.decided_by_id, hardware_at=NOW
        ),
    ),
    "a_move_says_why_support_decides_first": (an_ended_move(support_first="weather"),),
    "licenses_move_requested_by_id_key": (lambda rows: again(rows.move, broken=rows.device),),
    "licenses_move_ended_by_id_key": (lambda rows: again(rows.approved, requested_by=rows.act),),
    "one_bridge_for_a_grant_without_a_staff_name": (lambda rows: again(rows.bridge, grant=rows.grant),),
    "a_bridge_stands_on_another_grant": (
        lambda rows: again(rows.bridge, grant=rows.grant, source=rows.grant),
    ),
    "a_bridge_ends_42_days_after_its_request": (
        lambda rows: change(rows.bridge, ends_at=rows.bridge.requested_at + 42 * DAY + DAY / 86400),
    ),
    "evidence_is_a_pdf_or_a_picture": (an_evidence(media_type="text/html"),),
    "evidence_has_a_hash": (an_evidence(sha256=b"short"),),
    "evidence_is_not_empty": (an_evidence(size=0),),
}

"""The staff pages about moves: what has to be decided, and a page for each move (mission rules 25 to 27)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import reason_templates
from accounts.permissions import Permission
from accounts.requests import caller, person, staff_only
from licenses import evidence_files, move_decisions, move_queries
from licenses.models import Move
from portal.core import clock
from portal.core.downloads import attachment
from portal.core.errors import DomainError
from portal.core.forms import ReasonForm, respond

MOST = 50

Decide = Callable[..., Move]
DECISIONS: Mapping[str, tuple[Decide, Any]] = {
    "approve": (move_decisions.approve_move, gettext_lazy("The move is approved.")),
    "refuse": (move_decisions.refuse_move, gettext_lazy("The move is refused; its bridge is revoked.")),
    "bridge": (move_decisions.give_bridge, gettext_lazy("The replacement has a bridge.")),
    "book-in": (move_decisions.book_in, gettext_lazy("The old hardware is booked in.")),
    "write-off": (move_decisions.write_off, gettext_lazy("The old hardware is written off.")),
}
FIRST_OF_TWO = gettext_lazy("Your approval is noted. This move takes a second person.")


@staff_only(Permission.LOOK)
def moves(request: HttpRequest) -> HttpResponse:
    """The open moves, the oldest first, with their weight; and the hardware that has to come back."""
    now = clock.now()
    queue = move_queries.queue(now=now)
    outstanding = move_queries.without_hardware()
    context = {
        "queue": [(move, move_queries.described(move, now=now)) for move in queue[:MOST]],
        "more": max(queue.count() - MOST, 0),
        "outstanding": outstanding[:MOST],
        "outstanding_more": max(outstanding.count() - MOST, 0),
    }
    return render(request, "staff/moves.html", context)


@staff_only(Permission.LOOK, change=Permission.DECIDE_MOVES)
def move(request: HttpRequest, move_id: int) -> HttpResponse:
    """One move; a POST does what its button says: decides, or tells what became of the old hardware."""
    found = move_queries.get_move_for_staff(move_id)
    template = reason_templates.picked(request.GET.get("template", ""))
    form = ReasonForm(request.POST or None, initial={"reason": template.text if template else ""})
    decision = DECISIONS.get(request.POST.get("do", ""))
    if form.is_valid() and decision is not None:
        decide, said = decision
        who = caller(request, key=form.cleaned_data["act_key"], reason=form.cleaned_data["reason"])
        try:
            done = decide(move=found, caller=who, now=clock.now())
        except DomainError as refusal:
            form.refuse(refusal)
            found = move_queries.get_move_for_staff(move_id)
        else:
            halfway = decide is move_decisions.approve_move and done.state == Move.State.OPEN
            messages.success(request, FIRST_OF_TWO if halfway else said)
            return redirect("staff-move", move_id)
    context = _context(found, now=clock.now())
    may = Permission.DECIDE_MOVES in person(request).staff_permissions
    context["may_decide"] = may and (context["is_open"] or context["hardware_is_out"])
    if context["may_decide"]:
        context |= {"templates": reason_templates.offered(), "picked": template.pk if template else None}
    return respond(request, "staff/move.html", context, form=form)


@staff_only(Permission.LOOK)
def evidence_file(request: HttpRequest, move_id: int) -> HttpResponse:
    """Save the evidence file of a move."""
    found = evidence_files.get(move_queries.get_move_for_staff(move_id))
    return attachment(bytes(found.content), name=found.name, media_type=found.media_type)


def _context(found: Move, *, now: datetime) -> dict[str, Any]:
    record = move_queries.described(found, now=now)
    is_open = found.is_open_at(now)
    return {
        "move": found,
        "record": record,
        "is_open": is_open,
        "grants": move_queries.movable(found.broken) if is_open else [],
        "counted": move_queries.count_against_cap(found.project.company, now=now),
        "takes_two": is_open and move_queries.takes_two(found, now=now),
        "may_give_bridge": is_open and found.replacement is not None and record.stage != "bridged",
        "hardware_is_out": found.state == Move.State.APPROVED and not found.hardware,
        "why_support_first": WHY_SUPPORT_FIRST.get(found.support_first, ""),
        "evidence": evidence_files.of(found),
        "others": [one for one in move_queries.moves_of(found.broken) if one != found],
        "title": _("Move of %(hardware_id)s") % {"hardware_id": found.broken.hardware_id},
    }


WHY_SUPPORT_FIRST: Mapping[str, Any] = {
    Move.SupportFirst.CAP: gettext_lazy("The company has as many moves as it may have without a decision."),
    Move.SupportFirst.REPEATED: gettext_lazy(
        "A move of this device was refused, withdrawn or expired within 180 days."
    ),
    Move.SupportFirst.BRIDGED_BEFORE: gettext_lazy(
        "One of its licenses had its bridge already; another one takes a name."
    ),
}

"""A device's page: what it holds, its license document, files from and to it, and what is known of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from accounts.models import User
from accounts.queries import MANAGE, OPERATE
from accounts.web import active
from devices.models import Device
from licenses import history_sentences as history
from licenses import move_queries, queries, standing_queries, trial_queries
from licenses.models import Grant
from licenses.web import link_codes
from licenses.web.products import ProductField
from licenses.web.statement_form import LARGEST_KIB, StatementForm
from portal.core import clock
from portal.core.forms import ActForm, PortalForm, respond

HISTORY = 10
NO_MOVES: Mapping[str, Any] = {"move_is_open": False}


class AssignForm(ActForm):
    product = ProductField(label=gettext_lazy("Product"))
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"),
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "min": 1}),
    )


def show(
    request: HttpRequest,
    device: Device,
    user: User,
    *,
    assigning: AssignForm | None = None,
    carrying: StatementForm | None = None,
    refused: PortalForm | None = None,
) -> HttpResponse:
    """The page, with a form that came back to it.

    :param assigning: the form for assigning, as it was sent.
    :param carrying: the form for the device's statement, as it was sent.
    :param refused: the form of one of the buttons, when that was refused.
    """
    now = clock.now()
    active.work_in(request, device.project)
    right, is_member = accounts.standing_in(project=device.project, user=user)
    can_operate = accounts.reaches(right, needed=OPERATE)
    balance = queries.free_in_project(device.project) if can_operate else []
    assigning = assigning or AssignForm()
    product = assigning.fields["product"]
    assert isinstance(product, ProductField), "set by the form's class"
    product.offer_products(balance)
    grants = list(queries.grants_at(device, now=now))
    rare = standing_queries.rare_of(device)
    moves = _moves(device, user=user, now=now) if rare.move else NO_MOVES
    may_undo = can_operate and not moves["move_is_open"]
    standing = standing_queries.standing_of(device)
    undoable = standing_queries.can_be_undone(grants, carried=standing.carried) if may_undo else set()
    test_license = trial_queries.test_license_of(device) if rare.test_license else None
    context = {
        "device": device,
        "project": device.project,
        "is_member": is_member,
        "can_operate": can_operate,
        "can_manage": accounts.reaches(right, needed=MANAGE),
        "has_free": any(row.free for row in balance),
        # A test license is told of by itself, with all it holds.
        "grants": [
            (grant, queries.grant_id(grant) if grant.pk in undoable else "")
            for grant in grants
            if grant.license_class != Grant.Class.TEST
        ],
        "listed": len(grants),
        "has_undo": bool(undoable),
        "most_grants": settings.GRANTS_PER_DEVICE,
        "document": standing.document,
        "test": trial_queries.described(test_license, now=now) if test_license else None,
        **moves,
        "next_seq": standing.next_seq,
        "acknowledged": standing.acknowledged,
        "last_return": rare.last_return,
        "pinned_key": bytes(device.pinned_spki).hex() if device.pinned_spki is not None else "",
        "key_is_blocked": rare.key_is_blocked,
        "history": history.told(queries.history_of_device(device, limit=HISTORY)),
        "refused": refused,
        "assign_form": assigning,
        "statement_form": carrying or StatementForm(),
        "largest_kib": LARGEST_KIB,
        **_link_code(device, wanted=can_operate),
    }
    return respond(request, "licenses/device.html", context, form=refused or carrying or assigning)


def _moves(device: Device, *, user: User, now: datetime) -> dict[str, Any]:
    """Its last move as the broken device, and the open ones that it is the replacement of."""
    about = list(move_queries.moves_about(device, user=user, now=now))
    last = next((move for move in about if move.broken_id == device.pk), None)
    into = [move for move in about if move.replacement_id == device.pk and move.is_open_at(now)]
    return {
        "move": _stands(last, now=now) if last else None,
        "move_evidence": getattr(last, "evidence", None),
        "move_is_open": last is not None and last.is_open_at(now),
        "move_replacement": move_queries.replacement_for(user, last) if last else None,
        "moves_into": [_stands(move, now=now) for move in into],
    }


def _stands(move: Any, *, now: datetime) -> dict[str, Any]:
    """Of `move_queries.moves_about`."""
    ends_at = move.bridge_ends_at
    stage = move_queries.stage_of(move, bridged=ends_at is not None, now=now)
    return {"move": move, "stage": stage, "bridge_ends_at": ends_at}


def _link_code(device: Device, *, wanted: bool) -> dict[str, str]:
    """For a phone, which carries files between two networks; whoever carries none needs no code."""
    if not wanted:
        return {}
    link = link_codes.link_to(reverse("device", args=[device.hardware_id]))
    return {"link": link, "link_code": link_codes.svg_of(link)}

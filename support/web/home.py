"""Where the vendor's people begin: one search box, and what is open."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from accounts import mail_queries
from accounts.models import Company, User
from accounts.permissions import Permission
from accounts.requests import staff_only
from devices import queries as devices
from devices.models import Device
from licenses import move_queries
from portal.core import clock
from support import blocked, search

LONGEST = 100


class SearchForm(forms.Form):
    q = forms.CharField(label=gettext_lazy("Search"), max_length=LONGEST, required=False)


@staff_only(Permission.LOOK)
def home(request: HttpRequest) -> HttpResponse:
    """The search box with what it found, else with what is open. A single hit leads to its page at once."""
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    if not text:
        return render(request, "staff/index.html", _open())
    found = search.find(text)
    if found.only is not None:
        return redirect(f"{address_of(found.only)}?{urlencode({'q': text})}")
    _name_their_moves(found.devices)
    request.found_people = bool(found.people)  # type: ignore[attr-defined]
    context = {
        "text": text,
        "found": found,
        "limit": search.LIMIT,
        "too_short": len(text) < search.SHORTEST,
        "query": urlencode({"q": text}),
    }
    return render(request, "staff/found.html", context)


def address_of(row: Model) -> str:
    """The page in the console of whatever a search can find."""
    if isinstance(row, Device):
        return reverse("staff-device", args=[row.hardware_id])
    if isinstance(row, Company):
        return reverse("staff-company", args=[row.pk])
    if isinstance(row, User):
        return reverse("staff-person", args=[row.pk])
    return reverse("staff-key", args=[row.pk])


def _name_their_moves(found: Sequence[Device]) -> None:
    """So that who looks for a move by a hardware ID is there with one click."""
    moves = move_queries.open_moves_of(found, now=clock.now())
    for device in found:
        device.open_move = moves.get(device.pk)  # type: ignore[attr-defined]


def _open() -> dict[str, Any]:
    now = clock.now()
    return {
        "second_factor_asked": settings.STAFF_SECOND_FACTOR,
        "alerts": devices.open_alerts().count(),
        "moves": move_queries.open_moves(now=now).count(),
        "anchors": devices.trust_anchors().count(),
        "blocked_devices": devices.blocked_devices().count(),
        "mails_not_delivered": mail_queries.not_delivered().count(),
        "blocked_keys": devices.blocked_keys().count(),
        "blocked_people": blocked.people().count(),
        "blocked_activation_keys": blocked.activation_keys().count(),
    }

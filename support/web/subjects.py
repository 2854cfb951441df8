"""One page each for a device, a company, a key and a person: everything support needs on the phone."""

from itertools import groupby
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import queries as accounts
from accounts import staff_queries
from accounts.models import Company, Project
from accounts.permissions import Permission
from accounts.requests import person, staff_only
from accounts.web.mails import label_of
from devices import alert_sentences
from devices import queries as devices
from devices.models import Device
from licenses import move_queries, records, trial_queries
from licenses import queries as licenses
from licenses.models import Grant, Move
from portal.core import clock
from support import queries
from support.web import telling

HISTORY = 15
SHOWN = 10


@staff_only(Permission.LOOK)
def device(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """A device, also a released one."""
    now = clock.now()
    found = queries.get_device(hardware_id)
    test = trial_queries.test_license_of(found)
    moves = list(queries_of_moves(found)[:SHOWN])
    open_move = next((move for move in moves if move.is_open_at(now)), None)
    key_is_blocked = devices.is_key_blocked(found)
    blocking = devices.blockings([found]).get(found.hardware_id) if found.blocked_at else None
    grants = queries.live_grants(found, now=now)
    context = {
        "device": found,
        "states": _states(found, open_move, key_is_blocked=key_is_blocked),
        "blocking": blocking,
        "key_is_blocked": key_is_blocked,
        "pinned_key": bytes(found.pinned_spki).hex() if found.pinned_spki is not None else "",
        "other_keys": [] if found.released_at else list(devices.other_keys(found)[:SHOWN]),
        "waiting_key": devices.waiting_key(found),
        "grants": [(grant, stage) for grant, stage in grants if grant.license_class != Grant.Class.TEST],
        "test": trial_queries.described(test, now=now) if test else None,
        "document": licenses.current_document(found),
        "acknowledged": getattr(found, "acknowledged", None),
        "alerts": alert_sentences.told(queries.alerts_of(found)[:SHOWN]),
        "moves": [(move, move_queries.described(move, now=now)) for move in moves],
        "open_move": open_move,
        "places": queries.places_of(found)[:SHOWN],
        "history": telling.told(queries.history_of(found)[:HISTORY]),
        "may": person(request).staff_permissions,
    }
    return render(request, "staff/device.html", context)


def queries_of_moves(found: Device) -> Any:
    """All moves of the device, open ones first."""
    return move_queries.moves_of(found).order_by("ended_at", "-pk")


def _states(found: Device, open_move: Move | None, *, key_is_blocked: bool) -> list[str]:
    """What there is to know of a device before anything else, in words of the data."""
    acknowledged: Any = getattr(found, "acknowledged", None)
    resets = acknowledged is not None and acknowledged.installed_seq > acknowledged.effective_seq
    all_of_them = [
        ("released", found.released_at is not None),
        ("blocked", found.blocked_at is not None or key_is_blocked),
        ("broken", open_move is not None and open_move.broken_id == found.pk),
        ("replaces", open_move is not None and open_move.replacement_id == found.pk),
        ("reset", resets),
        ("silent", getattr(found, "contact", None) is None),
    ]
    return [word for word, holds in all_of_them if holds] or ["in-order"]


@staff_only(Permission.LOOK)
def company(request: HttpRequest, company_id: int) -> HttpResponse:
    """A company, also one that was imported into another."""
    now = clock.now()
    found = queries.get_company(company_id)
    reader = queries.as_seen_by(found, staff=person(request))
    projects = list(accounts.projects_of(reader).filter(company=found))
    counts = devices.count_by_project(projects)
    free = licenses.free_by_balance(companies=[found], projects=projects)
    keys = list(records.keys_of(found, user=reader).order_by("-activated_by__at", "-pk")[:SHOWN])
    names = {project.pk: project.name for project in projects}
    context = {
        "company": found,
        "account": queries.account_of(found),
        "members": accounts.members_of(found),
        "free": free.get(found, ()),
        "projects": [(project, counts.get(project.pk, 0), free.get(project, ())) for project in projects],
        "device_count": sum(counts.values()),
        "keys": [(key, names.get(records.into_project_of(key) or 0, "")) for key in keys],
        "moves": [(move, move_queries.described(move, now=now)) for move in queries.moves_of(found)[:SHOWN]],
        "counted": move_queries.count_against_cap(found, now=now),
        "cap": settings.MOVES_WITHOUT_HARDWARE,
        "mails": [(mail, label_of(mail)) for mail in queries.mails_about(found)[:SHOWN]],
        "history": telling.told(queries.history_of_company(found)[:HISTORY]),
        "may": person(request).staff_permissions,
    }
    return render(request, "staff/company.html", context)


@staff_only(Permission.LOOK)
def key(request: HttpRequest, key_id: int) -> HttpResponse:
    """An activation key, by its number; nobody sees its code here."""
    found = queries.get_key(key_id)
    holder = queries.holder_of(found)
    into = queries.brought_into(found)
    context = {
        "key": found,
        "lines": licenses.lines_of_order(key_holder_id=holder.pk) if holder else [],
        "into": into,
        "company": into.company if isinstance(into, Project) else into,
        "into_project": into if isinstance(into, Project) else None,
        "delivery": getattr(found, "delivery", None),
        "history": telling.told(queries.history_of_key(found)),
        "may": person(request).staff_permissions,
    }
    return render(request, "staff/key.html", context)


@staff_only(Permission.LOOK)
def one_person(request: HttpRequest, user_id: int) -> HttpResponse:
    """Somebody with an account."""
    found = queries.get_person(user_id)
    rights = found.project_rights.select_related("project__company").order_by(
        "project__company__name", "project__name"
    )
    by_company: list[tuple[Company, list[Any]]] = [
        (its, list(of_it)) for its, of_it in groupby(rights, key=lambda right: right.project.company)
    ]
    context = {
        "person": found,
        "memberships": accounts.memberships_of(found),
        "rights": by_company,
        "sessions": queries.sessions_of(found),
        "has_second_factor": staff_queries.has_second_factor(found),
        "roles": staff_queries.roles_of(found),
        "mails": [(mail, label_of(mail)) for mail in queries.mails_to(found)[:SHOWN]],
        "security": telling.told(queries.security_of(found)[:HISTORY]),
        "done": telling.told(queries.done_by(found)[:HISTORY]),
        "may": person(request).staff_permissions,
    }
    return render(request, "staff/person.html", context)

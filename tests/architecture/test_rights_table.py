"""Who gets in where: the table of mission rule 5, held against every address of pages and API.

Each entry names a method and a route, who may, and what is sent. A route without an entry fails. Whoever may
not is refused, learns nothing and changes nothing; whoever may is let in.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import membership, queries
from accounts.invitations import hash_of
from accounts.models import Company, Membership, ReasonTemplate, User
from devices import blocking
from devices.models import Alert, Device, TrustAnchor
from licenses import balances, company_import, evidence, evidence_files, trials
from licenses.models import CompanyImport, Return
from licenses.queries import grant_id
from orders.models import OrderUpload
from portal.core import acts
from portal.core.models import LongJob, LongJobPiece
from support.middleware import VIEWING
from tests import factories, rows
from tests.architecture.headers import unprotected
from tests.architecture.rights_table import (
    HARDWARE_ID,
    HIDDEN,
    INVITED,
    MEMBER,
    NO_REFUSAL,
    OF_DEVICES,
    OF_MAILS,
    OUTSIDE,
    OWN_ACCOUNT,
    PUBLIC,
    REFUSED,
    ROLES,
    STAFF,
    TABLE,
    VIEW,
    World,
)
from tests.factories import NOW, caller
from tests.long_jobs.counting import known
from tests.operations import moving
from tests.pictures import PDF

pytestmark = pytest.mark.usefixtures("catalogue", "keyring", "today")


MOST_STATEMENTS = 11  # beside the one that reads the session
NO_PAGES = ("GET api-", "GET my-data")
# Signing in is no part of the page; and only the first page of a project writes that it is the active one.
NOT_COUNTED = re.compile(r'SAVEPOINT|RELEASE|[A-Z]+ .*"django_session"|.*"last_login" = ')


def weakest(may: frozenset[str]) -> list[str]:
    """Those who get in with the least: whoever has more, gets in by the same rule."""
    lines = (
        ("end-viewer", "end-operator", "end-manager"),
        ("member", "viewer", "operator", "manager", "admin"),
    )
    found = [next((role for role in line if role in may), "") for line in lines]
    alone = may - {role for line in lines for role in line}
    return sorted({*filter(None, found), *(alone if may in (INVITED, STAFF) else alone & {"stranger"})})


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            # The stock admin is for superusers alone: tests/guards/test_stock_admin.py.
            yield from names(pattern.url_patterns if pattern.namespace != "admin" else [])
        else:
            yield pattern.name or ""


@pytest.fixture
def world(anchor: TrustAnchor) -> World:
    """Made anew for each test."""
    people = {role: factories.make_user(name=role.title()) for role in ROLES[1:]}
    people["staff"].is_superuser = True  # which role may what: test_staff_roles.py
    people["staff"].save()
    factories.give_roles(people["staff"])
    factories.make_vendor_token(people["staff"])
    ReasonTemplate.objects.create(name="Seen", language="en", text="Seen.", made_at=NOW)
    admin = people["admin"]
    company = factories.make_company(founder=admin, name="Example Telecom")
    elsewhere = factories.make_company(founder=people["stranger"], name="Elsewhere")
    project = factories.make_project(company=company, name="Town hall")
    factories.activated(project, {"Port": 5})
    for role in MEMBER - {"admin"}:
        factories.join(user=people[role], company=company)
    for role in VIEW - {"admin"}:
        level = {"viewer": "view", "operator": "operate", "manager": "manage"}[role.removeprefix("end-")]
        factories.give_right(user=people[role], project=project, level=level)
    device = factories.make_device(project=project, hardware_id=HARDWARE_ID)
    other = factories.activated(factories.make_project(company=company, name=HIDDEN), {"Port": 1})
    balances.transfer_licenses(
        source=other,
        destination=project,
        product=factories.get_product(),
        quantity=1,
        caller=caller(admin),
        now=NOW,
    )
    factories.give_back(device, "A" * 22)
    trials.create_test_license(
        device=device, version=14, slave=True, quantity=None, caller=caller(admin), now=NOW
    )
    broken = factories.make_device(project=project)
    factories.assigned(broken)
    move = moving.asked(broken)
    file = evidence_files.check(name="report.pdf", content=PDF)
    evidence.add_evidence(move=move, file=file, caller=caller(admin), now=NOW)
    blocked = factories.make_device(project=other)
    reasoned = caller(people["staff"], reason="stolen")
    blocking.block_device(device=blocked, caller=reasoned, now=NOW)
    blocking.block_key(key_hash="11" * 32, caller=replace(reasoned, key="key"), now=NOW)
    _spoke_with_another_key(device)
    transfer = project.holder.transfers_in.get(source__kind="key")
    into_company, to_invited = (
        membership.invite_member(
            company=company,
            email=email,
            role=Membership.Role.MEMBER,
            inviter=admin,
            caller=caller(admin),
            now=NOW,
        )
        for email in ("somebody@example.com", people["invited"].email)
    )
    return World(
        people=people,
        project=project,
        other=other,
        device=device,
        grant=factories.assigned(device, 2),
        into_company=into_company,
        to_invited=to_invited,
        asked_of_it=_asked(elsewhere.pk, company.pk, people["stranger"]),
        asked_by_it=_asked(company.pk, elsewhere.pk, admin),
        act_id=str(transfer.act_id),
        code=_sold(company, people["staff"]),
        jti=Return.objects.get().jti,
        alert=Alert.objects.create(
            kind=Alert.Kind.SEQ_AHEAD, device=device, subject="7", at=NOW, facts={"seq": 7, "ahead": 2}
        ),
        fingerprint=bytes(anchor.sha256).hex(),
        blocked=blocked.hardware_id,
        key_hash="11" * 32,
        company_token=factories.make_token(company=company, maker=admin).api_token,
        project_token=factories.make_token(company=company, project=project, maker=admin).api_token,
        long_job=_in_the_background(admin),
        move=move,
    )


def _spoke_with_another_key(device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(pinned_spki=bytes(32), pinned_at=NOW)
    Alert.objects.create(
        kind=Alert.Kind.OTHER_KEY,
        device=device,
        subject="22" * 32,
        at=NOW,
        facts={"certificate": "33" * 32, "valid_from": NOW.isoformat(), "valid_until": NOW.isoformat()},
    )


def _in_the_background(by: User) -> LongJob:
    """Work that is done."""
    job = LongJob.objects.create(
        kind="count",
        owner=by,
        call="1",
        total=1,
        done=1,
        asked_at=NOW,
        state="done",
        ended_at=NOW,
        name="numbers.txt",
        content_type="text/plain",
        size=1,
    )
    LongJobPiece.objects.create(job=job, number=0, content=b"1")
    return job


@pytest.fixture(autouse=True)
def _counts() -> Iterator[None]:
    with known():
        yield


def _sold(company: Company, clerk: User) -> str:
    """A key of the account that the company is linked to; and a list that somebody uploaded."""
    code = factories.make_key()
    account = factories.make_customer(number="C-RIGHTS", postal_code="1")
    account.company, account.linked_at = company, NOW
    account.save()
    order = factories.find_key(code).order
    order.account = account
    order.save()
    OrderUpload.objects.create(made_by=clerk, made_at=NOW, checked_at=NOW, rows=1, orders=1, keys=1)
    return code


def _asked(target: int, source: int, by: User) -> CompanyImport:
    return CompanyImport.objects.create(
        source_id=source,
        target_id=target,
        asked_by=by,
        asked_at=NOW,
        expires_at=NOW + company_import.GOOD_FOR,
    )


def signed_in(world: World, role: str, viewing: dict[str, Any] | None) -> Client:
    """A new window of somebody of this role, who signs in once and again only where the session is gone."""
    client = Client()
    if role == "nobody":
        return client
    kept = world.sessions.get(role)
    if viewing or kept is None or not SessionStore(kept).load():
        client.force_login(world.people[role])
    if viewing:
        session = client.session
        session[VIEWING] = viewing
        session.save()
    elif settings.SESSION_COOKIE_NAME in client.cookies:
        world.sessions[role] = client.cookies[settings.SESSION_COOKIE_NAME].value
    else:
        client.cookies[settings.SESSION_COOKIE_NAME] = world.sessions[role]
    return client


def ask(world: World, key: str, role: str, *, viewing: dict[str, Any] | None = None) -> Any:
    """The answer that somebody of this role gets at an address of the table; `viewing` as the session keeps
    it (support.middleware)."""
    method, _, name = key.partition(" ")
    entry = TABLE[key]
    client = signed_in(world, role, viewing)
    everything = {
        "company_id": world.project.company_id,
        "project_id": world.project.pk,
        "hardware_id": world.device.hardware_id,
        "user_id": world.people["member"].pk,
        "invitation_id": world.into_company.pk,
        "import_id": world.asked_of_it.pk,
        "grant_id": grant_id(world.grant),
        "grant": grant_id(world.grant),
        "act_id": world.act_id,
        "jti": world.jti,
        "job_id": world.long_job.pk,
        "token_id": world.company_token.pk,
        "alert_id": world.alert.pk,
        "fingerprint": world.fingerprint,
        "key_hash": world.key_hash,
        "code": "not-found",
        "token": _token(world) if name == "invitation" else "",
        **entry.arguments(world),
    }
    wanted = next(one for one in _patterns() if one.name == name)
    address = reverse(name, kwargs={one: everything[one] for one in wanted.pattern.converters})
    if method == "GET":
        return client.get(address, headers={"Accept": "*/*"})
    if method == "DELETE":
        return client.delete(address)
    body = entry.body(world)
    if name.startswith("api-"):
        return client.post(address, body, content_type="application/json")
    return client.post(address, {"act_key": acts.new_key(), **body})


def _token(world: World) -> str:
    """The link of the mail: its token is nowhere but there, so a new one is put in its place."""
    world.to_invited.token_sha256 = hash_of("the-token-of-the-mail")
    world.to_invited.save()
    return "the-token-of-the-mail"


def _patterns(
    patterns: list[URLPattern | URLResolver] | None = None,
) -> Iterator[URLPattern]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns)
        else:
            yield pattern


def got_in(response: Any) -> bool:
    if response.status_code == 302 and response.headers["Location"].startswith(reverse("sign-in")):
        return False
    if response.status_code not in REFUSED:
        return True
    if response.headers["Content-Type"] == "application/problem+json":
        return response.json()["code"] in NO_REFUSAL
    form = response.context and response.context.get("form")
    return bool(form is not None and form.refusal is not None and form.refusal.code in NO_REFUSAL)


def test_every_route_has_an_entry() -> None:
    listed = {key.partition(" ")[2] for key in TABLE}
    exempt = (*OWN_ACCOUNT, *OF_DEVICES, *OF_MAILS)

    assert [
        name
        for name in dict.fromkeys(names(get_resolver().url_patterns))
        if name not in listed and not name.startswith(exempt)
    ] == []


# Who is refused or only looks changes nothing that counts here: one world does for all of them.


def test_whoever_may_not_is_refused_and_changes_nothing(world: World) -> None:
    _token(world)  # puts the link's token in place, which is a change of its own
    before = rows.everything()
    wrong = []

    looked_at: list[str] = []  # all rows are read again after a few addresses, not after each
    for number, (key, entry) in enumerate(TABLE.items(), start=1):
        for role in sorted(PUBLIC - entry.may):
            response = ask(world, key, role)
            wrong += [f"{role} at {key} without {what}" for what in unprotected(response)]
            named = "Example Telecom" in response.content.decode() and role in {"nobody", "stranger", "staff"}
            if got_in(response) or named:
                wrong.append(f"{role} at {key}: {response.status_code}")
        looked_at.append(key)
        if number % 10 == 0 or number == len(TABLE):
            if rows.everything() != before:
                wrong.append(f"one of {looked_at} was refused and changed something")
                before = rows.everything()
            looked_at.clear()

    assert wrong == []


def test_whoever_may_sees_it_in_at_most_twelve_statements(world: World) -> None:
    wrong = []

    for key in (key for key in TABLE if key.startswith("GET")):
        for role in weakest(TABLE[key].may):
            with CaptureQueriesContext(connection) as captured:
                response = ask(world, key, role)
            wrong += [f"{role} at {key} without {what}" for what in unprotected(response)]
            if not got_in(response) or response.status_code >= 400:
                wrong.append(f"{role} at {key}: {response.status_code}")
            sent = [one["sql"] for one in captured if not NOT_COUNTED.match(one["sql"])]
            of_a_company = role != "staff" and not key.startswith(NO_PAGES)
            if of_a_company and len(sent) > MOST_STATEMENTS:
                wrong.append(f"{role} at {key}: {len(sent)} statements")

    assert wrong == []


def test_end_customers_see_nothing_but_their_project(world: World) -> None:
    hidden = [HIDDEN, world.people["admin"].email, world.people["member"].email]
    wrong = []

    for key in (key for key in TABLE if key.startswith("GET")):
        for role in sorted(OUTSIDE & TABLE[key].may):
            shown = ask(world, key, role).content.decode()
            wrong += [f"{role} at {key}: {text}" for text in hidden if text in shown]

    assert wrong == []


@contextmanager
def taken_back() -> Iterator[None]:
    """One world is enough for all: what somebody does in it is taken back."""
    block: Any = transaction.atomic()
    block._from_testcase = True  # as Django's own test cases mark theirs, so that durable blocks bear it
    with block:
        yield
        transaction.set_rollback(True)
    rows.forget_what_was_signed()


def test_whoever_may_does_it(world: World) -> None:
    wrong = []

    for key in (key for key in TABLE if not key.startswith("GET")):
        for role in weakest(TABLE[key].may):
            with taken_back():
                response = ask(world, key, role)
            if not got_in(response) or response.status_code >= 500:
                wrong.append(f"{role} at {key}: {response.status_code}")

    assert wrong == []


def test_staff_belong_to_no_company_by_themselves(world: World) -> None:
    assert list(queries.projects_of(world.people["staff"])) == []

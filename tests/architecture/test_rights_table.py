"""Who gets in where: the table of mission rule 5, held against every address of pages and API.

Each entry names a method and a route, who may, and what is sent. A route without an entry fails. Whoever may
not is refused, learns nothing and changes nothing; whoever may is let in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import membership, queries
from accounts.invitations import hash_of
from accounts.models import Invitation, Membership, Project, User
from devices.models import Device
from licenses import balances, company_import
from licenses.models import CompanyImport, Grant
from licenses.queries import grant_id
from portal.core import acts
from tests import factories, rows
from tests.factories import NOW, caller

pytestmark = pytest.mark.usefixtures("catalogue", "keyring", "today")

# Nobody is signed in; a stranger has a company of their own; staff have none; end customers have a right in
# the one project and are no members; the others are members, with or without a right there.
ROLES = (
    "nobody",
    "stranger",
    "staff",
    "invited",
    "end-viewer",
    "end-operator",
    "end-manager",
    "member",
    "viewer",
    "operator",
    "manager",
    "admin",
)
PUBLIC = frozenset(ROLES)
SIGNED_IN = PUBLIC - {"nobody"}
INVITED = frozenset({"invited"})
MEMBER = frozenset({"member", "viewer", "operator", "manager", "admin"})
ADMIN = frozenset({"admin"})
VIEW = frozenset({"end-viewer", "end-operator", "end-manager", "viewer", "operator", "manager", "admin"})
OPERATE = VIEW - {"end-viewer", "viewer"}
MANAGE = frozenset({"end-manager", "manager", "admin"})
OUTSIDE = frozenset({"end-viewer", "end-operator", "end-manager"})

HIDDEN = "Hidden works"
HARDWARE_ID = "00-90-33-01-0A-FF"
REFUSED = {401, 403, 404}


@dataclass(frozen=True, kw_only=True)
class World:
    """One company with something of everything, and the people of all roles."""

    people: dict[str, User]
    project: Project
    other: Project
    device: Device
    grant: Grant
    into_company: Invitation
    to_invited: Invitation
    asked_of_it: CompanyImport
    asked_by_it: CompanyImport
    act_id: str
    code: str


Body = Callable[[World], dict[str, Any]]


def given(body: dict[str, Any]) -> Body:
    return lambda _world: body


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Who may, and what is sent by those who try."""

    may: frozenset[str]
    body: Body = field(default=lambda _world: {})
    arguments: Body = field(default=lambda _world: {})


def _withdrawn(world: World) -> dict[str, Any]:
    return {"import_id": world.asked_by_it.pk}


def _invited(world: World) -> dict[str, Any]:
    return {"invitation_id": world.to_invited.pk}


def _of_the_viewer(world: World) -> dict[str, Any]:
    return {"user_id": world.people["viewer"].pk}


LINE = {"product": "Port", "version": 14, "quantity": 1}


TABLE: dict[str, Entry] = {
    # --- Pages for everybody; the steps in front of the sign-in have tests of their own ---
    "GET sign-in": Entry(may=PUBLIC),
    "GET account_signup": Entry(may=PUBLIC),
    "GET account_reset_password": Entry(may=PUBLIC),
    "GET terms": Entry(may=PUBLIC),
    "GET problem": Entry(may=PUBLIC),
    "GET openapi": Entry(may=PUBLIC),
    "GET api-reference": Entry(may=PUBLIC),
    "GET healthz": Entry(may=PUBLIC),
    # --- One's own account ---
    "GET account": Entry(may=SIGNED_IN),
    "GET profile": Entry(may=SIGNED_IN),
    "GET usersessions_list": Entry(may=SIGNED_IN),
    "GET my-data": Entry(may=SIGNED_IN),
    "GET home": Entry(may=SIGNED_IN),
    "GET switch": Entry(may=SIGNED_IN),
    "POST switch": Entry(may=MEMBER, body=lambda world: {"company": world.project.company_id}),
    "GET company-new": Entry(may=SIGNED_IN),
    "GET activate": Entry(may=SIGNED_IN),
    "POST activate": Entry(
        may=MEMBER,
        body=lambda world: {"code": world.code, "target": f"company:{world.project.company_id}"},
    ),
    # --- Companies ---
    "GET company": Entry(may=MEMBER),
    "GET members": Entry(may=MEMBER),
    "POST members": Entry(may=ADMIN, body=given({"email": "x@example.com", "role": "member"})),
    "POST member-role": Entry(may=ADMIN, body=given({"role": "admin"})),
    "GET member-remove": Entry(may=ADMIN),
    "POST member-remove": Entry(may=ADMIN),
    "GET company-leave": Entry(may=MEMBER),
    "POST company-leave": Entry(may=MEMBER),
    "GET project-new": Entry(may=ADMIN),
    "POST project-new": Entry(may=ADMIN, body=given({"name": "New"})),
    "GET transfer": Entry(may=frozenset({"manager", "admin"})),
    "POST transfer": Entry(
        may=frozenset({"manager", "admin"}),
        body=lambda world: {
            "source": f"project:{world.project.pk}",
            "destination": f"company:{world.project.company_id}",
            "product": "Port/14",
            "quantity": 1,
            "confirm": "1",
        },
    ),
    "GET company-imports": Entry(may=ADMIN),
    "POST company-imports": Entry(may=ADMIN, body=given({"number": 1, "name": "x"})),
    "GET company-import": Entry(may=ADMIN),
    "POST company-import": Entry(may=ADMIN, body=given({"answer": "consent"})),
    "POST company-import-withdraw": Entry(may=ADMIN, arguments=_withdrawn),
    "GET company-customer": Entry(may=ADMIN),
    "POST company-customer": Entry(may=ADMIN, body=given({"number": "C-1", "postal_code": "1"})),
    "POST api-company-customer": Entry(may=ADMIN, body=given({"number": "C-1", "postal_code": "1"})),
    "POST api-customer-look-up": Entry(may=SIGNED_IN, body=given({"number": "C-1", "postal_code": "1"})),
    "GET activation": Entry(may=MEMBER - {"member"}),
    # --- Invitations ---
    "GET invitation": Entry(may=frozenset({"nobody", "invited"}), arguments=_invited),
    "POST invitation-accept": Entry(may=INVITED, arguments=_invited),
    "POST invitation-decline": Entry(may=INVITED, arguments=_invited),
    "POST invitation-resend": Entry(may=ADMIN),
    "POST invitation-withdraw": Entry(may=ADMIN),
    # --- Projects ---
    "GET project": Entry(may=VIEW),
    "POST project-add-device": Entry(may=OPERATE, body=given({"hardware_id": "00-90-33-00-00-77"})),
    "GET project-people": Entry(may=MANAGE),
    "POST project-right": Entry(
        may=MANAGE, body=lambda world: {"user": world.people["member"].pk, "level": "view"}
    ),
    "POST project-invite": Entry(may=MANAGE, body=given({"email": "x@example.com", "level": "view"})),
    "GET project-right-withdraw": Entry(may=MANAGE, arguments=_of_the_viewer),
    "POST project-right-withdraw": Entry(may=MANAGE, arguments=_of_the_viewer),
    "GET project-settings": Entry(may=MANAGE),
    "POST project-settings": Entry(may=MANAGE, body=given({"name": "New"})),
    "GET project-archive": Entry(may=MANAGE),
    "POST project-archive": Entry(may=MANAGE),
    "GET project-unarchive": Entry(may=MANAGE),
    "POST project-unarchive": Entry(may=MANAGE),
    # --- Devices ---
    "GET device": Entry(may=VIEW),
    "POST device-assign": Entry(may=OPERATE, body=given({"product": "Port/14", "quantity": 1})),
    "POST device-undo": Entry(may=OPERATE),
    "POST device-download": Entry(may=OPERATE),
    "GET device-project": Entry(may=MANAGE),
    "POST device-project": Entry(may=ADMIN, body=lambda world: {"project": world.other.pk}),
    "GET device-release": Entry(may=OPERATE),
    "POST device-release": Entry(may=OPERATE),
    # --- The same over REST ---
    "GET api-me": Entry(may=SIGNED_IN),
    "GET api-companies": Entry(may=SIGNED_IN),
    "POST api-companies": Entry(may=SIGNED_IN, body=given({"name": "New"})),
    "GET api-projects": Entry(may=SIGNED_IN),
    "GET api-products": Entry(may=SIGNED_IN),
    "GET api-my-invitations": Entry(may=SIGNED_IN),
    "POST api-company-projects": Entry(may=ADMIN, body=given({"name": "New"})),
    "GET api-project": Entry(may=VIEW),
    "GET api-members": Entry(may=MEMBER),
    "POST api-member-role": Entry(may=ADMIN, body=given({"role": "admin"})),
    "POST api-member-remove": Entry(may=ADMIN),
    "POST api-company-leave": Entry(may=MEMBER),
    "GET api-company-invitations": Entry(may=ADMIN),
    "POST api-company-invitations": Entry(
        may=ADMIN, body=given({"email": "x@example.com", "role": "member"})
    ),
    "POST api-invitation-resend": Entry(may=ADMIN),
    "POST api-invitation-withdraw": Entry(may=ADMIN),
    "POST api-invitation-accept": Entry(may=INVITED, arguments=_invited),
    "POST api-invitation-decline": Entry(may=INVITED, arguments=_invited),
    "POST api-project-settings": Entry(may=MANAGE, body=given({"name": "New"})),
    "GET api-rights": Entry(may=MANAGE),
    "POST api-rights": Entry(
        may=MANAGE, body=lambda world: {"user": world.people["member"].pk, "right": "view"}
    ),
    "POST api-right-withdraw": Entry(may=MANAGE, arguments=_of_the_viewer),
    "GET api-project-invitations": Entry(may=MANAGE),
    "POST api-project-invitations": Entry(
        may=MANAGE, body=given({"email": "x@example.com", "right": "view"})
    ),
    "POST api-project-archive": Entry(may=MANAGE),
    "POST api-project-unarchive": Entry(may=MANAGE),
    "GET api-company-balance": Entry(may=MEMBER),
    "GET api-project-balance": Entry(may=VIEW),
    "POST api-transfers": Entry(
        may=frozenset({"manager", "admin"}),
        body=lambda world: {
            "source": {"project": world.project.pk},
            "destination": {"company": world.project.company_id},
            **LINE,
        },
    ),
    "GET api-project-devices": Entry(may=VIEW),
    "POST api-project-devices": Entry(may=OPERATE, body=given({"hardware_id": "00-90-33-00-00-77"})),
    "GET api-device": Entry(may=VIEW),
    "POST api-device-assignments": Entry(may=OPERATE, body=given(LINE)),
    "POST api-assignment-undo": Entry(may=OPERATE),
    "GET api-device-license-document": Entry(may=OPERATE),
    "POST api-device-statements": Entry(may=OPERATE, body=given({"statement": "x"})),
    "POST api-claim-codes": Entry(may=OPERATE, body=given({"hardware_id": HARDWARE_ID})),
    "POST api-claims": Entry(may=OPERATE, body=given({"hardware_id": HARDWARE_ID, "statement": "x"})),
    "POST api-device-project": Entry(may=ADMIN, body=lambda world: {"project": world.other.pk}),
    "POST api-device-release": Entry(may=OPERATE),
    "GET api-imports": Entry(may=ADMIN),
    "POST api-imports": Entry(may=ADMIN, body=given({"company": 1, "name": "x"})),
    "GET api-import": Entry(may=ADMIN),
    "POST api-import-consent": Entry(may=ADMIN),
    "POST api-import-refuse": Entry(may=ADMIN),
    "POST api-import-withdraw": Entry(may=ADMIN, arguments=_withdrawn),
    "POST api-key-look-up": Entry(
        may=MEMBER, body=lambda world: {"code": world.code, "company": world.project.company_id}
    ),
    "POST api-key-activate": Entry(
        may=OPERATE & MEMBER, body=lambda world: {"code": world.code, "project": world.project.pk}
    ),
}
# Steps of django-allauth's on one's own account or in front of the sign-in: tests/web/test_accounts_*.
OWN_ACCOUNT = ("account_", "mfa_", "session", "sign-out", "accept-terms", "account-delete")
# Opened by whoever has the mail: tests/web/test_customers.py.
OF_MAILS = ("customer-link",)
# What devices and anybody's verifiers ask: tests/device_api/.
OF_DEVICES = (
    "device-directory",
    "device-new-nonce",
    "device-licenses",
    "device-returns",
    "device-acks",
    "device-claims",
    "key-set",
    "jwks",
)
# Said in a form, with the same status as for a thing that is not there: the person was let in.
NO_REFUSAL = {"no-company-of-that-name", "nobody-to-give-a-right", "customer-unknown"}


def weakest(may: frozenset[str]) -> list[str]:
    """Those who get in with the least: whoever has more, gets in by the same rule."""
    lines = (
        ("end-viewer", "end-operator", "end-manager"),
        ("member", "viewer", "operator", "manager", "admin"),
    )
    found = [next((role for role in line if role in may), "") for line in lines]
    alone = may - {role for line in lines for role in line}
    return sorted({*filter(None, found), *(alone if may == INVITED else alone & {"stranger"})})


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns)
        else:
            yield pattern.name or ""


@pytest.fixture
def world(db: None) -> World:
    """Made anew for each test."""
    people = {role: factories.make_user(name=role.title()) for role in ROLES[1:]}
    people["staff"].is_staff = True
    people["staff"].save()
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
        code=factories.make_key(),
    )


def _asked(target: int, source: int, by: User) -> CompanyImport:
    return CompanyImport.objects.create(
        source_id=source,
        target_id=target,
        asked_by=by,
        asked_at=NOW,
        expires_at=NOW + company_import.GOOD_FOR,
    )


def ask(world: World, key: str, role: str) -> Any:
    """The answer that somebody of this role gets at an address of the table."""
    method, _, name = key.partition(" ")
    entry = TABLE[key]
    client = Client()
    if role != "nobody":
        client.force_login(world.people[role])
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
        "code": "not-found",
        "token": _token(world) if name == "invitation" else "",
        **entry.arguments(world),
    }
    wanted = next(one for one in _patterns() if one.name == name)
    address = reverse(name, kwargs={one: everything[one] for one in wanted.pattern.converters})
    if method == "GET":
        return client.get(address, headers={"Accept": "*/*"})
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


@pytest.mark.parametrize("key", TABLE)
def test_whoever_may_not_is_refused_and_changes_nothing(world: World, key: str) -> None:
    if key == "GET invitation":
        _token(world)  # puts the link's token in place, which is a change of its own
    before = rows.everything()

    for role in sorted(PUBLIC - TABLE[key].may):
        response = ask(world, key, role)
        assert not got_in(response), f"{role} at {key}: {response.status_code}"
        if world.people.get(role) and "company" in key and response.status_code != 403:
            assert "Example Telecom" not in response.content.decode(), f"{role} at {key}"
    assert rows.everything() == before


@pytest.mark.parametrize("key", [key for key in TABLE if key.startswith("GET")])
def test_whoever_may_sees_it(world: World, key: str) -> None:
    for role in sorted(TABLE[key].may):
        response = ask(world, key, role)
        assert got_in(response), f"{role} at {key}: {response.status_code}"
        assert response.status_code < 400, f"{role} at {key}: {response.status_code}"


@pytest.mark.parametrize(
    ("key", "role"),
    [(key, role) for key in TABLE if key.startswith("POST") for role in weakest(TABLE[key].may)],
)
def test_whoever_may_does_it(world: World, key: str, role: str) -> None:
    response = ask(world, key, role)

    assert got_in(response), f"{response.status_code}"
    assert response.status_code < 500


@pytest.mark.parametrize("key", [key for key in TABLE if key.startswith("GET")])
def test_end_customers_see_nothing_but_their_project(world: World, key: str) -> None:
    hidden = [HIDDEN, world.people["admin"].email, world.people["member"].email]

    for role in sorted(OUTSIDE & TABLE[key].may):
        shown = ask(world, key, role).content.decode()
        assert [text for text in hidden if text in shown] == [], f"{role} at {key}"


def test_staff_belong_to_no_company_by_themselves(world: World) -> None:
    assert list(queries.projects_of(world.people["staff"])) == []

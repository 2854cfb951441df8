"""One good request for each operation that changes something, by the name of the operation.

What walks all of them finds an operation without one: a new door comes with its request.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from accounts import membership
from accounts.models import Company, Invitation, Membership, Project, User
from accounts.permissions import Role
from devices.models import Device
from licenses import archiving, claims, company_import, queries, trials
from portal.core import long_job_kinds
from portal.core.long_job_kinds import Kind
from tests import factories
from tests.api import contract
from tests.api.conftest import Multipart
from tests.api.scenes import HARDWARE_ID
from tests.device_api.devices import Signer
from tests.long_jobs.counting import ask, count_slice, everybody
from tests.operations import moving
from tests.pictures import PNG
from tests.pure import statements
from tests.web.codes import second_factor


@dataclass(frozen=True, kw_only=True)
class World:
    """Alice, whose company owns the project with the device; five ports are free for it, one is on it."""

    alice: User
    device: Device
    signer: Signer

    @property
    def project(self) -> Project:
        return self.device.project


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    body: Any = None


def changing_operations() -> dict[str, str]:
    """The method of every operation that changes something, by its name."""
    return {
        described["operationId"]: method.upper()
        for methods in contract.document()["paths"].values()
        for method, described in methods.items()
        if method != "get"
    }


def written(signer: Signer, typ: str, **said: Any) -> str:
    """The text of a file that the device wrote."""
    header = statements.header(signer.alg, signer.chain, typ=typ, nonce=..., url=...)
    return signer.sign(header=header, claims=signer.claims(**said)).decode()


def _post(path: str, **body: Any) -> Request:
    return Request(method="POST", path=path, body=body)


def _token(world: World) -> Request:
    made = factories.make_token("read", company=world.project.company, maker=world.alice)
    return Request(method="DELETE", path=f"api-tokens/{made.api_token.pk}")


def _undo(world: World) -> Request:
    grant = queries.grant_id(factories.assigned(world.device))
    return Request(method="POST", path=f"devices/{HARDWARE_ID}/assignments/{grant}/undo", body={})


def _return(world: World) -> Request:
    grant = queries.grant_id(factories.assigned(world.device))
    text = written(world.signer, "lic-return+jws", ctr=1, grants=[grant], min_seq=0)
    return _post(f"devices/{HARDWARE_ID}/statements", statement=text)


def _tested(world: World, action: str, **body: Any) -> Request:
    """A test license that waits on the device."""
    trials.create_test_license(
        device=world.device,
        version=13,
        slave=True,
        quantity=None,
        caller=factories.caller(world.alice),
        now=factories.NOW,
    )
    return _post(f"devices/{HARDWARE_ID}/test-license/{action}", **body)


def _ask(world: World) -> Request:
    """The device holds a license that can move to another one of the project."""
    factories.assigned(world.device)
    replacement = factories.make_device(project=world.project)
    return _post(f"devices/{HARDWARE_ID}/moves", replacement=replacement.hardware_id, reason="It burned out.")


def _moved(world: World, action: str, **body: Any) -> Request:
    """A move of the device that is open."""
    factories.assigned(world.device)
    move = moving.asked(world.device)
    return _post(f"devices/{HARDWARE_ID}/moves/{move.pk}/{action}", **body)


def _evidence(world: World) -> Request:
    """A photograph for a move that is open."""
    request = _moved(world, "evidence")
    return replace(request, body=Multipart.of(file=("board.png", PNG)))


def _theirs() -> Device:
    """A device of another company."""
    return factories.make_device(
        project=factories.first_project(factories.make_company(founder=factories.make_user(name="Charlie"))),
    )


def _claim(world: World) -> Request:
    """The device of the world is claimed by another project of Alice's."""
    target = factories.make_project(company=world.project.company)
    made = claims.make_claim_code(
        project=target,
        hardware_id=HARDWARE_ID,
        user=world.alice,
        caller=factories.caller(world.alice),
        now=factories.NOW,
    )
    text = written(world.signer, "lic-claim+jws", ctr=1, code=made.code)
    return _post(f"projects/{target.pk}/claims", statement=text, hardware_id=HARDWARE_ID)


def _colleague(world: World) -> User:
    """Somebody else who belongs to the company."""
    colleague = factories.make_user(name="Dora")
    factories.join(user=colleague, company=world.project.company)
    return colleague


def _member(world: World, action: str, **body: Any) -> Request:
    company = world.project.company_id
    return _post(f"companies/{company}/members/{_colleague(world).pk}/{action}", **body)


def _leaving(world: World) -> Request:
    """A company that Alice is no admin of, so that she may leave it."""
    company = factories.make_company(founder=factories.make_user(name="Charlie"))
    factories.join(user=world.alice, company=company)
    return _post(f"companies/{company.pk}/leave")


def _invitation(world: World, action: str) -> Request:
    """One that Alice sent."""
    return _answered(_invite(world.project.company, "dora@example.com", by=world.alice), action)


def _invited(world: World, action: str) -> Request:
    """One that Alice got."""
    charlie = factories.make_user(name="Charlie")
    company = factories.make_company(founder=charlie)
    return _answered(_invite(company, world.alice.email, by=charlie), action)


def _invite(company: Company, email: str, *, by: User) -> Invitation:
    return membership.invite_member(
        company=company,
        email=email,
        role=Membership.Role.MEMBER,
        inviter=by,
        caller=factories.caller(by),
        now=factories.NOW,
    )


def _answered(invitation: Invitation, action: str) -> Request:
    return _post(f"invitations/{invitation.pk}/{action}")


def _import(world: World, action: str) -> Request:
    """An import of Alice's company, which she is asked for; to be withdrawn, one that she asked for."""
    mine = world.project.company
    charlie = factories.make_user(name="Charlie")
    theirs = factories.make_company(founder=charlie, name="Example Telecom (by accident)")
    target, source, asker = (mine, theirs, world.alice) if action == "withdraw" else (theirs, mine, charlie)
    wanted = company_import.ask_for_company(
        target=target,
        number=source.pk,
        name=source.name,
        asker=asker,
        caller=factories.caller(asker),
        now=factories.NOW,
    )
    return _post(f"companies/{mine.pk}/imports/{wanted.pk}/{action}")


def _asked_for(world: World) -> Request:
    theirs = factories.make_company(founder=factories.make_user(name="Charlie"))
    return _post(f"companies/{world.project.company_id}/imports", company=theirs.pk, name=theirs.name)


def _account() -> dict[str, str]:
    """The account in the customer list that is Alice's company's."""
    factories.make_customer(number="C-10042", postal_code="71063")
    return {"number": "C-10042", "postal_code": "71063"}


def _right(world: World) -> Request:
    return _post(f"projects/{world.project.pk}/rights", user=_colleague(world).pk, right="operate")


def _withdrawn(world: World) -> Request:
    colleague = _colleague(world)
    factories.give_right(user=colleague, project=world.project, level="view")
    return _post(f"projects/{world.project.pk}/rights/{colleague.pk}/withdraw")


def _archived(world: World) -> Request:
    project = _empty(world)
    archiving.archive_project(project=project, caller=factories.caller(world.alice), now=factories.NOW)
    return _post(f"projects/{project.pk}/unarchive")


def _empty(world: World) -> Project:
    return factories.make_project(company=world.project.company)


def _vendor(world: World, path: str, **body: Any) -> Request:
    """Alice works in fulfilment as well, with a second factor."""
    factories.give_roles(world.alice, Role.FULFILMENT)
    second_factor(world.alice)
    return _post(path, **body)


def _ordered(world: World, action: str, **body: Any) -> Request:
    factories.make_key(number="SO-2026/17")
    return _vendor(world, f"orders/SO-2026/17/{action}", **body)


def _cancelled(world: World) -> Request:
    """Work in the background that has not begun."""
    counting = Kind(name="count-for-api", label="Counting", work=count_slice, may=everybody)
    long_job_kinds._kinds[counting.name] = counting
    job = ask(world.alice, kind=counting.name)
    return _post(f"background/{job.pk}/cancel")


TESTED = {"version": 14, "quantity": 5}
CUSTOMER = {"number": "C-9", "postal_code": "1", "name": "Nine", "town": "Ulm", "country": "DE"}
PORTS = {"product": "Port", "version": 14, "quantity": 1}
REQUESTS: dict[str, Callable[[World], Request]] = {
    "create-company": lambda _world: _post("companies", name="Second"),
    "create-project": lambda world: _post(f"companies/{world.project.company_id}/projects", name="Town hall"),
    "create-company-token": lambda world: _post(
        f"companies/{world.project.company_id}/api-tokens", name="ERP", scopes=["operate"]
    ),
    "create-project-token": lambda world: _post(
        f"projects/{world.project.pk}/api-tokens", name="ERP", scopes=["operate"]
    ),
    "revoke-token": _token,
    "look-at-key": lambda world: _post(
        "keys/look-up", code=factories.make_key(), company=world.project.company_id
    ),
    "activate-key": lambda world: _post("keys/activate", code=factories.make_key(), project=world.project.pk),
    "transfer-licenses": lambda world: _post(
        "transfers",
        source={"project": world.project.pk},
        destination={"company": world.project.company_id},
        **PORTS,
    ),
    "add-device": lambda world: _post(
        f"projects/{world.project.pk}/devices", hardware_id="00-90-33-0B-00-01", name="Cellar"
    ),
    "assign-licenses": lambda _world: _post(f"devices/{HARDWARE_ID}/assignments", **PORTS),
    "undo-assignment": _undo,
    "carry-statement": _return,
    "add-evidence": _evidence,
    "ask-for-move": _ask,
    "name-replacement": lambda world: _moved(
        world, "replacement", replacement=factories.make_device(project=world.project).hardware_id
    ),
    "withdraw-move": lambda world: _moved(world, "withdraw"),
    "create-test-license": lambda _world: _post(f"devices/{HARDWARE_ID}/test-license", **TESTED),
    "change-test-license": lambda world: _tested(world, "change", **TESTED),
    "withdraw-test-license": lambda world: _tested(world, "withdraw"),
    "download-test-license": lambda world: _tested(world, "download"),
    "make-claim-code": lambda world: _post(
        f"projects/{world.project.pk}/claim-codes", hardware_id=_theirs().hardware_id
    ),
    "carry-claim": _claim,
    "change-device-project": lambda world: _post(f"devices/{HARDWARE_ID}/project", project=_empty(world).pk),
    "release-device": lambda _world: _post(f"devices/{HARDWARE_ID}/release"),
    "change-project": lambda world: _post(f"projects/{world.project.pk}/settings", name="Town hall"),
    "archive-project": lambda world: _post(f"projects/{_empty(world).pk}/archive"),
    "unarchive-project": _archived,
    "set-right": _right,
    "withdraw-right": _withdrawn,
    "invite-into-project": lambda world: _post(
        f"projects/{world.project.pk}/invitations", email="dora@example.com", right="view"
    ),
    "invite-member": lambda world: _post(
        f"companies/{world.project.company_id}/invitations", email="dora@example.com", role="member"
    ),
    "change-role": lambda world: _member(world, "role", role="admin"),
    "remove-member": lambda world: _member(world, "remove"),
    "leave-company": _leaving,
    "resend-invitation": lambda world: _invitation(world, "resend"),
    "withdraw-invitation": lambda world: _invitation(world, "withdraw"),
    "accept-invitation": lambda world: _invited(world, "accept"),
    "decline-invitation": lambda world: _invited(world, "decline"),
    "ask-for-company": _asked_for,
    "consent-to-import": lambda world: _import(world, "consent"),
    "refuse-import": lambda world: _import(world, "refuse"),
    "withdraw-import": lambda world: _import(world, "withdraw"),
    "place-order": lambda world: _vendor(world, "orders", number="SO-2026/17", lines=[PORTS]),
    "confirm-delivery": lambda world: _ordered(world, "confirm-delivery"),
    "cancel-order": lambda world: _ordered(world, "cancel", reason="The customer withdrew."),
    "load-customers": lambda world: _vendor(world, "customers", customers=[CUSTOMER]),
    "cancel-background-job": _cancelled,
    "look-up-customer": lambda _world: _post("customers/look-up", **_account()),
    "mail-customer-link": lambda world: _post(f"companies/{world.project.company_id}/customer", **_account()),
}

# Shown once: whoever repeats the request gets nothing, or another one, in their place.
SECRETS = {"create-company-token": "secret", "create-project-token": "secret", "make-claim-code": "code"}


def without_secret(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer as every repetition of the request gets it."""
    return {name: value for name, value in answer.items() if name != SECRETS.get(operation)}

"""One good request for each operation that changes something, by the name of the operation.

What walks all of them finds an operation without one: a new door comes with its request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import Project, User
from devices.models import Device
from licenses import claims, queries
from tests import factories
from tests.api import contract
from tests.api.scenes import HARDWARE_ID
from tests.device_api.devices import Signer
from tests.pure import statements


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
    "make-claim-code": lambda world: _post(
        f"projects/{world.project.pk}/claim-codes", hardware_id=_theirs().hardware_id
    ),
    "carry-claim": _claim,
}

# Shown once: whoever repeats the request gets nothing, or another one, in their place.
SECRETS = {"create-company-token": "secret", "create-project-token": "secret", "make-claim-code": "code"}


def without_secret(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer as every repetition of the request gets it."""
    return {name: value for name, value in answer.items() if name != SECRETS.get(operation)}

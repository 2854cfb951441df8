"""Carrying a device's statements to the portal, over REST (mission rules 7 and 16)."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from accounts.models import Company, User
from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity
from devices.models import Device
from licenses import queries
from licenses.models import Acknowledged
from tests import factories, rows
from tests.api.conftest import ApiOf
from tests.api.scenes import HARDWARE_ID, refused_alike, viewer
from tests.device_api.devices import Signer
from tests.pure import statements

pytestmark = pytest.mark.usefixtures("catalogue", "keyring", "anchor")
PATH = f"devices/{HARDWARE_ID}/statements"


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """When the factory's certificates are valid."""
    with time_machine.travel(factories.NOW, tick=False):
        yield


@pytest.fixture
def signer(authority: Authority) -> Signer:
    return Signer.of(make_identity(authority, HARDWARE_ID, kind="P-256", now=factories.NOW))


def written(signer: Signer, typ: str, **said: Any) -> dict[str, Any]:
    """The body that carries a file the device wrote; white space around it does not matter."""
    header = statements.header(signer.alg, signer.chain, typ=typ, nonce=..., url=...)
    return {"statement": f" {signer.sign(header=header, claims=signer.claims(**said)).decode()}\n"}


def a_return(signer: Signer, *grants: str) -> dict[str, Any]:
    return written(signer, "lic-return+jws", ctr=1, grants=list(grants), min_seq=0)


class TestCarryingAStatement:
    def test_a_return_gives_back(self, api: ApiOf, erin: User, device: Device, signer: Signer) -> None:
        grant = queries.grant_id(factories.assigned(device, 2))

        answer = api(erin).post(PATH, a_return(signer, grant), status=200)

        assert answer["kind"] == "return"
        assert answer["results"] == [{"grant": grant, "result": "returned"}]
        assert answer["next_seq"] == 2
        assert (factories.free(device.project), factories.free(device)) == (5, 0)

    def test_carried_twice_it_is_answered_the_same(
        self, api: ApiOf, erin: User, device: Device, signer: Signer
    ) -> None:
        body = a_return(signer, queries.grant_id(factories.assigned(device, 2)))
        first = api(erin).post(PATH, body, status=200)
        before = rows.everything()

        assert api(erin).post(PATH, body, status=200) == first
        assert rows.everything() == before

    def test_an_acknowledgement_is_kept(self, api: ApiOf, erin: User, device: Device, signer: Signer) -> None:
        factories.assigned(device)
        body = written(signer, "lic-ack+jws", ctr=1, installed_seq=1, effective_seq=1)

        answer = api(erin).post(PATH, body, status=200)

        assert (answer["kind"], answer["installed_seq"], answer["effective_seq"]) == ("acknowledgement", 1, 1)
        assert Acknowledged.objects.get(device=device).installed_seq == 1

    @pytest.mark.parametrize("statement", ["", "x", "a.b.c", "{}", "é"])
    def test_what_is_no_statement_is_told(
        self, api: ApiOf, erin: User, device: Device, statement: str
    ) -> None:
        before = rows.everything()
        api(erin).refuse("POST", PATH, {"statement": statement}, status=400, code="not-a-statement-file")
        assert rows.everything() == before

    def test_a_fetch_is_not_for_carrying(
        self, api: ApiOf, erin: User, device: Device, signer: Signer
    ) -> None:
        api(erin).refuse(
            "POST", PATH, written(signer, "lic-fetch+jws"), status=400, code="not-a-statement-file"
        )

    def test_a_token_for_rest_is_refused(
        self, api: ApiOf, erin: User, device: Device, signer: Signer
    ) -> None:
        header = statements.header(signer.alg, signer.chain, typ="lic-return+jws")
        token = signer.sign(header=header, claims=signer.claims(ctr=1, grants=["*"], min_seq=1)).decode()

        api(erin).refuse("POST", PATH, {"statement": token}, status=400, code="malformed")

    def test_another_device_s_statement_is_refused(
        self, api: ApiOf, erin: User, device: Device, authority: Authority
    ) -> None:
        other = Signer.of(make_identity(authority, "00-90-33-01-0B-00", kind="P-256", now=factories.NOW))
        before = rows.everything()

        api(erin).refuse(
            "POST", PATH, a_return(other, "A" * 22), status=409, code="statement-of-another-device"
        )

        assert rows.everything() == before

    def test_it_needs_operate(self, api: ApiOf, device: Device, signer: Signer) -> None:
        api(viewer(device.project)).refuse(
            "POST", PATH, a_return(signer, "A" * 22), status=403, code="right-missing"
        )

    def test_a_stranger_learns_nothing(self, api: ApiOf, charlie: User, device: Device) -> None:
        refused_alike(api(charlie), "POST", "devices/{}/statements", {"statement": "x"})


class TestClaiming:
    @pytest.fixture
    def target(self, charlie: User) -> int:
        company: Company = factories.make_company(founder=charlie, name="Charlie Networks")
        return factories.first_project(company).pk

    def test_a_free_device_comes_over(
        self, api: ApiOf, charlie: User, device: Device, signer: Signer, target: int
    ) -> None:
        program = api(charlie)
        code = program.post(f"projects/{target}/claim-codes", {"hardware_id": HARDWARE_ID}, status=201)
        claim = written(signer, "lic-claim+jws", ctr=1, code=code["code"])

        answer = program.post(f"projects/{target}/claims", claim | {"hardware_id": HARDWARE_ID}, status=200)

        assert (answer["kind"], answer["claim"]) == ("claim", "changed")
        device.refresh_from_db()
        assert device.project_id == target

    def test_a_return_is_not_taken_for_a_claim(
        self, api: ApiOf, charlie: User, device: Device, signer: Signer, target: int
    ) -> None:
        body = a_return(signer, "A" * 22) | {"hardware_id": HARDWARE_ID}

        api(charlie).refuse(
            "POST", f"projects/{target}/claims", body, status=400, code="not-a-statement-file"
        )

    def test_there_is_no_code_for_a_device_that_nobody_has(
        self, api: ApiOf, charlie: User, target: int
    ) -> None:
        api(charlie).refuse(
            "POST",
            f"projects/{target}/claim-codes",
            {"hardware_id": "00-90-33-FF-FF-FF"},
            status=409,
            code="device-not-taken",
        )

    def test_a_stranger_gets_no_code(self, api: ApiOf, charlie: User, device: Device) -> None:
        api(charlie).refuse(
            "POST",
            f"projects/{device.project_id}/claim-codes",
            {"hardware_id": HARDWARE_ID},
            status=404,
            code="no-such-project",
        )

"""Returns, acknowledgements and claims at the device doors (trust.md 3, 5, 9)."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import Project
from devices.models import Alert, BlockedKey, Device
from licenses import claims, jose, keyring, queries, receipt, verification
from licenses.models import Acknowledged, Return
from portal.core import base64url
from tests import factories, rows
from tests.device_api.devices import ORIGIN, Signer
from tests.factories import NOW, assigned, caller, free
from tests.pure import statements

JTIS = (f"{number:021d}A" for number in range(10_000))


def say(signer: Signer, door: str, typ: str, **claims: Any) -> Any:
    """Sign a statement for a door and send it; `nonce` and `jti` are new unless given."""
    path = f"/device/v1/{door}"
    nonce = claims.pop("nonce", None) or signer.nonce()
    header = signer.header(typ=typ, url=ORIGIN + path, nonce=nonce)
    body = signer.sign(header=header, claims=signer.claims(**({"jti": next(JTIS)} | claims)))
    return Client().generic("POST", path, body, content_type="application/jose")


def give_back(signer: Signer, *grants: str, min_seq: int = 0, ctr: int = 1, **claims: Any) -> Any:
    said = {"ctr": ctr, "grants": list(grants), "min_seq": min_seq} | claims
    return say(signer, "returns", "lic-return+jws", **said)


def acknowledge(signer: Signer, installed: int, effective: int = 0, **claims: Any) -> Any:
    said = {"ctr": 1, "installed_seq": installed, "effective_seq": effective} | claims
    return say(signer, "acks", "lic-ack+jws", **said)


def the_grant(device: Device) -> str:
    return queries.grant_id(queries.live_grants(device)[0])


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = json.loads(response.content)
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert response.headers["Replay-Nonce"]
    return problem


def read(receipt_document: Any) -> dict[str, Any]:
    """The payload of a receipt that both algorithms vouch for."""
    payload = jose.verify_general(
        json.dumps(receipt_document).encode(),
        typ=receipt.TYP,
        keys=keyring.current().key_set.keys_for(receipt.TYP),
        required=["Ed25519", "ML-DSA-65"],
    )
    members: dict[str, Any] = json.loads(payload)
    return members


class TestReturning:
    def test_it_answers_with_a_signed_receipt_and_the_next_document(
        self, signer: Signer, device: Device, project: Project
    ) -> None:
        grant = the_grant(device)

        response = give_back(signer, grant, jti="R" * 21 + "A")

        assert response.status_code == 200
        answer = json.loads(response.content)
        said = read(answer["receipt"])
        assert said["results"] == [{"id": grant, "r": "returned"}]
        assert (said["sub"], said["ret_jti"], said["next_seq"]) == (device.hardware_id, "R" * 21 + "A", 2)
        document = json.loads(base64url.decode(answer["bundle"]["license"]["payload"]))
        assert (document["seq"], document["items"]) == (2, [])
        assert answer["bundle"]["receipt"] == answer["receipt"]
        assert (free(project), free(device)) == (10, 0)
        assert list(verification.violations()) == []

    def test_the_same_payload_signed_again_gets_the_same_receipt(
        self, signer: Signer, device: Device
    ) -> None:
        grant = the_grant(device)
        first = give_back(signer, grant, jti="R" * 21 + "A")
        before = rows.everything()

        second = give_back(signer, grant, jti="R" * 21 + "A")

        assert json.loads(second.content)["receipt"] == json.loads(first.content)["receipt"]
        assert rows.everything() == before

    def test_the_same_name_with_another_payload_is_a_conflict(self, signer: Signer, device: Device) -> None:
        give_back(signer, the_grant(device), jti="R" * 21 + "A")

        refused(give_back(signer, "A" * 22, jti="R" * 21 + "A"), 409, "jti-conflict")

    def test_everything_needs_a_number_beyond_the_current_document(
        self, signer: Signer, device: Device, project: Project
    ) -> None:
        problem = refused(give_back(signer, "*", min_seq=1), 409, "stale-return")
        assert problem["min_seq"] == 2

        answer = json.loads(give_back(signer, "*", min_seq=2).content)

        assert [result["r"] for result in read(answer["receipt"])["results"]] == ["returned"]
        assert free(project) == 10

    def test_a_nonce_is_good_once(self, signer: Signer, device: Device) -> None:
        nonce = signer.nonce()
        assert give_back(signer, "A" * 22, nonce=nonce).status_code == 200

        refused(give_back(signer, the_grant(device), nonce=nonce, ctr=2), 400, "bad-nonce")

        assert free(device) == 2

    def test_a_fetch_is_no_return(self, signer: Signer, device: Device) -> None:
        response = say(signer, "returns", "lic-fetch+jws", ctr=1, grants=["*"], min_seq=2)

        refused(response, 400, "malformed")

    def test_a_statement_for_another_door_is_refused(self, signer: Signer, device: Device) -> None:
        header = signer.header(typ="lic-return+jws", url=f"{ORIGIN}/device/v1/acks")
        body = signer.sign(header=header, claims=signer.claims(ctr=1, grants=["*"], min_seq=2))

        response = Client().generic("POST", "/device/v1/returns", body, content_type="application/jose")

        refused(response, 400, "wrong-url")

    def test_two_payloads_under_one_counter_alert_support_and_are_not_refused(
        self, signer: Signer, device: Device
    ) -> None:
        give_back(signer, "A" * 22, ctr=7)
        assert not Alert.objects.exists()

        assert give_back(signer, the_grant(device), ctr=7).status_code == 200

        assert Alert.objects.get().kind == Alert.Kind.COUNTER_FORK

    def test_a_blocked_device_is_told(self, signer: Signer, device: Device) -> None:
        Device.objects.update(blocked_at=NOW)

        refused(give_back(signer, the_grant(device)), 403, "device-blocked")

    def test_a_blocked_key_proves_nothing(self, signer: Signer, device: Device) -> None:
        signer.fetch()
        device.refresh_from_db()
        assert device.pinned_spki is not None
        BlockedKey.objects.create(spki_sha256=device.pinned_spki, reason="stolen", blocked_at=NOW)

        refused(give_back(signer, the_grant(device)), 401, "certificate-rejected")
        assert not Return.objects.exists()


class TestASeqTheDeviceHasSeen:
    def test_one_above_the_portal_s_alerts_and_the_next_document_is_above_it(
        self, signer: Signer, device: Device
    ) -> None:
        bundle = json.loads(signer.fetch(seq=500).content)

        assert json.loads(base64url.decode(bundle["license"]["payload"]))["seq"] == 501
        assert Alert.objects.get().kind == Alert.Kind.SEQ_AHEAD

    def test_one_far_above_is_left_to_a_person(self, signer: Signer, device: Device) -> None:
        bundle = json.loads(signer.fetch(seq=5_000_000).content)

        assert json.loads(base64url.decode(bundle["license"]["payload"]))["seq"] == 1
        assert Alert.objects.get().kind == Alert.Kind.SEQ_FAR_AHEAD


class TestAcknowledging:
    def test_it_keeps_what_is_installed_and_in_effect(self, signer: Signer, device: Device) -> None:
        response = acknowledge(signer, 1, 1)

        assert (response.status_code, response.content) == (204, b"")
        known = Acknowledged.objects.get(device=device)
        assert (known.installed_seq, known.effective_seq) == (1, 1)

    def test_it_only_raises_what_is_known(self, signer: Signer, device: Device) -> None:
        assigned(device)
        acknowledge(signer, 2, 1)
        acknowledge(signer, 1, 0, ctr=2)

        known = Acknowledged.objects.get(device=device)
        assert (known.installed_seq, known.effective_seq) == (2, 1)

    def test_the_receipt_stays_in_the_bundle_until_then(self, signer: Signer, device: Device) -> None:
        give_back(signer, the_grant(device))
        assert "receipt" in json.loads(signer.fetch().content)

        acknowledge(signer, 1)
        assert "receipt" in json.loads(signer.fetch().content)
        acknowledge(signer, 2, ctr=2)

        assert "receipt" not in json.loads(signer.fetch().content)


class TestClaiming:
    @pytest.fixture
    def newcomer(self, device: Device) -> Project:
        """Charlie's project, in another company."""
        charlie = factories.make_user(name="Charlie")
        return factories.first_project(factories.make_company(founder=charlie, name="Charlie Networks"))

    def claim(self, signer: Signer, code: str, ctr: int = 1) -> Any:
        return say(signer, "claims", "lic-claim+jws", ctr=ctr, code=code)

    def code(self, project: Project) -> str:
        user = project.company.memberships.get().user
        return claims.make_claim_code(
            project=project,
            hardware_id="00-90-33-01-0A-FF",
            user=user,
            caller=caller(user),
            now=NOW,
        ).code

    def test_a_device_without_licenses_changes_project(
        self, signer: Signer, device: Device, newcomer: Project
    ) -> None:
        give_back(signer, the_grant(device))

        response = self.claim(signer, self.code(newcomer).lower())

        assert json.loads(response.content) == {"result": "changed"}
        device.refresh_from_db()
        assert device.project == newcomer
        assert list(verification.violations()) == []

    def test_licenses_that_stay_with_the_device_go_along(
        self, signer: Signer, device: Device, newcomer: Project
    ) -> None:
        give_back(signer, the_grant(device))
        factories.activated(device.project, {"Channels": 3})
        assigned(device, 3, "Channels")

        assert json.loads(self.claim(signer, self.code(newcomer)).content) == {"result": "changed"}

        assert free(device, "Channels") == 3
        assert list(verification.violations()) == []

    def test_a_device_with_licenses_is_for_support(
        self, signer: Signer, device: Device, newcomer: Project
    ) -> None:
        response = self.claim(signer, self.code(newcomer))

        assert json.loads(response.content) == {"result": "with-support"}
        project = device.project
        device.refresh_from_db()
        assert device.project == project
        assert Alert.objects.get().kind == Alert.Kind.CLAIM_WITH_SUPPORT

    def test_a_code_is_good_once_and_for_this_device(
        self, signer: Signer, device: Device, newcomer: Project
    ) -> None:
        code = self.code(newcomer)
        self.claim(signer, code)

        refused(self.claim(signer, code, ctr=2), 404, "claim-code-unknown")
        refused(self.claim(signer, "0000-0000-0000-0000", ctr=3), 404, "claim-code-unknown")


class TestAFile:
    def token(self, signer: Signer, typ: str, **said: Any) -> str:
        header = statements.header(signer.alg, signer.chain, typ=typ, nonce=..., url=...)
        return signer.sign(header=header, claims=signer.claims(jti=next(JTIS), **said)).decode()

    def test_a_file_is_no_token_for_rest(self, signer: Signer, device: Device) -> None:
        body = self.token(signer, "lic-return+jws", ctr=1, grants=["*"], min_seq=2).encode()

        response = Client().generic("POST", "/device/v1/returns", body, content_type="application/jose")

        refused(response, 400, "malformed")

"""Attackers who speak for devices that are not theirs (trust.md 12), at the doors where devices speak."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command

from accounts.models import Project, User
from appliance.factory.authority import Authority, make_authority, pem
from appliance.factory.devices import make_identity
from devices import trust_anchors
from devices.models import Alert, Device
from licenses import claims, verification
from licenses.models import Return
from portal.core import base64url
from tests import factories, rows
from tests.attacks.certificates.variants import p256
from tests.device_api.devices import Signer
from tests.device_api.test_returning import give_back, read, refused, say, the_grant
from tests.factories import NOW, caller, free

OTHER = "00-90-33-01-0B-00"


@pytest.fixture
def thief(charlie: User, device: Device, authority: Authority) -> Signer:
    """Another device of the same make, in a project of Charlie's."""
    company = factories.make_company(founder=charlie, name="Charlie Networks")
    factories.make_device(project=factories.first_project(company), hardware_id=OTHER)
    return Signer.of(make_identity(authority, OTHER, kind="P-256", now=NOW))


class TestWhoReturnsSomebodyElsesLicenses:
    """Returns someone else's licenses, forges a return.

    What stops it: the certificate names the one device that the statement is of, and a grant is that device's
    or unknown.
    """

    def test_a_grant_of_another_device_is_unknown(self, thief: Signer, device: Device) -> None:
        grant = the_grant(device)

        answer = json.loads(give_back(thief, grant).content)

        assert read(answer["receipt"])["results"] == [{"id": grant, "r": "unknown"}]
        assert free(device) == 2
        assert not json.loads(base64url.decode(answer["bundle"]["license"]["payload"]))["items"]

    def test_everything_is_everything_of_its_own(self, thief: Signer, device: Device) -> None:
        answer = json.loads(give_back(thief, "*", min_seq=1).content)

        assert read(answer["receipt"])["results"] == []
        assert free(device) == 2

    def test_it_says_to_be_the_other_device(self, thief: Signer, device: Device) -> None:
        response = give_back(thief, the_grant(device), iss=device.hardware_id, sub=device.hardware_id)

        assert refused(response, 401, "certificate-rejected")["reason"] == "hardware-id"
        assert free(device) == 2

    def test_it_shows_the_other_device_s_certificate(
        self, thief: Signer, signer: Signer, device: Device
    ) -> None:
        thief.chain, thief.hardware_id = signer.chain, signer.hardware_id

        refused(give_back(thief, the_grant(device)), 401, "bad-signature")

        assert free(device) == 2
        assert not Return.objects.exists()

    def test_it_puts_its_words_into_a_return_that_was_signed(self, signer: Signer, device: Device) -> None:
        header = signer.header(typ="lic-return+jws", url="http://localhost:8000/device/v1/returns")
        said = {"ctr": 1, "grants": ["A" * 22], "min_seq": 0}
        head, payload, signature = signer.sign(header=header, claims=signer.claims(**said)).split(b".")
        members = json.loads(base64url.decode(payload.decode())) | {"grants": [the_grant(device)]}
        forged = base64url.encode(json.dumps(members).encode()).encode()
        before = rows.everything()

        response = signer.client.generic(
            "POST",
            "/device/v1/returns",
            b".".join((head, forged, signature)),
            content_type="application/jose",
        )

        refused(response, 401, "bad-signature")
        assert rows.everything() == before


class TestWhoIsAnotherManufacturer:
    """Is another manufacturer, or a leaked CA of one.

    What stops it: a trust anchor speaks for its own prefixes, and no prefix is in anchors of two
    manufacturers.
    """

    def test_it_certifies_hardware_of_the_first(self, signer: Signer, device: Device) -> None:
        other = make_authority("Other Networks", now=NOW)
        trust_anchors.add_trust_anchor(
            certificate=pem(other.root),
            manufacturer="Other Networks",
            prefixes=["00-11-22"],
            hardware_id_in="serialNumber",
            caller=caller(),
            now=NOW,
        )
        impostor = Signer.of(make_identity(other, device.hardware_id, kind="P-256", now=NOW))

        problem = refused(give_back(impostor, the_grant(device)), 401, "certificate-rejected")

        assert problem["reason"] == "prefix"
        assert free(device) == 2
        device.refresh_from_db()
        assert device.pinned_spki is None

    @pytest.mark.parametrize("prefix", ["00-90-33", "00-90-33-01", "00-90-33-01-0A-FF"])
    def test_it_is_not_given_a_prefix_of_the_first(self, device: Device, tmp_path: Path, prefix: str) -> None:
        file = tmp_path / "other.pem"
        file.write_bytes(pem(make_authority("Other Networks", now=NOW).root))
        before = rows.everything()

        with pytest.raises(CommandError, match="Example Networks"):
            trust_anchor("add", file, "--manufacturer", "Other Networks", "--prefix", prefix)

        assert rows.everything() == before

    def test_after_its_ca_leaked_the_operator_stops_it(self, signer: Signer, device: Device) -> None:
        signer.fetch()
        [anchor] = json.loads(trust_anchor("list", "--json"))
        trust_anchor("remove", anchor["sha256"], "--reason", "The CA's key was copied.")

        problem = refused(give_back(signer, the_grant(device)), 401, "certificate-rejected")

        assert problem["reason"] == "not-trusted"

    def test_a_second_certificate_of_a_leaked_ca_is_not_the_device(
        self, signer: Signer, device: Device, authority: Authority
    ) -> None:
        signer.fetch()
        forged = Signer.of(make_identity(authority, device.hardware_id, kind="P-256", now=NOW))

        refused(give_back(forged, the_grant(device)), 403, "key-not-pinned")

        assert free(device) == 2


def trust_anchor(*words: object) -> str:
    printed = StringIO()
    call_command("trust_anchor", *map(str, words), stdout=printed)
    return printed.getvalue()


class TestWhoClaimsADeadDevice:
    """Claims a dead device and keeps using it.

    What stops it so far: a claim needs the device's own signature over a code that is bound to user, project
    and device, and a device that holds returnable licenses moves by support only, who are alerted. Moves
    after hardware failure, with their bridges, caps and second person, come later, and so does the alert when
    a device calls that was declared dead.
    """

    @pytest.fixture
    def target(self, charlie: User, device: Device) -> Project:
        return factories.first_project(factories.make_company(founder=charlie, name="Charlie Networks"))

    def code(self, target: Project, hardware_id: str) -> str:
        user = target.company.memberships.get().user
        made = claims.make_claim_code(
            project=target, hardware_id=hardware_id, user=user, caller=caller(user), now=NOW
        )
        return made.code

    def claim(self, signer: Signer, code: str, **said: Any) -> Any:
        return say(signer, "claims", "lic-claim+jws", **({"ctr": 1, "code": code} | said))

    def test_without_the_device_there_is_no_claim(
        self, thief: Signer, device: Device, target: Project
    ) -> None:
        code = self.code(target, device.hardware_id)

        refused(self.claim(thief, code), 404, "claim-code-unknown")
        refused(
            self.claim(thief, code, iss=device.hardware_id, sub=device.hardware_id),
            401,
            "certificate-rejected",
        )

        assert Device.objects.get(pk=device.pk).project == device.project

    def test_with_the_device_its_licenses_stay_and_support_is_told(
        self, signer: Signer, device: Device, target: Project
    ) -> None:
        answer = json.loads(self.claim(signer, self.code(target, device.hardware_id)).content)

        assert answer == {"result": "with-support"}
        assert Device.objects.get(pk=device.pk).project == device.project
        assert free(device) == 2
        assert Alert.objects.get().kind == Alert.Kind.CLAIM_WITH_SUPPORT

    def test_a_device_reported_stolen_does_not_claim(
        self, signer: Signer, device: Device, target: Project
    ) -> None:
        code = self.code(target, device.hardware_id)
        call_command("block", "device", device.hardware_id, "--reason", "Declared dead.", stdout=StringIO())

        refused(self.claim(signer, code), 403, "device-blocked")


class TestWhoConfusesAlgorithms:
    """Confuses algorithms, swaps typ, injects keys.

    What stops it: the algorithm follows from the certificate's key, the header has exactly its members, and
    each door takes one `typ`.
    """

    SAID = {"ctr": 1, "min_seq": 0}

    def attempt(self, signer: Signer, device: Device, code: str, status: int, **header: Any) -> None:
        members = signer.header(
            **({"typ": "lic-return+jws", "url": "http://localhost:8000/device/v1/returns"} | header)
        )
        said = signer.claims(grants=[the_grant(device)], **self.SAID)
        before = rows.everything()
        response = signer.client.generic(
            "POST", "/device/v1/returns", signer.sign(members, said), content_type="application/jose"
        )
        refused(response, status, code)
        assert rows.everything() == before

    @pytest.mark.parametrize(
        "alg", ["none", "None", "HS256", "HS512", "ES256K", "ES512", "ML-DSA-65", "es256"]
    )
    def test_an_algorithm_that_is_none_of_ours(self, signer: Signer, device: Device, alg: str) -> None:
        self.attempt(signer, device, "malformed", 400, alg=alg)

    @pytest.mark.parametrize("alg", ["ES384", "RS256", "PS256", "EdDSA", "Ed25519"])
    def test_an_algorithm_of_another_key(self, signer: Signer, device: Device, alg: str) -> None:
        self.attempt(signer, device, "bad-signature", 401, alg=alg)

    @pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "kid", "x5t", "crit", "b64", "zip", "iss"])
    def test_a_key_of_its_own_in_the_header(self, signer: Signer, device: Device, member: str) -> None:
        public = p256(666).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        values = {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "crit": ["b64"], "b64": False}

        self.attempt(signer, device, "malformed", 400, **{member: values.get(member, public.hex())})

    @pytest.mark.parametrize(
        "typ",
        ["lic-fetch+jws", "lic-ack+jws", "lic-claim+jws", "lic+jws", "lic-receipt+jws", "jwk-set+jwt", "JWT"],
    )
    def test_a_statement_of_another_kind(self, signer: Signer, device: Device, typ: str) -> None:
        self.attempt(signer, device, "malformed", 400, typ=typ)

    def test_no_signature_at_all(self, signer: Signer, device: Device) -> None:
        head, payload, _ = signer.sign(signer.header()).split(b".")
        for signature in (b"", base64url.encode(bytes(64)).encode(), base64url.encode(b"\x00").encode()):
            response = signer.post(b".".join((head, payload, signature)))
            assert response.status_code in (400, 401)

    def test_a_certificate_of_its_own_before_the_device_s(
        self, thief: Signer, signer: Signer, device: Device
    ) -> None:
        forged = replace(signer, chain=[thief.chain[0], *signer.chain], key=thief.key)

        response = forged.fetch()

        assert refused(response, 401, "certificate-rejected")["reason"] == "chain-order"

    def test_a_document_of_the_portal_is_no_statement(self, signer: Signer, device: Device) -> None:
        bundle = json.loads(signer.fetch().content)["license"]
        [first, *_] = bundle["signatures"]
        token = ".".join((first["protected"], bundle["payload"], first["signature"])).encode()

        refused(signer.post(token), 400, "malformed")
        assert list(verification.violations()) == []


def test_a_thief_s_own_device_is_a_good_one(thief: Signer, device: Device) -> None:
    """Else all of the above would be refused for another reason."""
    assert thief.fetch().status_code == 200

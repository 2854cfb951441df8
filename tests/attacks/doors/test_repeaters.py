"""Attackers who repeat, guess, pretend and flood (trust.md 12)."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client

from accounts.models import Company, Project, User
from devices.models import Device
from licenses import activation_code, verification
from licenses.models import Return
from portal.core import base64url
from portal.core.models import AuditEntry
from tests import factories, rows
from tests.api.conftest import Api
from tests.attacks.doors.conftest import file_of
from tests.attacks.tampering import P256_ORDER
from tests.device_api.devices import LICENSES, ORIGIN, Signer
from tests.device_api.test_returning import give_back, refused, the_grant
from tests.factories import free

JTI = "R" * 21 + "A"
RETURNS = "/device/v1/returns"


def post(path: str, body: bytes, **environ: Any) -> Any:
    return Client().generic("POST", path, body, content_type="application/jose", **environ)


def a_return(signer: Signer, *grants: str, jti: str = JTI, **header: Any) -> bytes:
    members = signer.header(**({"typ": "lic-return+jws", "url": ORIGIN + RETURNS} | header))
    return signer.sign(members, signer.claims(jti=jti, ctr=1, grants=list(grants), min_seq=0))


def second_form(token: bytes) -> bytes:
    """The other valid ECDSA signature over the same: anybody can work it out."""
    *signed, last = token.split(b".")
    signature = base64url.decode(last.decode())
    s = P256_ORDER - int.from_bytes(signature[32:], "big")
    return b".".join((*signed, base64url.encode(signature[:32] + s.to_bytes(32, "big")).encode()))


class TestWhoReplays:
    """Replays.

    What stops it: a nonce is good once and ten minutes, a grant ends once, and a payload that was accepted is
    answered with the receipt it got then.
    """

    def test_a_return_caught_on_the_wire_is_not_taken_again(
        self, signer: Signer, device: Device, project: Project
    ) -> None:
        token = a_return(signer, the_grant(device))
        assert post(RETURNS, token).status_code == 200
        before = rows.everything()

        for again in (token, second_form(token)):
            refused(post(RETURNS, again), 400, "bad-nonce")

        assert rows.everything() == before
        assert free(project) == 10

    def test_a_return_file_uploaded_ever_again_has_one_effect(
        self, signer: Signer, device: Device, project: Project, alice: User
    ) -> None:
        token = file_of(signer, "lic-return+jws", jti=JTI, ctr=1, grants=[the_grant(device)], min_seq=0)
        path, api = f"devices/{device.hardware_id}/statements", Api(alice)
        first = api.post(path, {"statement": token.decode()})
        before = rows.everything()

        for again in (token, second_form(token), b"\n" + token):
            assert api.post(path, {"statement": again.decode()}) == first

        assert rows.everything() == before
        assert (free(project), Return.objects.count()) == (10, 1)

    def test_a_grant_that_was_given_back_is_not_given_back_under_another_name(
        self, signer: Signer, device: Device, project: Project
    ) -> None:
        grant = the_grant(device)
        give_back(signer, grant)

        for number in range(2, 5):
            assert give_back(signer, grant, ctr=number).status_code == 200

        assert free(project) == 10
        assert list(verification.violations()) == []

    def test_its_name_is_not_good_for_other_words(self, signer: Signer, device: Device) -> None:
        post(RETURNS, a_return(signer, "A" * 22))

        refused(post(RETURNS, a_return(signer, the_grant(device))), 409, "jti-conflict")

        assert free(device) == 2

    def test_a_fetch_gets_old_with_its_nonce(
        self, signer: Signer, device: Device, clock: time_machine.Traveller
    ) -> None:
        token = signer.sign()
        clock.shift(timedelta(seconds=601))

        refused(post(LICENSES, token), 400, "bad-nonce")

    def test_a_file_is_no_request_and_a_request_no_file(
        self, signer: Signer, device: Device, alice: User
    ) -> None:
        said = {"ctr": 1, "grants": [the_grant(device)], "min_seq": 0}
        refused(post(RETURNS, file_of(signer, "lic-return+jws", **said)), 400, "malformed")
        Api(alice).refuse(
            "POST",
            f"devices/{device.hardware_id}/statements",
            {"statement": a_return(signer, the_grant(device)).decode()},
            status=400,
            code="malformed",
        )

        assert free(device) == 2


class TestWhoGuessesKeys:
    """Guesses keys.

    What stops it: 120 bits, of which only a keyed hash is stored, and a throttle; unknown and mistyped look
    the same.
    """

    def test_a_guess_learns_nothing_and_ends(
        self, company: Company, alice: User, catalogue: None, settings: LazySettings
    ) -> None:
        settings.KEY_LOOKUPS_PER_HOUR = 20
        api, code = Api(alice), factories.make_key()
        near = code[:-1] + ("0" if code[-1] != "0" else "1")
        guesses = [near, "00000-00000-00000-00000-00000", "x", "", "A" * 1000] * 4

        told = [
            api.refuse(
                "POST",
                f"keys/{'look-up' if number % 2 else 'activate'}",
                {"code": guess, "company": company.pk},
                status=404,
                code="key-unknown",
            )
            for number, guess in enumerate(guesses)
        ]

        assert all(problem == told[0] for problem in told)
        body = {"code": code, "company": company.pk}
        api.refuse("POST", "keys/look-up", body, status=429, code="rate-limited")
        assert free(company) == 0

    def test_a_code_has_120_bits_and_is_stored_nowhere(self, catalogue: None) -> None:
        code = factories.make_key()
        text = code.replace("-", "")

        assert len(activation_code.ALPHABET) ** 24 == 2**120
        assert len(text) == 25  # 24 by chance and one to check
        assert text not in repr(rows.everything()).replace("-", "")


class TestWhoPosesAsACustomer:
    """Poses as a customer.

    What stops it: names prove nothing. Who calls a company like the customer of an order sees nothing of that
    order, and holds nothing until a key is typed. Linking by mail comes with the customer look-up, later.
    """

    @pytest.mark.parametrize("name", ["Example Telecom", "EXAMPLE TELECOM", "Alice Networks"])
    def test_a_name_opens_nothing(self, name: str, project: Project, charlie: User, device: Device) -> None:
        code = factories.make_key(number="SO-77")  # sold to Example Telecom
        own = factories.make_company(founder=charlie, name=name)
        api, before = Api(charlie), rows.everything()

        for guess in ("SO-77", "Example Telecom", "reference of SO-77", code[-4:]):
            api.refuse(
                "POST", "keys/look-up", {"code": guess, "company": own.pk}, status=404, code="key-unknown"
            )
        api.refuse("GET", f"devices/{device.hardware_id}", status=404, code="no-such-device")
        api.refuse("GET", f"projects/{project.pk}", status=404, code="no-such-project")
        body = {"code": code, "company": project.company_id}
        api.refuse("POST", "keys/activate", body, status=404, code="no-such-company")

        after = rows.everything()
        assert before["licenses.Holding"] == after["licenses.Holding"]
        assert before["licenses.ActivationKey"] == after["licenses.ActivationKey"]
        assert not AuditEntry.objects.filter(event="key-activated", company_id=own.pk).exists()


class TestWhoForgesHost:
    """Forges Host.

    What stops it: addresses and audience come from the settings, never from a header.
    """

    FORGED = (
        {"HTTP_HOST": "127.0.0.1"},
        {"HTTP_X_FORWARDED_HOST": "attacker.example"},
        {"HTTP_HOST": "127.0.0.1:1", "HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_FORWARDED": "host=attacker.example;proto=https"},
    )

    @pytest.mark.parametrize("environ", FORGED)
    def test_the_directory_names_the_portal_s_own_addresses(
        self, db: None, settings: LazySettings, environ: dict[str, str]
    ) -> None:
        told = json.loads(Client().get("/device/v1/directory", **environ).content)  # type: ignore[arg-type]

        assert {url.removesuffix(url.partition("/device/")[2]) for url in told["urls"].values()} == {
            f"{ORIGIN}/device/"
        }
        assert told["portal"] == settings.PORTAL_ID

    def test_a_host_that_no_portal_has_is_refused_everywhere(self, db: None, settings: LazySettings) -> None:
        settings.ALLOWED_HOSTS = ["localhost"]
        for path in ("/device/v1/directory", "/api/v1/me"):
            response = Client().get(path, HTTP_HOST="attacker.example")
            assert response.status_code == 400
            assert json.loads(response.content)["code"] == "invalid-input"

    @pytest.mark.parametrize("host", ["127.0.0.1", "attacker.example"])
    def test_a_statement_for_the_attacker_s_address_is_not_taken_here(
        self, signer: Signer, device: Device, host: str, settings: LazySettings
    ) -> None:
        settings.ALLOWED_HOSTS = ["*"]
        token = a_return(signer, the_grant(device), url=f"http://{host}{RETURNS}")

        refused(post(RETURNS, token, HTTP_HOST=host), 400, "wrong-url")

        assert free(device) == 2

    def test_a_statement_for_another_portal_is_not_taken_here(self, signer: Signer, device: Device) -> None:
        response = give_back(signer, the_grant(device), aud="http://attacker.example/")

        refused(response, 400, "wrong-audience")


class Unread(io.BytesIO):
    """A body that nobody may begin to read."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("it was read")


class TestWhoBombsUploads:
    """Bombs uploads.

    What stops it: sizes are looked at before anything is read, then depth, the chain and every count.
    """

    @pytest.mark.parametrize("door", ["licenses", "returns", "acks", "claims"])
    @pytest.mark.parametrize("length", [65537, 10**10, 10**19])
    def test_a_huge_body_is_refused_unread(self, db: None, door: str, length: int) -> None:
        environ = {"CONTENT_LENGTH": str(length), "wsgi.input": Unread()}

        refused(post(f"/device/v1/{door}", b"", **environ), 413, "too-large")

    @pytest.mark.parametrize("door", ["licenses", "returns", "acks", "claims"])
    def test_a_body_of_untold_length_is_refused_unread(self, db: None, door: str) -> None:
        environ = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": Unread()}

        refused(post(f"/device/v1/{door}", b"", **environ), 411, "length-required")

    def test_a_huge_file_is_refused(self, device: Device, alice: User) -> None:
        path = f"devices/{device.hardware_id}/statements"

        Api(alice).refuse("POST", path, {"statement": "x" * 65536}, status=413, code="too-large")

    @pytest.mark.parametrize(
        "bomb",
        [
            b"[" * 20_000,
            b'{"a":' * 8_000,
            b'{"a":' * 9 + b"1" + b"}" * 9,
            b'{"a":' + b"9" * 40_000 + b"}",
            b'{"a":"' + b"\\u0041" * 6_000,
            b'"' * 40_000,
            b'{"must":[' + b'"a",' * 8_000 + b'"a"]}',
            b"{" + b",".join(b'"%d":0' % number for number in range(4000)) + b"}",
        ],
        ids=["lists", "objects", "nine deep", "an integer", "escapes", "quotes", "names", "members"],
    )
    def test_json_that_is_more_than_a_statement_is_refused(
        self, signer: Signer, device: Device, bomb: bytes
    ) -> None:
        refused(post(LICENSES, signer.sign(claims=bomb)), 400, "malformed")
        refused(post(LICENSES, signer.sign(header=bomb)), 400, "malformed")

    def test_more_certificates_than_a_path_has_are_refused(self, signer: Signer, device: Device) -> None:
        for length in (4, 40):
            signer.chain = [signer.chain[0]] * length
            refused(signer.fetch(), 400, "malformed")

    def test_more_grants_than_a_device_has_are_refused(self, signer: Signer, device: Device) -> None:
        grants = [f"{number:021d}A" for number in range(1001)]

        refused(give_back(signer, *grants), 400, "malformed")

        assert give_back(signer, *grants[:1000]).status_code == 200

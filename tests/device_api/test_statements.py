"""Statements that are not taken. Each refusal has its code, brings a fresh nonce, and changes nothing."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from devices.models import Device
from portal.core import base64url
from tests.device_api.conftest import HARDWARE_ID
from tests.device_api.devices import URL, Signer

OTHER = "00-90-33-01-0B-00"
LIMIT = 65536


class TestNonce:
    def test_one_that_was_not_made_here_is_refused(self, signer: Signer, device: Device) -> None:
        forged = base64url.encode(bytes(34))

        signer.refuse(signer.sign(signer.header(nonce=forged)), status=400, code="bad-nonce")

    @pytest.mark.parametrize("nonce", ["x", "AAAA", "ä" * 46, "x" * 2048])
    def test_what_is_no_nonce_is_refused(self, signer: Signer, device: Device, nonce: str) -> None:
        signer.refuse(signer.sign(signer.header(nonce=nonce)), status=400, code="bad-nonce")

    @pytest.mark.parametrize("position", [0, 12, 45])
    def test_one_with_a_changed_character_is_refused(
        self, signer: Signer, device: Device, position: int
    ) -> None:
        nonce = signer.nonce()
        changed = nonce[:position] + ("B" if nonce[position] != "B" else "C") + nonce[position + 1 :]

        signer.refuse(signer.sign(signer.header(nonce=changed)), status=400, code="bad-nonce")

    def test_it_is_good_for_ten_minutes_and_not_longer(
        self, signer: Signer, device: Device, clock: time_machine.Traveller
    ) -> None:
        token = signer.sign()
        clock.shift(timedelta(seconds=600))
        assert signer.post(token).status_code == 200

        clock.shift(timedelta(seconds=1))
        signer.refuse(token, status=400, code="bad-nonce")

    def test_the_refusal_brings_the_nonce_that_is_taken(
        self, signer: Signer, device: Device, clock: time_machine.Traveller
    ) -> None:
        token = signer.sign()
        clock.shift(timedelta(hours=1))
        fresh = signer.post(token).headers["Replay-Nonce"]

        assert signer.post(signer.sign(signer.header(nonce=fresh))).status_code == 200


class TestAddress:
    @pytest.mark.parametrize(
        "url",
        [
            "https://elsewhere.example/device/v1/licenses",
            URL.replace("http:", "https:"),
            URL.replace("licenses", "returns"),
            f"{URL}/",
            f"{URL}?x=1",
            URL.upper(),
            "/device/v1/licenses",
        ],
    )
    def test_a_statement_for_another_address_is_refused(
        self, signer: Signer, device: Device, url: str
    ) -> None:
        signer.refuse(signer.sign(signer.header(url=url)), status=400, code="wrong-url")

    def test_a_forged_host_header_makes_no_address_ours(self, signer: Signer, device: Device) -> None:
        token = signer.sign(signer.header(url="http://127.0.0.1/device/v1/licenses"))

        signer.refuse(token, status=400, code="wrong-url", HTTP_HOST="127.0.0.1")


class TestAudience:
    @pytest.mark.parametrize("audience", ["https://other.example/", "http://localhost:8000", "*"])
    def test_a_statement_for_another_portal_is_refused(
        self, signer: Signer, device: Device, audience: str
    ) -> None:
        signer.refuse(signer.sign(claims=signer.claims(aud=audience)), status=400, code="wrong-audience")


HEADERS: dict[str, dict[str, Any]] = {
    "alg none": {"alg": "none"},
    "alg HS256": {"alg": "HS256"},
    "alg of another type": {"alg": ["ES256"]},
    "no alg": {"alg": ...},
    "typ of a return": {"typ": "lic-return+jws"},
    "typ of a license": {"typ": "lic+jws"},
    "typ JWT": {"typ": "JWT"},
    "typ in capitals": {"typ": "LIC-FETCH+JWS"},
    "no typ": {"typ": ...},
    "no nonce": {"nonce": ...},
    "empty nonce": {"nonce": ""},
    "nonce of another type": {"nonce": 1},
    "no url": {"url": ...},
    "url of another type": {"url": None},
    "no x5c": {"x5c": ...},
    "empty x5c": {"x5c": []},
    "x5c of four": {"x5c": ["AAAA"] * 4},
    "x5c in base64url": {"x5c": ["_-8="]},
    "x5c no list": {"x5c": "AAAA"},
    **{
        f"with {name}": {name: "x"}
        for name in ("jwk", "jku", "x5u", "crit", "b64", "zip", "kid", "x5t", "cty")
    },
}
CLAIMS: dict[str, dict[str, Any]] = {
    "no version": {"ver": ...},
    "version 2": {"ver": 2},
    "version true": {"ver": True},
    "no jti": {"jti": ...},
    "short jti": {"jti": "AAEC"},
    "jti with padding": {"jti": "AAECAwQFBgcICQoLDA0ODw=="},
    "no seq": {"seq": ...},
    "seq below zero": {"seq": -1},
    "seq as text": {"seq": "1"},
    "seq true": {"seq": True},
    "no audience": {"aud": ...},
    "audience a list": {"aud": ["x"]},
    "no subject": {"sub": ...},
    "subject in small letters": {"sub": HARDWARE_ID.lower()},
    "issuer another device": {"iss": OTHER},
    "firmware too long": {"fw": "x" * 129},
    "tag too long": {"have": "x" * 129},
    "key set as text": {"ks": "1"},
    "must names the unknown": {"must": ["color"], "color": "blue"},
    "must of another type": {"must": "color"},
}


class TestShape:
    @pytest.mark.parametrize("changes", HEADERS.values(), ids=list(HEADERS))
    def test_the_header_has_exactly_its_members(
        self, signer: Signer, device: Device, changes: dict[str, Any]
    ) -> None:
        signer.refuse(signer.sign(signer.header(**changes)), status=400, code="malformed")

    @pytest.mark.parametrize("changes", CLAIMS.values(), ids=list(CLAIMS))
    def test_the_payload_has_its_members_each_of_its_type(
        self, signer: Signer, device: Device, changes: dict[str, Any]
    ) -> None:
        signer.refuse(signer.sign(claims=signer.claims(**changes)), status=400, code="malformed")

    @pytest.mark.parametrize(
        "damage",
        [
            lambda json_text: json_text[:-1] + b',"ver":1}',
            lambda json_text: json_text[:-1] + b',"extra":1.5}',
            lambda json_text: json_text[:-1] + b',"extra":NaN}',
            lambda json_text: json_text[:-1] + b',"extra":9007199254740992}',
            lambda json_text: json_text[:-1] + b',"extra":"\\u0000"}',
            lambda json_text: json_text[:-1] + b',"extra":"\\ud800"}',
            lambda json_text: json_text[:-1] + b',"extra":' + b"[" * 8 + b"]" * 8 + b"}",
            lambda json_text: b"[" + json_text + b"]",
            lambda json_text: json_text[:-1],
            lambda json_text: b"\xff" + json_text,
        ],
        ids=[
            "name twice",
            "float",
            "NaN",
            "2^53",
            "NUL",
            "surrogate",
            "depth",
            "list",
            "cut off",
            "not UTF-8",
        ],
    )
    def test_json_is_read_strictly_in_both_parts(
        self, signer: Signer, device: Device, damage: Callable[[bytes], bytes]
    ) -> None:
        claims = json.dumps(signer.claims()).encode()
        header = json.dumps(signer.header()).encode()

        signer.refuse(signer.sign(claims=damage(claims)), status=400, code="malformed")
        signer.refuse(signer.sign(header=damage(header)), status=400, code="malformed")

    @pytest.mark.parametrize("body", [b"", b"x", b"a.b", b"a.b.c.d", b"..", b"{}", b"\xff.\xff.\xff"])
    def test_what_is_no_compact_jws_is_refused(self, signer: Signer, device: Device, body: bytes) -> None:
        signer.refuse(body, status=400, code="malformed", CONTENT_LENGTH=str(len(body)))

    def test_a_token_without_a_signature_is_refused(self, signer: Signer, device: Device) -> None:
        head, payload, _ = signer.sign().split(b".")

        signer.refuse(b".".join((head, payload, b"")), status=400, code="malformed")

    def test_white_space_and_padding_are_refused(self, signer: Signer, device: Device) -> None:
        for body in (signer.sign() + b"\n", b" " + signer.sign(), signer.sign() + b"="):
            signer.refuse(body, status=400, code="malformed")

    @pytest.mark.parametrize("media_type", ["application/json", "application/jose+json", "text/plain", ""])
    def test_it_takes_application_jose_only(self, signer: Signer, device: Device, media_type: str) -> None:
        signer.refuse(signer.sign(), status=400, code="malformed", media_type=media_type)

    def test_a_parameter_of_the_media_type_does_no_harm(self, signer: Signer, device: Device) -> None:
        assert signer.post(signer.sign(), media_type="application/jose; charset=utf-8").status_code == 200


class TestSize:
    def test_a_body_above_the_limit_is_refused_unread(self, signer: Signer, device: Device) -> None:
        problem = signer.refuse(b"x" * (LIMIT + 1), status=413, code="too-large")

        assert problem["limit"] == LIMIT

    def test_a_body_of_the_limit_is_read(self, signer: Signer, device: Device) -> None:
        signer.refuse(b"x" * LIMIT, status=400, code="malformed")

    @pytest.mark.parametrize("length", ["", "abc", "-1", "+5", "1.0", "٣"])
    def test_a_body_of_unknown_length_is_refused(self, signer: Signer, device: Device, length: str) -> None:
        signer.refuse(signer.sign(), status=411, code="length-required", CONTENT_LENGTH=length)

    def test_a_length_beyond_all_measure_is_too_large(self, signer: Signer, device: Device) -> None:
        signer.refuse(signer.sign(), status=413, code="too-large", CONTENT_LENGTH="9" * 5000)


class TestMethods:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
    def test_licenses_are_fetched_by_post(self, method: str) -> None:
        response = Client().generic(method, "/device/v1/licenses")

        assert (response.status_code, response.headers["Allow"]) == (405, "POST")
        assert response.headers["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("path", ["directory", "new-nonce"])
    def test_the_others_are_read(self, path: str) -> None:
        response = Client().post(f"/device/v1/{path}")

        assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
        assert json.loads(response.content)["code"] == "method-not-allowed"

    def test_an_address_without_a_door_is_a_problem_too(self, db: None) -> None:
        response = Client().get("/device/v1/nothing")

        assert (response.status_code, json.loads(response.content)["code"]) == (404, "not-found")

"""The public JWS vectors: their tokens have no certificate chain, so they are checked in two halves."""

from typing import Any

import pytest
from joserfc.jwk import import_key

from devices import jose
from devices.jose import BadSignature, DeviceToken, MalformedToken
from portal.core import base64url, strict_json
from tests.pure.vectors import wycheproof

FILE = "json_web_signature_test.json"
FAULTY = {346, 347, 350, 351, 367, 370, 372, 373}  # known errors of the vectors themselves
OURS = {"ES256", "RS256", "PS256"}


def as_token(compact: str) -> DeviceToken:
    """The token as `jose.parse` would give it, had it the members of a device's header."""
    protected, payload, signature = compact.split(".")
    header = strict_json.loads(base64url.decode(protected), max_bytes=65536)
    if not header.keys() <= {"alg", "kid", "typ"}:
        raise MalformedToken("header members")
    base64url.decode(signature)
    data = base64url.decode(payload)
    return DeviceToken(str(header.get("alg")), "", None, None, (), {}, data, compact.encode())


def accepts(case: dict[str, Any], public_key: object) -> bool:
    try:
        jose.verify(as_token(case["jws"]), jose.verification_key(public_key))
    except (BadSignature, ValueError):
        return False
    return True


class TestVerify:
    def test_it_agrees_with_the_public_vectors(self) -> None:
        accepted = refused = 0
        for group in wycheproof(FILE):
            jwk = group.get("public") or group["private"]
            # Keys of other algorithms are not ours; those without one are about the `use` of a JWK, and a
            # device's key comes from its certificate.
            if jwk.get("alg") not in OURS:
                continue
            public_key = import_key(
                {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
            )
            for case in group["tests"]:
                if case["tcId"] in FAULTY or not isinstance(case["jws"], str):
                    continue
                valid = case["result"] == "valid"
                if valid:
                    accepted += 1
                else:
                    refused += 1
                assert accepts(case, public_key.get_op_key("verify")) == valid, (
                    case["tcId"],
                    case["comment"],
                )
        assert accepted > 5
        assert refused > 100


class TestParse:
    def test_it_refuses_every_token_of_the_public_vectors(self) -> None:
        for group in wycheproof(FILE):
            for case in group["tests"]:
                data = (
                    case["jws"] if isinstance(case["jws"], str) else strict_json.dumps(case["jws"]).decode()
                )
                for online in (True, False):
                    with pytest.raises(MalformedToken):
                        jose.parse(data.encode(), typ="lic-fetch+jws", online=online)

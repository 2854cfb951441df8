"""Software that is not ours finds our signatures good, and damaged ones bad."""

import json
from typing import Any

import pytest

from licenses import jose
from licenses.document import TYP
from licenses.signers import FileSigner
from portal.core import base64url
from tests.golden import judges, make, values

GOOD = [{"alg": "Ed25519", "jose": True, "noble": None}, {"alg": "ML-DSA-65", "jose": True, "noble": True}]


def golden(name: str) -> bytes:
    return (make.FOLDER / name).read_bytes()


def named(*signers: FileSigner) -> list[dict[str, Any]]:
    return [signer.public_jwk() | {"kid": signer.kid, "alg": signer.alg} for signer in signers]


def damaged(document: bytes, position: int) -> bytes:
    """The document with the last bit flipped in one of its signatures."""
    members = json.loads(document)
    signature = bytearray(base64url.decode(members["signatures"][position]["signature"]))
    signature[-1] ^= 1
    members["signatures"][position]["signature"] = base64url.encode(bytes(signature))
    return json.dumps(members).encode()


class TestNode:
    def test_it_verifies_the_golden_license_document_with_the_published_keys(self) -> None:
        published = json.loads(golden("jwks.json"))["keys"]
        assert judges.node_verdicts(golden("license-document.json"), published) == GOOD

    def test_it_verifies_the_golden_key_set_with_the_roots(self) -> None:
        assert judges.node_verdicts(golden("key-set.json"), named(*values.ROOTS)) == GOOD

    def test_it_verifies_what_is_signed_today(self) -> None:
        document = jose.sign_general(b'{"a":1}', typ=TYP, signers=values.DOCUMENT_KEYS)
        assert judges.node_verdicts(document, named(*values.DOCUMENT_KEYS)) == GOOD

    def test_it_refuses_a_damaged_signature_and_another_key(self) -> None:
        document = golden("license-document.json")
        keys = named(*values.DOCUMENT_KEYS)
        first_bad, second_bad = (judges.node_verdicts(damaged(document, n), keys) for n in (0, 1))
        assert first_bad == [GOOD[0] | {"jose": False}, GOOD[1]]
        assert second_bad == [GOOD[0], GOOD[1] | {"jose": False, "noble": False}]
        others = [
            jwk | {"kid": mine["kid"]} for jwk, mine in zip(named(*values.RETIRED_KEYS), keys, strict=True)
        ]
        assert [v["jose"] for v in judges.node_verdicts(document, others)] == [False, False]


class TestJwcrypto:
    @pytest.mark.parametrize("position", [0, 1], ids=("Ed25519", "ML-DSA-65"))
    def test_it_verifies_the_golden_documents(self, position: int) -> None:
        for name, signers in (("license-document", values.DOCUMENT_KEYS), ("key-set", values.ROOTS)):
            (key,) = named(signers[position])
            assert judges.jwcrypto_payload(golden(f"{name}.json"), key) == golden(f"{name}.payload.json")

    @pytest.mark.parametrize("position", [0, 1], ids=("Ed25519", "ML-DSA-65"))
    def test_it_refuses_a_damaged_signature_and_another_key(self, position: int) -> None:
        document = golden("license-document.json")
        (key,) = named(values.DOCUMENT_KEYS[position])
        (other,) = named(values.RETIRED_KEYS[position])
        assert judges.jwcrypto_payload(damaged(document, position), key) is None
        assert judges.jwcrypto_payload(document, other) is None
        assert judges.jwcrypto_payload(damaged(document, 1 - position), key) is not None

    @pytest.mark.parametrize("position", [0, 1], ids=("Ed25519", "ML-DSA-65"))
    def test_it_gives_keys_the_names_we_give_them(self, position: int) -> None:
        signer = values.DOCUMENT_KEYS[position]
        assert judges.jwcrypto_thumbprint(signer.public_jwk()) == signer.kid

import json
from typing import Any

import pytest

from licenses import jose
from licenses.jose import BadSignature, MalformedJWS, MissingSignature
from licenses.signers import ALGORITHMS
from portal.core import base64url
from tests.pure.signing_keys import by_kid, ed25519, mldsa65

TYP = "lic+jws"
PAYLOAD = b'{"ver":1}'
CLASSICAL, POST_QUANTUM = ed25519(1), mldsa65(1)
KEYS = by_kid(CLASSICAL, POST_QUANTUM)
SIGNED = jose.sign_general(PAYLOAD, typ=TYP, signers=(CLASSICAL, POST_QUANTUM))


def verify(data: bytes, **changes: Any) -> bytes:
    return jose.verify_general(data, **({"typ": TYP, "keys": KEYS, "required": ALGORITHMS} | changes))


def document() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(SIGNED)
    return parsed


def written(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def with_header(position: int, header: object, *, sign: bool = True) -> bytes:
    """The document with another header in one place, signed anew so that only the header is to blame."""
    changed = document()
    data = header if isinstance(header, bytes) else written(header)
    protected = base64url.encode(data)
    entry = changed["signatures"][position]
    entry["protected"] = protected
    if sign:
        signer = (CLASSICAL, POST_QUANTUM)[position]
        entry["signature"] = base64url.encode(signer.sign(f"{protected}.{changed['payload']}".encode()))
    return written(changed)


class TestSignGeneral:
    def test_it_writes_a_jws_in_general_json_serialization(self) -> None:
        signed = document()
        assert list(signed) == ["payload", "signatures"]
        assert base64url.decode(signed["payload"]) == PAYLOAD
        for entry, signer in zip(signed["signatures"], (CLASSICAL, POST_QUANTUM), strict=True):
            assert list(entry) == ["protected", "signature"]
            header = json.loads(base64url.decode(entry["protected"]))
            assert list(header.items()) == [("alg", signer.alg), ("kid", signer.kid), ("typ", TYP)]

    def test_it_writes_the_same_again_but_for_the_hedged_signature(self) -> None:
        again = json.loads(jose.sign_general(PAYLOAD, typ=TYP, signers=(CLASSICAL, POST_QUANTUM)))
        assert again["signatures"][0] == document()["signatures"][0]
        assert again["signatures"][1]["protected"] == document()["signatures"][1]["protected"]
        assert again["signatures"][1]["signature"] != document()["signatures"][1]["signature"]

    def test_it_wants_one_to_eight_different_signers(self) -> None:
        for signers in ((), (CLASSICAL, CLASSICAL), tuple(ed25519(number) for number in range(1, 10))):
            with pytest.raises(ValueError, match="different signers"):
                jose.sign_general(PAYLOAD, typ=TYP, signers=signers)
        eight = tuple(ed25519(number) for number in range(1, 9))
        assert verify(jose.sign_general(PAYLOAD, typ=TYP, signers=eight), required=("Ed25519",)) == PAYLOAD


class TestVerifyGeneral:
    def test_it_gives_the_payload_bytes(self) -> None:
        assert verify(SIGNED) == PAYLOAD
        odd = b'\x00\xff not even JSON {"a":1,"a":1}'
        assert verify(jose.sign_general(odd, typ=TYP, signers=(CLASSICAL, POST_QUANTUM))) == odd

    def test_it_does_not_mind_layout_or_order_around_what_is_signed(self) -> None:
        signed = document()
        signed["signatures"].reverse()
        assert verify(json.dumps(dict(reversed(signed.items())), indent=4).encode()) == PAYLOAD

    @pytest.mark.parametrize("required", [("Ed25519",), ("ML-DSA-65",), ALGORITHMS, ()])
    def test_it_wants_the_required_algorithms_only(self, required: tuple[str, ...]) -> None:
        for kept, alg in ((0, "Ed25519"), (1, "ML-DSA-65")):
            stripped = document()
            stripped["signatures"] = [stripped["signatures"][kept]]
            if set(required) <= {alg}:
                assert verify(written(stripped), required=required) == PAYLOAD
            else:
                with pytest.raises(MissingSignature):
                    verify(written(stripped), required=required)

    def test_it_counts_known_keys_only(self) -> None:
        stranger = jose.sign_general(PAYLOAD, typ=TYP, signers=(ed25519(2), mldsa65(2)))
        with pytest.raises(MissingSignature):
            verify(stranger)
        with pytest.raises(MissingSignature):
            verify(stranger, required=())
        with pytest.raises(MissingSignature):
            verify(SIGNED, keys=by_kid(CLASSICAL))
        with pytest.raises(MissingSignature):
            verify(SIGNED, keys={})
        more = jose.sign_general(PAYLOAD, typ=TYP, signers=(ed25519(2), CLASSICAL, mldsa65(2), POST_QUANTUM))
        assert verify(more) == PAYLOAD

    def test_it_refuses_one_bad_signature_among_good_ones(self) -> None:
        extra = ed25519(2)
        signed = json.loads(jose.sign_general(PAYLOAD, typ=TYP, signers=(CLASSICAL, POST_QUANTUM, extra)))
        signed["signatures"][2]["signature"] = signed["signatures"][0]["signature"]
        assert verify(written(signed)) == PAYLOAD  # by a key nobody knows here
        with pytest.raises(BadSignature):
            verify(written(signed), keys=by_kid(CLASSICAL, POST_QUANTUM, extra))

    @pytest.mark.parametrize("position", [0, 1])
    def test_it_refuses_a_bit_flipped_in_a_signature(self, position: int) -> None:
        whole = base64url.decode(document()["signatures"][position]["signature"])
        for place in range(0, len(whole), 1 + len(whole) // 40):
            changed = bytearray(whole)
            changed[place] ^= 1 << place % 8
            signed = document()
            signed["signatures"][position]["signature"] = base64url.encode(bytes(changed))
            with pytest.raises(BadSignature):
                verify(written(signed))

    def test_it_refuses_a_bit_flipped_in_the_payload(self) -> None:
        for place in range(len(PAYLOAD) * 8):
            changed = bytearray(PAYLOAD)
            changed[place // 8] ^= 1 << place % 8
            signed = document() | {"payload": base64url.encode(bytes(changed))}
            with pytest.raises(BadSignature):
                verify(written(signed))

    @pytest.mark.parametrize("position", [0, 1])
    def test_it_refuses_a_bit_flipped_in_a_header(self, position: int) -> None:
        header = base64url.decode(document()["signatures"][position]["protected"])
        for place in range(len(header)):
            changed = bytearray(header)
            changed[place] ^= 1
            with pytest.raises((MalformedJWS, BadSignature)):
                verify(with_header(position, bytes(changed), sign=False))

    def test_it_refuses_swapped_signatures(self) -> None:
        signed = document()
        first, second = signed["signatures"]
        first["signature"], second["signature"] = second["signature"], first["signature"]
        with pytest.raises(BadSignature):
            verify(written(signed))

    def test_it_refuses_another_typ_even_if_signed(self) -> None:
        for typ in ("lic-receipt+jws", "jwk-set+jwt", "LIC+JWS", ""):
            other = jose.sign_general(PAYLOAD, typ=typ, signers=(CLASSICAL, POST_QUANTUM))
            with pytest.raises(MalformedJWS, match="typ"):
                verify(other)
        mixed = document()
        other = jose.sign_general(PAYLOAD, typ="lic-receipt+jws", signers=(POST_QUANTUM,))
        mixed["signatures"][1] = json.loads(other)["signatures"][0]
        with pytest.raises(MalformedJWS, match="typ"):
            verify(written(mixed))

    @pytest.mark.parametrize("alg", ["none", "", "EdDSA", "ML-DSA-65", "HS256", "ed25519"])
    def test_it_refuses_another_algorithm_than_the_keys(self, alg: str) -> None:
        with pytest.raises(BadSignature, match="algorithm"):
            verify(with_header(0, {"alg": alg, "kid": CLASSICAL.kid, "typ": TYP}))

    @pytest.mark.parametrize("extra", ["crit", "b64", "jwk", "jku", "x5c", "x5u", "zip", "cty", "nonce"])
    def test_it_refuses_any_other_header_member(self, extra: str) -> None:
        header = {"alg": "Ed25519", "kid": CLASSICAL.kid, "typ": TYP, extra: "x"}
        with pytest.raises(MalformedJWS, match="other members"):
            verify(with_header(0, header))

    @pytest.mark.parametrize("missing", ["alg", "kid", "typ"])
    def test_it_refuses_a_header_without_one_of_its_members(self, missing: str) -> None:
        header = {"alg": "Ed25519", "kid": CLASSICAL.kid, "typ": TYP}
        with pytest.raises(MalformedJWS, match="other members"):
            verify(with_header(0, {name: value for name, value in header.items() if name != missing}))
        values: tuple[object, ...] = (None, 1, [], {}, True)
        for value in values:
            with pytest.raises(MalformedJWS, match="other members"):
                verify(with_header(0, header | {missing: value}))

    @pytest.mark.parametrize(
        "header", [b"", b"[]", b"{", b'{"alg":"x","alg":"y"}', b"\xff", b"{}" + b" " * 1024]
    )
    def test_it_refuses_headers_that_are_no_strict_json(self, header: bytes) -> None:
        with pytest.raises(MalformedJWS):
            verify(with_header(0, header))

    def test_it_refuses_a_key_named_twice(self) -> None:
        signed = document()
        signed["signatures"].append(signed["signatures"][0])
        with pytest.raises(MalformedJWS, match="same key"):
            verify(written(signed))

    def test_it_refuses_none_or_more_than_eight_signatures(self) -> None:
        none: list[object] = []
        for entries in (none, document()["signatures"] * 5):
            with pytest.raises(MalformedJWS, match="signatures"):
                verify(written(document() | {"signatures": entries}))

    @pytest.mark.parametrize(
        "change",
        [
            {"payload": None},
            {"payload": 1},
            {"payload": ["x"]},
            {"payload": "="},
            {"payload": "A"},
            {"payload": "\u00e9"},
            {"signatures": None},
            {"signatures": {}},
            {"signatures": ["x"]},
            {"signatures": [{}]},
            {"signatures": [{"protected": "e30", "signature": 1}]},
            {"signatures": [{"protected": 1, "signature": "AA"}]},
            {"signatures": [{"protected": "e30=", "signature": "AA"}]},
            {"signatures": [{"protected": "e30", "signature": "AA", "header": {}}]},
            {"header": {}},
            {"protected": "e30"},
            {"signature": "AA"},
            {"x": 1},
        ],
    )
    def test_it_refuses_every_other_shape(self, change: dict[str, object]) -> None:
        with pytest.raises(MalformedJWS):
            verify(written(document() | change))

    def test_it_refuses_an_unprotected_header(self) -> None:
        signed = document()
        signed["signatures"][0]["header"] = {"kid": CLASSICAL.kid}
        with pytest.raises(MalformedJWS, match="other members"):
            verify(written(signed))

    def test_it_refuses_signatures_that_are_no_base64url(self) -> None:
        for text in ("=", "A", "+/", "AB", "\u00e9", " "):
            signed = document()
            signed["signatures"][1]["signature"] = text
            with pytest.raises(MalformedJWS, match="base64url"):
                verify(written(signed))
            with pytest.raises((MalformedJWS, BadSignature)):
                verify(SIGNED.replace(b'"signature":"', b'"signature":"' + text.encode(), 1))

    @pytest.mark.parametrize(
        "data", [b"", b"[]", b"{}", b'"x"', b"\xff", b'{"payload":"","payload":"","signatures":[]}']
    )
    def test_it_refuses_what_is_no_document(self, data: bytes) -> None:
        with pytest.raises(MalformedJWS):
            verify(data)

    def test_it_looks_at_the_size_first(self) -> None:
        assert verify(SIGNED, max_bytes=len(SIGNED)) == PAYLOAD
        with pytest.raises(MalformedJWS, match="larger"):
            verify(SIGNED, max_bytes=len(SIGNED) - 1)
        with pytest.raises(MalformedJWS, match="larger"):
            verify(b" " * 262145)

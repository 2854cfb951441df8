import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

from devices import jose
from devices.jose import BadSignature, DeviceToken, MalformedToken
from portal.core import base64url
from tests.pure.certificates import PrivateKey, device, device_ca, root
from tests.pure.statements import NONCE, URL, compact, header, payload

CA = device_ca(root())
DEVICE = device(CA)
CHAIN = (DEVICE.der, CA.der)
KEYS: dict[str, PrivateKey] = {
    "ES256": DEVICE.key,
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "RS256": rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
}
KEYS |= {"PS256": KEYS["RS256"], "EdDSA": KEYS["Ed25519"]}


def token(alg: str = "ES256", *, claims: object = None, **changes: Any) -> bytes:
    return compact(header(alg, CHAIN, **changes), claims or payload(), KEYS[alg], alg)


def in_file(alg: str = "ES256") -> bytes:
    return token(alg, nonce=..., url=...)


def parse(data: bytes, *, online: bool = True) -> DeviceToken:
    return jose.parse(data, typ="lic-fetch+jws", online=online)


def verify(parsed: DeviceToken, public_key: object) -> None:
    jose.verify(parsed, jose.verification_key(public_key))


def refusal(data: bytes, *, online: bool = True) -> str:
    with pytest.raises(MalformedToken) as caught:
        parse(data, online=online)
    return caught.value.reason


def with_header(**changes: Any) -> str:
    return refusal(token(**changes))


class TestParse:
    def test_it_gives_the_parts_of_a_token_from_rest(self) -> None:
        parsed = parse(token())
        assert (parsed.alg, parsed.typ, parsed.nonce, parsed.url) == ("ES256", "lic-fetch+jws", NONCE, URL)
        assert parsed.chain == CHAIN
        assert parsed.payload == payload()
        assert parsed.payload_bytes == json.dumps(payload()).encode()
        assert parsed.compact == token()

    def test_it_gives_the_parts_of_a_token_from_a_file_with_white_space_around(self) -> None:
        parsed = parse(b"\r\n " + in_file() + b"\n\t", online=False)
        assert (parsed.nonce, parsed.url, parsed.compact) == (None, None, in_file())

    def test_it_refuses_over_rest_what_is_made_for_a_file_and_the_reverse(self) -> None:
        assert refusal(in_file()) == "header members"
        assert refusal(token(), online=False) == "header members"
        assert refusal(token(nonce=...)) == "header members"
        assert refusal(token(url=...), online=False) == "header members"
        assert refusal(token() + b"\n") == "signature is not base64url"

    def test_it_refuses_another_typ(self) -> None:
        for typ in ("lic-return+jws", "lic+jws", "LIC-FETCH+JWS", "application/lic-fetch+jws", None, 1):
            assert with_header(typ=typ) == "typ"
        assert with_header(typ=...) == "header members"

    @pytest.mark.parametrize(
        "alg", ["none", "None", "", "HS256", "ES512", "RS384", "es256", "ML-DSA-65", None, 1, []]
    )
    def test_it_refuses_other_algorithms(self, alg: object) -> None:
        named = header("ES256", CHAIN) | {"alg": alg}
        assert refusal(compact(named, payload(), KEYS["ES256"], "ES256")) == "alg"

    @pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5t", "kid", "crit", "b64", "zip", "cty", "iss"])
    def test_it_refuses_any_other_header_member(self, name: str) -> None:
        assert with_header(**{name: "x"}) == "header members"

    @pytest.mark.parametrize("value", ["", None, 1, [], "x" * 2049])
    def test_it_wants_nonce_and_url_as_texts(self, value: object) -> None:
        assert with_header(nonce=value) == "nonce"
        assert with_header(url=value) == "url"

    @pytest.mark.parametrize(
        "x5c",
        [
            [],
            None,
            "x",
            {},
            [1],
            [None],
            [""],
            ["AA"],
            ["AA=="] * 4,
            ["AB=="],
            ["A A="],
            ["AA==\n"],
            ["-_-_"],
            ["\u00e9\u00e9\u00e9\u00e9"],
            [["AA=="]],
        ],
    )
    def test_it_wants_one_to_three_certificates_in_standard_base64(self, x5c: object) -> None:
        assert with_header(x5c=x5c) == "x5c"

    def test_it_looks_at_the_size_first(self) -> None:
        for online in (True, False):
            assert refusal(b" " * 65537, online=online) == "size"
        largest = token(claims=payload(pad="x" * 46000))
        assert len(largest) <= 65536
        assert parse(largest).payload["pad"]

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b".",
            b"..",
            b"a.b",
            b"a.b.c.d",
            b"{}",
            b"\xff.\xff.\xff",
            "\u00e9.a.b".encode(),
            b"e30.e30.AA",
        ],
    )
    def test_it_refuses_what_is_no_compact_jws(self, data: bytes) -> None:
        for online in (True, False):
            with pytest.raises(MalformedToken):
                parse(data, online=online)

    def test_it_refuses_a_jws_in_json(self) -> None:
        first, second, third = token().decode().split(".")
        document = {"payload": second, "protected": first, "signature": third}
        assert refusal(json.dumps(document).encode()) == "not a compact JWS"

    def test_it_refuses_an_empty_signature(self) -> None:
        assert refusal(token().rsplit(b".", 1)[0] + b".") == "signature"

    @pytest.mark.parametrize("part", [0, 1, 2])
    @pytest.mark.parametrize("change", [b"=", b"==", b"\n", b" ", b"+", b"/", b"\x00"])
    def test_it_refuses_any_other_writing_of_a_part(self, part: int, change: bytes) -> None:
        parts = token().split(b".")
        parts[part] += change
        assert refusal(b".".join(parts)).endswith("is not base64url")

    def test_it_refuses_a_second_writing_of_the_same_signature(self) -> None:
        good = token()
        assert good[-1:] in b"AQgw"  # 64 bytes leave four bits, which must be zero
        assert refusal(good[:-1] + bytes([good[-1] + 1])) == "signature is not base64url"

    @pytest.mark.parametrize(
        "data",
        [b"[]", b"{", b'"x"', b'{"a":1,"a":1}', b'{"a":1.5}', b"\xff", b'{"a":"\\ud800"}', b'{"a":9e9}'],
    )
    def test_it_refuses_json_that_is_not_strict(self, data: bytes) -> None:
        key = KEYS["ES256"]
        assert refusal(compact(data, payload(), key, "ES256")).startswith("header: ")
        assert refusal(compact(header("ES256", CHAIN), data, key, "ES256")).startswith("payload: ")


class TestVerify:
    @pytest.mark.parametrize("alg", sorted(KEYS))
    def test_it_takes_the_algorithm_of_the_key(self, alg: str) -> None:
        verify(parse(token(alg)), KEYS[alg].public_key())
        verify(parse(in_file(alg), online=False), KEYS[alg].public_key())

    @pytest.mark.parametrize("named", sorted(KEYS))
    @pytest.mark.parametrize("alg", sorted(KEYS))
    def test_it_refuses_any_other_algorithm_in_the_header(self, alg: str, named: str) -> None:
        same = {named, alg} <= {"Ed25519", "EdDSA"} or named == alg
        data = compact(header(named, CHAIN), payload(), KEYS[alg], alg)
        if same:
            verify(parse(data), KEYS[alg].public_key())
        else:
            with pytest.raises(BadSignature):
                verify(parse(data), KEYS[alg].public_key())

    @pytest.mark.parametrize("alg", sorted(KEYS))
    def test_it_refuses_the_key_of_another_device(self, alg: str) -> None:
        other: Any = {
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "ES384": ec.generate_private_key(ec.SECP384R1()),
            "Ed25519": ed25519.Ed25519PrivateKey.generate(),
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        }.get(alg) or rsa.generate_private_key(65537, 2048)
        with pytest.raises(BadSignature, match="does not match"):
            verify(parse(token(alg)), other.public_key())

    @pytest.mark.parametrize(
        "key",
        [
            ec.generate_private_key(ec.SECP521R1()),
            ec.generate_private_key(ec.SECP256K1()),
            mldsa.MLDSA65PrivateKey.generate(),
        ],
    )
    def test_it_knows_no_algorithm_for_other_keys(self, key: Any) -> None:
        with pytest.raises(BadSignature, match="no algorithm"):
            verify(parse(token()), key.public_key())

    @pytest.mark.parametrize("alg", sorted(KEYS))
    def test_it_refuses_a_token_with_a_bit_flipped_anywhere_in_it(self, alg: str) -> None:
        good = token(alg)
        for part in range(3):
            parts = good.split(b".")
            data = bytearray(base64url.decode(parts[part].decode()))
            for place in range(0, len(data), 1 + len(data) // 60):
                changed = bytearray(data)
                changed[place] ^= 1 << place % 8
                parts[part] = base64url.encode(bytes(changed)).encode()
                with pytest.raises((MalformedToken, BadSignature)):
                    verify(parse(b".".join(parts)), KEYS[alg].public_key())

    @pytest.mark.parametrize("member", sorted(payload()))
    def test_it_refuses_a_payload_with_any_member_changed(self, member: str) -> None:
        first, _, third = token().split(b".")
        changed = payload(**{member: "x" if isinstance(payload()[member], str) else 7})
        second = base64url.encode(json.dumps(changed).encode()).encode()
        with pytest.raises(BadSignature):
            verify(parse(b".".join((first, second, third))), KEYS["ES256"].public_key())

    @pytest.mark.parametrize(
        "change",
        [lambda s: s[:-1], lambda s: s + b"\x00", lambda s: bytes(len(s)), lambda s: s[:1], lambda s: s * 2],
    )
    def test_it_refuses_signatures_of_another_length_or_of_zeros(
        self, change: Callable[[bytes], bytes]
    ) -> None:
        signing_input, _, signature = token().rpartition(b".")
        changed = base64url.encode(change(base64url.decode(signature.decode())))
        with pytest.raises(BadSignature):
            verify(parse(signing_input + b"." + changed.encode()), KEYS["ES256"].public_key())

    def test_it_refuses_an_ecdsa_signature_in_der(self) -> None:
        signing_input = token().rpartition(b".")[0]
        key = KEYS["ES256"]
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        der = key.sign(signing_input, ec.ECDSA(hashes.SHA256()))
        with pytest.raises(BadSignature):
            verify(parse(signing_input + b"." + base64url.encode(der).encode()), key.public_key())


def test_the_chain_is_read_as_the_certificates_are_written() -> None:
    assert base64.b64encode(parse(token()).chain[0]).decode() == header("ES256", CHAIN)["x5c"][0]

"""Strict JSON, base64url, public keys and what people read."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import base64url, public_keys, strict_json
from appliance.refusals import EXPLANATIONS, Refusal
from appliance.wording import moment
from tests.appliance.issuing import Json, SigningKey, b64u, key_pair

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "wycheproof"
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
PLAIN = st.none() | st.booleans() | st.integers(-strict_json.MAX_INTEGER, strict_json.MAX_INTEGER) | TEXTS
VALUES = PLAIN | st.lists(PLAIN | st.dictionaries(TEXTS, PLAIN, max_size=3), max_size=3)


class TestStrictJSON:
    @given(st.dictionaries(TEXTS, VALUES, max_size=3))
    def test_what_it_writes_it_reads(self, value: Json) -> None:
        assert strict_json.loads(strict_json.dumps(value), max_bytes=100_000) == value

    @pytest.mark.parametrize(
        "data",
        [
            b'{"a":1,"a":1}',
            b'{"a":{"b":1,"b":2}}',
            b'{"a":1.0}',
            b'{"a":1e3}',
            b'{"a":NaN}',
            b'{"a":-Infinity}',
            b'{"a":9007199254740992}',
            b'{"a":-9007199254740992}',
            b'{"a":' + b"9" * 5000 + b"}",
            b'{"a":"\\u0000"}',
            b'{"\\u0000":1}',
            b'{"a":"\\ud800"}',
            b'{"\\udfff":1}',
            b'{"a":"\xed\xa0\x80"}',
            b'{"a":"\xff"}',
            b'{"a":"\n"}',
            b'\xef\xbb\xbf{"a":1}',
            b'{"a":1}x',
            b'{"a":1,}',
            b"{'a':1}",
            b'{"a":01}',
            b"[1]",
            b"1",
            b"null",
            b"",
            b'{"a":' * 8 + b"1" + b"}" * 8 + b"}",
            b'{"a":' * 9 + b"1" + b"}" * 9,
            b'{"a":' + b"[" * 100_000,
            b'"' + b"[" * 20,
        ],
        ids=lambda data: repr(data[:24]),
    )
    def test_it_refuses(self, data: bytes) -> None:
        with pytest.raises(strict_json.NotStrictJSON):
            strict_json.loads(data, max_bytes=1_000_000)

    def test_it_reads_to_the_edge(self) -> None:
        edge = b'{"a":' * 8 + b'"[[[[{{{{\\"[["' + b"}" * 8
        assert strict_json.loads(edge, max_bytes=len(edge))
        assert strict_json.loads(b'{"a":9007199254740991,"b":-0}', max_bytes=99) == {"a": 2**53 - 1, "b": 0}
        with pytest.raises(strict_json.TooLarge):
            strict_json.loads(edge, max_bytes=len(edge) - 1)


class TestBase64URL:
    @given(st.binary())
    def test_what_it_writes_it_reads(self, data: bytes) -> None:
        assert base64url.decode(base64url.encode(data)) == data

    @pytest.mark.parametrize("text", ["A", "AA==", "AB", "AAB", "A+AA", "A/AA", "AA A", "AAAA\n", "ÄAAA"])
    def test_it_refuses(self, text: str) -> None:
        with pytest.raises(base64url.NotBase64URL):
            base64url.decode(text)


class TestPublicKeys:
    @pytest.mark.parametrize("key", key_pair(), ids=lambda key: key.alg)
    def test_they_are_read_and_verify(self, key: SigningKey) -> None:
        public = public_keys.from_jwk(key.jwk(use="sig"))
        assert (public.alg, public.kid) == (key.alg, key.kid)
        assert public.verifies(signature=key.private.sign(b"x"), data=b"x")
        assert not public.verifies(signature=key.private.sign(b"x"), data=b"y")
        assert not public.verifies(signature=b"", data=b"x")

    def test_the_thumbprint_is_that_of_rfc_8037(self) -> None:
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
        assert public_keys.from_jwk(jwk).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

    @pytest.mark.parametrize("key", key_pair(), ids=lambda key: key.alg)
    @pytest.mark.parametrize(
        "change",
        [{"kid": "x"}, {"x": "AAAA", "pub": "AAAA"}, {"x": 1, "pub": 1}, {"x": "=", "pub": "="}],
        ids=str,
    )
    def test_one_of_the_wrong_shape_is_refused(self, key: SigningKey, change: Json) -> None:
        with pytest.raises(public_keys.BadKey):
            public_keys.from_jwk({**key.jwk(), **change})

    @pytest.mark.parametrize(
        "jwk",
        [{}, {"kty": "oct", "k": "AA"}, {"kty": "OKP", "crv": "X25519"}, {"kty": "AKP", "alg": "ML-DSA-44"}],
        ids=str,
    )
    def test_one_of_another_kind_is_unknown(self, jwk: Json) -> None:
        with pytest.raises(public_keys.UnknownKind):
            public_keys.from_jwk(jwk)


def vectors(name: str) -> Iterator[tuple[Json, Json]]:
    data: dict[str, Any] = json.loads((VECTORS / name).read_text())
    for group in data["testGroups"]:
        for test in group["tests"]:
            yield group, test


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the public test vectors are not beside this checkout")
class TestPublicVectors:
    def test_ed25519_is_verified_as_wycheproof_says(self) -> None:
        for group, test in vectors("ed25519_test.json"):
            raw = bytes.fromhex(group["publicKey"]["pk"])
            key = public_keys.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": b64u(raw)})
            good = key.verifies(signature=bytes.fromhex(test["sig"]), data=bytes.fromhex(test["msg"]))
            assert good is (test["result"] == "valid"), test

    def test_ml_dsa_65_is_verified_as_wycheproof_says(self) -> None:
        for group, test in vectors("mldsa_65_verify_test.json"):
            if test.get("ctx"):
                continue  # JOSE knows no contexts
            jwk = {"kty": "AKP", "alg": "ML-DSA-65", "pub": b64u(bytes.fromhex(group["publicKey"]))}
            try:
                key = public_keys.from_jwk(jwk)
            except public_keys.BadKey:
                assert test["result"] == "invalid", test
                continue
            good = key.verifies(signature=bytes.fromhex(test["sig"]), data=bytes.fromhex(test["msg"]))
            assert good is (test["result"] == "valid"), test


class TestWhatPeopleRead:
    def test_every_refusal_has_a_stable_code_a_sentence_and_a_way_out(self) -> None:
        for code, explanation in EXPLANATIONS.items():
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
            assert explanation.says.endswith(".")
            assert explanation.way_out.endswith(".")

    def test_a_refusal_without_an_explanation_cannot_be_made(self) -> None:
        with pytest.raises(KeyError):
            Refusal("because")

    def test_a_time_beyond_the_calendar_is_no_error(self) -> None:
        assert moment(strict_json.MAX_INTEGER) == "after the year 9999"
        assert moment(0) == "1970-01-01 00:00 UTC"
        assert moment(None) == "no end"

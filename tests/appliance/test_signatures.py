"""Signatures a device must not take: each is refused under its own code, and nothing is changed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.installation import Outcome
from tests.appliance.conftest import OTHER_HARDWARE_ID, Bench, MakeBench
from tests.appliance.issuing import NOW, Issuer, b64u, bundle, compact, sign, unb64u


def flip(data: bytes, position: int) -> bytes:
    changed = bytearray(data)
    changed[position] ^= 0x01
    return bytes(changed)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every member of a JSON value that is no list or object, with the way to it."""
    if isinstance(value, dict | list):
        for step, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(member, (*path, step))
    else:
        yield path, value


DOCUMENT_FIELDS = [path for path, _ in leaves(Issuer().document_payload("00-90-33-01-0A-FF"))]


class TestAChangedDocument:
    @pytest.mark.parametrize("path", DOCUMENT_FIELDS, ids=lambda path: ".".join(map(str, path)))
    def test_it_is_refused_with_a_flipped_bit_in_any_field(self, bench: Bench, path: tuple[Any, ...]) -> None:
        document = bench.issuer.document(bench.hardware_id)
        payload = json.loads(unb64u(document["payload"]))
        holder = payload
        for step in path[:-1]:
            holder = holder[step]
        value = holder[path[-1]]
        holder[path[-1]] = chr(ord(value[0]) ^ 1) + value[1:] if isinstance(value, str) else int(value) ^ 1
        bench.refuse(
            bundle({**document, "payload": b64u(compact(payload))}, bench.issuer.keyset()),
            "bad-signature",
        )

    @pytest.mark.parametrize("position", [0, 1], ids=["Ed25519", "ML-DSA-65"])
    def test_it_is_refused_with_a_flipped_bit_in_a_signature(self, bench: Bench, position: int) -> None:
        document = bench.issuer.document(bench.hardware_id)
        entry = document["signatures"][position]
        entry["signature"] = b64u(flip(unb64u(entry["signature"]), 20))
        bench.refuse(bundle(document, bench.issuer.keyset()), "bad-signature")

    @pytest.mark.parametrize("position", [0, 1], ids=["Ed25519", "ML-DSA-65"])
    def test_it_is_refused_with_a_signature_cut_short(self, bench: Bench, position: int) -> None:
        document = bench.issuer.document(bench.hardware_id)
        entry = document["signatures"][position]
        entry["signature"] = b64u(unb64u(entry["signature"])[:-1])
        bench.refuse(bundle(document, bench.issuer.keyset()), "bad-signature")

    @pytest.mark.parametrize("position", [0, 1], ids=["Ed25519", "ML-DSA-65"])
    def test_it_is_refused_with_a_stripped_signature(self, bench: Bench, position: int) -> None:
        document = bench.issuer.document(bench.hardware_id)
        del document["signatures"][position]
        bench.refuse(bundle(document, bench.issuer.keyset()), "stripped-signature")

    def test_it_is_refused_with_the_signatures_of_another(self, bench: Bench) -> None:
        document, other = (bench.issuer.document(bench.hardware_id, seq=seq) for seq in (1, 2))
        bench.refuse(
            bundle({**document, "signatures": other["signatures"]}, bench.issuer.keyset()),
            "bad-signature",
        )

    def test_it_is_refused_with_a_good_signature_beside_a_bad_one_of_the_same_algorithm(
        self, bench: Bench
    ) -> None:
        twice = bench.issuer.document(bench.hardware_id)
        twice["signatures"].append(twice["signatures"][0])
        bench.refuse(bundle(twice, bench.issuer.keyset()), "malformed")

    def test_it_is_accepted_without_what_the_firmware_does_not_require(self, make_bench: MakeBench) -> None:
        bench = make_bench(require=("Ed25519",))
        document = bench.issuer.document(bench.hardware_id, signed_by=bench.issuer.keys[:1])
        keyset = bench.issuer.keyset(signed_by=bench.issuer.roots[:1])
        assert bench.device().install(bundle(document, keyset)).outcome is Outcome.INSTALLED

    def test_it_is_refused_if_what_is_not_required_is_there_and_wrong(self, make_bench: MakeBench) -> None:
        bench = make_bench(require=("Ed25519",))
        document = bench.issuer.document(bench.hardware_id)
        document["signatures"][1]["signature"] = b64u(bytes(3309))
        bench.refuse(bundle(document, bench.issuer.keyset()), "bad-signature")


class TestAHeader:
    @pytest.mark.parametrize("typ", ["lic-receipt+jws", "jwk-set+jwt", "lic-fetch+jws", "JWT", "LIC+JWS"])
    def test_it_is_refused_with_a_swapped_typ(self, bench: Bench, typ: str) -> None:
        document = sign(bench.issuer.document_payload(bench.hardware_id), typ, bench.issuer.keys)
        bench.refuse(bundle(document, bench.issuer.keyset()), "wrong-type")

    @pytest.mark.parametrize("alg", ["none", "HS256", "EdDSA", "ES256", "ML-DSA-87", "ML-DSA-65"])
    def test_it_is_refused_with_another_algorithm_than_the_key_has(self, bench: Bench, alg: str) -> None:
        payload, (ed25519, ml_dsa) = bench.issuer.document_payload(bench.hardware_id), bench.issuer.keys
        document = sign(payload, "lic+jws", [ed25519], alg=alg)
        document["signatures"] += sign(payload, "lic+jws", [ml_dsa])["signatures"]
        bench.refuse(bundle(document, bench.issuer.keyset()), "wrong-algorithm")

    def test_it_is_refused_as_alg_none_with_an_empty_signature(self, bench: Bench) -> None:
        document = sign(
            bench.issuer.document_payload(bench.hardware_id), "lic+jws", bench.issuer.keys, alg="none"
        )
        for entry in document["signatures"]:
            entry["signature"] = ""
        bench.refuse(bundle(document, bench.issuer.keyset()), "wrong-algorithm")

    @pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "crit", "b64", "zip", "nonce", "cty"])
    def test_it_is_refused_with_a_further_member(self, bench: Bench, name: str) -> None:
        payload = bench.issuer.document_payload(bench.hardware_id)
        document = sign(payload, "lic+jws", bench.issuer.keys, **{name: "x"})
        bench.refuse(bundle(document, bench.issuer.keyset()), "malformed")

    def test_it_is_refused_with_its_members_twice(self, bench: Bench) -> None:
        document = bench.issuer.document(bench.hardware_id)
        entry = document["signatures"][0]
        entry["protected"] = b64u(unb64u(entry["protected"])[:-1] + b',"alg":"Ed25519"}')
        bench.refuse(bundle(document, bench.issuer.keyset()), "malformed")

    def test_it_is_refused_unprotected(self, bench: Bench) -> None:
        document = bench.issuer.document(bench.hardware_id)
        document["signatures"][0]["header"] = {"kid": bench.issuer.keys[0].kid}
        bench.refuse(bundle(document, bench.issuer.keyset()), "malformed")

    def test_it_is_refused_in_flattened_form(self, bench: Bench) -> None:
        document = bench.issuer.document(bench.hardware_id)
        flat = {"payload": document["payload"], **document["signatures"][0]}
        bench.refuse(bundle(flat, bench.issuer.keyset()), "malformed")

    def test_it_is_refused_with_padding(self, bench: Bench) -> None:
        document = bench.issuer.document(bench.hardware_id)
        document["signatures"][0]["signature"] += "=="
        bench.refuse(bundle(document, bench.issuer.keyset()), "malformed")

    @pytest.mark.parametrize("count", [0, 9])
    def test_it_is_refused_without_signatures_and_with_too_many(self, bench: Bench, count: int) -> None:
        document = bench.issuer.document(bench.hardware_id)
        document["signatures"] = document["signatures"][:1] * count
        bench.refuse(bundle(document, bench.issuer.keyset()), "malformed")


class TestSigningKeys:
    def test_a_key_that_may_not_sign_licenses_signs_none(self, bench: Bench) -> None:
        keys = [key.jwk(use="sig", typ=["lic-receipt+jws"]) for key in bench.issuer.keys]
        bench.refuse(
            bundle(bench.issuer.document(bench.hardware_id), bench.issuer.keyset(keys=keys)),
            "unknown-key",
        )

    def test_a_key_of_another_portal_signs_none(self, bench: Bench, other_issuer: Issuer) -> None:
        document = bench.issuer.document(bench.hardware_id, signed_by=other_issuer.keys)
        bench.refuse(bundle(document, bench.issuer.keyset()), "unknown-key")

    def test_a_root_signs_none(self, bench: Bench) -> None:
        document = bench.issuer.document(bench.hardware_id, signed_by=bench.issuer.roots)
        bench.refuse(bundle(document, bench.issuer.keyset()), "unknown-key")

    @pytest.mark.parametrize("position", [0, 1], ids=["Ed25519", "ML-DSA-65"])
    def test_a_compromised_key_counts_for_nothing(self, bench: Bench, position: int) -> None:
        keys = [key.jwk(use="sig", typ=["lic+jws"]) for key in bench.issuer.keys]
        keys[position]["compromised_at"] = NOW + 1
        data = bundle(bench.issuer.document(bench.hardware_id), bench.issuer.keyset(keys=keys))
        bench.refuse(data, "compromised-key")

    def test_a_document_signed_anew_after_a_compromise_is_installed(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id))
        renewed = Issuer(roots=bench.issuer.roots)
        keys = [key.jwk(use="sig", typ=["lic+jws"], compromised_at=NOW) for key in bench.issuer.keys]
        keys += [key.jwk(use="sig", typ=["lic+jws"]) for key in renewed.keys]
        document = renewed.document(bench.hardware_id, seq=2)
        data = bundle(document, renewed.keyset(version=2, keys=keys))
        assert bench.device().install(data).outcome is Outcome.INSTALLED

    def test_a_retired_key_stays_good(self, bench: Bench) -> None:
        keys = [key.jwk(use="sig", typ=["lic+jws"], retired_at=NOW - 1) for key in bench.issuer.keys]
        data = bundle(bench.issuer.document(bench.hardware_id), bench.issuer.keyset(keys=keys))
        assert bench.device().install(data).outcome is Outcome.INSTALLED

    def test_a_key_of_a_kind_to_come_does_no_harm(self, bench: Bench) -> None:
        payload = bench.issuer.keyset_payload()
        payload["keys"].append({"kty": "XYZ", "kid": "later", "alg": "XYZ-1", "typ": ["lic+jws"]})
        keyset = sign(payload, "jwk-set+jwt", bench.issuer.roots)
        data = bundle(bench.issuer.document(bench.hardware_id), keyset)
        assert bench.device().install(data).outcome is Outcome.INSTALLED

    def test_a_key_under_a_foreign_thumbprint_is_refused(self, bench: Bench) -> None:
        keys = [key.jwk(use="sig", typ=["lic+jws"]) for key in bench.issuer.keys]
        keys[0]["kid"] = keys[1]["kid"]
        data = bundle(bench.issuer.document(bench.hardware_id), bench.issuer.keyset(keys=keys))
        bench.refuse(data, "malformed")


class TestTheKeySet:
    def test_it_is_refused_from_other_roots(self, bench: Bench, other_issuer: Issuer) -> None:
        bench.refuse(other_issuer.bundle(bench.hardware_id), "unknown-roots")

    def test_it_is_refused_if_other_roots_signed_it_for_these(
        self, bench: Bench, other_issuer: Issuer
    ) -> None:
        keyset = bench.issuer.keyset(signed_by=other_issuer.roots)
        bench.refuse(bundle(bench.issuer.document(bench.hardware_id), keyset), "unknown-roots")

    @pytest.mark.parametrize("position", [0, 1], ids=["Ed25519", "ML-DSA-65"])
    def test_it_is_refused_signed_by_one_root_only(self, bench: Bench, position: int) -> None:
        keyset = bench.issuer.keyset(signed_by=[bench.issuer.roots[position]])
        bench.refuse(bundle(bench.issuer.document(bench.hardware_id), keyset), "stripped-signature")

    @pytest.mark.parametrize("position", [0, 1], ids=["Ed25519", "ML-DSA-65"])
    def test_it_is_refused_with_a_flipped_bit(self, bench: Bench, position: int) -> None:
        keyset = bench.issuer.keyset()
        entry = keyset["signatures"][position]
        entry["signature"] = b64u(flip(unb64u(entry["signature"]), 7))
        bench.refuse(bundle(bench.issuer.document(bench.hardware_id), keyset), "bad-signature")

    def test_it_is_refused_as_another_type(self, bench: Bench) -> None:
        keyset = bench.issuer.keyset(typ="lic+jws")
        bench.refuse(bundle(bench.issuer.document(bench.hardware_id), keyset), "wrong-type")

    def test_it_is_missed_where_none_is_held(self, bench: Bench) -> None:
        bench.refuse(bundle(bench.issuer.document(bench.hardware_id)), "key-set-missing")

    def test_it_is_refused_in_a_lower_version_than_held(self, bench: Bench) -> None:
        first = bundle(bench.issuer.document(bench.hardware_id), bench.issuer.keyset(version=3))
        bench.device().install(first)
        document = bench.issuer.document(bench.hardware_id, seq=2)
        bench.refuse(bundle(document, bench.issuer.keyset(version=2)), "older-key-set")

    def test_it_is_refused_with_another_content_under_the_version_held(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id))
        document = bench.issuer.document(bench.hardware_id, seq=2)
        bench.refuse(bundle(document, bench.issuer.keyset(mood="changed")), "key-set-conflict")

    @pytest.mark.parametrize("threshold", [0, 3, None])
    def test_it_is_refused_with_an_impossible_threshold(self, bench: Bench, threshold: int | None) -> None:
        keyset = bench.issuer.keyset(threshold=threshold)
        bench.refuse(bundle(bench.issuer.document(bench.hardware_id), keyset), "malformed")

    def test_a_refused_document_leaves_its_key_set_behind(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id))
        data = bundle(bench.issuer.document(OTHER_HARDWARE_ID, seq=2), bench.issuer.keyset(version=2))
        bench.refuse(data, "wrong-device")
        assert bench.device().status().keyset_version == 1

    def test_a_root_of_a_kind_to_come_does_no_harm(self, bench: Bench) -> None:
        payload = bench.issuer.keyset_payload()
        payload["roots"].append({"kty": "XYZ", "kid": "later"})
        keyset = sign(payload, "jwk-set+jwt", bench.issuer.roots)
        data = bundle(bench.issuer.document(bench.hardware_id), keyset)
        assert bench.device().install(data).outcome is Outcome.INSTALLED

    def test_it_is_refused_with_a_key_twice(self, bench: Bench) -> None:
        keys = [key.jwk(use="sig", typ=["lic+jws"]) for key in (*bench.issuer.keys, bench.issuer.keys[0])]
        data = bundle(bench.issuer.document(bench.hardware_id), bench.issuer.keyset(keys=keys))
        bench.refuse(data, "malformed")

    @pytest.mark.parametrize("typ", [None, "lic+jws", [1]], ids=repr)
    def test_it_is_refused_with_a_key_that_does_not_say_what_it_signs(
        self, bench: Bench, typ: object
    ) -> None:
        keys = [key.jwk(use="sig", typ=typ) for key in bench.issuer.keys]
        data = bundle(bench.issuer.document(bench.hardware_id), bench.issuer.keyset(keys=keys))
        bench.refuse(data, "malformed")

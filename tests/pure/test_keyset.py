import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from licenses import jose, keyset
from licenses.jose import BadSignature, MalformedJWS, MissingSignature
from licenses.keyset import SIGNED_TYPS, TYP, KeyEntry, KeySetV1, MalformedKeySet, Roots
from licenses.signers import FileSigner
from tests.pure.signing_keys import ed25519, mldsa65

NOW = 1_795_000_000
OLD_ROOTS, NEW_ROOTS = (ed25519(1), mldsa65(1)), (ed25519(2), mldsa65(2))
DOCUMENT_KEYS = (ed25519(11), mldsa65(11))


def entry(signer: FileSigner, **changes: Any) -> KeyEntry:
    return replace(KeyEntry(signer.public_key, SIGNED_TYPS, NOW), **changes)


def made(roots: Sequence[FileSigner] = OLD_ROOTS, *, version: int = 1, threshold: int = 2) -> KeySetV1:
    return KeySetV1(
        issuer="https://portal.example/",
        version=version,
        issued_at=NOW,
        keys=tuple(entry(signer) for signer in DOCUMENT_KEYS),
        roots=tuple(root.public_key for root in roots),
        threshold=threshold,
    )


def signed(key_set: KeySetV1, signers: Sequence[FileSigner], *, typ: str = TYP) -> bytes:
    return jose.sign_general(key_set.to_payload(), typ=typ, signers=signers)


def step(data: bytes, *, above: int = 0) -> KeySetV1:
    return keyset.verify_step(made().root_set, data, above=above)


def written(**changes: Any) -> bytes:
    members = json.loads(made().to_payload()) | changes
    return json.dumps({name: value for name, value in members.items() if value is not ...}).encode()


def with_key(**changes: Any) -> bytes:
    key = json.loads(made().to_payload())["keys"][0] | changes
    return written(keys=[{name: value for name, value in key.items() if value is not ...}])


class TestToPayload:
    def test_it_writes_members_in_their_fixed_order(self) -> None:
        members = json.loads(made().to_payload())
        assert list(members) == ["ver", "iss", "version", "iat", "keys", "roots", "threshold"]
        assert [list(key) for key in members["keys"]] == [
            ["kty", "crv", "x", "kid", "alg", "use", "typ", "nbf"],
            ["kty", "alg", "pub", "kid", "use", "typ", "nbf"],
        ]
        assert [list(root) for root in members["roots"]] == [
            ["kty", "crv", "x", "kid", "alg"],
            ["kty", "alg", "pub", "kid"],
        ]
        assert members["keys"][0]["typ"] == ["lic+jws", "lic-receipt+jws"]

    def test_it_writes_when_a_key_was_retired_or_compromised(self) -> None:
        key = entry(DOCUMENT_KEYS[0], retired_at=NOW + 1, compromised_at=NOW + 2).members()
        assert list(key)[-3:] == ["nbf", "retired_at", "compromised_at"]
        assert (key["retired_at"], key["compromised_at"]) == (NOW + 1, NOW + 2)


class TestFromPayload:
    def test_it_reads_what_to_payload_wrote(self) -> None:
        key_set = replace(
            made(),
            keys=(
                entry(DOCUMENT_KEYS[0], retired_at=NOW + 1),
                entry(DOCUMENT_KEYS[1], typs=("lic+jws",), compromised_at=NOW + 2),
            ),
        )
        assert KeySetV1.from_payload(key_set.to_payload()) == key_set

    def test_it_ignores_unknown_members_unless_must_names_them(self) -> None:
        assert KeySetV1.from_payload(written(new=1, must=["keys"])) == made()
        for must in (["new"], "keys", None, [1], [["keys"]]):
            with pytest.raises(MalformedKeySet, match="must"):
                KeySetV1.from_payload(written(new=1, must=must))

    @pytest.mark.parametrize(
        ("member", "values"),
        [
            ("ver", (..., 0, 2, True, "1", None)),
            ("iss", (..., "", "x" * 513, 1, None)),
            ("version", (..., 0, -1, True, "1", None)),
            ("iat", (..., -1, True, "1", None)),
            ("keys", (..., [], {}, None, [1], [None], [{}], [{"kty": "EC"}])),
            ("roots", (..., [], {}, None, [1], [{}])),
            ("threshold", (..., 0, 3, -1, True, "2", None)),
        ],
    )
    def test_it_refuses_members_of_another_type_or_range(
        self, member: str, values: tuple[object, ...]
    ) -> None:
        for value in values:
            with pytest.raises(MalformedKeySet):
                KeySetV1.from_payload(written(**{member: value}))

    @pytest.mark.parametrize(
        ("member", "values"),
        [
            ("kid", (..., "", "x", None, 1)),
            ("alg", (..., "EdDSA", "ML-DSA-65", None)),
            ("use", (..., "enc", None)),
            ("typ", (..., "lic+jws", None, [1])),
            ("nbf", (..., -1, True, "1", None)),
            ("retired_at", (-1, True, None)),
            ("compromised_at", (-1, True, None)),
            ("x", (..., "", "AAAA", None)),
            ("crv", (..., "Ed448")),
        ],
    )
    def test_it_refuses_keys_with_anything_else(self, member: str, values: tuple[object, ...]) -> None:
        for value in values:
            with pytest.raises(MalformedKeySet):
                KeySetV1.from_payload(with_key(**{member: value}))

    def test_it_refuses_a_key_or_a_root_twice_and_a_root_among_the_keys(self) -> None:
        members = json.loads(made().to_payload())
        for change in (
            {"keys": members["keys"] + members["keys"][:1]},
            {"roots": members["roots"] + members["roots"][:1]},
            {"roots": members["roots"] + [members["keys"][0]]},
        ):
            with pytest.raises(MalformedKeySet):
                KeySetV1.from_payload(written(**change))

    @pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b'{"ver":1,"ver":1}', b" " * 262145])
    def test_it_refuses_what_is_no_strict_json(self, payload: bytes) -> None:
        with pytest.raises(MalformedKeySet):
            KeySetV1.from_payload(payload)


class TestKeysFor:
    def test_it_gives_the_keys_whose_signatures_count_under_that_typ(self) -> None:
        retired, compromised = DOCUMENT_KEYS
        key_set = replace(
            made(),
            keys=(entry(retired, retired_at=NOW), entry(compromised, compromised_at=NOW), entry(ed25519(12))),
        )
        assert set(key_set.keys_for("lic+jws")) == {retired.kid, ed25519(12).kid}
        assert key_set.keys_for("jwk-set+jwt") == {}


class TestVerifyStep:
    def test_it_takes_a_key_set_signed_by_both_roots(self) -> None:
        assert step(signed(made(version=2), OLD_ROOTS)) == made(version=2)

    def test_it_takes_a_change_of_roots_signed_by_the_old_and_the_new(self) -> None:
        change = made(NEW_ROOTS, version=2)
        assert step(signed(change, (*OLD_ROOTS, *NEW_ROOTS))) == change
        after = made(NEW_ROOTS, version=3)
        assert keyset.verify_step(change.root_set, signed(after, NEW_ROOTS)) == after

    @pytest.mark.parametrize(
        "signers",
        [
            OLD_ROOTS,
            NEW_ROOTS,
            (*OLD_ROOTS, NEW_ROOTS[0]),
            (*OLD_ROOTS, NEW_ROOTS[1]),
            (OLD_ROOTS[0], *NEW_ROOTS),
            (OLD_ROOTS[1], *NEW_ROOTS),
            DOCUMENT_KEYS,
        ],
    )
    def test_it_refuses_a_change_of_roots_that_one_of_them_did_not_sign(
        self, signers: tuple[FileSigner, ...]
    ) -> None:
        with pytest.raises(MissingSignature):
            step(signed(made(NEW_ROOTS, version=2), signers))

    @pytest.mark.parametrize("signers", [(OLD_ROOTS[0],), (OLD_ROOTS[1],), (OLD_ROOTS[0], DOCUMENT_KEYS[1])])
    def test_it_refuses_fewer_roots_than_the_threshold(self, signers: tuple[FileSigner, ...]) -> None:
        with pytest.raises(MissingSignature):
            step(signed(made(), signers))
        # A key set cannot lower the threshold of the roots before it.
        with pytest.raises(MissingSignature):
            step(signed(made(threshold=1), signers))

    def test_it_keeps_one_root_while_the_other_changes(self) -> None:
        half = (OLD_ROOTS[0], NEW_ROOTS[1])
        assert step(signed(made(half, version=2), (*OLD_ROOTS, NEW_ROOTS[1]))).version == 2

    def test_it_reads_nothing_that_the_roots_before_did_not_sign(self) -> None:
        data = jose.sign_general(b"no key set", typ=TYP, signers=NEW_ROOTS)
        with pytest.raises(MissingSignature):
            step(data)
        with pytest.raises(MalformedKeySet):
            step(jose.sign_general(b"no key set", typ=TYP, signers=OLD_ROOTS))

    def test_it_refuses_a_version_that_is_not_above_the_one_held(self) -> None:
        data = signed(made(version=2), OLD_ROOTS)
        assert step(data, above=1).version == 2
        for above in (2, 3):
            with pytest.raises(MalformedKeySet, match="version"):
                step(data, above=above)

    def test_it_refuses_another_typ_and_a_damaged_signature(self) -> None:
        with pytest.raises(MalformedJWS):
            step(signed(made(), OLD_ROOTS, typ="lic+jws"))
        data = json.loads(signed(made(), OLD_ROOTS))
        first, second = data["signatures"]
        first["signature"] = second["signature"]
        with pytest.raises(BadSignature):
            step(json.dumps(data).encode())


class TestRoots:
    def test_they_are_enough_for_their_threshold_and_different(self) -> None:
        keys = made().roots
        for wrong in ((keys, 0), (keys, 3), ((), 0), ((), 1), ((keys[0], keys[0]), 2), (keys * 5, 2)):
            with pytest.raises(MalformedKeySet):
                Roots(*wrong)


class TestJwks:
    def test_it_is_a_plain_jwk_set_without_compromised_keys(self) -> None:
        key_set = replace(
            made(),
            keys=(*(entry(s, retired_at=NOW) for s in DOCUMENT_KEYS), entry(ed25519(12), compromised_at=NOW)),
        )
        assert keyset.jwks(key_set) == {
            "keys": [
                signer.public_jwk() | {"kid": signer.kid, "alg": signer.alg, "use": "sig"}
                for signer in DOCUMENT_KEYS
            ]
        }

"""Rotating, retiring and declaring compromised; new roots (trust.md 6 and 10)."""

import json
from collections.abc import Sequence
from typing import Any

from devices.models import Device
from licenses import delivery, jose, key_ceremony, keyring, keyset, verification
from licenses.document import TYP
from licenses.key_ceremony import KeyNotInUse, NoSuchKey, OtherRoots, RootsUnchanged
from licenses.keyset import KeySetV1, Roots
from licenses.models import KeySetVersion, LicenseDocument
from licenses.signers import Ed25519Signer, MLDSA65Signer, PublicKey, Signer
from tests.conftest import Keys
from tests.factories import NOW, assigned, caller, give_back
from tests.operations.bookkeeping import last_leaf, refused, unchanged


def rotate(roots: Sequence[Signer], key: str | None = None) -> KeySetVersion:
    return key_ceremony.rotate_keys(roots=roots, caller=caller(key=key), now=NOW)


def bundle(device: Device) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(delivery.download(device=device, caller=caller(), now=NOW).content)
    return members


def pinned(roots: Sequence[Signer]) -> Roots:
    return Roots(tuple(PublicKey.from_jwk(root.public_jwk()) for root in roots), 2)


def walk(roots: Roots, members: dict[str, Any]) -> KeySetV1:
    """What a device does that knows `roots` and nothing else: chain, then key set, then license."""
    for link in members["chain"]:
        roots = keyset.verify_step(roots, json.dumps(link).encode()).root_set
    step = keyset.verify_step(roots, json.dumps(members["keyset"]).encode())
    jose.verify_general(
        json.dumps(members["license"]).encode(),
        typ=TYP,
        keys=step.keys_for(TYP),
        required=["Ed25519", "ML-DSA-65"],
    )
    return step


def new_roots() -> tuple[Signer, ...]:
    return (Ed25519Signer.generate(), MLDSA65Signer.generate())


class TestRotating:
    def test_new_keys_sign_and_the_old_ones_stay_listed_as_retired(self, keyring: Keys) -> None:
        row = rotate(keyring.roots)

        key_set = keyset.verify_step(pinned(keyring.roots), bytes(row.signed), above=1)
        assert (row.version, len(key_set.keys)) == (2, 4)
        assert [entry.in_use for entry in key_set.keys] == [True, True, False, False]
        assert last_leaf().type == "key-set"

    def test_the_generation_before_last_leaves(self, keyring: Keys) -> None:
        first = {entry.public_key.kid for entry in _listed(keyring.key_set)}
        rotate(keyring.roots)

        third = rotate(keyring.roots)

        assert first.isdisjoint(entry.public_key.kid for entry in _listed(third))

    def test_stored_documents_are_signed_again_when_handed_out(self, device: Device, keyring: Keys) -> None:
        assigned(device)
        before = bundle(device)
        rotate(keyring.roots)

        after = bundle(device)

        assert after["license"]["payload"] == before["license"]["payload"]
        assert after["license"]["signatures"] != before["license"]["signatures"]
        assert after["tag"] != before["tag"]
        walk(pinned(keyring.roots), after)
        assert LicenseDocument.objects.count() == 1
        assert list(verification.violations()) == []

    def test_receipts_are_as_well(self, device: Device, keyring: Keys) -> None:
        answer = give_back(device, assigned(device))
        rotate(keyring.roots)

        receipt = bundle(device)["receipt"]

        assert receipt["payload"] == json.loads(answer.receipt)["payload"]
        assert receipt["signatures"] != json.loads(answer.receipt)["signatures"]

    def test_only_the_roots_of_the_key_set_can(self, keyring: Keys) -> None:
        with refused(OtherRoots):
            rotate(new_roots())

    def test_the_same_request_again_is_answered_the_same(self, keyring: Keys) -> None:
        first = rotate(keyring.roots, key="once")
        with unchanged():
            assert rotate(keyring.roots, key="once").version == first.version


class TestACompromisedKey:
    def test_it_counts_for_nothing_and_nobody_loses_a_license(self, device: Device, keyring: Keys) -> None:
        assigned(device)
        old = bundle(device)
        kid = _listed(keyring.key_set)[0].public_key.kid

        key_ceremony.compromise_key(kid=kid, roots=keyring.roots, caller=caller(), now=NOW)

        now = bundle(device)
        key_set = walk(pinned(keyring.roots), now)
        assert kid not in key_set.keys_for(TYP)
        assert now["license"]["payload"] == old["license"]["payload"]
        assert kid not in {jwk["kid"] for jwk in _jwks()}

    def test_a_key_that_is_not_listed_is_told(self, keyring: Keys) -> None:
        with refused(NoSuchKey):
            key_ceremony.compromise_key(kid="x" * 43, roots=keyring.roots, caller=caller(), now=NOW)


class TestRetiring:
    def test_one_key_is_replaced_and_only_once(self, keyring: Keys) -> None:
        kid = _listed(keyring.key_set)[0].public_key.kid
        key_ceremony.retire_key(kid=kid, roots=keyring.roots, caller=caller(), now=NOW)

        with refused(KeyNotInUse, kid=kid):
            key_ceremony.retire_key(kid=kid, roots=keyring.roots, caller=caller(), now=NOW)


class TestNewRoots:
    def test_a_device_that_knows_only_the_old_ones_gets_there_alone(
        self, device: Device, keyring: Keys
    ) -> None:
        assigned(device)
        for _ in range(3):
            rotate(keyring.roots)
        later = new_roots()
        key_ceremony.change_roots(roots=keyring.roots, new_roots=later, caller=caller(), now=NOW)
        for _ in range(2):
            rotate(later)

        members = bundle(device)

        assert len(members["chain"]) == 1
        assert walk(pinned(keyring.roots), members).version == 7
        with refused(OtherRoots):
            rotate(keyring.roots)

    def test_they_must_be_new(self, keyring: Keys) -> None:
        with refused(RootsUnchanged):
            key_ceremony.change_roots(roots=keyring.roots, new_roots=keyring.roots, caller=caller(), now=NOW)


def _listed(row: KeySetVersion) -> tuple[keyset.KeyEntry, ...]:
    return KeySetV1.from_payload(jose.parse_general(bytes(row.signed), typ=keyset.TYP).payload).keys


def _jwks() -> list[dict[str, str]]:
    keys: list[dict[str, str]] = keyring.plain_jwks()["keys"]
    return keys

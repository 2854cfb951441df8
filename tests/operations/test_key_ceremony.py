"""Keys come, retire, are compromised; roots change (trust.md 6 and 10)."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from licenses import jose, key_ceremony, key_inspection, key_store, keyring, keyset
from licenses.key_ceremony import KeyNotInUse, KeySetExists, NoSuchKey, OtherRoots, RootsUnchanged
from licenses.key_publication import KeySetsTooLarge
from licenses.keyring import DemoKeys, NoKeySet
from licenses.keyset import KeyEntry, Roots
from licenses.models import KeySetVersion
from licenses.signers import Ed25519Signer, FileSigner, MLDSA65Signer, PublicKey, Signer
from portal.core import clock
from portal.core.acts import IdempotencyKeyReused
from tests.conftest import Keys
from tests.factories import NOW, caller
from tests.operations.bookkeeping import last_entry, last_leaf, refused, unchanged

LATER = NOW + timedelta(days=1)


def new_roots() -> tuple[FileSigner, ...]:
    return (Ed25519Signer.generate(), MLDSA65Signer.generate())


def root_set(roots: Sequence[Signer]) -> Roots:
    return Roots(tuple(PublicKey.from_jwk(root.public_jwk()) for root in roots), 2)


def entries() -> tuple[KeyEntry, ...]:
    return keyring.current().key_set.keys


def in_use() -> dict[str, str]:
    """The `kid` of the key in use for each algorithm."""
    return {entry.public_key.alg: entry.public_key.kid for entry in entries() if entry.in_use}


def listed() -> set[str]:
    return {entry.public_key.kid for entry in entries()}


def entry_of(kid: str) -> KeyEntry:
    return next(entry for entry in entries() if entry.public_key.kid == kid)


def rotate(roots: Sequence[Signer], key: str | None = None) -> KeySetVersion:
    return key_ceremony.rotate_keys(roots=roots, caller=caller(key=key), now=LATER)


def compromise(kid: str, roots: Sequence[Signer]) -> KeySetVersion:
    return key_ceremony.compromise_key(kid=kid, roots=roots, caller=caller(), now=LATER)


class TestPublishingTheFirstKeySet:
    def test_both_roots_vouch_for_it(self, keyring: Keys) -> None:
        key_set = keyset.verify_step(root_set(keyring.roots), bytes(keyring.key_set.signed))

        assert (key_set.version, key_set.issued_at) == (1, clock.posix(NOW))
        assert {key.public_key.alg for key in key_set.keys} == {"Ed25519", "ML-DSA-65"}

    def test_it_is_in_history_and_log(self, keyring: Keys) -> None:
        assert (last_entry().event, last_entry().facts) == ("key-set-published", {"version": 1})
        payload = jose.parse_general(bytes(keyring.key_set.signed), typ=keyset.TYP).payload
        assert last_leaf().type == "key-set"
        assert bytes(last_leaf().document_sha256 or b"") == hashlib.sha256(payload).digest()

    def test_there_is_only_one_first(self, keyring: Keys) -> None:
        kept = key_store.kept()

        with refused(KeySetExists):
            key_ceremony.publish_first_key_set(roots=keyring.roots, caller=caller(), now=NOW)

        assert key_store.kept() == kept

    def test_outside_the_demo_it_needs_an_identity_that_is_no_demo_s(
        self, db: None, settings: LazySettings, tmp_path: Path
    ) -> None:
        settings.SIGNING_KEYS_DIR = tmp_path
        settings.DEMO = False

        with refused(DemoKeys):
            key_ceremony.publish_first_key_set(roots=new_roots(), caller=caller(), now=NOW)

        assert key_store.kept() == set()


class TestRotating:
    def test_new_keys_sign_and_those_of_before_stay_listed(self, keyring: Keys) -> None:
        before = in_use()

        row = rotate(keyring.roots)

        after = in_use()
        assert row.version == 2
        assert set(after) == {"Ed25519", "ML-DSA-65"}
        assert set(after.values()).isdisjoint(before.values())
        assert {entry_of(kid).retired_at for kid in before.values()} == {clock.posix(LATER)}
        assert set(after.values()) <= key_store.kept()

    def test_the_generation_before_the_last_leaves(self, keyring: Keys) -> None:
        first = set(in_use().values())
        rotate(keyring.roots)
        second = set(in_use().values())
        rotate(keyring.roots)

        assert listed() == second | set(in_use().values())
        assert first <= set(key_inspection.keys_to_destroy())

    def test_the_roots_vouch_for_it_as_the_next_step(self, keyring: Keys) -> None:
        row = rotate(keyring.roots)

        assert keyset.verify_step(root_set(keyring.roots), bytes(row.signed), above=1).version == 2
        assert (last_leaf().type, last_entry().facts["version"]) == ("key-set", 2)

    def test_other_roots_are_refused(self, keyring: Keys) -> None:
        kept = key_store.kept()
        for roots in (new_roots(), keyring.roots[:1], (keyring.roots[0], MLDSA65Signer.generate())):
            with refused(OtherRoots):
                rotate(roots)
        assert key_store.kept() == kept

    def test_there_must_be_a_key_set_to_follow(self, db: None) -> None:
        with refused(NoKeySet):
            rotate(new_roots())


class TestRetiring:
    def test_only_that_key_is_replaced(self, keyring: Keys) -> None:
        before = in_use()

        key_ceremony.retire_key(kid=before["Ed25519"], roots=keyring.roots, caller=caller(), now=LATER)

        assert in_use()["Ed25519"] != before["Ed25519"]
        assert in_use()["ML-DSA-65"] == before["ML-DSA-65"]
        assert entry_of(before["Ed25519"]).retired_at == clock.posix(LATER)

    def test_a_key_that_was_replaced_is_refused(self, keyring: Keys) -> None:
        old = in_use()["Ed25519"]
        rotate(keyring.roots)

        with refused(KeyNotInUse, kid=old):
            key_ceremony.retire_key(kid=old, roots=keyring.roots, caller=caller(), now=LATER)

    def test_an_unknown_key_is_refused(self, keyring: Keys) -> None:
        with refused(NoSuchKey, kid="nothing"):
            key_ceremony.retire_key(kid="nothing", roots=keyring.roots, caller=caller(), now=LATER)


class TestCompromise:
    @pytest.mark.parametrize("alg", key_store.DOCUMENT_ALGORITHMS)
    def test_the_key_is_replaced_at_once_and_counts_for_nothing(self, keyring: Keys, alg: str) -> None:
        leaked = in_use()[alg]

        compromise(leaked, keyring.roots)

        assert in_use()[alg] != leaked
        assert entry_of(leaked).compromised_at == clock.posix(LATER)
        assert not any(leaked in _keys_that_count(typ) for typ in keyset.SIGNED_TYPS)
        assert last_entry().facts == {"version": 2, "compromised": [leaked]}

    def test_a_retired_key_is_marked_and_the_keys_in_use_stay(self, keyring: Keys) -> None:
        leaked = in_use()["ML-DSA-65"]
        rotate(keyring.roots)
        before = in_use()

        compromise(leaked, keyring.roots)

        assert in_use() == before
        assert entry_of(leaked).compromised_at == clock.posix(LATER)

    def test_twice_is_refused(self, keyring: Keys) -> None:
        leaked = in_use()["Ed25519"]
        compromise(leaked, keyring.roots)

        with refused(KeyNotInUse, kid=leaked):
            compromise(leaked, keyring.roots)

    def test_an_unknown_key_is_refused(self, keyring: Keys) -> None:
        with refused(NoSuchKey, kid="nothing"):
            compromise("nothing", keyring.roots)


def _keys_that_count(typ: str) -> set[str]:
    return set(keyring.current().key_set.keys_for(typ))


class TestChangingTheRoots:
    def test_old_and_new_roots_vouch_for_the_step(self, keyring: Keys) -> None:
        new = new_roots()

        row = key_ceremony.change_roots(roots=keyring.roots, new_roots=new, caller=caller(), now=LATER)

        reached = keyset.verify_step(root_set(keyring.roots), bytes(row.signed), above=1)
        assert set(reached.roots) == set(root_set(new).keys)

    def test_the_old_roots_have_no_say_afterwards(self, keyring: Keys) -> None:
        new = new_roots()
        key_ceremony.change_roots(roots=keyring.roots, new_roots=new, caller=caller(), now=LATER)

        with refused(OtherRoots):
            rotate(keyring.roots)
        assert rotate(new).version == 3

    def test_the_document_keys_stay(self, keyring: Keys) -> None:
        before = entries()

        key_ceremony.change_roots(roots=keyring.roots, new_roots=new_roots(), caller=caller(), now=LATER)

        assert entries() == before

    def test_one_root_may_stay(self, keyring: Keys) -> None:
        new = (keyring.roots[0], MLDSA65Signer.generate())

        row = key_ceremony.change_roots(roots=keyring.roots, new_roots=new, caller=caller(), now=LATER)

        assert keyset.verify_step(root_set(keyring.roots), bytes(row.signed), above=1).version == 2

    def test_the_same_roots_are_refused(self, keyring: Keys) -> None:
        with refused(RootsUnchanged):
            key_ceremony.change_roots(
                roots=keyring.roots, new_roots=keyring.roots[::-1], caller=caller(), now=LATER
            )

    def test_as_many_are_possible_as_it_says_and_the_next_one_is_refused(self, keyring: Keys) -> None:
        roots: tuple[FileSigner, ...] = keyring.roots
        left = key_inspection.changes_of_roots_left()
        assert left >= 3
        for _ in range(left):
            following = new_roots()
            key_ceremony.change_roots(roots=roots, new_roots=following, caller=caller(), now=LATER)
            roots = following

        assert key_inspection.changes_of_roots_left() == 0
        with refused(KeySetsTooLarge):
            key_ceremony.change_roots(roots=roots, new_roots=new_roots(), caller=caller(), now=LATER)


class TestARepetition:
    @pytest.mark.parametrize("operation", ["rotate", "retire", "compromise", "change-roots"])
    def test_it_is_answered_the_same_and_makes_no_key(self, keyring: Keys, operation: str) -> None:
        request: dict[str, Any] = {"roots": keyring.roots, "caller": caller(key="once"), "now": LATER}
        kid = in_use()["Ed25519"]
        change = {
            "rotate": partial(key_ceremony.rotate_keys, **request),
            "retire": partial(key_ceremony.retire_key, kid=kid, **request),
            "compromise": partial(key_ceremony.compromise_key, kid=kid, **request),
            "change-roots": partial(key_ceremony.change_roots, new_roots=new_roots(), **request),
        }[operation]
        first = change()
        kept = key_store.kept()

        with unchanged():
            second = change()

        assert bytes(second.signed) == bytes(first.signed)
        assert key_store.kept() == kept

    def test_a_first_key_set_is_published_once(
        self, db: None, settings: LazySettings, tmp_path: Path
    ) -> None:
        settings.SIGNING_KEYS_DIR = tmp_path
        request: dict[str, Any] = {"roots": new_roots(), "caller": caller(key="once"), "now": NOW}
        first = key_ceremony.publish_first_key_set(**request)
        kept = key_store.kept()

        with unchanged():
            second = key_ceremony.publish_first_key_set(**request)

        assert bytes(second.signed) == bytes(first.signed)
        assert key_store.kept() == kept

    def test_the_name_of_an_act_is_good_for_one_change(self, keyring: Keys) -> None:
        rotate(keyring.roots, key="once")

        with refused(IdempotencyKeyReused):
            key_ceremony.retire_key(
                kid=in_use()["Ed25519"], roots=keyring.roots, caller=caller(key="once"), now=LATER
            )

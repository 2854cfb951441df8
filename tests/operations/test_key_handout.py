"""Handing out after keys or roots changed: what goes out is signed by keys in use (trust.md 2, 4 and 6)."""

import json
from datetime import timedelta

import pytest

from devices.models import Device
from licenses import delivery, documents, jose, key_ceremony, keyring, keyset, queries
from licenses.document import TYP
from licenses.handout import Bundle
from licenses.keyset import Roots
from licenses.models import LicenseDocument
from licenses.signers import Ed25519Signer, FileSigner, MLDSA65Signer, PublicKey
from tests.conftest import Keys
from tests.factories import NOW, assigned, caller
from tests.operations.bookkeeping import unchanged

LATER = NOW + timedelta(days=1)


def fetch(device: Device, *, have: str | None = None, held: int | None = None) -> Bundle:
    got = delivery.fetch(device=device, have=have, key_set_held=held, seq_seen=0, caller=caller(), now=LATER)
    assert got is not None, "something changed"
    return got


def current(device: Device) -> LicenseDocument:
    document = queries.current_document(device)
    assert document is not None
    return document


def signers_of(content: bytes) -> set[str]:
    """The `kid` of each good signature of the license document, by the current key set."""
    parsed = jose.parse_general(json.dumps(json.loads(content)["license"]).encode(), typ=TYP)
    return set(parsed.verify(keyring.current().key_set.keys_for(TYP)))


def in_use() -> set[str]:
    return {entry.public_key.kid for entry in keyring.current().key_set.keys if entry.in_use}


def rotate(roots: tuple[FileSigner, ...]) -> None:
    key_ceremony.rotate_keys(roots=roots, caller=caller(), now=LATER)


def change_roots(roots: tuple[FileSigner, ...]) -> tuple[FileSigner, ...]:
    new: tuple[FileSigner, ...] = (Ed25519Signer.generate(), MLDSA65Signer.generate())
    key_ceremony.change_roots(roots=roots, new_roots=new, caller=caller(), now=LATER)
    return new


class TestADocumentOfFormerKeys:
    def test_is_signed_again_and_says_the_same(self, keyring: Keys, device: Device) -> None:
        assigned(device)
        first = fetch(device)
        before = current(device)
        rotate(keyring.roots)

        second = fetch(device, have=first.tag, held=1)

        after = current(device)
        assert (after.pk, after.seq, bytes(after.payload)) == (before.pk, before.seq, bytes(before.payload))
        assert second.tag != first.tag
        assert signers_of(second.content) == in_use()
        assert json.loads(second.content)["keyset"] is not None

    def test_is_signed_again_once_only(self, keyring: Keys, device: Device) -> None:
        assigned(device)
        fetch(device)
        rotate(keyring.roots)
        first = fetch(device)

        with unchanged():
            assert fetch(device) == first

    def test_that_was_never_handed_out_is_signed_by_the_keys_of_now(
        self, keyring: Keys, device: Device
    ) -> None:
        assigned(device)
        documents.sign(current(device))
        rotate(keyring.roots)

        assert signers_of(fetch(device).content) == in_use()

    @pytest.mark.parametrize("number", [0, 1])
    def test_a_compromised_key_has_no_part_in_what_goes_out(
        self, keyring: Keys, device: Device, number: int
    ) -> None:
        assigned(device)
        first = fetch(device)
        leaked = sorted(in_use())[number]
        assert leaked in signers_of(first.content)
        key_ceremony.compromise_key(kid=leaked, roots=keyring.roots, caller=caller(), now=LATER)

        second = fetch(device, have=first.tag, held=1)

        assert leaked not in second.content.decode().partition('"keyset"')[0]
        assert signers_of(second.content) == in_use()

    def test_signatures_of_newer_keys_are_never_replaced_by_those_of_older_ones(
        self, keyring: Keys, device: Device
    ) -> None:
        assigned(device)
        stale = key_rings_now()
        row = current(device)
        rotate(keyring.roots)
        fetch(device)
        newer = bytes(current(device).signed or b"")

        documents.sign(row, ring=stale)

        assert bytes(current(device).signed or b"") == newer == bytes(row.signed or b"")


class TestAChangeOfRoots:
    def test_the_chain_leads_there_from_the_first_roots(self, keyring: Keys, device: Device) -> None:
        assigned(device)
        first = tuple(PublicKey.from_jwk(root.public_jwk()) for root in keyring.roots)
        rotate(change_roots(change_roots(keyring.roots)))

        parts = json.loads(fetch(device).content)

        roots, version = Roots(first, 2), 0
        for link in (*parts["chain"], parts["keyset"]):
            reached = keyset.verify_step(roots, json.dumps(link).encode(), above=version)
            roots, version = reached.root_set, reached.version
        assert (version, len(parts["chain"])) == (4, 2)

    def test_leaves_documents_as_they_are(self, keyring: Keys, device: Device) -> None:
        assigned(device)
        fetch(device)
        before = bytes(current(device).signed or b"")
        change_roots(keyring.roots)

        assert json.loads(fetch(device, held=1).content)["keyset"] is not None
        assert bytes(current(device).signed or b"") == before


def key_rings_now() -> keyring.KeyRing:
    return keyring.current()

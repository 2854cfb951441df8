"""Receipts after keys changed, and the largest documents beside them (trust.md 2, 5 and 6)."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import Project
from devices.models import Device
from licenses import bundle, delivery, jose, key_ceremony, keyring, queries, receipt
from licenses.document import TYP as DOCUMENT_TYP
from licenses.key_publication import KeySetsTooLarge
from licenses.returns import Answer
from licenses.room import DeviceIsFull
from licenses.signers import Ed25519Signer, FileSigner, MLDSA65Signer
from portal.core import base64url
from tests.conftest import Keys
from tests.factories import NOW, activated, assigned, caller, give_back, make_device
from tests.operations.bookkeeping import latest, refused, unchanged

LATER = NOW + timedelta(days=1)
MOST = 200


def rotate(roots: Sequence[FileSigner]) -> None:
    key_ceremony.rotate_keys(roots=roots, caller=caller(), now=LATER)


def in_use() -> set[str]:
    return {entry.public_key.kid for entry in keyring.current().key_set.keys if entry.in_use}


def signers_of(signed: bytes, typ: str) -> set[str]:
    """The `kid` of each good signature, by the keys that count now."""
    return set(jose.parse_general(signed, typ=typ).verify(keyring.current().key_set.keys_for(typ)))


def all_of(signed: bytes) -> set[str]:
    """The `kid` of each signature, good or not."""
    return {
        json.loads(base64url.decode(signature["protected"]))["kid"]
        for signature in json.loads(signed)["signatures"]
    }


class TestAReceiptOfFormerKeys:
    @pytest.fixture
    def said(self, keyring: Keys, device: Device) -> Callable[[], Answer]:
        """A return that was answered once, and can be repeated."""
        grant = assigned(device)
        give_back(device, grant, key="A" * 22)
        return lambda: give_back(device, grant, key="A" * 22, now=LATER)

    def test_is_signed_again_after_a_rotation_and_says_the_same(
        self, keyring: Keys, said: Callable[[], Answer]
    ) -> None:
        before = said()
        rotate(keyring.roots)

        after = said()

        assert after.receipt != before.receipt
        assert json.loads(after.receipt)["payload"] == json.loads(before.receipt)["payload"]
        assert all_of(after.receipt) == signers_of(after.receipt, receipt.TYP) == in_use()
        assert (after.results, after.next_seq) == (before.results, before.next_seq)

    @pytest.mark.parametrize("alg", ["Ed25519", "ML-DSA-65"])
    def test_a_compromised_key_has_no_part_in_it(
        self, keyring: Keys, said: Callable[[], Answer], alg: str
    ) -> None:
        before = said()
        entries = [entry for entry in key_rings_now().key_set.keys if entry.in_use]
        [leaked] = [entry.public_key.kid for entry in entries if entry.public_key.alg == alg]
        key_ceremony.compromise_key(kid=leaked, roots=keyring.roots, caller=caller(), now=LATER)

        after = said()

        assert leaked in all_of(before.receipt)
        assert json.loads(after.receipt)["payload"] == json.loads(before.receipt)["payload"]
        assert all_of(after.receipt) == signers_of(after.receipt, receipt.TYP) == in_use()
        assert leaked not in in_use()

    def test_goes_out_in_the_bundle_in_the_same_bytes(
        self, keyring: Keys, device: Device, said: Callable[[], Answer]
    ) -> None:
        rotate(keyring.roots)

        fetched = delivery.fetch(
            device=device, have=None, key_set_held=None, seq_seen=0, caller=caller(), now=LATER
        )

        assert fetched is not None
        assert said().receipt in fetched.content
        assert said().bundle.content == fetched.content

    def test_is_signed_again_once_only(self, keyring: Keys, said: Callable[[], Answer]) -> None:
        rotate(keyring.roots)
        first = said()

        with unchanged():
            assert said() == first

    def test_an_earlier_one_is_signed_again_as_well(self, keyring: Keys, device: Device) -> None:
        first, second = assigned(device), assigned(device)
        before = give_back(device, first, key="A" * 22)
        give_back(device, second, key="B" * 22)
        rotate(keyring.roots)

        after = give_back(device, first, key="A" * 22)

        assert json.loads(after.receipt)["payload"] == json.loads(before.receipt)["payload"]
        assert signers_of(after.receipt, receipt.TYP) == in_use()


class TestTheLargest:
    def test_a_full_device_takes_no_more_and_all_it_has_fits_into_what_devices_read(
        self, keyring: Keys, project: Project, catalogue: None
    ) -> None:
        activated(project, {"ApplicationSharing": 2 * MOST + 1})
        device = make_device(project=project)
        fill(device)
        with refused(DeviceIsFull, most=MOST):
            assigned(device, code="ApplicationSharing")
        # The largest receipt, and beside it the largest document.
        answer = give_back(device, *queries.live_grants(device))
        fill(device)
        roots, changes = change_roots_as_often_as_allowed(keyring.roots)
        for _ in range(10):
            rotate(roots)

        fetched = delivery.fetch(
            device=device, have=None, key_set_held=None, seq_seen=0, caller=caller(), now=LATER
        )

        assert fetched is not None
        parts: dict[str, Any] = json.loads(fetched.content)
        assert len(latest(device).items) == len(answer.results) == MOST
        assert (changes, len(parts["chain"])) == (6, 6)
        assert parts["receipt"]["payload"] == json.loads(answer.receipt)["payload"]
        assert signers_of(json.dumps(parts["license"]).encode(), DOCUMENT_TYP) == in_use()
        assert 170_000 < len(fetched.content) < 180_000 < bundle.MAX_BYTES == 256 * 1024

    def test_the_way_out_of_a_full_device_works(
        self, keyring: Keys, device: Device, settings: LazySettings
    ) -> None:
        settings.GRANTS_PER_DEVICE = 2
        grants = [assigned(device), assigned(device)]
        with refused(DeviceIsFull, most=2):
            assigned(device)
        assert "one larger quantity" in str(DeviceIsFull.way_out)

        give_back(device, *grants)
        assigned(device, 3)

        assert [(item.product, item.qty) for item in latest(device).items] == [("Port", 3)]


def fill(device: Device) -> None:
    """As many grants as a document lists, of the product with the longest name."""
    for _ in range(MOST):
        assigned(device, code="ApplicationSharing")


def change_roots_as_often_as_allowed(roots: tuple[FileSigner, ...]) -> tuple[tuple[FileSigner, ...], int]:
    """The roots of now, and how often they changed until the next change was refused."""
    changes = 0
    while True:
        try:
            roots, changes = change_roots(roots), changes + 1
        except KeySetsTooLarge:
            return roots, changes


def change_roots(roots: tuple[FileSigner, ...]) -> tuple[FileSigner, ...]:
    new: tuple[FileSigner, ...] = (Ed25519Signer.generate(), MLDSA65Signer.generate())
    key_ceremony.change_roots(roots=roots, new_roots=new, caller=caller(), now=LATER)
    return new


def key_rings_now() -> keyring.KeyRing:
    return keyring.current()

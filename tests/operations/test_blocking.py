"""Devices and keys that are not listened to, and seq floors (trust.md 1 and 3)."""

import pytest

from devices import blocking, seq_floors
from devices.blocking import (
    DeviceBlockedAlready,
    DeviceKeyBlockedAlready,
    DeviceKeyNotBlocked,
    DeviceNotBlocked,
    KeyHashMalformed,
)
from devices.models import BlockedKey, Device, SeqFloor
from devices.seq_floors import SeqFloorNotRaised, SeqOutOfRange
from licenses import delivery
from portal.core.acts import Caller, ReasonNeeded
from tests.factories import NOW, assigned, caller, make_device
from tests.operations.bookkeeping import last_entry, refused, unchanged

KEY = "ab" * 32


def operator(key: str | None = None) -> Caller:
    return caller(key=key, reason="stolen from the van")


class TestBlockingADevice:
    def test_it_is_blocked_and_unblocked_with_a_reason(self, device: Device) -> None:
        blocking.block_device(device=device, caller=operator(), now=NOW)
        device.refresh_from_db()
        assert device.blocked_at == NOW
        assert last_entry().facts["reason"] == "stolen from the van"

        blocking.unblock_device(device=device, caller=operator(), now=NOW)
        device.refresh_from_db()
        assert device.blocked_at is None

    def test_it_needs_a_reason(self, device: Device) -> None:
        with refused(ReasonNeeded):
            blocking.block_device(device=device, caller=caller(), now=NOW)

    def test_twice_is_told(self, device: Device) -> None:
        with refused(DeviceNotBlocked):
            blocking.unblock_device(device=device, caller=operator(), now=NOW)
        blocking.block_device(device=device, caller=operator(), now=NOW)
        with refused(DeviceBlockedAlready):
            blocking.block_device(device=device, caller=operator(), now=NOW)

    def test_the_same_request_again_is_answered_the_same(self, device: Device) -> None:
        blocking.block_device(device=device, caller=operator("once"), now=NOW)
        with unchanged():
            blocking.block_device(device=device, caller=operator("once"), now=NOW)


class TestBlockingAKey:
    def test_it_is_blocked_and_unblocked(self, db: None) -> None:
        blocking.block_key(key_hash=KEY.upper(), caller=operator(), now=NOW)
        assert bytes(BlockedKey.objects.get().spki_sha256).hex() == KEY

        blocking.unblock_key(key_hash=KEY, caller=operator(), now=NOW)
        assert not BlockedKey.objects.exists()

    @pytest.mark.parametrize("text", ["", "ab", KEY[:-1], KEY + "a", "x" * 64])
    def test_what_is_no_hash_is_told(self, db: None, text: str) -> None:
        with refused(KeyHashMalformed):
            blocking.block_key(key_hash=text, caller=operator(), now=NOW)

    def test_twice_is_told(self, db: None) -> None:
        with refused(DeviceKeyNotBlocked):
            blocking.unblock_key(key_hash=KEY, caller=operator(), now=NOW)
        blocking.block_key(key_hash=KEY, caller=operator(), now=NOW)
        with refused(DeviceKeyBlockedAlready):
            blocking.block_key(key_hash=KEY, caller=operator(), now=NOW)


class TestTheSeqFloor:
    def test_every_next_document_is_above_it(self, device: Device, keyring: object) -> None:
        assigned(device)
        delivery.download(device=device, caller=caller(), now=NOW)

        assert seq_floors.raise_seq_floor(value=1000, caller=operator(), now=NOW) == 1

        device.refresh_from_db()
        assert delivery.download(device=device, caller=caller(), now=NOW).seq == 1001

    def test_devices_that_come_later_start_above_it(self, device: Device, keyring: object) -> None:
        seq_floors.raise_seq_floor(value=1000, caller=operator(), now=NOW)

        later = make_device(project=device.project)

        assert delivery.download(device=later, caller=caller(), now=NOW).seq == 1001

    def test_it_is_only_raised(self, device: Device) -> None:
        seq_floors.raise_seq_floor(value=1000, caller=operator(), now=NOW)
        with refused(SeqFloorNotRaised, floor=1000):
            seq_floors.raise_seq_floor(value=1000, caller=operator(), now=NOW)
        assert SeqFloor.objects.count() == 1

    @pytest.mark.parametrize("value", [0, -1, 2**53])
    def test_it_has_bounds(self, device: Device, value: int) -> None:
        with refused(SeqOutOfRange):
            seq_floors.raise_seq_floor(value=value, caller=operator(), now=NOW)

    def test_one_device_is_raised_alone(self, device: Device, keyring: object) -> None:
        other = make_device(project=device.project)

        seq_floors.raise_device_seq(device=device, value=5_000_000, caller=operator(), now=NOW)

        device.refresh_from_db()
        assert delivery.download(device=device, caller=caller(), now=NOW).seq == 5_000_001
        assert delivery.download(device=other, caller=caller(), now=NOW).seq == 1

"""The one statement that answers most fetches says the same as handing out would (trust.md 4 and 9)."""

from datetime import datetime, timedelta

from devices.models import Device
from licenses import delivery, key_ceremony, unchanged
from tests.conftest import Keys
from tests.factories import NOW, assigned, caller, give_back
from tests.operations.test_returns import acknowledged
from tests.operations.unbought import a_test_license


def held_by(device: Device) -> str:
    """The device fetches, and holds what it got."""
    got = delivery.fetch(device=device, seq_seen=0, have=None, key_set_held=None, caller=caller(), now=NOW)
    assert got is not None
    return got.tag


def has_current(device: Device, have: str, *, seq_seen: int = 0, now: datetime = NOW) -> bool:
    """Asked anew, and compared with what a fetch brings."""
    device.refresh_from_db()
    says = unchanged.has_current(device, have=have, seq_seen=seq_seen, now=now)
    brought = delivery.fetch(
        device=device, seq_seen=seq_seen, have=None, key_set_held=None, caller=caller(), now=now
    )
    assert brought is not None
    assert says == (brought.tag == have)
    return says


class TestADeviceHasWhatIsCurrent:
    def test_until_something_is_assigned(self, keyring: Keys, device: Device) -> None:
        have = held_by(device)
        assert has_current(device, have)
        assigned(device)
        assert not has_current(device, have)

    def test_only_after_it_was_handed_out(self, keyring: Keys, device: Device) -> None:
        assigned(device)
        assert not unchanged.has_current(device, have="", seq_seen=0, now=NOW)
        assert has_current(device, held_by(device))

    def test_not_with_the_tag_of_another(self, keyring: Keys, device: Device) -> None:
        assert not has_current(device, held_by(device)[:-1] + "-")

    def test_until_it_returned_something_and_then_with_the_receipt(
        self, keyring: Keys, device: Device
    ) -> None:
        grant = assigned(device)
        have = held_by(device)
        answer = give_back(device, grant)
        assert not has_current(device, have)
        with_receipt = answer.bundle.tag
        assert has_current(device, with_receipt)
        acknowledged(device, installed=answer.next_seq - 1)
        assert has_current(device, with_receipt)
        acknowledged(device, installed=answer.next_seq)
        assert not has_current(device, with_receipt)
        assert has_current(device, held_by(device))

    def test_not_if_it_has_seen_a_higher_seq(self, keyring: Keys, device: Device) -> None:
        assigned(device)
        have = held_by(device)
        assert has_current(device, have, seq_seen=1)
        assert not has_current(device, have, seq_seen=2)

    def test_not_below_its_floor(self, keyring: Keys, device: Device) -> None:
        assigned(device)
        have = held_by(device)
        Device.objects.filter(pk=device.pk).update(seq_floor=1)
        assert not has_current(device, have)

    def test_until_an_item_ends(self, keyring: Keys, device: Device) -> None:
        test = a_test_license(device)
        have = held_by(device)
        end = test.expires_at
        assert end is not None
        assert has_current(device, have, now=end - timedelta(seconds=1))
        assert not has_current(device, have, now=end)

    def test_until_keys_change(self, keyring: Keys, device: Device) -> None:
        assigned(device)
        grant = assigned(device)
        give_back(device, grant)
        have = held_by(device)
        assert has_current(device, have)
        key_ceremony.rotate_keys(roots=keyring.roots, caller=caller(), now=NOW)
        assert not has_current(device, have)
        assert has_current(device, held_by(device))

"""Another key of a device: seen, accepted by two people, dropped (devices.new_keys)."""

import pytest

from accounts.models import User
from accounts.permissions import Role
from accounts.staff import RoleMissing, SecondPersonNeeded, StaffNeeded
from devices import blocking, new_keys, queries
from devices.models import Alert, Device, NewKey
from devices.queries import NoSuchNewKey
from portal.core.acts import ReasonNeeded
from portal.core.models import AuditEntry
from tests.factories import NOW, caller, give_roles, make_user

OLD, NEW, THIRD = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32


def seen(device: Device, key: bytes) -> Alert:
    """What a verified statement of another key leaves."""
    facts = {"certificate": "33" * 32, "valid_from": NOW.isoformat(), "valid_until": NOW.isoformat()}
    return Alert.objects.create(
        kind=Alert.Kind.OTHER_KEY, device=device, subject=key.hex(), at=NOW, facts=facts
    )


def accept(
    device: Device, by: User, key: bytes = NEW, *, act: str | None = None, reason: str = "A new board."
) -> NewKey:
    who = caller(by, key=act, reason=reason)
    return new_keys.accept_key(device=device, key_hash=key.hex(), caller=who, now=NOW)


def drop(device: Device, by: User, key: bytes = NEW, *, act: str | None = None) -> NewKey:
    who = caller(by, key=act, reason="Nobody knows of it.")
    return new_keys.drop_key(device=device, key_hash=key.hex(), caller=who, now=NOW)


def pinned(device: Device) -> bytes:
    device.refresh_from_db()
    return bytes(device.pinned_spki or b"")


@pytest.fixture
def known(device: Device) -> Device:
    """A device with a pinned key, that spoke with another one."""
    device.pinned_spki, device.pinned_at = OLD, NOW
    device.save()
    seen(device, NEW)
    return device


class TestAccepting:
    def test_the_first_person_only_says_so(self, known: Device, sam: User) -> None:
        made = accept(known, sam)

        assert (made.state, pinned(known)) == (NewKey.State.WAITS, OLD)
        assert queries.waiting_key(known) == made
        assert AuditEntry.objects.get(event="device-key-asked").facts["reason"] == "A new board."

    def test_the_second_person_has_it_pinned_and_the_alert_settled(
        self, known: Device, sam: User, olga: User
    ) -> None:
        accept(known, sam)
        done = accept(known, olga, reason="I called them.")

        assert (done.state, done.decided_by, pinned(known)) == ("accepted", olga, NEW)
        entry = AuditEntry.objects.get(event="device-key-accepted")
        assert (entry.company_id, entry.hardware_id) == (known.project.company_id, known.hardware_id)
        [alert] = queries.settled_alerts()
        assert queries.settlements([alert])[alert.pk].facts["reason"] == "I called them."
        assert list(queries.other_keys(known)) == []

    def test_what_somebody_settled_before_stays_settled_by_them(
        self, known: Device, sam: User, olga: User
    ) -> None:
        Alert.objects.update(settled_at=NOW)
        accept(known, sam)
        accept(known, olga)

        assert Alert.objects.get().settled_by is None
        assert not AuditEntry.objects.filter(event="alert-settled").exists()

    def test_it_takes_two(self, known: Device, sam: User) -> None:
        accept(known, sam)

        with pytest.raises(SecondPersonNeeded):
            accept(known, sam)
        assert pinned(known) == OLD

    def test_the_second_one_is_senior(self, known: Device, sam: User) -> None:
        accept(known, sam)
        colleague = make_user(name="Sue", is_staff=True, roles=[Role.SUPPORT])

        with pytest.raises(RoleMissing):
            accept(known, colleague)
        assert pinned(known) == OLD

    @pytest.mark.parametrize("role", [Role.AUDITOR, Role.FULFILMENT])
    def test_only_support_may(self, known: Device, sam: User, role: Role) -> None:
        give_roles(sam, role)

        with pytest.raises(RoleMissing):
            accept(known, sam)
        with pytest.raises(RoleMissing):
            drop(known, sam)

    def test_it_has_the_name_of_a_person_and_a_reason(self, known: Device, sam: User) -> None:
        with pytest.raises(StaffNeeded):
            new_keys.accept_key(
                device=known, key_hash=NEW.hex(), caller=caller(reason="A new board."), now=NOW
            )
        with pytest.raises(ReasonNeeded):
            accept(known, sam, reason=" ")

    def test_a_repetition_changes_nothing(self, known: Device, sam: User, olga: User) -> None:
        first = [accept(known, sam, act="one") for _ in range(2)]
        second = [accept(known, olga, act="two") for _ in range(2)]

        assert [one.pk for one in first + second] == [first[0].pk] * 4
        assert AuditEntry.objects.filter(event="device-key-accepted").count() == 1

    def test_a_key_that_never_spoke_is_not_accepted(self, known: Device, sam: User) -> None:
        with pytest.raises(NoSuchNewKey):
            accept(known, sam, THIRD)

    def test_nor_for_a_device_that_no_project_has(self, known: Device, sam: User) -> None:
        Device.objects.update(released_at=NOW)

        with pytest.raises(NoSuchNewKey):
            accept(known, sam)

    def test_nor_one_that_is_blocked(self, known: Device, sam: User) -> None:
        blocking.block_key(key_hash=NEW.hex(), caller=caller(reason="leaked"), now=NOW)

        with pytest.raises(new_keys.NewKeyBlocked):
            accept(known, sam)

    def test_nor_the_one_that_it_is_known_by(self, known: Device, sam: User, olga: User) -> None:
        accept(known, sam)
        accept(known, olga)

        with pytest.raises(new_keys.NewKeyPinned):
            accept(known, sam)

    def test_nor_one_beside_another_that_waits(self, known: Device, sam: User, olga: User) -> None:
        seen(known, THIRD)
        accept(known, sam)

        with pytest.raises(new_keys.AnotherKeyWaits):
            accept(known, olga, THIRD)


class TestDropping:
    def test_the_device_keeps_its_key_and_may_be_asked_for_again(
        self, known: Device, sam: User, olga: User
    ) -> None:
        accept(known, sam)
        done = drop(known, olga)

        assert (done.state, pinned(known)) == ("dropped", OLD)
        assert AuditEntry.objects.get(event="device-key-dropped").facts["reason"] == "Nobody knows of it."
        assert accept(known, sam).state == "waits"

    def test_it_is_repeated_without_effect(self, known: Device, sam: User) -> None:
        accept(known, sam)

        assert drop(known, sam, act="x").pk == drop(known, sam, act="x").pk

    def test_what_does_not_wait_is_not_dropped(self, known: Device, sam: User) -> None:
        seen(known, THIRD)
        with pytest.raises(new_keys.NoKeyWaits):
            drop(known, sam)
        accept(known, sam)
        with pytest.raises(new_keys.NoKeyWaits):
            drop(known, sam, THIRD)

"""Two people at once about a device's new certificate."""

from functools import partial

from accounts.models import Project, User
from devices import new_keys
from devices.models import Alert, Device, NewKey
from portal.core.models import AuditEntry
from tests.factories import NOW, caller, make_device, make_user
from tests.races.pool import Pool, often

OLD, NEW = b"\x01" * 32, b"\x02" * 32


def a_device(project: Project) -> Device:
    device = make_device(project=project)
    Device.objects.filter(pk=device.pk).update(pinned_spki=OLD, pinned_at=NOW)
    Alert.objects.create(kind=Alert.Kind.OTHER_KEY, device=device, subject=NEW.hex(), at=NOW)
    return device


def says(device: Device, by: User, act: str = "accept_key") -> "partial[NewKey]":
    who = caller(by, reason="A new board.")
    return partial(getattr(new_keys, act), device=device, key_hash=NEW.hex(), caller=who, now=NOW)


def test_of_two_second_persons_one_is_named(pool: Pool, project: Project) -> None:
    first, *others = (make_user(name=name, is_staff=True) for name in ("Sam", "Olga", "Ute"))
    for _ in range(often(40)):
        device = a_device(project)
        says(device, first)()

        outcomes = pool.race([says(device, one) for one in others])

        assert outcomes.refused == {"new-key-pinned": 1}
        assert NewKey.objects.get(device=device).decided_by in others
        told = AuditEntry.objects.filter(event="device-key-accepted", hardware_id=device.hardware_id)
        assert told.count() == 1


def test_it_is_accepted_or_dropped(pool: Pool, project: Project) -> None:
    first, second, third = (make_user(name=name, is_staff=True) for name in ("Sam", "Olga", "Ute"))
    for number in range(often(40)):
        device = a_device(project)
        says(device, first)()
        racers = [says(device, second), says(device, third, "drop_key")]

        outcomes = pool.race(racers[:: 1 if number % 2 else -1])

        device.refresh_from_db()
        states = set(NewKey.objects.filter(device=device).values_list("state", flat=True))
        if bytes(device.pinned_spki or b"") == NEW:
            assert (outcomes.refused, states) == ({"no-key-waits": 1}, {"accepted"})
        else:
            # Dropped first: who would have been the second is then the first of a new try.
            assert (outcomes.refused, states) == ({}, {"dropped", "waits"})

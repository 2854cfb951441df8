"""Devices coming into a project, and the key that speaks for each (mission rules 4 and 7, trust.md 1)."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from accounts.models import Company, Project, User
from devices import enrollment
from devices.enrollment import (
    DeviceAlreadyAdded,
    DeviceNameTooLong,
    HardwareIDMalformed,
    HardwareIDTaken,
    KeyNotPinned,
)
from devices.models import Device, DeviceContact
from devices.pki import DeviceIdentity
from licenses import adding
from portal.core.acts import IdempotencyKeyReused
from tests.factories import NOW, caller, first_project, make_company, make_project
from tests.operations.bookkeeping import last_entry, refused, unchanged

HARDWARE_ID = "00-90-33-01-0A-FF"


def identity(hardware_id: str = HARDWARE_ID, *, spki: bytes = b"\x01" * 32) -> DeviceIdentity:
    """What a verified certificate says; the checks that come before are those of devices.pki."""
    key = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    return DeviceIdentity(
        hardware_id=hardware_id,
        public_key=key,
        spki_sha256=spki,
        certificate_sha256=b"\x03" * 32,
        valid_from=NOW,
        valid_until=NOW,
    )


def add(
    project: Project, hardware_id: str = HARDWARE_ID, *, name: str = "", key: str | None = None
) -> Device:
    return adding.add_device(
        project=project, hardware_id=hardware_id, name=name, caller=caller(key=key), now=NOW
    )


class TestAddingADevice:
    @pytest.mark.parametrize(
        "typed", [HARDWARE_ID, "00:90:33:01:0a:ff", "009033010AFF", " 0090.3301.0aff ", "00 90 33 01 0a ff"]
    )
    def test_it_has_the_canonical_hardware_id_however_it_was_typed(
        self, project: Project, typed: str
    ) -> None:
        device = add(project, typed, name=" Berlin ")

        assert (device.hardware_id, device.name, device.project) == (HARDWARE_ID, "Berlin", project)
        assert device.pinned_spki is None

    def test_it_is_in_the_history(self, project: Project, alice: User) -> None:
        adding.add_device(
            project=project, hardware_id=HARDWARE_ID, name="Berlin", caller=caller(alice), now=NOW
        )

        entry = last_entry()
        assert (entry.event, entry.hardware_id, entry.project_id) == ("device-added", HARDWARE_ID, project.pk)
        assert entry.facts == {"name": "Berlin"}

    @pytest.mark.parametrize(
        "typed", ["", "00-90-33-01-0A", "00-90-33-01-0A-FF-00", "00-90-33-01-0A-FG", "x" * 999]
    )
    def test_other_texts_are_no_hardware_ids(self, project: Project, typed: str) -> None:
        with refused(HardwareIDMalformed):
            add(project, typed)

    def test_a_name_has_an_end(self, project: Project) -> None:
        with refused(DeviceNameTooLong):
            add(project, name="x" * 101)

    def test_it_is_added_once(self, project: Project) -> None:
        add(project)

        with refused(DeviceAlreadyAdded, hardware_id=HARDWARE_ID):
            add(project, "009033010aff")

    def test_it_is_in_one_project_of_a_company(self, company: Company, project: Project) -> None:
        add(project)
        other = make_project(company=company)

        with refused(HardwareIDTaken, hardware_id=HARDWARE_ID):
            add(other)

    def test_it_is_in_one_project_of_all_companies(self, project: Project, charlie: User) -> None:
        add(project)
        other = first_project(make_company(founder=charlie))

        with refused(HardwareIDTaken, hardware_id=HARDWARE_ID):
            add(other)

    def test_the_refusal_does_not_say_who_has_it(self, project: Project, charlie: User) -> None:
        add(project)
        other = first_project(make_company(founder=charlie))

        with pytest.raises(HardwareIDTaken) as caught:
            add(other)
        assert caught.value.facts == {"hardware_id": HARDWARE_ID}

    def test_the_same_request_again_is_answered_the_same(self, project: Project) -> None:
        first = add(project, key="once")

        with unchanged():
            assert add(project, "00:90:33:01:0a:ff", key="once") == first

    @pytest.mark.parametrize("change", [{"hardware_id": "00-90-33-00-00-01"}, {"name": "Bonn"}], ids=str)
    def test_a_request_id_is_not_for_another_device(self, project: Project, change: dict[str, str]) -> None:
        add(project, key="once")

        with refused(IdempotencyKeyReused):
            add(project, key="once", **change)


class TestPinningAKey:
    def test_the_first_word_pins(self, project: Project) -> None:
        device = add(project)

        enrollment.pin_key(device=device, identity=identity(), caller=caller(), now=NOW)

        enrollment.require_pinned(device=device, identity=identity())
        stored = Device.objects.get()
        assert (bytes(stored.pinned_spki or b""), stored.pinned_at) == (b"\x01" * 32, NOW)
        assert (last_entry().event, last_entry().facts) == ("device-key-pinned", {"key": "01" * 32})

    def test_the_same_key_may_speak_first_twice(self, project: Project) -> None:
        device, seen_elsewhere = add(project), Device.objects.select_related("project").get()
        enrollment.pin_key(device=device, identity=identity(), caller=caller(), now=NOW)

        with unchanged():
            enrollment.pin_key(device=seen_elsewhere, identity=identity(), caller=caller(), now=NOW)

        enrollment.require_pinned(device=seen_elsewhere, identity=identity())

    def test_another_key_at_the_same_moment_is_refused(self, project: Project) -> None:
        device, seen_elsewhere = add(project), Device.objects.select_related("project").get()
        enrollment.pin_key(device=device, identity=identity(), caller=caller(), now=NOW)

        with refused(KeyNotPinned):
            enrollment.pin_key(
                device=seen_elsewhere, identity=identity(spki=b"\x02" * 32), caller=caller(), now=NOW
            )

    def test_another_key_does_not_speak_for_the_device(self, project: Project) -> None:
        device = add(project)
        enrollment.pin_key(device=device, identity=identity(), caller=caller(), now=NOW)

        with refused(KeyNotPinned):
            enrollment.require_pinned(device=device, identity=identity(spki=b"\x02" * 32))

    def test_nobody_speaks_for_a_device_without_a_pin(self, project: Project) -> None:
        device = add(project)

        with refused(KeyNotPinned):
            enrollment.require_pinned(device=device, identity=identity())


class TestLastContact:
    def test_it_is_kept_once_a_device(self, project: Project) -> None:
        device = add(project)
        enrollment.record_contact(device=device, firmware="14r1", now=NOW)
        enrollment.record_contact(device=device, firmware="14r2", now=NOW + timedelta(hours=2))

        contact = DeviceContact.objects.get()
        assert (contact.device, contact.firmware, contact.last_at) == (
            device,
            "14r2",
            NOW + timedelta(hours=2),
        )

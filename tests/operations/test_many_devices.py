"""Adding many devices, and assigning to many of them, in one act (mission rules 4, 7 and 12)."""

import pytest
from django.conf import LazySettings

from accounts.models import Company, Project, User
from devices.enrollment import DeviceAlreadyAdded, DeviceNameTooLong, HardwareIDMalformed, HardwareIDTaken
from devices.models import Device
from devices.queries import NoSuchDevice
from licenses import adding, assignment, device_projects, verification
from licenses.adding import ListedTwice, ListOutOfRange
from licenses.assignment import DevicesOfSeveralProjects, DevicesOutOfRange
from licenses.ledger import InsufficientLicenses, QuantityOutOfRange
from licenses.models import LogLeaf, Transfer
from licenses.room import DeviceIsFull
from portal.core.acts import IdempotencyKeyReused
from portal.core.models import Act, AuditEntry
from tests.factories import (
    NOW,
    activated,
    assigned,
    caller,
    first_project,
    free,
    get_product,
    make_device,
    make_project,
)
from tests.operations.bookkeeping import listed, refused, unchanged
from tests.operations.testing import contents, created

pytestmark = pytest.mark.usefixtures("catalogue")


def add(project: Project, *lines: tuple[str, str], key: str | None = None) -> int:
    return adding.add_devices(project=project, listed=lines, caller=caller(key=key), now=NOW)


def assign(devices: list[Device], quantity: int = 2, key: str | None = None) -> list[int]:
    made = assignment.assign_to_devices(
        devices=devices, product=get_product(), quantity=quantity, caller=caller(key=key), now=NOW
    )
    return [one.document.seq for one in made]


class TestAddingMany:
    def test_all_of_the_list_is_added(self, project: Project) -> None:
        assert add(project, ("009033000001", "City hospital"), ("00:90:33:00:00:02", "")) == 2

        assert list(project.devices.order_by("hardware_id").values_list("hardware_id", "name")) == [
            ("00-90-33-00-00-01", "City hospital"),
            ("00-90-33-00-00-02", ""),
        ]
        assert AuditEntry.objects.filter(event="device-added", project_id=project.pk).count() == 2
        assert Act.objects.filter(operation="add-devices").count() == 1

    def test_a_repeated_list_adds_nothing_twice(self, project: Project) -> None:
        add(project, ("009033000001", ""), key="k")

        with unchanged():
            assert add(project, ("00-90-33-00-00-01", ""), key="k") == 1
        with refused(IdempotencyKeyReused):
            add(project, ("009033000002", ""), key="k")

    def test_one_bad_line_keeps_all_out(self, project: Project, charlie: User) -> None:
        theirs = first_project(charlie.memberships.get().company)
        make_device(project=theirs, hardware_id="00-90-33-00-00-09")
        make_device(project=project, hardware_id="00-90-33-00-00-08")
        good = ("009033000001", "")
        with refused(HardwareIDTaken, hardware_id="00-90-33-00-00-09"):
            add(project, good, ("009033000009", ""))
        with refused(DeviceAlreadyAdded, hardware_id="00-90-33-00-00-08"):
            add(project, good, ("009033000008", ""))
        with refused(HardwareIDMalformed):
            add(project, good, ("nonsense", ""))
        with refused(DeviceNameTooLong):
            add(project, good, ("009033000002", "x" * 101))
        with refused(ListedTwice, hardware_id="00-90-33-00-00-01"):
            add(project, good, ("00-90-33-00-00-01", "again"))

    def test_a_list_has_bounds(self, project: Project) -> None:
        with refused(ListOutOfRange, devices=0):
            add(project)
        with refused(ListOutOfRange, devices=501):
            add(project, *[("009033000001", "")] * 501)

    def test_a_look_says_of_each_line_what_would_come_of_it(self, project: Project, charlie: User) -> None:
        make_device(project=first_project(charlie.memberships.get().company), hardware_id="00-90-33-00-00-09")
        make_device(project=project, hardware_id="00-90-33-00-00-08")
        released = make_device(project=project, hardware_id="00-90-33-00-00-07")
        device_projects.release_device(device=released, caller=caller(), now=NOW)
        lines = [
            ("009033000007", "released before"),
            ("nonsense", "a name"),
            ("009033000009", ""),
            ("009033000008", ""),
            ("009033000001", "  City hospital "),
            ("00-90-33-00-00-01", ""),
            ("009033000002", "x" * 101),
        ]
        with unchanged():
            checked = adding.check_devices(project=project, listed=lines)

        assert [device.refusal.code if device.refusal else None for device in checked] == [
            None,
            "hardware-id-malformed",
            "hardware-id-taken",
            "device-already-added",
            None,
            "device-listed-twice",
            "device-name-too-long",
        ]
        assert (checked[1].hardware_id, checked[4].name) == ("nonsense", "City hospital")
        good = [(device.hardware_id, device.name) for device in checked if device.refusal is None]
        assert add(project, *good) == 2


class TestAssigningToMany:
    @pytest.fixture
    def devices(self, project: Project) -> list[Device]:
        activated(project, {"Port": 10})
        return [make_device(project=project) for _ in range(4)]

    def test_each_gets_the_quantity_in_a_document_of_its_own(
        self, project: Project, devices: list[Device]
    ) -> None:
        assigned(devices[3], 1)
        before = LogLeaf.objects.count()

        assert assign(list(reversed(devices))) == [1, 1, 1, 2]

        assert (free(project), [free(device) for device in devices]) == (1, [2, 2, 2, 3])
        assert listed(devices[0]) == [("Port", 14, 2)]
        assert sorted(listed(devices[3])) == [("Port", 14, 1), ("Port", 14, 2)]
        act = Act.objects.get(operation="assign-to-devices")
        assert Transfer.objects.filter(act=act).count() == 4
        assert LogLeaf.objects.count() == before + 4
        assert AuditEntry.objects.filter(event="licenses-assigned", act=act).count() == 4
        assert list(verification.violations()) == []

    def test_a_repeated_call_gives_the_same_answer_and_changes_nothing(self, devices: list[Device]) -> None:
        first = assign(devices, key="k")
        with unchanged():
            assert assign(list(reversed(devices)), key="k") == first
        with refused(IdempotencyKeyReused):
            assign(devices, 1, key="k")

    def test_too_little_for_all_is_given_to_none(self, devices: list[Device]) -> None:
        with refused(InsufficientLicenses, wanted=12, available=10):
            assign(devices, 3)
        with refused(InsufficientLicenses, wanted=12, available=10):
            assignment.look_at_assignment(devices=devices, product=get_product(), quantity=3, now=NOW)

    def test_a_full_device_keeps_all_from_it_and_is_named(
        self, devices: list[Device], settings: LazySettings
    ) -> None:
        settings.GRANTS_PER_DEVICE = 1
        assigned(devices[2], 1)
        with refused(DeviceIsFull, hardware_id=devices[2].hardware_id):
            assign(devices)
        with refused(DeviceIsFull, hardware_id=devices[2].hardware_id):
            assignment.look_at_assignment(devices=devices, product=get_product(), quantity=2, now=NOW)

    def test_places_kept_for_a_test_license_are_taken(
        self, devices: list[Device], settings: LazySettings
    ) -> None:
        created(devices[1], quantity=5)
        settings.GRANTS_PER_DEVICE = len(contents(quantity=5))
        with refused(DeviceIsFull, hardware_id=devices[1].hardware_id):
            assign(devices)
        with refused(DeviceIsFull, hardware_id=devices[1].hardware_id):
            assignment.look_at_assignment(devices=devices, product=get_product(), quantity=2, now=NOW)

    def test_a_device_that_left_meanwhile_keeps_all_from_it(
        self, company: Company, project: Project, devices: list[Device]
    ) -> None:
        loaded = Device.objects.select_related("project__company").get(pk=devices[1].pk)
        device_projects.change_project(
            device=devices[1], project=make_project(company=company), caller=caller(), now=NOW
        )
        with refused(NoSuchDevice):
            assign([devices[0], loaded])

    def test_devices_are_of_one_project_and_of_a_number(
        self, company: Company, devices: list[Device]
    ) -> None:
        other = make_device(project=make_project(company=company))
        with refused(DevicesOfSeveralProjects):
            assign([*devices, other])
        with refused(DevicesOutOfRange, devices=0):
            assign([])
        with refused(DevicesOutOfRange, devices=201):
            assign([devices[0]] * 201)
        with refused(QuantityOutOfRange):
            assign(devices, 0)

    def test_one_device_listed_twice_gets_it_once(self, project: Project, devices: list[Device]) -> None:
        assign([devices[0], devices[0]])

        assert (free(project), free(devices[0])) == (8, 2)

    def test_a_look_says_what_is_left_and_what_each_has_then(
        self, project: Project, devices: list[Device]
    ) -> None:
        activated(project, {"UC": 5})
        assigned(devices[1], 1)
        assigned(devices[1], 3, "UC")
        with unchanged():
            seen = assignment.look_at_assignment(devices=devices, product=get_product(), quantity=2, now=NOW)

        assert (seen.free_before, seen.free_after) == (9, 1)
        assert [(before, after) for _, before, after in seen.devices] == [(0, 2), (1, 3), (0, 2), (0, 2)]

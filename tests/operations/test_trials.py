"""Test licenses before their first download: created, changed, withdrawn (mission rules 20 to 23)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import Project
from devices.models import Device
from devices.queries import NoSuchDevice
from licenses import assignment, device_projects, trial_queries, trials
from licenses.models import Product, TestLicense
from licenses.room import DeviceIsFull
from licenses.trial_course import TestLicenseUsed
from licenses.trial_queries import NoSuchTestLicense
from licenses.trials import (
    NoTestSet,
    SlaveTakesNoQuantity,
    TestLicenseStarted,
    TestLicenseThere,
    TestQuantityOutOfRange,
    TooManyWithoutContact,
)
from portal.core.acts import IdempotencyKeyReused
from tests.conftest import Keys
from tests.factories import NOW, assigned, caller, get_product, make_device, make_project
from tests.operations.bookkeeping import last_entry, listed, refused, unchanged
from tests.operations.testing import contents, created, downloaded, spoke


def holds(device: Device) -> dict[str, int]:
    record = trial_queries.described(trial_queries.get_test_license(device), now=NOW)
    assert {content.product.version for content in record.contents} == {14}
    return {content.product.code: content.quantity for content in record.contents}


def change(device: Device, **wanted: Any) -> TestLicense:
    asked = {"version": 14, "slave": False, "quantity": 5} | wanted
    return trials.change_test_license(device=device, **asked, caller=caller(), now=NOW)


def withdraw(device: Device, *, key: str | None = None) -> TestLicense:
    return trials.withdraw_test_license(device=device, caller=caller(key=key), now=NOW)


class TestCreating:
    def test_it_will_hold_gateway_kinds_and_the_asked_number_of_what_users_get(self, device: Device) -> None:
        created(device, quantity=7)

        assert holds(device) == contents(quantity=7)

    def test_for_a_slave_it_will_hold_gateway_kinds_only(self, device: Device) -> None:
        created(device, slave=True)

        assert holds(device) == contents(quantity=None)

    def test_it_waits_and_is_in_no_document(self, device: Device) -> None:
        assigned(device)

        test = created(device)

        assert (test.made_at, test.started_at, test.ends_at) == (NOW, None, None)
        assert trial_queries.described(test, now=NOW).state == "waiting"
        assert listed(device) == [("Port", 14, 1)]

    def test_history_says_so(self, device: Device, project: Project) -> None:
        created(device, quantity=7)

        entry = last_entry()
        assert (entry.event, entry.hardware_id, entry.project_id) == (
            "test-license-created",
            device.hardware_id,
            project.pk,
        )
        assert entry.facts == {"version": 14, "quantity": 7}

    def test_the_same_again_makes_no_second_one(self, device: Device) -> None:
        first = created(device, key="once")
        with unchanged():
            assert created(device, key="once") == first
        with refused(IdempotencyKeyReused):
            created(device, key="once", quantity=6)

    @pytest.mark.parametrize("quantity", [None, 0, -1, 101])
    def test_the_number_is_within_bounds(self, device: Device, quantity: int | None) -> None:
        with refused(TestQuantityOutOfRange, largest=100):
            created(device, quantity=quantity)

    def test_the_largest_number_is_a_setting(self, device: Device, settings: LazySettings) -> None:
        settings.TEST_LICENSE_LARGEST_QUANTITY = 300
        created(device, quantity=300)

    def test_a_slave_has_no_number(self, device: Device) -> None:
        with refused(SlaveTakesNoQuantity):
            trials.create_test_license(
                device=device, version=14, slave=True, quantity=1, caller=caller(), now=NOW
            )

    @pytest.mark.parametrize("version", [0, 10, 15])
    def test_a_version_without_a_test_set_has_none(self, device: Device, version: int) -> None:
        with refused(NoTestSet, version=version):
            created(device, version=version)

    def test_a_version_without_gateway_kinds_has_none_for_slaves(self, device: Device) -> None:
        Product.objects.filter(version=14, kind="gateway").update(in_test_set=False, test_quantity=None)
        with refused(NoTestSet, version=14):
            created(device, slave=True)
        created(device)

    def test_who_lost_the_device_meanwhile_creates_none(self, device: Device, project: Project) -> None:
        other = make_project(company=project.company)
        device_projects.change_project(
            device=Device.objects.get(pk=device.pk), project=other, caller=caller(), now=NOW
        )

        with refused(NoSuchDevice):
            created(device)


class TestOnce:
    def test_while_one_waits_there_is_no_other(self, device: Device) -> None:
        created(device)
        with refused(TestLicenseThere, hardware_id=device.hardware_id):
            created(device)

    def test_nor_while_one_runs(self, device: Device, keyring: Keys) -> None:
        created(device)
        downloaded(device)
        with refused(TestLicenseThere, hardware_id=device.hardware_id):
            created(device)

    def test_nor_ever_after(self, device: Device, keyring: Keys) -> None:
        created(device)
        end = downloaded(device).ends_at
        assert end is not None

        with refused(TestLicenseUsed, hardware_id=device.hardware_id, ended="2027-02-24 12:00:00"):
            created(device, now=end)

    def test_one_that_was_withdrawn_does_not_count(self, device: Device) -> None:
        created(device)
        withdraw(device)

        created(device)


class TestRoom:
    """A document lists so many grants; a test license has fifteen, or five for a slave."""

    @pytest.fixture(autouse=True)
    def _most(self, settings: LazySettings, device: Device) -> None:
        settings.GRANTS_PER_DEVICE = 16

    def test_one_that_fits_is_created(self, device: Device) -> None:
        assigned(device)
        created(device)

    def test_one_that_does_not_is_refused(self, device: Device) -> None:
        assigned(device)
        assigned(device)
        with refused(DeviceIsFull, most=16):
            created(device)
        created(device, slave=True)
        with refused(DeviceIsFull, most=16):
            change(device)

    def test_its_places_are_kept_while_it_waits(self, device: Device) -> None:
        created(device)
        assigned(device)
        with refused(DeviceIsFull, most=16):
            assignment.assign(device=device, product=get_product(), quantity=1, caller=caller(), now=NOW)
        withdraw(device)
        assigned(device)

    def test_places_of_one_that_has_ended_are_free_at_once(self, device: Device, keyring: Keys) -> None:
        created(device)
        end = downloaded(device).ends_at
        assert end is not None

        for _ in range(10):
            assignment.assign(device=device, product=get_product(), quantity=1, caller=caller(), now=end)


class TestWithoutContact:
    @pytest.fixture(autouse=True)
    def _most(self, settings: LazySettings) -> None:
        settings.TEST_LICENSES_WITHOUT_CONTACT = 2

    def test_a_company_has_so_many_for_devices_it_never_heard_of(
        self, device: Device, project: Project
    ) -> None:
        created(make_device(project=project))
        created(make_device(project=make_project(company=project.company)))

        with refused(TooManyWithoutContact, most=2):
            created(device)

    @pytest.mark.parametrize("let_go", [withdraw, spoke])
    def test_one_that_is_withdrawn_or_of_a_device_that_spoke_since_counts_no_more(
        self, device: Device, project: Project, let_go: Callable[[Device], object]
    ) -> None:
        first = make_device(project=project)
        created(first)
        created(make_device(project=project))
        let_go(first)

        created(device)

    def test_a_device_that_spoke_is_not_counted(self, device: Device, project: Project) -> None:
        for _ in range(2):
            created(make_device(project=project))
        spoke(device)

        created(device)

    def test_one_that_has_ended_is_not_counted(self, device: Device, project: Project, keyring: Keys) -> None:
        first = make_device(project=project)
        created(first)
        created(make_device(project=project))
        end = downloaded(first).ends_at
        assert end is not None

        created(device, now=end)

    def test_letting_the_devices_go_makes_no_room(
        self, device: Device, project: Project, keyring: Keys
    ) -> None:
        for _ in range(2):
            made = make_device(project=project)
            created(made)
            downloaded(made)
            device_projects.release_device(device=made, caller=caller(), now=NOW)

        with refused(TooManyWithoutContact, most=2):
            created(device)


class TestChanging:
    def test_it_will_hold_something_else(self, device: Device) -> None:
        created(device, quantity=7)

        change(device, slave=True, quantity=None)

        assert holds(device) == contents(quantity=None)
        assert last_entry().event == "test-license-changed"

    def test_it_is_held_to_the_same_bounds(self, device: Device) -> None:
        created(device)
        with refused(TestQuantityOutOfRange):
            change(device, quantity=0)
        with refused(SlaveTakesNoQuantity):
            change(device, slave=True)
        with refused(NoTestSet):
            change(device, version=15)

    def test_there_must_be_one(self, device: Device) -> None:
        with refused(NoSuchTestLicense, hardware_id=device.hardware_id):
            change(device)

    def test_once_downloaded_it_stays_what_it_is(self, device: Device, keyring: Keys) -> None:
        created(device)
        downloaded(device)
        with refused(TestLicenseStarted, hardware_id=device.hardware_id):
            change(device, quantity=6)


class TestWithdrawing:
    def test_nothing_is_left_of_it(self, device: Device, keyring: Keys) -> None:
        created(device)

        withdrawn = withdraw(device)

        assert (withdrawn.void, withdrawn.voided_at) == ("withdrawn", NOW)
        assert trial_queries.test_license_of(device) is None
        assert last_entry().event == "test-license-withdrawn"
        with refused(NoSuchTestLicense):
            downloaded(device)

    def test_the_same_again_is_answered_the_same(self, device: Device) -> None:
        created(device)
        first = withdraw(device, key="once")
        created(device)

        with unchanged():
            assert withdraw(device, key="once") == first

    def test_there_must_be_one(self, device: Device) -> None:
        with refused(NoSuchTestLicense, hardware_id=device.hardware_id):
            withdraw(device)

    def test_once_downloaded_it_is_used(self, device: Device, keyring: Keys) -> None:
        created(device)
        downloaded(device)
        with refused(TestLicenseStarted, hardware_id=device.hardware_id):
            withdraw(device)

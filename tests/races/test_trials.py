"""Test licenses at once: one for a hardware ID, one start, withdrawn or started (mission rules 20 to 22)."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.conf import LazySettings

from accounts.models import Project, User
from devices.models import Device
from licenses import delivery, queries, trial_queries, trials, verification
from licenses.models import Grant, LicenseDocument, TestLicense
from portal.core.models import AuditEntry
from tests.factories import NOW, caller, first_project, make_device, new_hardware_id
from tests.operations.bookkeeping import latest
from tests.operations.test_claims import claim, code_for
from tests.operations.testing import created
from tests.races.pool import Pool, often

pytestmark = pytest.mark.usefixtures("catalogue", "keyring")

ROUNDS = often(25)


@pytest.fixture(autouse=True)
def _many(settings: LazySettings) -> None:
    settings.TEST_LICENSES_WITHOUT_CONTACT = 1_000_000


def creating(device: Device) -> "partial[TestLicense]":
    return partial(created, device, slave=True)


def downloading(device: Device, *, seconds: int = 0) -> Callable[[], object]:
    return partial(
        delivery.download_test_license, device=device, caller=caller(), now=NOW + timedelta(seconds=seconds)
    )


def fetching(device: Device, *, seconds: int = 0) -> Callable[[], object]:
    return partial(
        delivery.fetch,
        device=device,
        seq_seen=0,
        have=None,
        key_set_held=None,
        caller=caller(scope=f"device:{device.hardware_id}"),
        now=NOW + timedelta(seconds=seconds),
    )


class TestCreating:
    def test_a_hundred_for_one_hardware_id_make_one(self, project: Project) -> None:
        pool = Pool(size=100)
        try:
            for _ in range(5):
                device = make_device(project=project)

                # Made anew for each thread: the same call would be one request, asked a hundred times.
                outcomes = pool.race([creating(device) for _ in range(100)])

                assert len(outcomes.answers) == 1
                assert outcomes.refused == {"test-license-there": 99}
                assert TestLicense.objects.filter(hardware_id=device.hardware_id).count() == 1
        finally:
            pool.close()

    def test_the_last_one_without_contact_is_given_once(
        self, pool: Pool, project: Project, settings: LazySettings
    ) -> None:
        for used in range(ROUNDS):
            settings.TEST_LICENSES_WITHOUT_CONTACT = used + 1
            devices = [make_device(project=project) for _ in range(8)]

            outcomes = pool.race([creating(device) for device in devices])

            assert len(outcomes.answers) == 1
            assert outcomes.refused == {"too-many-test-licenses-without-contact": 7}


class TestTheFirstDownload:
    def test_of_a_page_and_a_device_at_once_is_one_start(self, pool: Pool, project: Project) -> None:
        for _ in range(ROUNDS):
            device = make_device(project=project)
            created(device)

            racers = [make(device, seconds=second) for second in range(8) for make in (downloading, fetching)]
            outcomes = pool.race(racers)

            assert outcomes.refused == {}
            test = trial_queries.get_test_license(device)
            grants = Grant.objects.filter(device=device)
            assert {grant.expires_at for grant in grants} == {test.ends_at}
            assert grants.count() == 15
            assert LicenseDocument.objects.filter(device=device, act=test.started_by).count() == 1
            [seq] = {bundle.seq for bundle in outcomes.answers}
            assert latest(device).seq == seq
            started = AuditEntry.objects.filter(hardware_id=device.hardware_id, event="test-license-started")
            assert started.count() == 1
        assert list(verification.violations()) == []

    def test_comes_before_a_withdrawal_or_after_it(self, pool: Pool, project: Project) -> None:
        for _ in range(ROUNDS):
            device = make_device(project=project)
            created(device)

            outcomes = pool.race(
                [
                    fetching(device),
                    partial(trials.withdraw_test_license, device=device, caller=caller(), now=NOW),
                ]
            )

            void, started = TestLicense.objects.values_list("void", "started_at").get(device=device)
            if outcomes.refused:
                assert outcomes.refused == {"test-license-started": 1}
                assert (void, started) == ("", NOW)
                assert queries.grants_at(device, now=NOW).count() == 15
            else:
                assert (void, started) == ("withdrawn", None)
                assert not queries.grants_at(device, now=NOW).exists()
        assert list(verification.violations()) == []

    def test_starts_what_was_or_what_will_be_when_it_is_changed(self, pool: Pool, project: Project) -> None:
        for _ in range(ROUNDS):
            device = make_device(project=project)
            created(device)
            change = partial(
                trials.change_test_license,
                device=device,
                version=13,
                slave=True,
                quantity=None,
                caller=caller(),
                now=NOW,
            )

            pool.race([fetching(device), change])

            test = TestLicense.objects.get(device=device)
            held = {grant.product.version for grant in queries.grants_at(device, now=NOW)}
            assert (test.version, held) in [(13, {13}), (14, {14})]
            assert queries.grants_at(device, now=NOW).count() == (5 if test.slave else 15)


class TestClaims:
    def test_at_the_moment_of_the_first_download_the_newcomer_has_no_strange_test_license(
        self, pool: Pool, project: Project, charlie: User
    ) -> None:
        theirs = first_project(charlie.memberships.get().company)
        for _ in range(ROUNDS):
            device = make_device(project=project, hardware_id=new_hardware_id())
            created(device)
            code = code_for(theirs, device)

            pool.race([downloading(device), partial(claim, device, code)])

            # Downloaded first, it was squatted, and is revoked; claimed first, it was withdrawn.
            test = TestLicense.objects.get(device=device)
            assert test.void == ("revoked" if test.started_at else "withdrawn")
            assert not queries.grants_at(device, now=NOW).exists()
            assert Device.objects.get(pk=device.pk).project == theirs
        assert list(verification.violations()) == []

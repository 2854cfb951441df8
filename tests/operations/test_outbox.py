"""Jobs as rows (architecture.md, "Transactions, jobs, time, errors"; mission rule 37)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import autodiscover_modules

from devices.models import Device
from licenses import tasks
from licenses.models import KeyDelivery, LicenseDocument
from portal.core import outbox
from portal.core.models import OutboxJob
from tests.factories import NOW, assigned, make_key

pytestmark = pytest.mark.django_db


class Desk:
    """A handler of jobs named `test`, that notes what it was asked and fails when told to."""

    def __init__(self) -> None:
        self.done: list[dict[str, Any]] = []
        self.fails = False
        self.meanwhile: Callable[[], object] = bool

    def __call__(self, *, now: datetime, **arguments: Any) -> None:
        self.meanwhile()
        if self.fails:
            raise RuntimeError("the printer is on fire")
        self.done.append(arguments)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    outbox.handler("test")(made)
    yield made
    del outbox._handlers["test"]


def at(when: datetime = NOW) -> Callable[[], datetime]:
    return lambda: when


class TestPutting:
    def test_a_job_exists_if_the_business_does(self, desk: Desk) -> None:
        outbox.put("test", now=NOW, number=1)

        assert outbox.work_off(clock=at()) == 1
        assert desk.done == [{"number": 1}]
        assert not OutboxJob.objects.exists()

    def test_a_job_of_a_rolled_back_business_does_not(self, desk: Desk) -> None:
        with transaction.atomic():
            outbox.put("test", now=NOW)
            transaction.set_rollback(True)

        assert outbox.work_off(clock=at()) == 0

    def test_it_may_be_due_later(self, desk: Desk) -> None:
        outbox.put("test", now=NOW, due_at=NOW + timedelta(days=7))

        assert outbox.work_off(clock=at(NOW + timedelta(days=7, seconds=-1))) == 0
        assert outbox.work_off(clock=at(NOW + timedelta(days=7))) == 1


class TestClaiming:
    def test_a_claimed_job_is_not_claimed_again_within_its_lease(self, desk: Desk) -> None:
        outbox.put("test", now=NOW)
        assert len(outbox.claim(now=NOW)) == 1

        assert outbox.claim(now=NOW + outbox.LEASE - timedelta(seconds=1)) == []

    def test_the_job_of_a_worker_that_died_is_done_by_another(self, desk: Desk) -> None:
        outbox.put("test", now=NOW, number=1)
        outbox.claim(now=NOW)

        assert outbox.work_off(clock=at(NOW + outbox.LEASE)) == 1
        assert desk.done == [{"number": 1}]

    def test_a_batch_has_an_end(self, desk: Desk) -> None:
        for number in range(5):
            outbox.put("test", now=NOW, number=number)

        assert [outbox.work_off(clock=at(), limit=2) for _ in range(4)] == [2, 2, 1, 0]

    def test_what_was_due_first_is_taken_first(self, desk: Desk) -> None:
        outbox.put("test", now=NOW, due_at=NOW - timedelta(hours=1), number=2)
        outbox.put("test", now=NOW, due_at=NOW - timedelta(hours=2), number=1)

        [claim] = outbox.claim(now=NOW, limit=1)

        assert claim.arguments == {"number": 1}


class TestFailing:
    def test_a_job_that_failed_stays_and_says_why(self, desk: Desk) -> None:
        desk.fails = True
        outbox.put("test", now=NOW)

        outbox.work_off(clock=at())

        job = OutboxJob.objects.get()
        assert (job.last_error, job.attempts) == ("RuntimeError: the printer is on fire", 1)
        assert job.leased_until is None

    def test_it_is_tried_again_after_a_pause_that_doubles_up_to_an_hour(self, desk: Desk) -> None:
        desk.fails = True
        outbox.put("test", now=NOW)
        moment, pauses = NOW, []
        for _ in range(14):
            assert outbox.work_off(clock=at(moment)) == 1
            due = OutboxJob.objects.get().due_at
            assert outbox.work_off(clock=at(due - timedelta(seconds=1))) == 0
            pauses.append((due - moment).total_seconds())
            moment = due

        assert pauses[:4] == [2, 4, 8, 16]
        assert pauses[-3:] == [3600, 3600, 3600]

    def test_it_is_done_when_the_reason_is_gone(self, desk: Desk) -> None:
        desk.fails = True
        outbox.put("test", now=NOW)
        outbox.work_off(clock=at())
        desk.fails = False

        outbox.work_off(clock=at(NOW + timedelta(minutes=1)))

        assert not OutboxJob.objects.exists()

    def test_others_of_its_batch_are_done(self, desk: Desk) -> None:
        outbox.put("nobody-knows-how", now=NOW)
        outbox.put("test", now=NOW)

        outbox.work_off(clock=at())

        assert OutboxJob.objects.get().handler == "nobody-knows-how"
        assert len(desk.done) == 1

    def test_who_lost_the_lease_cannot_finish_the_job(self, desk: Desk) -> None:
        outbox.put("test", now=NOW)
        desk.meanwhile = lambda: outbox.claim(now=NOW + outbox.LEASE)

        outbox.work_off(clock=at())

        assert OutboxJob.objects.get().attempts == 2

    def test_who_lost_the_lease_cannot_give_the_job_back(self, desk: Desk) -> None:
        desk.fails = True
        outbox.put("test", now=NOW)
        desk.meanwhile = lambda: outbox.claim(now=NOW + outbox.LEASE)

        outbox.work_off(clock=at())

        job = OutboxJob.objects.get()
        assert (job.leased_until, job.last_error) == (NOW + 2 * outbox.LEASE, "")


class TestHandlers:
    def test_a_name_has_one(self, desk: Desk) -> None:
        with pytest.raises(AssertionError):
            outbox.handler("test")(Desk())

    def test_licenses_bring_theirs(self) -> None:
        autodiscover_modules("tasks")

        assert outbox._handlers["forget-activation-code"] is tasks.forget_activation_code
        assert outbox._handlers["sign-license-document"] is tasks.sign_license_document

    def test_a_new_document_is_signed_by_its_job(self, device: Device, keyring: object) -> None:
        assigned(device)

        outbox.work_off(clock=at())

        document = LicenseDocument.objects.get()
        assert document.signed is not None
        assert document.handed_out_at is None
        assert not OutboxJob.objects.filter(handler="sign-license-document").exists()

    def test_a_code_is_forgotten_by_its_job(self, catalogue: None) -> None:
        make_key()

        outbox.work_off(clock=at(NOW + settings.ACTIVATION_CODE_KEPT))

        assert not KeyDelivery.objects.exists()
        assert not OutboxJob.objects.exists()

    def test_without_keys_signing_waits(self, device: Device) -> None:
        assigned(device)

        outbox.work_off(clock=at())

        job = OutboxJob.objects.get(handler="sign-license-document")
        assert job.last_error == "NoKeySet: no-key-set"

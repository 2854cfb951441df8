"""Work in the background: slices, bar, cancellation, result (mission rule 37)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from accounts import leaving
from accounts.models import User
from portal.core import long_job_progress, long_jobs, outbox, tasks
from portal.core.long_job_kinds import Slice
from portal.core.long_jobs import LongJobNotFailed, LongJobOver, NoResult, NoSuchLongJob
from portal.core.models import LongJob, LongJobPiece, OutboxJob
from portal.core.problems import NotAllowed
from tests.factories import NOW, caller
from tests.long_jobs.counting import ask, count_slice, known

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


class Desk:
    """What counts; told to, it fails, or finds that its owner may not any more."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.allowed = True
        self.meanwhile: Callable[[], object] = bool

    def work(self, job: LongJob, *, now: datetime) -> Slice:
        did = count_slice(job, now=now)
        self.meanwhile()
        if self.fault:
            raise self.fault
        return did

    def may(self, job: LongJob) -> bool:
        return self.allowed


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    with (
        known(work=made.work, may=made.may),
        known("count-secretly", work=made.work, may=made.may, secret=True),
        known("count-some", work=made.work, may=made.may, partial=True),
    ):
        yield made


def work(*, slices: int = 1, at: datetime = NOW) -> None:
    """So many slices, one a minute."""
    for number in range(slices):
        assert outbox.work_off(clock=lambda: at + number * MINUTE, limit=1) == 1  # noqa: B023


def text(job: LongJob, *, at: datetime = NOW) -> str:
    return b"".join(long_jobs.take(job=job, now=at)).decode()


def numbers(until: int) -> str:
    return "".join(f"{number}\n" for number in range(until))


class TestSlices:
    def test_each_moves_the_job_on_and_asks_for_the_next(self, desk: Desk, alice: User) -> None:
        job = ask(alice)
        seen = []
        for _ in range(3):
            job.refresh_from_db()
            seen.append((job.state, job.done, OutboxJob.objects.count()))
            work()
        job.refresh_from_db()

        assert seen == [("waiting", 0, 1), ("running", 10, 1), ("running", 20, 1)]
        assert (job.state, job.done, job.ended_at) == ("done", 25, NOW)
        assert not OutboxJob.objects.exists()
        assert text(job) == numbers(25)
        assert job.size == len(numbers(25))

    def test_one_that_was_committed_is_not_done_again(self, desk: Desk, alice: User) -> None:
        job = ask(alice)
        work()

        long_jobs.work_on(job_id=job.pk, number=0, now=NOW)

        job.refresh_from_db()
        assert job.done == 10
        assert OutboxJob.objects.count() == 1

    def test_one_that_went_wrong_leaves_nothing_and_is_tried_again(self, desk: Desk, alice: User) -> None:
        job = ask(alice)
        work()
        desk.fault = RuntimeError("the disk is full")
        work()
        job.refresh_from_db()
        assert (job.state, job.done, job.failures) == ("running", 10, 1)
        assert LongJobPiece.objects.count() == 1

        desk.fault = None
        work(slices=2, at=NOW + MINUTE)

        job.refresh_from_db()
        assert (job.state, job.failures) == ("done", 0)
        assert text(job) == numbers(25)

    def test_one_that_goes_wrong_again_and_again_ends_the_job(self, desk: Desk, alice: User) -> None:
        job = ask(alice)
        desk.fault = RuntimeError("the disk is full")
        for number in range(long_jobs.MOST_FAILURES):
            work(at=NOW + number * 10 * MINUTE)
        job.refresh_from_db()

        assert (job.state, job.refusal) == ("failed", "internal-error")
        assert not OutboxJob.objects.exists()

    def test_a_refusal_ends_it_at_once_and_it_can_go_on_from_there(self, desk: Desk, alice: User) -> None:
        job = ask(alice)
        work()
        desk.fault = NotAllowed()
        work()
        job.refresh_from_db()
        assert (job.state, job.done, job.refusal) == ("failed", 10, "not-allowed")
        assert isinstance(long_job_progress.refusal_of(job), NotAllowed)

        desk.fault = None
        long_jobs.resume(job=job, now=NOW)
        work(slices=2)

        job.refresh_from_db()
        assert (job.state, job.refusal) == ("done", "")
        assert text(job) == numbers(25)
        with pytest.raises(LongJobNotFailed):
            long_jobs.resume(job=job, now=NOW)

    def test_the_time_left_is_told_by_the_rate_so_far(self, desk: Desk, alice: User) -> None:
        job = ask(alice, total=100)
        work(slices=3)
        job.refresh_from_db()

        # Thirty rows in two minutes.
        assert long_job_progress.seconds_left(job) == 280
        assert long_job_progress.progress_of(job, now=NOW).left == 280
        job.state = LongJob.State.WAITING
        assert long_job_progress.seconds_left(job) is None


class TestAsking:
    def test_the_same_call_finds_the_job_it_made(self, desk: Desk, alice: User) -> None:
        once = ask(alice, caller=caller(alice, key="k"), project=1)

        assert ask(alice, caller=caller(alice, key="k"), project=1) == once
        assert ask(alice, caller=caller(alice, key="k"), project=2) != once
        assert OutboxJob.objects.count() == 2

    def test_others_do_not_find_it(self, desk: Desk, alice: User, charlie: User) -> None:
        job = ask(alice)
        of_a_token = ask(alice, caller=replace(caller(alice), user_id=None, token_id=7))

        assert long_jobs.find(job.pk, caller=caller(alice)) == job
        for somebody in (caller(charlie), replace(caller(alice), user_id=None, token_id=7)):
            with pytest.raises(NoSuchLongJob):
                long_jobs.find(job.pk, caller=somebody)
        with pytest.raises(NoSuchLongJob):
            long_jobs.find(of_a_token.pk, caller=caller(alice))

    def test_whoever_may_not_any_more_does_not_find_it_and_it_goes_no_further(
        self, desk: Desk, alice: User
    ) -> None:
        job = ask(alice)
        work()
        desk.allowed = False

        work()

        with pytest.raises(NoSuchLongJob):
            long_jobs.find(job.pk, caller=caller(alice))
        job.refresh_from_db()
        assert (job.state, job.done) == ("failed", 10)

    def test_nothing_of_it_stays_when_its_owner_leaves(self, desk: Desk, alice: User) -> None:
        ask(alice)
        work()
        leaving.delete_account(user=alice, caller=caller(alice), now=NOW)

        work(slices=2)

        assert not LongJob.objects.exists()
        assert not LongJobPiece.objects.exists()


class TestCancelling:
    def test_what_was_done_stays_and_nothing_more_is_done(self, desk: Desk, alice: User) -> None:
        job = ask(alice)
        work()

        long_jobs.cancel(job=job, now=NOW)
        assert long_jobs.cancel(job=job, now=NOW + MINUTE).ended_at == NOW
        work()

        job.refresh_from_db()
        assert (job.state, job.done, job.ended_at) == ("cancelled", 10, NOW)
        assert not OutboxJob.objects.exists()
        with pytest.raises(NoResult):
            text(job)

    def test_of_some_work_the_part_that_was_done_can_be_taken(self, desk: Desk, alice: User) -> None:
        job = ask(alice, kind="count-some")
        work()

        assert text(long_jobs.cancel(job=job, now=NOW)) == numbers(10)

    def test_what_is_over_is_not_cancelled(self, desk: Desk, alice: User) -> None:
        job = ask(alice, total=5)
        work()

        with pytest.raises(LongJobOver):
            long_jobs.cancel(job=job, now=NOW)


class TestResults:
    def test_a_secret_is_encrypted_and_erased_ten_minutes_after_it_was_taken(
        self, desk: Desk, alice: User
    ) -> None:
        job = ask(alice, kind="count-secretly", total=10)
        work()
        job.refresh_from_db()
        assert b"9" + b"\n" not in bytes(LongJobPiece.objects.get().content)
        assert text(job, at=NOW + timedelta(days=3)) == numbers(10)

        again = NOW + timedelta(days=3, minutes=9)
        assert text(job, at=again) == numbers(10)
        with pytest.raises(NoResult):
            text(job, at=again + MINUTE)
        tasks.tidy_long_jobs(now=again + MINUTE)
        assert not LongJobPiece.objects.exists()
        assert long_jobs.find(job.pk, caller=caller(alice)).size == 0

    def test_others_can_be_taken_for_seven_days_as_often_as_wished(self, desk: Desk, alice: User) -> None:
        job = ask(alice, total=10)
        open_one = ask(alice)
        work(slices=2)
        late = NOW + timedelta(days=7, seconds=-1)
        assert text(job) == text(job, at=late) == numbers(10)

        long_jobs.tidy(now=late)
        assert LongJob.objects.count() == 2
        long_jobs.tidy(now=NOW + timedelta(days=7))

        assert list(LongJob.objects.all()) == [open_one]

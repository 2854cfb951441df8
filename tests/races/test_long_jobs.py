"""Several workers at one long job, and a cancellation in the middle of it (portal.core.long_jobs)."""

from collections.abc import Iterator
from functools import partial

import pytest

from accounts.models import User
from portal.core import long_jobs, outbox
from portal.core.models import LongJob
from tests.factories import NOW
from tests.long_jobs.counting import ROWS_A_SLICE, ask, known
from tests.races.pool import Pool

WORKERS = 8


@pytest.fixture(autouse=True)
def _counts(db: None) -> Iterator[None]:
    with known(partial=True):
        yield


def work() -> int:
    tried = 0
    while batch := outbox.work_off(clock=lambda: NOW, limit=2):
        tried += batch
    return tried


def numbers(job: LongJob) -> list[int]:
    return [int(line) for line in b"".join(long_jobs.take(job=job, now=NOW)).split()]


class TestWorkers:
    def test_a_slice_that_all_of_them_were_given_is_done_once(self, pool: Pool, alice: User) -> None:
        for _ in range(10):
            job = ask(alice, total=3 * ROWS_A_SLICE)
            for number in range(3):
                one = partial(long_jobs.work_on, job_id=job.pk, number=number, now=NOW)
                pool.race([one] * WORKERS)
            job.refresh_from_db()
            assert (job.state, job.slices) == ("done", 3)
            assert numbers(job) == list(range(job.total))

    def test_together_they_do_several_jobs_whole(self, pool: Pool, alice: User) -> None:
        jobs = [ask(alice, total=4 * ROWS_A_SLICE) for _ in range(5)]
        while any(job.state in long_jobs.OPEN for job in jobs):
            pool.race([work] * WORKERS)
            jobs = list(LongJob.objects.filter(pk__in=[job.pk for job in jobs]))
        for job in jobs:
            assert (job.state, job.slices) == ("done", 4)
            assert numbers(job) == list(range(job.total))

    def test_after_a_cancellation_nothing_is_written(self, pool: Pool, alice: User) -> None:
        ends = set()
        for _ in range(20):
            job = ask(alice, total=2 * ROWS_A_SLICE)
            first = partial(long_jobs.work_on, job_id=job.pk, number=0, now=NOW)
            pool.race([first, partial(long_jobs.cancel, job=job, now=NOW), first])
            job.refresh_from_db()
            assert job.state == "cancelled"
            assert job.pieces.count() == job.slices
            ends.add(job.done)
            long_jobs.work_on(job_id=job.pk, number=job.slices, now=NOW)
            assert job.pieces.count() == job.slices
        assert ends <= {0, ROWS_A_SLICE}

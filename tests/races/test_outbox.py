"""Several workers at one outbox (architecture.md, "Transactions, jobs, time, errors")."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from portal.core import outbox
from portal.core.models import OutboxJob
from tests.factories import NOW
from tests.races.pool import Pool

JOBS = 100
WORKERS = 4


@pytest.fixture
def done(db: None) -> Iterator[Counter[int]]:
    """How often each job was done."""
    counted: Counter[int] = Counter()

    def count(*, now: datetime, **arguments: Any) -> None:
        counted[arguments["number"]] += 1

    outbox.handler("count")(count)
    yield counted
    del outbox._handlers["count"]


def put_all() -> None:
    OutboxJob.objects.bulk_create(
        OutboxJob(handler="count", arguments={"number": number}, created_at=NOW, due_at=NOW)
        for number in range(JOBS)
    )


def work() -> int:
    tried = 0
    while batch := outbox.work_off(clock=lambda: NOW, limit=7):
        tried += batch
    return tried


class TestWorkers:
    def test_each_job_is_done_once(self, pool: Pool, done: Counter[int]) -> None:
        for _ in range(20):
            done.clear()
            put_all()
            outcomes = pool.race([work] * WORKERS)
            assert sum(outcomes.answers) == JOBS
            assert done == Counter(range(JOBS))
            assert not OutboxJob.objects.exists()

    def test_each_job_is_claimed_once_and_no_claim_is_larger_than_asked(
        self, pool: Pool, done: Counter[int]
    ) -> None:
        for _ in range(50):
            put_all()
            outcomes = pool.race([partial(outbox.claim, now=NOW, limit=10)] * WORKERS)
            claimed = [claim.id for claims in outcomes.answers for claim in claims]
            assert len(claimed) == len(set(claimed)) == 10 * WORKERS
            OutboxJob.objects.all().delete()

    def test_a_lost_lease_finishes_nothing(self, pool: Pool, done: Counter[int]) -> None:
        """The first worker is thought to be dead: of the two, the one with the lease deletes the job."""
        for _ in range(50):
            outbox.put("count", now=NOW, number=0)
            [lost] = outbox.claim(now=NOW)
            [kept] = outbox.claim(now=NOW + outbox.LEASE)
            outcomes = pool.race([outbox._mine(lost).delete, outbox._mine(kept).delete])
            assert sorted(count for count, _ in outcomes.answers) == [0, 1]

"""A worker that is killed loses nothing of a long job but the slice at hand, and no slice is done twice."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import User
from portal.core import clock, long_jobs
from portal.core.models import LongJob, OutboxJob
from tests.long_jobs import killing
from tests.long_jobs.counting import ask, known

TOTAL = 75


@pytest.fixture
def _counts() -> Iterator[None]:
    with known():
        yield


def worker(folder: Path, place: str = "", number: int = 0) -> subprocess.Popen[bytes]:
    return killing.worker("stopping", folder, place, number)


def killed(folder: Path, place: str, number: int) -> None:
    killing.kill_at_its_place(worker(folder, place, number))


@pytest.mark.serial
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_counts")
class TestKilledWorkers:
    def test_the_next_one_goes_on_where_the_last_commit_was(self, alice: User, tmp_path: Path) -> None:
        job = ask(alice, total=TOTAL, now=clock.now())

        killed(tmp_path, "inside", 0)
        assert LongJob.objects.get().done == 0
        killed(tmp_path, "inside", 2)
        assert LongJob.objects.get().done == 20
        killed(tmp_path, "after", 4)
        assert LongJob.objects.get().done == 50
        with worker(tmp_path) as first, worker(tmp_path) as second:
            assert (first.wait(60), second.wait(60)) == (0, 0)

        job.refresh_from_db()
        assert (job.state, job.done, job.slices) == ("done", TOTAL, 8)
        numbers = b"".join(long_jobs.take(job=job, now=clock.now())).split()
        assert numbers == [str(number).encode() for number in range(TOTAL)]
        assert not OutboxJob.objects.filter(handler="work-on-long-job").exists()

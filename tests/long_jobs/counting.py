"""A kind of long job that only counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from accounts.models import User
from portal.core import long_job_kinds, long_jobs, tasks  # noqa: F401, tasks bring the handler
from portal.core.long_job_kinds import Slice, Worker
from portal.core.models import LongJob
from tests.factories import NOW, caller

ROWS_A_SLICE = 10


def count_slice(job: LongJob, *, now: datetime) -> Slice:
    """Writes the numbers of ten rows, a line each."""
    first = job.rest.get("next", 0)
    numbers = range(first, min(first + ROWS_A_SLICE, job.total))
    return Slice(
        rows=len(numbers),
        over=numbers.stop == job.total,
        content="".join(f"{number}\n" for number in numbers).encode(),
        rest={"next": numbers.stop},
    )


def everybody(job: LongJob) -> bool:
    return True


@contextmanager
def known(name: str = "count", work: Worker = count_slice, **options: Any) -> Iterator[None]:
    """Within it, the kind is known under this name."""
    long_job_kinds.kind(name, **{"label": "Counting", "may": everybody, **options})(work)
    try:
        yield
    finally:
        del long_job_kinds._kinds[name]


def ask(by: User, *, kind: str = "count", total: int = 25, **given: Any) -> LongJob:
    """A job of somebody's, as many slices long as there are tens in `total`."""
    return long_jobs.ask(
        kind,
        total=total,
        result="numbers.txt",
        content_type="text/plain",
        **{"caller": caller(by), "now": NOW, **given},
    )

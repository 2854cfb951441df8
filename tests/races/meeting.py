"""Two acts that meet for certain: one has done everything but commit while the other runs into it.

A race leaves it to luck who comes when; here the order is given, so that a missing lock is seen at once.
"""

import inspect
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connection, transaction

from tests.races.pool import PATIENCE, Outcomes, Pool

LOOK_AGAIN_SECONDS = 0.01


def meet(pool: Pool, *, first: Callable[[], Any], second: Callable[[], Any]) -> Outcomes:
    """Run `first` up to its commit, which waits until `second` waits for it, or is through.

    :param first: an operation, or a partial of one; its own transaction becomes the one that is held open.
    """
    ready, through = threading.Event(), threading.Event()

    def hold() -> Any:
        try:
            with transaction.atomic():
                answer = _without_transaction(first)()
                ready.set()
                while not through.is_set() and not _somebody_waits():
                    through.wait(LOOK_AGAIN_SECONDS)
                return answer
        finally:
            ready.set()

    def run_into_it() -> Any:
        try:
            assert ready.wait(PATIENCE), "the first one did not get to its commit"
            return second()
        finally:
            through.set()

    return pool.race([hold, run_into_it])


def _without_transaction(operation: Callable[[], Any]) -> Callable[[], Any]:
    # Operations are durable: they refuse to be part of another transaction than their own.
    if isinstance(operation, partial):
        return partial(inspect.unwrap(operation.func), *operation.args, **operation.keywords)
    body: Callable[[], Any] = inspect.unwrap(operation)
    return body


def _somebody_waits() -> bool:
    """Whether another connection waits for a lock of this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        [waits] = cursor.fetchone()
    return bool(waits)

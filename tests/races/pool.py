"""Thirty-two threads with a database connection each, kept from race to race.

A connection made in the heat of a race would spread the racers by milliseconds; kept ones start together.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection

from portal.core.errors import DomainError
from tools import suite

SIZE = 32
PATIENCE = 30
"""Seconds after which a race that hangs is given up."""

Result = TypeVar("Result")


def often(whole: int) -> int:
    """How many times to run a race: `whole` in `make long`, an eighth in `make test`, but no fewer than 15.

    Whoever takes a lock out sees the race go red within a few repetitions; the many are for what nobody
    thought of.
    """
    return whole if os.environ.get(suite.WHOLE_RACES) == "1" else min(whole, max(15, whole // 8))


@dataclass(frozen=True)
class Outcomes:
    """What became of the racers: answers of those that got through, refusals of the others."""

    answers: list[Any]
    refusals: list[DomainError]

    @property
    def refused(self) -> dict[str, int]:
        """How often each refusal was given, by code."""
        return dict(Counter(refusal.code for refusal in self.refusals))


class Pool:
    """Runs functions at the same moment, each in a thread with a connection of its own."""

    def __init__(self, size: int = SIZE) -> None:
        self.size = size
        self._threads = ThreadPoolExecutor(size)
        self.race([_connect] * size)

    def race(self, racers: Sequence[Callable[[], Any]]) -> Outcomes:
        """Start all at once and wait for all. What is neither an answer nor a refusal is raised here."""
        line = threading.Barrier(len(racers))

        def start(racer: Callable[[], Result]) -> Result | DomainError:
            line.wait(PATIENCE)
            try:
                return racer()
            except DomainError as refusal:
                return refusal

        futures = [self._threads.submit(start, racer) for racer in racers]
        results = [future.result(PATIENCE) for future in futures]
        return Outcomes(
            answers=[result for result in results if not isinstance(result, DomainError)],
            refusals=[result for result in results if isinstance(result, DomainError)],
        )

    def close(self) -> None:
        """Close all connections, then end the threads."""
        self.race([_disconnect] * self.size)
        self._threads.shutdown()


def _connect() -> None:
    # A function, since `connection.connect` alone would be that of the thread that hands it over.
    connection.ensure_connection()


def _disconnect() -> None:
    connection.close()

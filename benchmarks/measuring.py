"""Measures rows in turns: what drifts with the machine drifts for a row and its floor alike."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from benchmarks import client, statements
from benchmarks.client import Load
from benchmarks.house import POOLS, House, ProcessorTime
from benchmarks.rows import Row
from benchmarks.stock import Stock

TURNS = 3
SHORTEST_TURN = 1.0
WARM_UP_SECONDS = 1.0
PROFILED_REQUESTS = 220


@dataclass(kw_only=True)
class Measurement:
    """One row at one number of connections, summed over its turns."""

    row: str
    connections: int
    seconds: float = 0.0
    latencies: list[int] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    ran_out: bool = False
    client_share: float = 0.0
    processor: ProcessorTime = field(default_factory=lambda: ProcessorTime(0.0, 0.0, 0.0))

    def add(self, load: Load, processor: ProcessorTime) -> None:
        """Add one turn."""
        self.seconds += load.seconds
        self.latencies += load.latencies
        self.errors += load.errors
        self.ran_out |= load.ran_out
        self.client_share = max(self.client_share, load.client_share)
        self.processor += processor

    @property
    def answered(self) -> int:
        """How many requests were answered, errors included."""
        return len(self.latencies) + self.errors.total()

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def latency_ms(self, share: float) -> float:
        """The latency in milliseconds that `share` of the requests stayed within."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6 if ordered else 0.0

    def microseconds(self, seconds: float) -> float:
        """A part of `processor`, as microseconds a request."""
        return seconds / self.answered * 1e6 if self.answered else 0.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much to measure: seconds for each row and number of connections."""

    seconds: float
    connections: Sequence[int]

    @property
    def turns(self) -> int:
        """Turns of a second at the least."""
        return max(1, min(TURNS, int(self.seconds / SHORTEST_TURN)))

    @property
    def seconds_for_a_row(self) -> float:
        """What one row takes altogether, warming up included."""
        return (self.seconds + WARM_UP_SECONDS) * len(self.connections)


def count_statements(house: House, stock: Stock, rows: Mapping[str, Row]) -> dict[str, int]:
    """The SQL statements of one request of each row, by its name."""
    return _in_process("benchmarks.statements", house, stock, rows, requests=2)


def profile(house: House, stock: Stock, rows: Mapping[str, Row]) -> dict[str, str]:
    """Where the time of each row's requests goes, as text, by the row's name."""
    return _in_process("benchmarks.profiling", house, stock, rows, requests=PROFILED_REQUESTS)


def _in_process(
    module: str, house: House, stock: Stock, rows: Mapping[str, Row], *, requests: int
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, pool in POOLS.items():
        given = {
            title: [statements.write(request) for request in islice(row.requests(stock), requests)]
            for title, row in rows.items()
            if row.pool == name
        }
        if given and pool.settings:
            found |= house.python("-m", module, pool.application, given=given, settings=pool.settings)
    return found


def measure(
    house: House, stock: Stock, rows: Mapping[str, Row], plan: Plan, say: Callable[[str], None]
) -> list[Measurement]:
    """Measure every row at every number of connections, in turns, after warming up.

    :raises LoadStuck: a server stopped answering, or answers nothing but errors.
    """
    found: list[Measurement] = []
    for connections in plan.connections:
        level = {name: Measurement(row=name, connections=connections) for name in rows}
        for name, row in rows.items():
            _take_turn(house, row, stock, Measurement(row=name, connections=connections), WARM_UP_SECONDS)
        for turn in range(plan.turns):
            say(f"  {connections:>2} connections, turn {turn + 1} of {plan.turns}")
            for name, row in rows.items():
                _take_turn(house, row, stock, level[name], plan.seconds / plan.turns)
        found += level.values()
    return found


def _take_turn(house: House, row: Row, stock: Stock, into: Measurement, seconds: float) -> None:
    port, requests = house.port(row.pool), row.requests(stock)
    before = house.processor_time(row.pool)
    load = client.run(port, requests, connections=into.connections, seconds=seconds)
    into.add(load, house.processor_time(row.pool) - before)

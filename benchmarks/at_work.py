"""The whole fleet at work: what devices do all day, at the rate at which they do it, and what it costs.

The rows of a run send one kind of request as fast as they are answered. Here every device polls at its own
time, acknowledges what is new and now and then gives a license back (appliance/README.md, "The fleet").
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.fleet import driving, tally
from appliance.fleet.driving import Crew
from appliance.fleet.plan import Plan
from benchmarks.fleet import BEHIND_PROXY, Fleet
from benchmarks.house import House, ProcessorTime

POLL_SECONDS = 10.0
CONNECTIONS = 32
RETURNS = 0.02
"""The share of turns at which a device gives one of its licenses back."""


@dataclass(frozen=True, kw_only=True)
class AtWork:
    """What the fleet was answered, as appliance.fleet counts it, and the processor time of the servers."""

    found: dict[str, Any]
    processor: ProcessorTime

    @property
    def sound(self) -> bool:
        """Whether every answer was one to be expected, and there were any."""
        return bool(self.found["requests"]) and not self.found["unexpected"]

    @property
    def microseconds(self) -> float:
        """Processor time a request, of web server, PostgreSQL and Redis together."""
        requests: int = self.found["requests"]
        return self.processor.total / max(1, requests) * 1e6

    def table(self) -> str:
        """For people."""
        return f"The fleet at work, {self.microseconds:,.0f} us CPU a request\n{tally.table(self.found)}"

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {**self.found, "cpu_us": round(self.microseconds, 1)}


def let_work(house: House, fleet: Fleet, *, seconds: float) -> AtWork:
    """Let every device of the fleet poll every ten seconds, for `seconds`."""
    plan = Plan(
        portal=f"http://127.0.0.1:{house.port('devices')}",
        identities=Path(),  # they are in memory
        devices=len(fleet.identities),
        seconds=seconds,
        poll=POLL_SECONDS,
        connections=CONNECTIONS,
        acknowledgements=1.0,
        returns=RETURNS,
        misbehaving=0.0,
        offenses=(),
        authority=None,
        seed=1,
        json=True,
    )
    crew = Crew(identities=fleet.identities, authority=None)
    before = house.processor_time("devices")
    found = asyncio.run(driving.run(plan, crew, headers=BEHIND_PROXY))
    return AtWork(found=found, processor=house.processor_time("devices") - before)

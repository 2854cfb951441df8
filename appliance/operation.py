"""What the device is doing since its last reset: calls, and test mode (mission rules 14 and 31).

None of it is configuration, and none of it outlives a reset. It is kept in a file of its own, since a process
of the device may end without the device being reset.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from appliance.clock import Clock

TEST_MODE_SECONDS: Final = 8 * 60 * 60
"""How long test mode lasts before it switches itself off and the device resets (mission rule 31)."""


@dataclass(frozen=True)
class TestMode:
    """Test mode as last written down: how many seconds of it are used, in which run, and how far into it.

    Only time in which the device ran is counted, by the clock nobody can set: neither setting the time nor
    restarting the process makes it longer or shorter.
    """

    __test__ = False  # not a test, whatever its name begins with

    used: int
    boot: str
    running: int

    def recorded(self, clock: Clock) -> "TestMode":
        """Return test mode as of now."""
        running = int(clock.running())
        since = max(0, running - self.running) if self.boot == clock.boot else 0
        return TestMode(self.used + since, clock.boot, running)

    def left(self, clock: Clock) -> int:
        """Return the seconds until it switches itself off; 0 if that is due."""
        return max(0, TEST_MODE_SECONDS - self.recorded(clock).used)


@dataclass(frozen=True)
class Operation:
    """The device at work.

    `resets` counts the resets of this device. `resetting` is true while one is going on: it has ended calls
    and test mode, and what is installed is not in effect yet. A loss of power in between only repeats that.
    `calls` says for each product how many of it are wanted at the moment, whether licensed or not.
    """

    resets: int = 0
    resetting: bool = False
    test_mode: TestMode | None = None
    calls: dict[str, int] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether a reset would end anything."""
        return self.test_mode is not None or any(self.calls.values())

    def begin_reset(self) -> "Operation":
        """Return the device with its calls and its test mode ended; a reset that goes on already goes on."""
        if self.resetting:
            return self
        return Operation(resets=self.resets + 1, resetting=True)

    def end_reset(self) -> "Operation":
        """Return the device at work again."""
        return replace(self, resetting=False)

    def with_test_mode(self, clock: Clock) -> "Operation":
        """Return the device in test mode from now on, for the full time, as often as it is asked for."""
        return replace(self, test_mode=TestMode(0, clock.boot, int(clock.running())))

    def with_calls(self, wanted: dict[str, int]) -> "Operation":
        """Return the device with other numbers wanted; what `wanted` does not name stays as it is."""
        calls = {product: count for product, count in {**self.calls, **wanted}.items() if count > 0}
        return replace(self, calls=calls)

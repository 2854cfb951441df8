"""The device's clock (mission rule 34): it never falls below its floor, which nothing unsigned raises."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FIRMWARE_BUILT: Final = 1_793_491_200  # 2026-11-01T00:00:00Z, POSIX seconds


@dataclass(frozen=True)
class ClockRecord:
    """The floor as last written down: POSIX seconds, in which run of the machine, and how far into it."""

    floor: int
    boot: str
    running: int


FACTORY_RECORD: Final = ClockRecord(floor=FIRMWARE_BUILT, boot="", running=0)


@dataclass(frozen=True)
class Clock:
    """What the hardware offers: a wall clock that anybody may set, and the time since the machine started."""

    wall: Callable[[], float]
    running: Callable[[], float]
    boot: str

    def floor(self, record: ClockRecord) -> int:
        """Return the time that has certainly been reached, in POSIX seconds."""
        return self.raised(record, 0).floor

    def now(self, record: ClockRecord) -> int:
        """Return the time by which ends of licenses are judged.

        The wall clock may run ahead of the floor; as soon as it falls behind, the floor is the time.
        """
        return max(self.floor(record), int(self.wall()))

    def raised(self, record: ClockRecord, issued_at: int) -> ClockRecord:
        """Return the record as of now, its floor not below `issued_at`, the `iat` of a verified document."""
        running = int(self.running())
        since = max(0, running - record.running) if record.boot == self.boot else 0
        return ClockRecord(max(FIRMWARE_BUILT, record.floor + since, issued_at), self.boot, running)


def machine_clock() -> Clock:
    """Return the clock of this machine.

    Of a run of the machine that was not watched from its start nothing is counted: a device that is mostly
    off is late, never early.
    """
    boot = Path("/proc/sys/kernel/random/boot_id")
    if boot.exists():
        return Clock(time.time, lambda: time.clock_gettime(time.CLOCK_BOOTTIME), boot.read_text().strip())
    # Without a name for the run of the machine, only this process's own time can be counted.
    return Clock(time.time, time.monotonic, f"process {time.time_ns()}")

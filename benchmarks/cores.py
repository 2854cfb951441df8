"""Which core serves and which one asks: what measures must not take time from what is measured."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cores:
    """The core of everything that serves, and the core of the client."""

    server: int
    client: int

    @property
    def apart(self) -> bool:
        """Whether there are two; on one core the client's work slows the server down."""
        return self.server != self.client


def choose_cores() -> Cores:
    """The first two cores this process may use; the same one twice where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(server=usable[0], client=usable[-1] if len(usable) < 2 else usable[1])


@contextmanager
def pinned_to(core: int) -> Iterator[None]:
    """Run this thread, and the processes it starts meanwhile for their whole life, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def processor_seconds(root: int) -> float:
    """The processor time, in seconds, of a process, its descendants, and those of them that have ended.

    In steps of the kernel's clock tick, 10 ms: sum it over seconds of work, not over single requests.
    """
    statistics = _statistics()
    children: dict[int, list[int]] = {}
    for pid, fields in statistics.items():
        children.setdefault(int(fields[_PARENT]), []).append(pid)
    ticks, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        # The time of a child that has ended is found with the parent that waited for it.
        ticks += sum(int(statistics[pid][field]) for field in _TIMES) if pid in statistics else 0
    return ticks / _TICKS_PER_SECOND


def children_named(name: str) -> list[int]:
    """The ids of this process's own children whose program has that name."""
    mine = str(os.getpid())
    return [
        pid
        for pid, fields in _statistics().items()
        if fields[_PARENT] == mine and Path(f"/proc/{pid}/comm").read_text().strip() == name
    ]


def processor_name() -> str:
    """What the kernel calls the processor."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "unknown")


def revision() -> str:
    """The commit that is measured, with a + if files were changed since; empty outside of a checkout."""
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


# Places in /proc/<pid>/stat behind the name (proc(5)): the parent; user and system time, own and of children
# that ended.
_PARENT = 1
_TIMES = (11, 12, 13, 14)


def _statistics() -> dict[int, list[str]]:
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):  # it ended while we were looking
            continue
        # The name stands in parentheses and may hold anything, also blanks and parentheses.
        found[int(folder.name)] = text.rpartition(")")[2].split()
    return found

"""The whole suite: `python -m tools.run_tests [--long] [PYTEST ARGUMENTS...]`, behind `make test`.

Checks first, then everything on a private PostgreSQL and Redis, then operations and journeys on SQLite. The
last line is the sum of all parts: `N passed, N failed, N skipped`.
"""

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools import judges, packages, processes, suite
from tools.check import run_checks
from tools.services import PrivateServices, ServiceRefusal

# What the embedded default must do as well (architecture.md, "Two databases").
ON_SQLITE = ("tests/operations", "tests/journeys")
# The second part of a run finds the databases of the first; the server is private and goes with them.
TWO = ["-n", "2", "--reuse-db"]
WORKERS = [*TWO, "--dist", "worksteal"]
BESIDE_EACH_OTHER = "not long and not serial and not browser"
# Two at a time, and nothing that keeps a core busy beside them.
IN_TWO_ROWS = "(serial or browser) and not long"
ROWS = [*TWO, "--dist", "load", "--maxschedchunk", "1"]
NOTHING_COLLECTED = 5
RACES = "tests/races"
# Below this many files a second worker costs more (a database of its own) than it saves.
WORTH_WORKERS = 8


@dataclass
class Tally:
    """The sum of the parts that ran."""

    counts: Counter[str] = field(default_factory=Counter)
    sound: bool = True

    def add(self, code: int, counts: Mapping[str, int]) -> None:
        """Add one run of pytest; a marker that fits no test of a part is not a failure."""
        self.counts.update(counts)
        self.sound = self.sound and code in (0, NOTHING_COLLECTED)

    @property
    def line(self) -> str:
        """The plain summary."""
        return ", ".join(f"{self.counts[name]} {name}" for name in ("passed", "failed", "skipped"))

    @property
    def exit_code(self) -> int:
        """0 if something passed and nothing failed."""
        return 0 if self.sound and self.counts["passed"] and not self.counts["failed"] else 1


def run_part(title: str, arguments: Sequence[str], environment: Mapping[str, str], tally: Tally) -> None:
    """Run pytest once, say how it went, and add its count to `tally`."""
    print(f"\n{title}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="license-portal-count-") as folder:
        count_file = Path(folder) / "count.json"
        code = processes.run(
            [sys.executable, "-m", "pytest", "-q", *arguments],
            {**environment, suite.COUNT_FILE: str(count_file)},
        )
        counts = json.loads(count_file.read_text(encoding="ascii")) if count_file.exists() else {}
    tally.add(code, counts)
    passed, failed = counts.get("passed", 0), counts.get("failed", 0)
    print(f"{title}: {passed} passed, {failed} failed in {time.monotonic() - started:.0f} s", flush=True)


def run_suite(extra: Sequence[str], tally: Tally) -> None:
    """Run all parts of the suite but the long ones."""
    paths = [argument for argument in extra if is_test_path(argument)]
    others = [argument for argument in extra if not is_test_path(argument)]
    with PrivateServices() as services:
        environment = services.environment()
        run_halves("PostgreSQL and Redis", paths, others, environment, tally)
    on_sqlite = [path for path in paths or ON_SQLITE if path.startswith(ON_SQLITE) and is_test_path(path)]
    if on_sqlite:
        with tempfile.TemporaryDirectory(prefix="license-portal-sqlite-") as folder:
            environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
            environment["DATABASE_URL"] = f"sqlite:///{folder}/portal.sqlite3"
            # Whatever needs the machine to itself is about PostgreSQL, and skipped here.
            workers = WORKERS if count_files(on_sqlite) >= WORTH_WORKERS else []
            chosen = [] if "-m" in others else ["-m", "not long and not browser"]
            run_part("SQLite", [*workers, *chosen, *others, *on_sqlite], environment, tally)


def run_halves(
    title: str, paths: Sequence[str], others: Sequence[str], environment: Mapping[str, str], tally: Tally
) -> None:
    """Run the tests that bear company on two workers, then the others in two rows."""
    if "-m" in others:  # the caller chooses the tests, and pytest heeds only the last -m
        run_part(title, [*others, *paths], environment, tally)
        return
    workers = WORKERS if count_files(paths or ["tests"]) >= WORTH_WORKERS else []
    run_part(title, [*workers, "-m", BESIDE_EACH_OTHER, *others, *paths], environment, tally)
    rows = ROWS if workers else []
    run_part(f"{title}, in rows", [*rows, "-m", IN_TWO_ROWS, *others, *paths], environment, tally)


def run_long(extra: Sequence[str], tally: Tally) -> None:
    """Run what is too long for every day, and the races as often as they were meant to run."""
    with PrivateServices() as services:
        environment = services.environment()
        run_part("Long tests on PostgreSQL and Redis", ["-m", "long", *extra], environment, tally)
        if not extra:
            run_part("Races at full length", [RACES], {**environment, suite.WHOLE_RACES: "1"}, tally)


def is_test_path(argument: str) -> bool:
    """Tell a file or folder, perhaps with a test's name behind it, from an option."""
    return not argument.startswith("-") and Path(argument.partition("::")[0]).exists()


def count_files(paths: Sequence[str]) -> int:
    """Count the test files at `paths`."""
    return sum(len([*place.rglob("test_*.py")]) if (place := Path(path)).is_dir() else 1 for path in paths)


def main(arguments: list[str]) -> int:
    """Run the suite; 0 all well, 1 something failed, 2 something the suite needs cannot be had."""
    processes.unwind_on_signals()
    tally = Tally()
    try:
        packages.ensure()
        judges.ensure()
        if arguments[:1] == ["--long"]:
            run_long(arguments[1:], tally)
        else:
            # A slice of the suite is for somebody in the middle of work, who checks when it is done.
            tally.sound = bool(arguments) or run_checks()
            run_suite(arguments, tally)
    except (packages.PackageRefusal, judges.JudgesRefusal, ServiceRefusal) as refusal:
        print(refusal, flush=True)
        return 2
    except KeyboardInterrupt:
        return 130
    if not tally.sound and not tally.counts["failed"]:
        print("\nNot sound: a check or a run of pytest failed, see above.", flush=True)
    print(f"\n{tally.line}", flush=True)
    return tally.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m benchmarks [--seconds N] [--connections 1,8,32] [--rows NAME ...] [--json FILE]`: `make bench`.

Exit code 0 if every answer was as expected and the books are right afterwards, 1 if not, 2 if something that
a run needs cannot be had. A goal that is not met changes no exit code: a machine has bad days.
"""

import argparse
import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import at_work, cores, fleet, measuring
from benchmarks.at_work import AtWork
from benchmarks.client import LoadStuck
from benchmarks.cores import Cores
from benchmarks.house import House, HouseRefusal
from benchmarks.measuring import Plan
from benchmarks.report import Report
from benchmarks.rows import FLOORS, ROWS, Row, choose
from benchmarks.stock import Stock
from benchmarks.wire import UnexpectedAnswer
from tools import processes
from tools.services import ServiceRefusal

# Above what one core can do, so that a stock lasts as long as its row is measured.
MOST_KEYS_PER_SECOND = 500
MOST_CODES_PER_SECOND = 1_200
LONGEST_SECONDS = 120
QUIET_LOAD = 0.7


def main() -> int:
    """Measure, print, and return the exit code."""
    options = _options()
    processes.unwind_on_signals()
    places = cores.choose_cores()
    load = os.getloadavg()[0]
    rows = choose(options.rows)
    plan = Plan(seconds=options.seconds, connections=options.connections)
    try:
        # The client, and whatever else this process does, stays off the core of the server.
        with (
            cores.pinned_to(places.client),
            _portal(places, rows, devices=options.devices, seconds=plan.seconds_for_a_row) as stock,
        ):
            if options.profile:
                for name, profile in measuring.profile(stock.house, stock, rows).items():
                    print(f"--- {name}: {rows[name].title}\n{profile}")
                return 0
            report = _measure(stock, rows, plan, fleet_seconds=options.fleet)
    except (ServiceRefusal, HouseRefusal, LoadStuck, UnexpectedAnswer) as refusal:
        print(f"Benchmark: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    machine = _machine(places, load)
    print(f"\n{report.table()}\n")
    for verdict in report.verdicts():
        word = {True: "met", False: "NOT MET", None: "open"}[verdict.met]
        print(f"{word:<8} {verdict.row}: {verdict.says}")
    if not report.sound:
        print("NOT SOUND: there were errors, or the books are wrong. The numbers count for nothing.")
    print(f"\n{_describe(machine)}\nAgain: {machine['command']}", flush=True)
    if options.json:
        found = {"machine": machine, "plan": vars(plan), "devices": options.devices, **report.as_json()}
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0 if report.sound else 1


@contextmanager
def _portal(places: Cores, rows: Mapping[str, Row], *, devices: int, seconds: float) -> Iterator[Stock]:
    """The portal with data in it, for rows that are measured for so many seconds each."""
    if not places.apart:
        _say("There is one core only: the client takes time from the server, and req/s say little.")
    made = fleet.make_fleet(devices)
    with House(places) as house:
        began = time.monotonic()
        _say(f"Loading {devices} devices")
        given = {
            "anchor": made.anchor,
            "prefix": fleet.PREFIX,
            "devices": made.hardware_ids,
            "keys": _needed("keys", rows, seconds * MOST_KEYS_PER_SECOND),
            "codes": _needed("codes", rows, seconds * MOST_CODES_PER_SECOND),
            "large": any(row.of_pages for row in rows.values()),
            "roots": str(house.folder / "roots"),
        }
        stock = Stock(house, made, house.python("-m", "benchmarks.loading", given=given))
        _say(f"Loaded after {time.monotonic() - began:.0f} s")
        yield stock


def _measure(stock: Stock, rows: Mapping[str, Row], plan: Plan, *, fleet_seconds: float) -> Report:
    statements = measuring.count_statements(stock.house, stock, rows)
    _say(f"Measuring for {plan.seconds_for_a_row * len(rows):.0f} s")
    measurements = measuring.measure(stock.house, stock, rows, plan, _say)
    worked: AtWork | None = None
    if fleet_seconds:
        _say(f"The fleet at work for {fleet_seconds:.0f} s")
        worked = at_work.let_work(stock.house, stock.fleet, seconds=fleet_seconds)
    _say("Verifying the books")
    return Report(rows, measurements, statements, stock.house.verify_ledger(), worked)


def _needed(stock: str, rows: Mapping[str, Row], most: float) -> int:
    users = sum(row.uses_up == stock for row in rows.values())
    return users * (measuring.PROFILED_REQUESTS + int(most))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _machine(places: Cores, load: float) -> dict[str, Any]:
    return {
        "processor": cores.processor_name(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "server_core": places.server,
        "client_core": places.client,
        "load_before": round(load, 1),
        "revision": cores.revision(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "command": _command(sys.argv[1:]),
    }


def _describe(machine: Mapping[str, Any]) -> str:
    shared = machine["server_core"] == machine["client_core"]
    places = "server and client on one core" if shared else "server on one core, client on another"
    described = (
        f"{machine['processor']}, Python {machine['python']}, {places}, revision {machine['revision']}"
    )
    if machine["load_before"] < QUIET_LOAD:
        return described
    return (
        f"{described}\nOther programs were at work (load {machine['load_before']}): only ratios say anything."
    )


def _command(words: Sequence[str]) -> str:
    return f"make bench ARGS={shlex.quote(shlex.join(words))}" if words else "make bench"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure acts beside floors.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there as well")
    parser.add_argument(
        "--seconds", type=_seconds, default=6.0, help="for each row and number of connections (6)"
    )
    parser.add_argument(
        "--connections", type=_connections, default=(1, 8, 32), help="numbers, parted by commas (1,8,32)"
    )
    parser.add_argument(
        "--rows", nargs="+", default=[], choices=[*FLOORS, *ROWS], metavar="NAME",
        help=f"some only, with their floors: {', '.join([*FLOORS, *ROWS])}",
    )  # fmt: skip
    parser.add_argument(
        "--fleet", type=_fleet_seconds, default=20.0, metavar="SECONDS",
        help="how long the whole fleet works at the end, 0 for not at all (20)",
    )  # fmt: skip
    parser.add_argument(
        "--profile", action="store_true", help="show where the time goes, and measure nothing"
    )
    parser.add_argument("--devices", type=_count, default=10_000, help="devices in the database (10000)")
    return parser.parse_args()


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(f"from 1 to {LONGEST_SECONDS}")
    return seconds


def _fleet_seconds(text: str) -> float:
    return 0.0 if text == "0" else _seconds(text)


def _connections(text: str) -> tuple[int, ...]:
    numbers = tuple(int(number) for number in text.split(","))
    if not all(1 <= number <= 256 for number in numbers):
        raise argparse.ArgumentTypeError("numbers from 1 to 256, parted by commas")
    return numbers


def _count(text: str) -> int:
    count = int(text)
    if not 2 <= count <= 100_000:
        raise argparse.ArgumentTypeError("from 2 to 100000")
    return count


if __name__ == "__main__":
    sys.exit(main())

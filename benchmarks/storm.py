"""Polling, an outage, and the storm after it: `python -m benchmarks.storm [--devices N] [--capacity R] ...`.

A model, not a measurement. Time goes in seconds, devices are counted and not drawn: a run gives the
same numbers each time. A device polls once in `--poll` seconds. Without an answer it comes again after a
time spread evenly over `--backoff` seconds, after a 429 after one spread over the Retry-After. Of what
arrives the portal serves up to `--capacity` a second, and less by what refusing the others costs.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Storm:
    """devices: how many. poll, outage, backoff, retry_after: seconds. capacity: polls served in a second.
    refusal: the cost of refusing one, in those of serving one."""

    devices: float
    poll: int
    outage: int
    backoff: int
    retry_after: int
    capacity: float
    refusal: float


@dataclass(frozen=True, kw_only=True)
class Second:
    """What happens in one second after the end of the outage; in devices."""

    arriving: float
    served: float
    waiting: float
    """Those that wanted their licenses since the outage began and have not got them yet."""


def seconds_after(storm: Storm, *, most: int) -> Iterator[Second]:
    """Second by second from the end of the outage, until nobody waits any more, or for `most` seconds."""
    length = storm.outage + most + max(storm.poll, storm.backoff, storm.retry_after) + 2
    due = [storm.devices / storm.poll if moment < storm.poll else 0.0 for moment in range(length)]
    rising = [0.0] * length  # by how much the number of those that come again changes at a moment
    again = waiting = 0.0
    for moment in range(storm.outage + most):
        again += rising[moment]
        arriving = due[moment] + again
        away = moment < storm.outage
        left = 0.0 if away else storm.capacity - storm.refusal * max(0.0, arriving - storm.capacity)
        served = min(arriving, max(0.0, left))
        spread = storm.backoff if away else storm.retry_after
        rising[moment + 1] += (arriving - served) / spread
        rising[moment + 1 + spread] -= (arriving - served) / spread
        due[moment + storm.poll] += served
        waiting += due[moment] - served
        if not away:
            yield Second(arriving=arriving, served=served, waiting=waiting)
            if waiting < 1:
                return


def main(arguments: Sequence[str]) -> int:
    """Print what comes of it for several times of Retry-After. Exit code 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.storm", description="The storm after an outage."
    )
    add = parser.add_argument
    add("--devices", type=int, default=1_000_000)
    add("--poll", type=int, default=3600, metavar="S", help="between polls of a device (3600)")
    add("--outage", type=int, default=3600, metavar="S", help="how long the portal is away (3600)")
    add("--backoff", type=int, default=3600, metavar="S", help="spread of tries without an answer (3600)")
    add("--capacity", type=float, default=680, help="polls served in a second (680)")
    add("--refusal", type=float, default=0.02, help="cost of refusing one, in those served (0.02)")
    add("--retry-after", type=int, nargs="+", default=[29, 120, 600, 1800], metavar="S", help="times to try")
    options = parser.parse_args(arguments)
    print(
        f"{options.devices:,} devices, each polls every {options.poll} s: "
        f"{options.devices / options.poll:,.0f} a second.\n"
        f"Away for {options.outage} s, tries spread over {options.backoff} s. Then "
        f"{options.capacity:,.0f} a second are served; a refusal costs {options.refusal} of that."
    )
    print(
        f"{'Retry-After up to':>18}{'peak/s':>10}{'least served':>14}{'goodput':>9}{'all served after':>18}"
    )
    for retry_after in options.retry_after:
        storm = Storm(
            devices=options.devices,
            poll=options.poll,
            outage=options.outage,
            backoff=options.backoff,
            retry_after=retry_after,
            capacity=options.capacity,
            refusal=options.refusal,
        )
        run = list(seconds_after(storm, most=4 * options.poll))
        peak = max(second.arriving for second in run)
        crowded = [second.served for second in run if second.arriving > storm.capacity]
        least = min(crowded, default=storm.capacity)
        over = "never" if run[-1].waiting >= 1 else f"{len(run):,} s"
        print(f"{retry_after:>16} s{peak:>10,.0f}{least:>14,.0f}{least / storm.capacity:>9.0%}{over:>18}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

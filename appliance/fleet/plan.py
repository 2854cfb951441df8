"""What a run is: which devices, how long, how often, how well behaved. Everything has a bound."""

import argparse
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from appliance.fleet.offenses import Offense

N = TypeVar("N", int, float)

MOST_DEVICES: Final = 20_000
LONGEST_SECONDS: Final = 24 * 60 * 60
SHORTEST: Final = 0.05
MOST_CONNECTIONS: Final = 256


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run, as the command line names it."""

    portal: str
    identities: Path
    devices: int
    seconds: float
    poll: float
    connections: int
    acknowledgements: float
    returns: float
    misbehaving: float
    offenses: tuple[Offense, ...]
    authority: Path | None
    seed: int
    json: bool


def read_plan(arguments: Sequence[str]) -> Plan:
    """Read the command line; wrong usage ends the process with exit code 2, as everywhere."""
    parser = _parser()
    options = parser.parse_args(arguments)
    elsewhere = options.__dict__.pop("elsewhere")
    if not elsewhere and not is_this_machine(options.portal):
        parser.error("the portal is on another machine: say --elsewhere if you may load it")
    if options.offenses is None:
        known = [Offense.STALE_NONCE, Offense.WRONG_SIGNATURE, Offense.FOREIGN_CERTIFICATE]
        options.offenses = (*known, *([Offense.UNKNOWN_DEVICE] if options.authority else []))
    elif Offense.UNKNOWN_DEVICE in options.offenses and options.authority is None:
        parser.error("unknown-device needs --authority, to certify devices that are in no project")
    return Plan(**vars(options))


def is_this_machine(portal: str) -> bool:
    """Whether an address leads nowhere else than to this machine."""
    host = urlsplit(portal).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m appliance.fleet",
        description="Run many light devices against a portal for a time, and say what it answered.",
    )
    share, add = _number(float, 0, 1), parser.add_argument
    add("--portal", required=True, type=_origin, metavar="URL")
    made = "what `python -m appliance.factory devices` made; the devices have to be in projects"
    add("--identities", required=True, type=Path, metavar="DIR", help=made)
    count, time = _number(int, 1, MOST_DEVICES), _number(float, SHORTEST, LONGEST_SECONDS)
    first = "the first so many of them (all, up to %(default)s)"
    add("--devices", type=count, default=MOST_DEVICES, metavar="N", help=first)
    add("--seconds", type=time, default=20.0, metavar="S", help="how long to run (%(default)s)")
    between = "seconds between two turns of a device (%(default)s)"
    add("--poll", type=time, default=5.0, metavar="S", help=between)
    lines = _number(int, 1, MOST_CONNECTIONS)
    add("--connections", type=lines, default=16, metavar="N", help="at a time (%(default)s)")
    told = "of new documents that are acknowledged, from 0 to 1 (%(default)s)"
    add("--acknowledgements", type=share, default=1.0, metavar="SHARE", help=told)
    returned = "of turns at which a device gives a license back (%(default)s)"
    add("--returns", type=share, default=0.0, metavar="SHARE", help=returned)
    bad = "of the devices that misbehave at each of their turns (%(default)s)"
    add("--misbehaving", type=share, default=0.0, metavar="SHARE", help=bad)
    how = f"how: {', '.join(Offense)} (all of them in turn)"
    add("--offenses", type=_offenses, metavar="KIND,...", help=how)
    certifies = "what `python -m appliance.factory ca` made, for unknown-device"
    add("--authority", type=Path, metavar="DIR", help=certifies)
    add("--seed", type=int, default=1, help="of the dice: the same devices misbehave again")
    add("--json", action="store_true", help="say it for a program")
    add("--elsewhere", action="store_true", help="the portal may be on another machine")
    return parser


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise argparse.ArgumentTypeError("an address like https://portal.example.com")
    return f"{parts.scheme}://{parts.netloc}"


def _number(kind: type[N], least: float, most: float) -> Callable[[str], N]:
    def read(text: str) -> N:
        value = kind(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"from {least} to {most}")
        return value

    return read


def _offenses(text: str) -> tuple[Offense, ...]:
    try:
        return tuple(Offense(name) for name in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"some of {', '.join(Offense)}, parted by commas") from error

"""`python -m appliance.factory ca|devices`: make the authorities, then device identities in bulk."""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from appliance.factory.authority import make_authority, read_authority, write_authority
from appliance.factory.devices import KEY_KINDS, hardware_ids, make_identity, write_identity

_REPORT_INTERVAL: Final = 2.0


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 not done, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "ca":
            write_authority(options.folder, make_authority(options.manufacturer, now=datetime.now(UTC)))
            sys.stdout.write(f"Root and device CA of {options.manufacturer} made in {options.folder}.\n")
        else:
            _make_devices(options)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"not done: {error}\n")
        return 1
    return 0


def _make_devices(options: argparse.Namespace) -> None:
    authority = read_authority(options.folder)
    names = list(hardware_ids(prefix=options.prefix, count=options.count, first=options.first))
    taken = [name for name in names if (options.out / name).exists()]
    if taken:
        raise FileExistsError(f"there is an identity for {taken[0]} already; nothing was made")
    started = reported = time.monotonic()
    for done, name in enumerate(names):
        if time.monotonic() - reported > _REPORT_INTERVAL:
            reported = time.monotonic()
            left = (reported - started) / done * (len(names) - done)
            sys.stdout.write(f"{done} of {len(names)}, about {left:.0f} s left\n")
        write_identity(options.out, make_identity(authority, name, kind=options.key, now=datetime.now(UTC)))
    span = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    sys.stdout.write(f"{len(names)} device identities made in {options.out}: {span}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m appliance.factory",
        description="The manufacturer's side: authorities and device identities.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    ca = commands.add_parser("ca", help="make a root and a device CA")
    ca.add_argument("folder", type=Path, help="where certificates and keys go; keep it to yourself")
    ca.add_argument("--manufacturer", required=True, help="name in the certificates")
    devices = commands.add_parser("devices", help="make device identities in bulk")
    devices.add_argument("folder", type=Path, help="the folder of the authorities")
    devices.add_argument("--out", type=Path, required=True, help="gets one folder for each hardware ID")
    devices.add_argument("--prefix", required=True, help="three to five octets, like 00-90-33")
    devices.add_argument("--count", type=int, required=True)
    devices.add_argument("--first", help="hardware ID to begin with")
    devices.add_argument("--key", choices=KEY_KINDS, default=KEY_KINDS[0])
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

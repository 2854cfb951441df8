"""The commands of the appliance.

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the home trusts other roots, 4 there is a home already.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from appliance.bundle import MAX_BYTES
from appliance.device import Device
from appliance.fetching import fetch
from appliance.home import Manufacture, check_algorithms, make_home
from appliance.installation import Outcome
from appliance.public_keys import ALGORITHMS
from appliance.refusals import Refusal
from appliance.status import License, Status
from appliance.wording import license_state, moment, outcome_sentence

_EXIT_CODES: Final = {"other-roots": 3, "home-exists": 4}
_REFUSED: Final = 1


def main(arguments: Sequence[str], *, before_step: Callable[[str], None] | None = None) -> int:
    """Run one command and return its exit code.

    :param before_step: see appliance.store.Store.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "init":
            return _init(options)
        device = Device(options.home, before_step=before_step)
        if options.command == "serve":
            # The web server is loaded only where it is wanted: a fetch must not wait for it.
            from appliance.serving import serve  # noqa: PLC0415

            return serve(device, options.home, address=options.address, port=options.port)
        return _operate(device, options)
    except Refusal as refusal:
        return _say_refusal(refusal, as_json=getattr(options, "json", False))


def _operate(device: Device, options: argparse.Namespace) -> int:
    if options.command == "status":
        status = device.status()
        _say(json.dumps(status.to_json(), indent=2) if options.json else _status_text(status))
    elif options.command == "fetch":
        _say_outcome(device, fetch(device))
    elif options.command == "install":
        _say_outcome(device, device.install(_read_file(options.file)))
    elif options.command == "reset":
        _say_outcome(device, device.reset())
    else:
        device.set_portal(options.address)
        _say(f"The portal is called at {options.address} from now on.")
    return 0


def _init(options: argparse.Namespace) -> int:
    home = make_home(
        options.home,
        identity=options.identity,
        roots=options.roots,
        manufacture=Manufacture(options.portal, options.firmware, options.require),
        fresh=options.fresh,
    )
    _say(f"Appliance {home.identity.hardware_id} made in {options.home}, firmware {options.firmware}.")
    return 0


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # One byte more than allowed is enough to see that there is too much.
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Refusal("malformed", f"{path}: {error.strerror}") from error


def _say_outcome(device: Device, outcome: Outcome) -> None:
    status = device.status()
    _say(outcome_sentence(outcome, status))
    _say(f"seq installed {status.seq_installed}, in effect {status.seq_in_effect}")


def _status_text(status: Status) -> str:
    lines = [
        f"Hardware ID  {status.hardware_id}",
        f"Firmware     {status.firmware}",
        f"Portal       {status.portal}",
        f"Key set      {status.keyset_version or 'none yet'}",
        f"seq          installed {status.seq_installed}, in effect {status.seq_in_effect}",
    ]
    if status.reset_required:
        lines.append("Reset        required" + _due(status))
    lines += ["", *(_license_line(entry) for entry in status.licenses)]
    if not status.licenses:
        lines.append("No licenses.")
    return "\n".join(lines)


def _due(status: Status) -> str:
    return "" if status.reset_due is None else f"; the device resets itself at {moment(status.reset_due)}"


def _license_line(entry: License) -> str:
    product = f"{entry.product} {entry.version}"
    return (
        f"{entry.quantity:>7} x {product:<28} {entry.license_class:<7} "
        f"{moment(entry.expires_at):<21} {license_state(entry)}"
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _say_refusal(refusal: Refusal, *, as_json: bool) -> int:
    if as_json:
        _say(json.dumps({"code": refusal.code, "says": refusal.says, "detail": refusal.detail}))
    sys.stderr.write(f"refused [{refusal.code}]: {refusal}\n")
    return _EXIT_CODES.get(refusal.code, _REFUSED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m appliance",
        description="The reference device: fetches, verifies and runs its licenses.",
    )
    parser.add_argument("--home", type=Path, required=True, help="the folder that is the device")
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="make a device in the home folder")
    init.add_argument("--identity", type=Path, required=True, help="folder with key.pem and chain.pem")
    init.add_argument("--roots", type=Path, required=True, help="the root keys to trust, as JSON")
    init.add_argument("--portal", required=True, help="address of the portal")
    init.add_argument("--firmware", type=_positive, default=14, help="major version of the firmware")
    init.add_argument(
        "--require", type=_algorithms, default=frozenset(ALGORITHMS), help="algorithms to insist on"
    )
    init.add_argument(
        "--fresh", action="store_true", help="replace the device that is there, and all it remembers"
    )
    commands.add_parser("fetch", help="fetch the license document from the portal")
    install = commands.add_parser("install", help="install a license file carried by hand")
    install.add_argument("file", type=Path)
    commands.add_parser("reset", help="bring what is installed into effect")
    status = commands.add_parser("status", help="show what is installed and in effect")
    status.add_argument("--json", action="store_true", help="for scripts")
    portal = commands.add_parser("portal", help="call the portal at another address")
    portal.add_argument("address")
    serve = commands.add_parser("serve", help="serve the device's own web page")
    serve.add_argument("--address", default="127.0.0.1", help="only this machine, unless said otherwise")
    serve.add_argument("--port", type=int, default=8001)
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def _algorithms(text: str) -> frozenset[str]:
    return check_algorithms(text.split(","))

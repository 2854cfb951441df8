"""The commands of the appliance.

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the home trusts other roots, 4 there is a home already,
5 a return is noted and waits for the portal's receipt.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from appliance.acknowledging import acknowledge, acknowledgement_file, end_test_mode, reset
from appliance.bundle import MAX_BYTES
from appliance.claiming import claim, claim_file
from appliance.cli_at_device import AT_DEVICE, set_password_from
from appliance.cli_parser import parse
from appliance.device import Device
from appliance.fetching import fetch
from appliance.home import Manufacture, make_home
from appliance.pending import ALL
from appliance.refusals import Refusal
from appliance.result import Result
from appliance.returning import ReturnWaits, begin_return_file, give_back, return_file, send_return
from appliance.returns import read_grants
from appliance.status import License, Status
from appliance.store import MAX_BYTES as MAX_CONFIGURATION_BYTES
from appliance.wording import (
    CLAIMED,
    RETURN_WAITS,
    TEST_MODE_ON,
    TOLD,
    duration,
    fate,
    given_back,
    license_state,
    moment,
    result_sentences,
)

_EXIT_CODES: Final = {"other-roots": 3, "home-exists": 4}
_REFUSED: Final = 1
_USAGE: Final = 2
_WAITS: Final = 5


def main(arguments: Sequence[str], *, before_step: Callable[[str], None] | None = None) -> int:
    """Run one command and return its exit code.

    :param before_step: see appliance.store.Store.
    """
    options = parse(arguments)
    try:
        if options.command == "init":
            return _init(options)
        if options.command == "password":
            return set_password_from(options)
        device = Device(options.home, before_step=before_step)
        if options.command == "serve":
            # The web server is loaded only where it is wanted: a fetch must not wait for it.
            from appliance.serving import serve  # noqa: PLC0415

            return serve(device, options.home, address=options.address, port=options.port)
        return _COMMANDS[options.command](device, options)
    except Refusal as refusal:
        return _say_refusal(refusal, as_json=getattr(options, "json", False))
    except ReturnWaits as waits:
        _say_refusal(waits.reason, as_json=False)
        sys.stderr.write(f"{RETURN_WAITS} Send it with `return`, or carry it with `return --file OUT.jws`.\n")
        return _WAITS


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


def _status(device: Device, options: argparse.Namespace) -> int:
    status = device.status()
    _say(json.dumps(status.to_json(), indent=2) if options.json else _status_text(status))
    return 0


def _fetch(device: Device, _options: argparse.Namespace) -> int:
    return _say_result(device, fetch(device))


def _install(device: Device, options: argparse.Namespace) -> int:
    return _say_result(device, device.install(_read_file(options.file, MAX_BYTES)))


def _reset(device: Device, _options: argparse.Namespace) -> int:
    return _say_result(device, reset(device))


def _return(device: Device, options: argparse.Namespace) -> int:
    if (options.ids and options.all) or (options.min_seq and not options.all):
        sys.stderr.write("Give ids or --all; --min-seq belongs to --all.\n")
        return _USAGE
    if options.file is not None:
        return _return_by_file(device, options)
    if not options.ids and not options.all:
        return _say_result(device, send_return(device))
    return _say_result(device, give_back(device, _grants(options), min_seq=options.min_seq))


def _return_by_file(device: Device, options: argparse.Namespace) -> int:
    if not options.file.absolute().parent.is_dir():
        # Before anything is out of effect: a place that is not there is easily mistyped.
        raise Refusal("file-not-written", f"{options.file}: there is no such folder")
    if options.ids or options.all:
        begin_return_file(device, _grants(options), min_seq=options.min_seq)
    statement = return_file(device)
    try:
        device.write_file(options.file, statement)
    except Refusal as refusal:
        raise ReturnWaits(refusal) from refusal
    _say(f"{RETURN_WAITS}\nUpload {options.file} in the portal, on the page of this device, and install the")
    _say("license file that the portal gives for it: it brings the receipt.")
    return 0


def _grants(options: argparse.Namespace) -> tuple[str, ...]:
    return ALL if options.all else read_grants(options.ids)


def _acknowledge(device: Device, options: argparse.Namespace) -> int:
    if options.file is not None:
        return _carry(device, options.file, acknowledgement_file(device))
    acknowledge(device)
    _say(TOLD)
    return 0


def _claim(device: Device, options: argparse.Namespace) -> int:
    if options.file is not None:
        return _carry(device, options.file, claim_file(device, options.code))
    _say(CLAIMED[claim(device, options.code)])
    return 0


def _export(device: Device, options: argparse.Namespace) -> int:
    device.write_file(options.file, device.exported_configuration())
    _say(f"The configuration is in {options.file}. What was given back is not part of it.")
    return 0


def _restore(device: Device, options: argparse.Namespace) -> int:
    return _say_result(device, device.restore(_read_file(options.file, MAX_CONFIGURATION_BYTES)))


def _portal(device: Device, options: argparse.Namespace) -> int:
    device.set_portal(options.address)
    _say(f"The portal is called at {options.address} from now on.")
    return 0


def _delete(device: Device, options: argparse.Namespace) -> int:
    if bool(options.ids) == options.all:
        sys.stderr.write("Give ids or --all.\n")
        return _USAGE
    return _say_result(device, Result(device.delete(ALL if options.all else tuple(options.ids))))


def _test_mode(device: Device, options: argparse.Namespace) -> int:
    if options.on_or_off == "off":
        return _say_result(device, end_test_mode(device))
    device.begin_test_mode()
    _say(TEST_MODE_ON)
    return 0


_COMMANDS: Final[dict[str, Callable[[Device, argparse.Namespace], int]]] = {
    "status": _status,
    "fetch": _fetch,
    "install": _install,
    "reset": _reset,
    "return": _return,
    "acknowledge": _acknowledge,
    "claim": _claim,
    "export": _export,
    "restore": _restore,
    "portal": _portal,
    "delete": _delete,
    "test-mode": _test_mode,
    **AT_DEVICE,
}


def _carry(device: Device, path: Path, statement: bytes) -> int:
    device.write_file(path, statement)
    _say(f"Upload {path} in the portal, on the page of this device.")
    return 0


def _read_file(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            # One byte more than allowed is enough to see that there is too much.
            return file.read(max_bytes + 1)
    except OSError as error:
        raise Refusal("malformed", f"{path}: {error.strerror}") from error


def _say_result(device: Device, result: Result) -> int:
    status = device.status()
    first, *more = result_sentences(result, status)
    _say(first)
    if result.receipt is not None and status.last_receipt is not None:
        for entry in status.last_receipt.licenses:
            _say(f"  {given_back(entry):<36} {fate(entry)}")
    for sentence in more:
        _say(sentence)
    _say(f"seq installed {status.seq_installed}, in effect {status.seq_in_effect}")
    return 0


def _status_text(status: Status) -> str:
    lines = [
        f"Hardware ID  {status.hardware_id}",
        f"Firmware     {status.firmware}",
        f"Portal       {status.portal}",
        f"Key set      {status.keyset_version or 'none yet'}",
        f"seq          installed {status.seq_installed}, in effect {status.seq_in_effect}",
    ]
    if status.test_mode_left is not None:
        lines.append(
            f"Test mode    on, {duration(status.test_mode_left)} left; everything is licensed meanwhile"
        )
    if status.reset_required:
        lines.append("Reset        required" + _due(status))
    if status.acknowledgement_due:
        lines.append("Portal told  not yet; `fetch` does, or carry the file of `acknowledge --file`")
    lines += ["", *(_license_line(entry) for entry in status.licenses)]
    if not status.licenses:
        lines.append("No licenses.")
    if status.waiting_return is not None:
        everything = " of everything" if status.waiting_return.everything else ""
        lines += ["", f"A return{everything} waits for its receipt: send it with `return`, or carry it with"]
        lines.append("`return --file OUT.jws` and install the license file that the portal gives for it.")
        lines += [f"{given_back(entry):>40}" for entry in status.waiting_return.licenses]
    return "\n".join(lines)


def _due(status: Status) -> str:
    return "" if status.reset_due is None else f"; the device resets itself at {moment(status.reset_due)}"


def _license_line(entry: License) -> str:
    product = f"{entry.product} {entry.version}"
    return (
        f"{entry.quantity:>7} x {product:<28} {entry.license_class:<7} "
        f"{moment(entry.expires_at):<21} {license_state(entry):<36} {entry.id}"
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _say_refusal(refusal: Refusal, *, as_json: bool) -> int:
    if as_json:
        _say(json.dumps({"code": refusal.code, "says": refusal.says, "detail": refusal.detail}))
    sys.stderr.write(f"refused [{refusal.code}]: {refusal}\n")
    return _EXIT_CODES.get(refusal.code, _REFUSED)

"""Commands for what goes on at the device itself: users, calls, the check-up, the page's password."""

import argparse
import getpass
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from appliance import strict_json
from appliance.access import set_password
from appliance.allocation import unlicensed_features
from appliance.check_up import check_up, faults
from appliance.counters import Counter
from appliance.device import Device
from appliance.objects import Objects, objects_from_json
from appliance.operating import Work
from appliance.refusals import Refusal
from appliance.store import MAX_BYTES
from appliance.traffic import moved, read_wanted

_FAULTS: Final = 1


def set_password_from(options: argparse.Namespace) -> int:
    """Read a password, twice at a terminal and once from a pipe, and set it.

    :raises Refusal: `password-too-short`, `passwords-differ`, `no-home`.
    """
    if sys.stdin.isatty():
        typed = getpass.getpass("Password: ")
        if typed != getpass.getpass("Once more: "):
            raise Refusal("passwords-differ")
    else:
        typed = sys.stdin.readline().rstrip("\n")
    set_password(options.home, typed)
    _say("The password is set; sessions of the page have ended.")
    return 0


def _traffic(device: Device, options: argparse.Namespace) -> int:
    if options.wanted:
        device.want(read_wanted(options.wanted))
    else:
        chance = random.Random()  # noqa: S311 -- numbers to look at
        for second in range(options.seconds):
            if second:
                time.sleep(1)
            device.want(moved({one.product: one for one in _counters(device.work())}, chance))
    for counter in _counters(device.work()):
        if counter.wanted or counter.installed:
            _say(_counter_line(counter))
    return 0


def _objects(device: Device, options: argparse.Namespace) -> int:
    if options.file is not None:
        given = _read_objects_file(options.file)
        device.change_objects(lambda _before: given)
    work = device.work()
    missing = unlicensed_features(work.objects.users, work.allocations)
    _say(f"{len(work.objects.users)} users, {len(work.objects.templates)} config templates")
    for user in work.objects.users:
        without = ", ".join(missing.get(user.id, ()))
        _say(f"  {user.number:>6}  {user.name:<30} {'not licensed: ' + without if without else ''}".rstrip())
    return 0


def _check_up(device: Device, options: argparse.Namespace) -> int:
    findings = check_up(device.work())
    if options.json:
        _say(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            _say(f"{'ok   ' if finding.good else 'FAULT'}  {finding.says} {finding.way_out}".rstrip())
    return _FAULTS if faults(findings) else 0


AT_DEVICE: Final[dict[str, Callable[[Device, argparse.Namespace], int]]] = {
    "traffic": _traffic,
    "objects": _objects,
    "check-up": _check_up,
}


def _counters(work: Work) -> tuple[Counter, ...]:
    return (*work.gateway, *work.pbx)


def _counter_line(counter: Counter) -> str:
    installed = "no limit" if counter.installed is None else str(counter.installed)
    turned_away = f"  {counter.short} turned away" if counter.short else ""
    return f"{counter.kind:<26} installed {installed:>8}  used {counter.used:>6}{turned_away}"


def _read_objects_file(path: Path) -> Objects:
    try:
        return objects_from_json(strict_json.loads(path.read_bytes(), max_bytes=MAX_BYTES))
    except OSError as error:
        raise Refusal("not-objects", f"{path}: {error.strerror}") from error
    except (strict_json.NotStrictJSON, Refusal) as error:
        raise Refusal("not-objects", f"{path}: {error}") from error


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")

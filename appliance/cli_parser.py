"""The command line of the appliance: which commands there are, and what each takes."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from appliance.home import check_algorithms
from appliance.public_keys import ALGORITHMS

_ID_LIKE_AN_OPTION = re.compile(r"-[A-Za-z0-9_-]{21}")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read a command line.

    An id may begin with a dash. argparse takes a word with a blank in it for no option; the blank goes again.
    """
    words = [f" {word}" if _ID_LIKE_AN_OPTION.fullmatch(word) else word for word in arguments]
    return make_parser().parse_args(words)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of `python -m appliance`."""
    parser = argparse.ArgumentParser(
        prog="python -m appliance",
        description="The reference device: fetches, verifies, runs and gives back its licenses.",
    )
    parser.add_argument("--home", type=Path, required=True, help="the folder that is the device")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_init(commands.add_parser("init", help="make a device in the home folder"))
    commands.add_parser("fetch", help="fetch the license document from the portal")
    install = commands.add_parser("install", help="install a license file carried by hand")
    install.add_argument("file", type=Path)
    commands.add_parser("reset", help="bring what is installed into effect")
    status = commands.add_parser("status", help="show what is installed and in effect")
    status.add_argument("--json", action="store_true", help="for scripts")
    _add_return(commands.add_parser("return", help="give licenses back, or go on with a return that waits"))
    acknowledge = commands.add_parser("acknowledge", help="tell the portal what is installed and in effect")
    _add_file(acknowledge, "write the acknowledgement to a file to be carried instead")
    claim = commands.add_parser("claim", help="prove to the portal in whose hands the device is")
    claim.add_argument("code", help="the claim code that the portal shows")
    _add_file(claim, "write the claim to a file to be carried instead")
    export = commands.add_parser("export", help="back the configuration up")
    export.add_argument("file", type=Path)
    restore = commands.add_parser("restore", help="restore a configuration that was backed up")
    restore.add_argument("file", type=Path)
    _add_at_device(commands)
    portal = commands.add_parser("portal", help="call the portal at another address")
    portal.add_argument("address")
    serve = commands.add_parser("serve", help="serve the device's own web page")
    serve.add_argument("--address", default="127.0.0.1", help="only this machine, unless said otherwise")
    serve.add_argument("--port", type=int, default=8001)
    return parser


def _add_at_device(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    test_mode = commands.add_parser("test-mode", help="license everything for eight hours, without a portal")
    test_mode.add_argument("on_or_off", choices=["on", "off"])
    delete = commands.add_parser("delete", help="take entries out of the device at the next reset")
    delete.add_argument("ids", nargs="*", type=str.strip, metavar="ID", help="by the ids that `status` shows")
    delete.add_argument("--all", action="store_true", help="the whole license document")
    traffic = commands.add_parser("traffic", help="move the numbers in use, or set them")
    traffic.add_argument("wanted", nargs="*", metavar="PRODUCT=NUMBER", help="without any, all move")
    traffic.add_argument("--seconds", type=_positive, default=1, help="go on for so long, a move a second")
    objects = commands.add_parser("objects", help="show users and templates, or take a file's")
    objects.add_argument("file", type=Path, nargs="?", help="JSON as objects.json in the home folder has it")
    check_up = commands.add_parser("check-up", help="walk the way a person looks for a fault")
    check_up.add_argument("--json", action="store_true", help="for scripts")
    commands.add_parser("password", help="set the page's password, as typed or piped")


def _add_init(init: argparse.ArgumentParser) -> None:
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


def _add_return(give_back: argparse.ArgumentParser) -> None:
    give_back.add_argument(
        "ids", nargs="*", type=str.strip, metavar="ID", help="licenses, by the ids that `status` shows"
    )
    give_back.add_argument("--all", action="store_true", help="everything the portal has for this device")
    give_back.add_argument(
        "--min-seq", type=_positive, help="with --all: the number that the portal shows for this device"
    )
    _add_file(give_back, "write the return to a .jws file to be carried instead")


def _add_file(command: argparse.ArgumentParser, help_text: str) -> None:
    command.add_argument("--file", type=Path, metavar="OUT", help=help_text)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def _algorithms(text: str) -> frozenset[str]:
    return check_algorithms(text.split(","))

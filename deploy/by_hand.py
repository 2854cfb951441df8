"""The portal in production on a machine without Docker: the processes of compose.yaml, under a supervisor.

    .venv/bin/python -m deploy.by_hand start FOLDER [--user portal] [--web 2]
    .venv/bin/python -m deploy.by_hand run FOLDER -- manage.py keys list

FOLDER holds portal.env, secrets/ and tls/, as docs/operations.md says. `start` runs PostgreSQL and Redis
(those of DATABASE_URL and REDIS_URL, where portal.env names them), migrates, and starts web, device pool,
worker, beat and nginx. Whatever dies is started again; SIGTERM or Ctrl-C ends all of it in order. At SIGHUP
it goes over to the release that lies here now, without a pause. `run` runs a command with the settings of the
portal, as its user.
"""

import argparse
import os
import pwd
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.front import NoFront
from deploy.places import NotFit, Places, Ports
from deploy.production import Production, StepFailed
from deploy.supervisor import NotStarted
from tools import processes

MISTAKE = 2


def main(words: Sequence[str] | None = None) -> int:
    """Start, or run a command; 0 after an end in order, 2 with one line if something does not fit."""
    options = _parser().parse_args(words)
    try:
        places = _places(options)
        if options.action == "run":
            ports = Ports.counted_from(options.inner, http=0, https=0, web=1)
            return Production(places, ports).run([_program(word) for word in options.words]).returncode
        return _start(places, options)
    except (NotFit, NoFront, NotStarted, StepFailed) as mistake:
        print(f"by hand: {mistake}", file=sys.stderr)
        return MISTAKE


def _parser() -> argparse.ArgumentParser:
    is_root = os.geteuid() == 0
    parser = argparse.ArgumentParser(
        prog="python -m deploy.by_hand", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    actions = parser.add_subparsers(dest="action", required=True)
    start = actions.add_parser("start", help="run the portal until SIGTERM")
    run = actions.add_parser("run", help="run a command with its settings, like manage.py migrate")
    for action in (start, run):
        action.add_argument("folder", type=Path, help="portal.env, secrets/ and tls/ are in it")
        action.add_argument("--state", type=Path, help="what the portal writes; FOLDER/state by default")
        action.add_argument("--user", default="", help="as root: whom the portal's processes run as")
        action.add_argument("--inner", type=int, default=8100, metavar="PORT", help="first port on loopback")
    run.add_argument("words", nargs="+", metavar="WORD", help="the command, after --")
    start.add_argument("--web", type=int, default=1, metavar="N", help="how many web nodes (default 1)")
    start.add_argument("--address", default="", help="where nginx listens; all addresses by default")
    start.add_argument("--http", type=int, default=80 if is_root else 8080, metavar="PORT")
    start.add_argument("--https", type=int, default=443 if is_root else 8443, metavar="PORT")
    return parser


def _places(options: argparse.Namespace) -> Places:
    folder = options.folder.resolve()
    if not folder.is_dir():
        raise NotFit(f"{folder} is no folder")
    state = (options.state or folder / "state").resolve()
    user = options.user
    if os.geteuid() == 0 and not user:
        data = state / "data"
        user = pwd.getpwuid(data.stat().st_uid).pw_name if data.exists() else "root"
        if user == "root":
            raise NotFit("say --user NAME: whom the portal's processes run as (useradd --system portal)")
    return Places(settings=folder, state=state, user=user)


def _start(places: Places, options: argparse.Namespace) -> int:
    ports = Ports.counted_from(options.inner, http=options.http, https=options.https, web=options.web)
    production = Production(places, ports, address=options.address)
    processes.unwind_on_signals()
    try:
        production.start()
        for address in production.addresses():
            print(f"The portal answers at {address}", flush=True)
        asked: list[int] = []
        signal.signal(signal.SIGHUP, lambda number, _frame: asked.append(number))
        while True:
            signal.pause()
            if asked:
                asked.clear()
                _renew(production)
    except (KeyboardInterrupt, processes.Stopped):
        print("Ending, in order", flush=True)
    finally:
        with processes.signals_deferred():
            production.stop()
    return 0


def _renew(production: Production) -> None:
    try:
        production.renew()
    except StepFailed as mistake:
        print(f"by hand: not renewed, the old release goes on: {mistake}", file=sys.stderr, flush=True)
    else:
        print("Renewed", flush=True)


def _program(word: str) -> str:
    return "./manage.py" if word == "manage.py" else word


if __name__ == "__main__":
    sys.exit(main())

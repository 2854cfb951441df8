"""The processes of the demo: started here, watched here, stopped here."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tools import processes

if TYPE_CHECKING:
    from tools.demo.setting import Setting

START_SECONDS = 30
POLL_SECONDS = 0.1


class ServerRefusal(Exception):
    """A server did not start, or ended by itself; the message says which."""


class Servers:
    """What runs for the length of a `with` block; all of it ends with the block, however that ends."""

    def __init__(self) -> None:
        self._cleanup = ExitStack()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    def start_portal(self, setting: "Setting") -> None:
        """Start the portal's web server and its one worker, and wait until it answers.

        :raises ServerRefusal: it does not within half a minute.
        """
        granian = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--http", "1",
            "--host", "127.0.0.1", "--port", str(setting.portal_port), "--workers", "1",
            "--blocking-threads", "4", "--log-level", "warning", "portal.wsgi:application",
        ]  # fmt: skip
        self._start("portal", granian, setting)
        self._start("worker", [sys.executable, "manage.py", "work"], setting)
        self._await("portal", f"{setting.portal_origin}/healthz")

    def start_appliance(self, setting: "Setting") -> None:
        """Start the device's web page.

        :raises ServerRefusal: it does not answer within half a minute.
        """
        serve = [
            "-m",
            "appliance",
            "--home",
            str(setting.home),
            "serve",
            "--port",
            str(setting.appliance_port),
        ]
        self._start("appliance", [sys.executable, *serve], setting)
        self._await("appliance", setting.appliance_origin)

    def wait(self) -> None:
        """Wait for Ctrl-C.

        :raises ServerRefusal: one of the processes ended by itself.
        """
        while True:
            self._check()
            time.sleep(1)

    def _start(self, name: str, command: list[str], setting: "Setting") -> None:
        process = subprocess.Popen(
            command,
            cwd=setting.root,
            env=setting.environment,
            stdout=subprocess.DEVNULL,  # what there is to say, the demo says; errors come through
            # Ctrl-C in the terminal reaches this process only; it stops the others in order.
            start_new_session=True,
        )
        self._running[name] = process
        self._cleanup.callback(processes.stop, process)

    def _await(self, name: str, address: str) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            self._check()
            try:
                with urllib.request.urlopen(address, timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(POLL_SECONDS)
        raise ServerRefusal(f"The {name} does not answer at {address}.")

    def _check(self) -> None:
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ServerRefusal(f"The {name} ended by itself with exit code {process.returncode}.")


def free_port(wanted: int, *, taken: Collection[int] = ()) -> int:
    """The first port from `wanted` on that nobody listens at."""
    for port in range(wanted, wanted + 100):
        if port in taken:
            continue
        with socket.socket() as probe:
            # As servers do: a port that only waits for its last packets to arrive is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise ServerRefusal(f"No port is free from {wanted} to {wanted + 99}.")

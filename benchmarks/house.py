"""The portal as in production, for the length of a run: PostgreSQL, Redis, and a granian for each pool."""

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks import cores
from benchmarks.cores import Cores
from tools import processes
from tools.services import PrivateServices

ROOT = Path(__file__).resolve().parent.parent
HOST = "portal.invalid"
ORIGIN = f"https://{HOST}"
BLOCKING_THREADS = 4  # as deploy/compose.yaml; one worker, because one core serves
START_SECONDS = 30
POLL_SECONDS = 0.05
_INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")


@dataclass(frozen=True)
class Pool:
    """One granian: the WSGI application it serves and, for the floors, the settings it serves with."""

    application: str
    settings: str


POOLS = {
    "bare": Pool("benchmarks.floors.bare:application", ""),
    "floors": Pool("benchmarks.floors.wsgi:application", "benchmarks.floors.settings"),
    "middleware": Pool("benchmarks.floors.wsgi:application", "benchmarks.floors.middleware_settings"),
    "devices": Pool("portal.device_wsgi:application", "portal.device_settings"),
    "web": Pool("portal.wsgi:application", "portal.settings"),
    "pages": Pool("portal.wsgi:application", "benchmarks.floors.page_settings"),
}


class HouseRefusal(Exception):
    """A part of the house does not start; the message says which and what it said."""


@dataclass(frozen=True)
class ProcessorTime:
    """Processor seconds used so far by a pool's server, PostgreSQL and Redis."""

    web: float
    postgresql: float
    redis: float

    def __sub__(self, earlier: "ProcessorTime") -> "ProcessorTime":
        return ProcessorTime(
            self.web - earlier.web, self.postgresql - earlier.postgresql, self.redis - earlier.redis
        )

    def __add__(self, other: "ProcessorTime") -> "ProcessorTime":
        return ProcessorTime(
            self.web + other.web, self.postgresql + other.postgresql, self.redis + other.redis
        )

    @property
    def total(self) -> float:
        """All of it."""
        return self.web + self.postgresql + self.redis


class House:
    """Everything that serves, on the core for it; all of it ends with the `with` block."""

    def __init__(self, places: Cores) -> None:
        self._cores = places
        self._cleanup = ExitStack()
        self._servers: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
        self._services = PrivateServices(durable=True)
        self.folder = Path()

    def __enter__(self) -> Self:
        """Start PostgreSQL and Redis.

        :raises ServiceRefusal: one of them cannot be had.
        """
        with self._cleanup:
            self.folder = Path(
                self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="license-portal-bench-"))
            )
            (self.folder / "static").mkdir()
            with cores.pinned_to(self._cores.server):
                self._cleanup.enter_context(self._services)
            self._environment = self._settings()
            self._cleanup = self._cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    def port(self, pool: str) -> int:
        """The port of a pool's server, which is started at the first call.

        :raises HouseRefusal: it does not start.
        """
        if pool not in self._servers:
            self._start(pool)
        return self._servers[pool][1]

    def processor_time(self, pool: str) -> ProcessorTime:
        """Processor time used so far by the server of the pool and by both services."""
        [postgres], [redis] = cores.children_named("postgres"), cores.children_named("redis-server")
        return ProcessorTime(
            web=cores.processor_seconds(self._servers[pool][0].pid),
            postgresql=cores.processor_seconds(postgres),
            redis=cores.processor_seconds(redis),
        )

    def python(
        self, *words: str, given: Any = None, settings: str = "benchmarks.floors.page_settings"
    ) -> Any:
        """Run a Python module of ours, with the floors' tables beside the portal's; JSON goes in and out.

        :raises HouseRefusal: it failed.
        """
        done = self._run(words, given=json.dumps(given), settings=settings)
        if done.returncode != 0:
            raise HouseRefusal(f"{' '.join(words[:3])} failed:\n{(done.stderr or done.stdout).strip()}")
        return json.loads(done.stdout)

    def verify_ledger(self) -> dict[str, Any]:
        """What `manage.py ledger verify` says of the books: `right`, and a count of faults by rule.

        :raises HouseRefusal: it could not say.
        """
        done = self._run(["manage.py", "ledger", "verify", "--json"], settings="portal.settings")
        if not done.stdout.strip():
            raise HouseRefusal(f"ledger verify failed:\n{done.stderr.strip()}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def _run(
        self, words: Sequence[str], *, given: str = "", settings: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env={**self._environment, "DJANGO_SETTINGS_MODULE": settings},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    def _settings(self) -> Mapping[str, str]:
        """All settings said, as in production; nothing of the caller's own portal gets in."""
        return {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            "DATABASE_URL": self._services.database_url,
            "REDIS_URL": self._services.redis_url,
            "DATA_DIR": str(self.folder),
            "STATIC_ROOT": str(self.folder / "static"),
            "PORTAL_ID": "https://portal.invalid/benchmark",
            "PORTAL_ORIGINS": ORIGIN,
            "TRUSTED_PROXIES": "1",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ACTIVATION_CODE_PEPPER": secrets.token_urlsafe(48),
            "SIGNING_KEYS_PASSPHRASE": secrets.token_urlsafe(48),
            "ROOT_KEYS_PASSPHRASE": secrets.token_urlsafe(48),
            "DELIVERY_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "SECOND_FACTOR_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "MAIL_HOST": "mail.invalid",
            "MAIL_FROM": "portal@portal.invalid",
            # The counters are counted, but a client in a hurry must not be the one who is refused.
            "KEY_LOOKUPS_PER_HOUR": "1000000000",
            "TEST_LICENSES_WITHOUT_CONTACT": "1000000000",
        }

    def _start(self, pool: str) -> None:
        port = _free_port()
        command = [
            "setpriv", "--pdeathsig=INT",  # the kernel ends it, should this process be killed
            sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--http", "1",
            "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
            "--blocking-threads", str(BLOCKING_THREADS), "--respawn-failed-workers",
            "--workers-kill-timeout", "30", "--log-level", "warning", POOLS[pool].application,
        ]  # fmt: skip
        environment = {**self._environment, "PYTHONUNBUFFERED": "1"}
        if POOLS[pool].settings:
            environment["DJANGO_SETTINGS_MODULE"] = POOLS[pool].settings
        log = self.folder / f"{pool}.log"
        with log.open("wb") as output, cores.pinned_to(self._cores.server):
            server = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this process only; it stops the others in order
            )
        self._cleanup.callback(processes.stop, server)
        self._servers[pool] = (server, port)
        deadline = time.monotonic() + START_SECONDS
        while not _listens(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise HouseRefusal(f"The server of {pool} does not start:\n{log.read_text()[-2000:]}")
            time.sleep(POLL_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True

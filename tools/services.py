"""A PostgreSQL and a Redis of one's own: `python -m tools.services [--no-redis] [--durable] -- CMD...`.

They live in a temporary folder, serve this user only and are gone when CMD ends, however it ends.
CMD finds them in DATABASE_URL and REDIS_URL.
"""

import argparse
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg2
import redis

from tools import packages, processes

# PostgreSQL refuses to run as root, so for root it runs as the user that its package makes.
CLUSTER_USER = "postgres"
LONGEST_SOCKET_PATH = 107  # sun_path of Linux, without the closing NUL
START_SECONDS = 30
POLL_SECONDS = 0.02


class ServiceRefusal(Exception):
    """A service cannot be had; the message is one line that says which and why."""


class PrivateServices:
    """PostgreSQL and, unless told otherwise, Redis, for the length of a `with` block.

    `database_url` and `redis_url` hold inside the block. With `durable` PostgreSQL flushes every commit to
    disk, as in production; without it commits are quicker and a power cut costs the temporary data.
    Enter it in a thread that outlives the block: the kernel ends the services with the thread that began
    them.
    """

    def __init__(self, *, with_redis: bool = True, durable: bool = False) -> None:
        self.database_url = ""
        self.redis_url = ""
        self._with_redis = with_redis
        self._durable = durable
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        """Start the services.

        :raises ServiceRefusal: a program or the cluster's user is missing, or a service does not start.
        """
        try:
            self._start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def environment(self) -> dict[str, str]:
        """Return this process's environment with DATABASE_URL and, if Redis runs, REDIS_URL."""
        given = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
        addition = {"REDIS_URL": self.redis_url} if self.redis_url else {}
        return {**given, "DATABASE_URL": self.database_url, **addition}

    def _start(self) -> None:
        binaries = packages.postgresql_binaries()
        if binaries is None:
            raise ServiceRefusal(f"PostgreSQL {packages.OLDEST_POSTGRESQL} or later is not installed.")
        folder = _make_folder(durable=self._durable)
        self._cleanup.callback(shutil.rmtree, folder)
        self._start_postgresql(binaries, folder / "postgresql")
        if self._with_redis:
            self._start_redis(folder / "redis")

    def _close(self) -> None:
        with processes.signals_deferred():
            self._cleanup.close()

    def _start_postgresql(self, binaries: Path, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        log = folder / "log"
        log.touch()
        if os.geteuid() == 0:
            owner = _cluster_user()
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        initdb: list[str | Path] = [
            binaries / "initdb",
            "-D",
            folder / "data",
            "-U",
            "portal",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        initdb += ["--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        made = subprocess.run(
            [*_as_cluster_user(), *initdb],
            cwd=folder,
            env=_bare_environment(),
            capture_output=True,
            check=False,
        )
        if made.returncode != 0:
            raise ServiceRefusal(f"initdb failed: {_last_line(made.stderr.decode(errors='replace'))}")
        options = {
            # Only a socket in a folder of our own: nobody else on the machine gets in, and no port is taken.
            "listen_addresses": "",
            "unix_socket_directories": folder,
            "max_connections": 200,
            "timezone": "UTC",
        }
        if not self._durable:
            options |= {"fsync": "off", "full_page_writes": "off"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [*_as_cluster_user(), binaries / "postgres", "-D", folder / "data", *settings]
        place = quote(str(folder), safe="")
        self._run("PostgreSQL", command, log, lambda: _make_database(f"postgres://portal@{place}/postgres"))
        self.database_url = f"postgres://portal@{place}/portal"

    def _start_redis(self, folder: Path) -> None:
        binary = packages.redis_binary()
        if binary is None:
            raise ServiceRefusal("redis-server is not installed.")
        folder.mkdir(mode=0o700)
        configuration = folder / "redis.conf"
        configuration.touch(mode=0o600)
        port, password = _free_port(), secrets.token_urlsafe(16)
        # The password keeps other users of the machine out, and proves that the port is ours.
        configuration.write_text(
            f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {folder}\nsave ''\nappendonly no\n",
            encoding="ascii",
        )
        url = f"redis://:{password}@127.0.0.1:{port}/0"
        command = [*_ended_with_us(), binary, configuration]
        self._run("Redis", command, folder / "log", lambda: _answers_redis(url))
        self.redis_url = url

    def _run(self, name: str, command: Sequence[str | Path], log: Path, is_ready: Callable[[], bool]) -> None:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=log.parent,
                env=_bare_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C at the terminal is for CMD; the services go after it
            )
        self._cleanup.callback(processes.stop, process)
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if process.poll() is not None:
                raise ServiceRefusal(f"{name} does not start: {_last_line(log.read_text(errors='replace'))}")
            if time.monotonic() > deadline:
                raise ServiceRefusal(f"{name} did not answer within {START_SECONDS} s.")
            time.sleep(POLL_SECONDS)


def _make_folder(*, durable: bool) -> Path:
    """Make the temporary folder; root's must let the cluster's user through to its own part."""
    is_root = os.geteuid() == 0
    # /tmp is memory on some systems, where flushing costs nothing; /var/tmp outlives a restart, so it is not.
    parent = "/var/tmp" if durable else "/tmp" if is_root else tempfile.gettempdir()  # noqa: S108
    longest = Path(parent) / "license-portal-12345678" / "postgresql" / ".s.PGSQL.5432.lock"
    if len(str(longest)) > LONGEST_SOCKET_PATH:
        parent = "/tmp"  # noqa: S108 -- mkdtemp makes a folder that nobody else has
    folder = Path(tempfile.mkdtemp(prefix="license-portal-", dir=parent))
    if is_root:
        folder.chmod(0o711)
    return folder


def _cluster_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(CLUSTER_USER)
    except KeyError as error:
        raise ServiceRefusal(
            f"PostgreSQL does not run as root, and there is no user {CLUSTER_USER} to run it as."
        ) from error


def _as_cluster_user() -> list[str | Path]:
    """Return the words before a PostgreSQL command; setpriv execs, so the pid stays the one we know."""
    if os.geteuid() != 0:
        return _ended_with_us()
    user = [f"--reuid={CLUSTER_USER}", f"--regid={CLUSTER_USER}", "--init-groups"]
    return [*_ended_with_us(), *user]


def _ended_with_us() -> list[str | Path]:
    """Let the kernel end a service when this process is killed and cannot do it."""
    return ["setpriv", "--pdeathsig=INT"]


def _bare_environment() -> dict[str, str]:
    """Return an environment in which no PG* variable or language of the caller changes a service."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _make_database(url: str) -> bool:
    """Make the database `portal`; False while the server does not take connections yet."""
    try:
        connection = psycopg2.connect(url)
    except psycopg2.OperationalError:
        return False
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE portal")
    finally:
        connection.close()
    return True


def _answers_redis(url: str) -> bool:
    client = redis.Redis.from_url(url)
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
    finally:
        client.close()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def main() -> int:
    """Run a command with services of its own and return its exit code; 2 if they cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m tools.services", description=__doc__)
    parser.add_argument("--no-redis", action="store_true", help="PostgreSQL only")
    parser.add_argument("--durable", action="store_true", help="flush every commit to disk, as in production")
    parser.add_argument("command", nargs="+", metavar="CMD", help="what to run, after --")
    options = parser.parse_args()
    processes.unwind_on_signals()
    try:
        with PrivateServices(with_redis=not options.no_redis, durable=options.durable) as services:
            return processes.run(options.command, services.environment())
    except (ServiceRefusal, FileNotFoundError) as refusal:
        print(f"Services: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

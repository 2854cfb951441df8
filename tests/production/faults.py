"""What happens to a production: each function does it to one that runs, and undoes what would not end."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL, SIGQUIT

import psycopg2
import redis

from tests.production.site import Site

HELD_SECONDS = 5.0


def kill(*names: str, site: Site) -> None:
    """kill -9 of processes; of a pool its first one, which takes its workers along by the supervisor."""
    for name in names:
        site.production.supervisor.send(name, SIGKILL)


def kill_a_web_worker(site: Site) -> None:
    """kill -9 of a worker alone: granian starts another."""
    parent = site.production.supervisor.pid("web-1")
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    os.kill(int(children[-1]), SIGKILL)


def restart_postgresql(site: Site) -> None:
    """An end in order (SIGINT: everybody is sent away), and a start."""
    supervisor = site.production.supervisor
    supervisor.halt("postgres")
    supervisor.resume("postgres")
    supervisor.wait_until_ready("postgres")


def end_postgresql_at_once(site: Site) -> None:
    """SIGQUIT: no checkpoint, and the next start replays the log."""
    site.production.supervisor.send("postgres", SIGQUIT)


def flush_redis(site: Site) -> None:
    """Everything in it is gone: wake-ups, counters, nonces."""
    client = redis.Redis.from_url(site.production.environment["REDIS_URL"])
    client.flushall()
    client.close()


def take_redis_away(site: Site) -> None:
    """It stays away for a while, and is brought back by an operator."""
    site.production.supervisor.halt("redis")
    threading.Event().wait(HELD_SECONDS)
    site.production.supervisor.resume("redis")


def exhaust_connections(site: Site) -> None:
    """Somebody takes every connection that PostgreSQL gives, and holds them."""
    held = []
    deadline = time.monotonic() + HELD_SECONDS
    try:
        while time.monotonic() < deadline:
            try:
                held.append(psycopg2.connect(site.production.environment["DATABASE_URL"]))
            except psycopg2.OperationalError:
                threading.Event().wait(0.05)
        assert len(held) > 50, "there were none left to take"
    finally:
        for connection in held:
            connection.close()


def hold_a_lock(site: Site) -> None:
    """A query that takes its time keeps everybody from the balances."""
    connection = psycopg2.connect(site.production.environment["DATABASE_URL"])
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE licenses_holding IN ACCESS EXCLUSIVE MODE")
        threading.Event().wait(HELD_SECONDS)
    connection.close()


def fill_the_disk(site: Site) -> None:
    """PostgreSQL's disk has no room for a while. The cluster must be on a small disk of its own."""
    filler = site.production.places.cluster.parent / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 2**16)
        except OSError:
            pass
        # What was free a moment ago may be taken again: stay full.
        deadline = time.monotonic() + HELD_SECONDS
        while time.monotonic() < deadline:
            threading.Event().wait(0.05)
            try:
                file.write(b"\0" * 4096)
            except OSError:
                continue
    filler.unlink()


@contextmanager
def small_disk(folder: Path, *, mebibytes: int) -> Iterator[None]:
    """A disk of memory at a folder; only root may."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder))
    try:
        yield
    finally:
        _run("umount", "-l", str(folder))


def _run(*words: str) -> None:
    subprocess.run(words, check=True)

"""Work for a production: a partner's programs over REST, and a fleet of devices, until they are told to stop.

Every request of a partner has an `Idempotency-Key` and is repeated until there is an answer, as docs/api.md
tells programs to. What was answered with success is `acknowledged`, and has to be in the books, once.
"""

import http.client
import json
import secrets
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from deploy.production import ROOT
from tests.production.site import Site

PAUSE_SECONDS = 0.1
PATIENCE_SECONDS = 120.0
REPEATED = 7
"""Every so many-th request is sent once more after its answer, as a program does that lost the answer."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One request of a partner's program."""

    key: str
    path: str
    body: bytes


@dataclass
class Partner:
    """Programs of one company that activate keys and assign licenses, one request after the other in each."""

    site: Site
    stocked: dict[str, Any]
    threads: int = 3
    acknowledged: dict[str, str] = field(default_factory=dict)
    """What was done by which Idempotency-Key: `activation` or `assignment`."""
    troubles: Counter[str] = field(default_factory=Counter)
    """Answers and ends of connections after which a request was sent again."""
    refused: list[str] = field(default_factory=list)
    """Answers that end a request without success: there should be none."""
    changed: list[str] = field(default_factory=list)
    """Repetitions that were answered otherwise than the first time: there should be none."""
    longest_gap: float = 0.0
    """Seconds in which nobody got an answer of success."""

    def __post_init__(self) -> None:
        self._codes = iter(self.stocked["keys"])
        self._devices = cycle(self.stocked["devices"])
        self._lock = threading.Condition()
        self._over = threading.Event()
        self._last = time.monotonic()
        self._context = ssl.create_default_context(cafile=str(self.site.folder / "tls" / "fullchain.pem"))
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.threads)]

    def start(self) -> None:
        """Begin."""
        self._last = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End once every request that was begun has its answer.

        :raises AssertionError: one never got an answer.
        """
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        assert not any(thread.is_alive() for thread in self._threads), self.troubles

    def wait_for_more(self, count: int) -> None:
        """Wait until so many further requests were acknowledged that are begun from now on, or are under way.

        :raises AssertionError: they are not, within two minutes.
        """
        with self._lock:
            target = len(self.acknowledged) + count
            came = self._lock.wait_for(lambda: len(self.acknowledged) >= target, timeout=PATIENCE_SECONDS)
        assert came, f"{len(self.acknowledged)} of {target} after {PATIENCE_SECONDS} s; {self.troubles}"

    def gap_until_now(self) -> float:
        """The longest time without success so far, which is then counted anew."""
        with self._lock:
            gap, self.longest_gap, self._last = self.longest_gap, 0.0, time.monotonic()
            return gap

    def _next(self) -> Wanted:
        with self._lock:
            name, number = secrets.token_urlsafe(12), len(self.acknowledged)
            code = next(self._codes, None) if number % 4 == 0 else None
            if code is not None:
                body = {"code": code, "project": self.stocked["project"]}
                return Wanted(key=name, path="keys/activate", body=json.dumps(body).encode())
            device = next(self._devices)
        body = {"product": "Port", "version": 14, "quantity": 1}
        return Wanted(key=name, path=f"devices/{device}/assignments", body=json.dumps(body).encode())

    def _work(self) -> None:
        line = http.client.HTTPSConnection(
            "localhost", self.site.ports.https, context=self._context, timeout=35
        )
        number = 0
        while not self._over.is_set():
            wanted = self._next()
            answer = self._until_answered(line, wanted)
            number += 1
            if answer is not None and number % REPEATED == 0:
                again = self._until_answered(line, wanted)
                if again != answer:
                    self.changed.append(f"{wanted.path}: {answer!r} and then {again!r}")
        line.close()

    def _until_answered(self, line: http.client.HTTPSConnection, wanted: Wanted) -> bytes | None:
        while True:
            try:
                line.request("POST", f"/api/v1/{wanted.path}", wanted.body, self._headers(wanted))
                answer = line.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                line.close()
                self._trouble(type(error).__name__)
                continue
            if answer.status in (200, 201):
                self._success(wanted)
                return body
            if answer.status < 500 and answer.status != 429:
                self.refused.append(f"{wanted.path}: {answer.status} {body!r}")
                return None
            self._trouble(str(answer.status))

    def _headers(self, wanted: Wanted) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.stocked['token']}",
            "Content-Type": "application/json",
            "Idempotency-Key": wanted.key,
        }

    def _trouble(self, kind: str) -> None:
        with self._lock:
            self.troubles[kind] += 1
        threading.Event().wait(PAUSE_SECONDS)

    def _success(self, wanted: Wanted) -> None:
        with self._lock:
            now = time.monotonic()
            self.longest_gap, self._last = max(self.longest_gap, now - self._last), now
            self.acknowledged[wanted.key] = "activation" if wanted.path == "keys/activate" else "assignment"
            self._lock.notify_all()


@contextmanager
def fleet(site: Site, *words: str) -> Iterator[list[dict[str, Any]]]:
    """Devices fetch, acknowledge and give back while the block runs; afterwards the list has what came of it.

    They run as long as their `--seconds` say; the end of the block waits for them.
    """
    found: list[dict[str, Any]] = []
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "appliance.fleet", "--json", "--portal", site.origin),
            *("--identities", str(site.folder / "identities"), *words),
        ],
        cwd=ROOT,
        env={"SSL_CERT_FILE": str(site.folder / "tls" / "fullchain.pem"), "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield found
        said, wrong = process.communicate(timeout=PATIENCE_SECONDS)
        assert said, wrong.decode()
        found.append(json.loads(said))
    finally:
        process.kill()
        process.communicate()


def books(site: Site, partner: Partner) -> dict[str, Any]:
    """Hold what was acknowledged against the database: see tests.production.books."""
    given = json.dumps({"acknowledged": partner.acknowledged, "company": partner.stocked["company"]})
    done = site.production.run(["python", "-m", "tests.production.books"], given=given)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found

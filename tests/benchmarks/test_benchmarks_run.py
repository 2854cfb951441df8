"""The benchmarks start, count what goes wrong, and leave nothing behind. How quick it all is, is no test."""

import ctypes
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks import client, rows
from benchmarks.wire import Request

ROOT = Path(__file__).resolve().parents[2]
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
PATIENCE_SECONDS = 240


@pytest.fixture
def orphanage() -> Iterator[None]:
    """Let this process inherit what its descendants leave running, so that it can be found."""
    prctl = ctypes.CDLL(None).prctl
    assert prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    yield
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture
def grumpy_port() -> Iterator[int]:
    """A server on loopback that answers every request with 500."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Grumpy)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield server.server_address[1]
    server.shutdown()
    serving.join()
    server.server_close()


class _Grumpy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing: the answers are what counts."""


@pytest.mark.serial
class TestRun:
    def test_it_measures_a_row_and_a_floor_and_leaves_nothing_behind(
        self, orphanage: None, tmp_path: Path
    ) -> None:
        before, temporary = _children(), tmp_path / "temporary"
        temporary.mkdir()
        done = _benchmarks(
            *("--seconds", "1", "--connections", "1", "--devices", "20", "--rows", "view", "nonce"),
            *("--fleet", "2"),
            *("--json", str(tmp_path / "found.json")),
            temporary=temporary,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found = json.loads((tmp_path / "found.json").read_text())
        assert found["sound"]
        assert found["books"]["right"]
        assert {each["row"] for each in found["measurements"]} == {"view", "nonce"}
        assert all(each["answered"] and not each["errors"] for each in found["measurements"])
        assert "device: new nonce" in done.stdout
        assert found["fleet"]["acts"]["fetch"]["answers"]["200"] >= 1  # how many, a busy machine decides
        assert found["fleet"]["cpu_us"] > 0
        assert "The fleet at work" in done.stdout
        assert _children() == before
        assert list(temporary.iterdir()) == []

    def test_it_refuses_a_row_that_is_not_there_before_anything_starts(self, tmp_path: Path) -> None:
        done = _benchmarks("--rows", "teleportation", temporary=tmp_path)
        assert done.returncode == 2
        assert "teleportation" in done.stderr


class TestClient:
    def test_it_counts_other_answers_as_errors_and_gives_up_when_there_are_many(
        self, grumpy_port: int
    ) -> None:
        requests = itertools.repeat(Request(method="GET", path="/", expects=200))
        with pytest.raises(client.LoadStuck, match=r"too many errors: \{'500': 101\}"):
            client.run(grumpy_port, requests, connections=1, seconds=PATIENCE_SECONDS)

    def test_it_ends_early_and_says_so_when_the_requests_run_out(self, grumpy_port: int) -> None:
        requests = itertools.repeat(Request(method="GET", path="/", expects=500), 5)
        load = client.run(grumpy_port, requests, connections=2, seconds=PATIENCE_SECONDS)
        assert load.ran_out
        assert len(load.latencies) == 5
        assert not load.errors


class TestRows:
    def test_every_row_is_compared_with_a_floor_that_is_measured_with_it(self) -> None:
        for name, row in rows.ROWS.items():
            chosen = rows.choose([name])
            assert name in chosen
            assert row.floor is None or row.floor in chosen

    def test_every_goal_has_a_floor(self) -> None:
        assert all(row.floor in rows.FLOORS for row in rows.ROWS.values() if row.most is not None)


def _benchmarks(*words: str, temporary: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *words],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def _children() -> set[int]:
    """This process's children that run, its own and inherited ones."""
    parent = str(os.getpid())
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[1] == parent and fields[0] != "Z":
            found.add(int(entry.name))
    return found

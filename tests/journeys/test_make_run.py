"""`make run`: what a newcomer sees."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tools.demo.servers import free_port

ROOT = Path(__file__).resolve().parents[2]


def command(data: Path, *words: str) -> list[str]:
    ports = ["--portal-port", str(free_port(18000)), "--appliance-port", str(free_port(18500))]
    return [sys.executable, "-m", "tools.demo", "--data", str(data), *ports, *words]


def run_once(data: Path) -> str:
    done = subprocess.run(
        command(data, "--once"), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """Another worker's demo would be at the same addresses."""
    with (Path(tempfile.gettempdir()) / "license-portal-make-run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.mark.serial
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="it runs on SQLite whatever the tests run on: once will do"
)
class TestMakeRun:
    def test_it_shows_a_license_on_its_way_and_keeps_the_data_for_the_next_start(
        self, tmp_path: Path
    ) -> None:
        first = run_once(tmp_path)
        assert re.search(r"Activation key \S{5}(-\S{5}){4} holds 20 x Port 14", first)
        assert "10 x Port 14 assigned to it: license document seq 1." in first
        assert "00-90-33-01-0A-FF" in first
        assert re.search(r"10 x Port 14 .*in effect", first)
        assert "alice@example.com" in first
        assert f"Mails      {tmp_path / 'mails'}" in first

        appliance = [sys.executable, "-m", "appliance", "--home", str(tmp_path / "appliance")]
        users = subprocess.run(
            [*appliance, "objects"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
        assert users.stdout.startswith("8 users, 2 config templates")
        assert (tmp_path / "appliance" / "access.json").exists()

        second = run_once(tmp_path)
        assert "has its licenses from an earlier start" in second
        assert re.search(r"10 x Port 14 .*in effect", second)

    def test_it_stops_everything_it_started_on_ctrl_c(self, tmp_path: Path) -> None:
        demo = subprocess.Popen(
            command(tmp_path), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            assert demo.stdout is not None
            printed = ""
            for line in demo.stdout:
                printed += line
                if line.startswith("Ctrl-C"):
                    break
            addresses = r"^(?:Portal|Appliance) +http://(?:localhost|127\.0\.0\.1):(\d+)"
            ports = set(re.findall(addresses, printed, re.MULTILINE))
            assert len(ports) == 2, printed
            for port in ports:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
                    assert page.status == 200
            demo.send_signal(signal.SIGINT)
            assert demo.wait(timeout=60) == 0
        finally:
            if demo.poll() is None:
                demo.terminate()  # which stops what it started; killing it would leave that behind
                demo.wait(timeout=60)
            for pipe in (demo.stdout, demo.stderr):
                assert pipe is not None
                pipe.close()
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and folder.name != str(os.getpid()):
                try:
                    environment = (folder / "environ").read_bytes()
                except OSError:
                    continue  # it has just ended, or is not ours
                assert f"DATA_DIR={tmp_path}\0".encode() not in environment, folder

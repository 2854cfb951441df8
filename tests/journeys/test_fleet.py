"""A fleet of light devices against a portal that answers over HTTP."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from appliance.factory.authority import Authority, write_authority
from appliance.factory.devices import make_identity, write_identity
from devices.models import Device
from licenses import verification
from licenses.models import Acknowledged, Return
from tests import factories
from tests.journeys.conftest import ROOT, Portal

UNITS = 3
OFFENSES = {"stale-nonce", "wrong-signature", "unknown-device", "foreign-certificate"}
REFUSED = {"400 bad-nonce", "401 bad-signature", "404 unknown-device", "401 certificate-rejected"}


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Devices with licenses, and the folders that the factory made for them."""

    portal: Portal
    folder: Path
    devices: list[Device]

    def run(self, *words: str, exit_code: int = 0, patience: int = 120) -> dict[str, Any]:
        """Run them, at most for so many seconds, and return what came of it."""
        done = subprocess.run(
            [
                *(sys.executable, "-m", "appliance.fleet", "--json", "--portal", self.portal.origin),
                *("--identities", str(self.folder / "identities"), "--authority", str(self.folder / "ca")),
                *words,
            ],
            cwd=ROOT, capture_output=True, text=True, timeout=patience, check=False,
        )  # fmt: skip
        assert done.returncode == exit_code, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


MakeFleet = Callable[[int], Fleet]


@pytest.fixture
def make_fleet(portal: Portal, authority: Authority, tmp_path: Path) -> MakeFleet:
    """Makes so many devices, each with some ports that could go back."""
    write_authority(tmp_path / "ca", authority)

    def make(count: int) -> Fleet:
        factories.activated(portal.project, {"Port": count * UNITS})
        devices = [factories.make_device(project=portal.project) for _ in range(count)]
        for device in devices:
            factories.assigned(device, UNITS)
            identity = make_identity(authority, device.hardware_id, kind="P-256", now=datetime.now(UTC))
            write_identity(tmp_path / "identities", identity)
        return Fleet(portal=portal, folder=tmp_path, devices=devices)

    return make


def answers(found: dict[str, Any], act: str) -> dict[str, int]:
    counted: dict[str, int] = found["acts"][act]["answers"]
    return counted


class TestAFleet:
    def test_fetches_acknowledges_and_gives_back_and_the_books_are_right(self, make_fleet: MakeFleet) -> None:
        fleet = make_fleet(10)

        found = fleet.run("--seconds", "2", "--poll", "0.4", "--returns", "1")

        assert found["unexpected"] == {}
        assert (found["devices"], found["misbehaving"]) == (10, 0)
        # How far a fleet comes in its time is the machine's affair; what it says must be so.
        returned = answers(found, "return")["200"]
        assert 0 < returned == Return.objects.count()
        assert factories.free(fleet.portal.project) == returned * UNITS
        assert 0 < Acknowledged.objects.count() <= answers(found, "acknowledgement")["204"]
        assert Device.objects.exclude(pinned_spki=None).count() <= answers(found, "fetch")["200"]
        assert list(verification.violations()) == []

    def test_of_which_some_misbehave_gets_each_refusal_and_the_rest_its_licenses(
        self, make_fleet: MakeFleet
    ) -> None:
        fleet = make_fleet(12)

        found = fleet.run("--seconds", "2", "--poll", "0.4", "--misbehaving", "0.5")

        assert found["unexpected"] == {}
        assert found["misbehaving"] == 6
        bad = {act: set(answers(found, act)) for act in found["acts"] if act in OFFENSES}
        assert bad.keys() == OFFENSES
        assert {answer for of_act in bad.values() for answer in of_act} == REFUSED
        assert 0 < Device.objects.exclude(pinned_spki=None).count() == answers(found, "fetch")["200"] <= 6
        for spread in (found["acts"][act]["ms"] for act in found["acts"]):
            assert 0 < spread["p50"] <= spread["p95"] <= spread["p99"] <= spread["max"]

    def test_that_meets_a_refusal_it_did_not_expect_says_so(self, make_fleet: MakeFleet) -> None:
        fleet = make_fleet(2)
        fleet.devices[0].blocked_at = factories.NOW
        fleet.devices[0].save()

        found = fleet.run("--seconds", "2", "--poll", "0.4", exit_code=1)

        assert set(found["unexpected"]) == {"fetch: 403 device-blocked"}
        assert answers(found, "fetch")["200"] == 1

    @pytest.mark.skipif(connection.vendor != "postgresql", reason="a fleet is for a portal as in production")
    def test_of_two_hundred_works_for_twenty_seconds(self, make_fleet: MakeFleet) -> None:
        fleet = make_fleet(200)

        found = fleet.run(
            *("--seconds", "20", "--poll", "4", "--returns", "0.2", "--misbehaving", "0.1"),
        )

        assert found["unexpected"] == {}
        assert found["misbehaving"] == 20
        # It is over with the last turn that begins in time, and with what is under way then.
        assert 19 < found["seconds"] < 30
        assert Return.objects.count() == answers(found, "return")["200"] > 0
        assert list(verification.violations()) == []

    @pytest.mark.long
    def test_of_two_thousand_polls_once_a_minute_for_ten_minutes(self, make_fleet: MakeFleet) -> None:
        fleet = make_fleet(2000)

        found = fleet.run("--seconds", "600", "--poll", "60", "--returns", "0.01", patience=700)

        assert found["unexpected"] == {}
        assert found["devices"] == 2000
        # A turn that would begin after the end is none.
        assert sum(answers(found, "fetch").values()) >= 2000 * 9
        assert Return.objects.count() == answers(found, "return")["200"] > 0
        assert list(verification.violations()) == []

"""A license from the activation key to the device that runs it, through HTTP only, with a real appliance."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from licenses import verification
from tests import factories
from tests.journeys.conftest import Appliance, Portal
from tools.demo.partner import Partner, PortalRefusal

MakeAppliance = Callable[[], Appliance]


def buy(portal: Portal, partner: Partner, appliance: Appliance) -> dict[str, Any]:
    """Activate a key for ten ports, and assign six of them to the device. Returns the assignment."""
    code = factories.make_key(lines={"Port": 10, "UC": 3})
    company = partner.company(portal.project.pk)
    held = partner.post("keys/look-up", {"code": code, "company": company})
    assert [(line["product"], line["quantity"]) for line in held["lines"]] == [("Port", 10), ("UC", 3)]
    partner.post("keys/activate", {"code": code, "project": portal.project.pk})
    partner.post(f"projects/{portal.project.pk}/devices", {"hardware_id": appliance.hardware_id, "name": ""})
    return partner.post(
        f"devices/{appliance.hardware_id}/assignments", {"product": "Port", "version": 14, "quantity": 6}
    )


def in_effect(appliance: Appliance) -> list[tuple[str, int]]:
    """Product and quantity of what the device runs now."""
    return [
        (entry["product"], entry["quantity"])
        for entry in appliance.status()["licenses"]
        if entry["state"] == "in-effect"
    ]


class TestOnline:
    def test_it_takes_a_license_from_the_key_to_the_device(
        self, portal: Portal, make_appliance: MakeAppliance
    ) -> None:
        appliance = make_appliance()
        assignment = buy(portal, portal.partner(), appliance)

        appliance.does("fetch")
        status = appliance.status()
        assert status["seq_installed"] == assignment["seq"]
        assert status["reset_required"]
        assert in_effect(appliance) == []

        appliance.does("reset")
        assert in_effect(appliance) == [("Port", 6)]
        assert not appliance.status()["reset_required"]
        assert list(verification.violations()) == []

    def test_it_leaves_a_device_that_is_up_to_date_as_it_is(
        self, portal: Portal, make_appliance: MakeAppliance
    ) -> None:
        appliance = make_appliance()
        buy(portal, portal.partner(), appliance)
        appliance.does("fetch")
        appliance.does("reset")
        before = appliance.status()
        appliance.does("fetch")
        assert appliance.status()["licenses"] == before["licenses"]
        assert appliance.status()["seq_installed"] == before["seq_installed"]

    def test_it_brings_what_was_assigned_later(self, portal: Portal, make_appliance: MakeAppliance) -> None:
        appliance = make_appliance()
        partner = portal.partner()
        buy(portal, partner, appliance)
        appliance.does("fetch")
        appliance.does("reset")
        partner.post(
            f"devices/{appliance.hardware_id}/assignments", {"product": "UC", "version": 14, "quantity": 3}
        )
        appliance.does("fetch")
        assert in_effect(appliance) == [("Port", 6)]
        appliance.does("reset")
        assert sorted(in_effect(appliance)) == [("Port", 6), ("UC", 3)]

    def test_it_tells_a_device_that_no_project_has(
        self, portal: Portal, make_appliance: MakeAppliance
    ) -> None:
        refused = make_appliance().run("fetch")
        assert refused.returncode != 0
        assert "unknown-device" in refused.stderr

    def test_it_never_assigns_one_too_many(self, portal: Portal, make_appliance: MakeAppliance) -> None:
        appliance = make_appliance()
        partner = portal.partner()
        buy(portal, partner, appliance)
        with pytest.raises(PortalRefusal) as refusal:
            partner.post(
                f"devices/{appliance.hardware_id}/assignments",
                {"product": "Port", "version": 14, "quantity": 5},
            )
        assert json.loads(refusal.value.body)["code"] == "insufficient-licenses"


class TestByFile:
    def test_it_takes_a_license_to_a_device_that_has_no_network(
        self, portal: Portal, make_appliance: MakeAppliance, tmp_path: Path
    ) -> None:
        appliance = make_appliance()
        partner = portal.partner()
        buy(portal, partner, appliance)
        carried = tmp_path / "carried.lic"
        carried.write_bytes(partner.download(f"devices/{appliance.hardware_id}/license-document"))
        appliance.does("portal", "http://127.0.0.1:9")  # nobody answers there

        appliance.does("install", str(carried))
        assert in_effect(appliance) == []
        appliance.does("reset")
        assert in_effect(appliance) == [("Port", 6)]

    def test_it_is_refused_by_every_other_device(
        self, portal: Portal, make_appliance: MakeAppliance, tmp_path: Path
    ) -> None:
        appliance, other = make_appliance(), make_appliance()
        partner = portal.partner()
        buy(portal, partner, appliance)
        carried = tmp_path / "carried.lic"
        carried.write_bytes(partner.download(f"devices/{appliance.hardware_id}/license-document"))

        refused = other.run("install", str(carried))
        assert refused.returncode != 0
        assert "wrong-device" in refused.stderr
        assert other.status()["licenses"] == []

    def test_it_is_refused_when_a_character_of_it_changed(
        self, portal: Portal, make_appliance: MakeAppliance, tmp_path: Path
    ) -> None:
        appliance = make_appliance()
        partner = portal.partner()
        buy(portal, partner, appliance)
        bundle = json.loads(partner.download(f"devices/{appliance.hardware_id}/license-document"))
        payload = bundle["license"]["payload"]
        bundle["license"]["payload"] = payload[:40] + ("A" if payload[40] != "A" else "B") + payload[41:]
        carried = tmp_path / "carried.lic"
        carried.write_text(json.dumps(bundle))

        refused = appliance.run("install", str(carried))
        assert refused.returncode != 0
        assert "bad-signature" in refused.stderr
        assert appliance.status()["seq_installed"] == 0

    def test_it_is_refused_after_a_newer_one(
        self, portal: Portal, make_appliance: MakeAppliance, tmp_path: Path
    ) -> None:
        appliance = make_appliance()
        partner = portal.partner()
        buy(portal, partner, appliance)
        older = tmp_path / "older.lic"
        older.write_bytes(partner.download(f"devices/{appliance.hardware_id}/license-document"))
        partner.post(
            f"devices/{appliance.hardware_id}/assignments", {"product": "UC", "version": 14, "quantity": 1}
        )
        appliance.does("fetch")

        refused = appliance.run("install", str(older))
        assert refused.returncode != 0
        assert "older-document" in refused.stderr

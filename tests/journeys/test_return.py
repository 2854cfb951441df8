"""Licenses on their way back: a real appliance gives them back, online and by file (trust.md 5)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from devices.models import Device
from licenses import queries, verification
from licenses.models import Acknowledged
from tests import factories
from tests.journeys.conftest import Appliance, Portal
from tools.demo.partner import PortalRefusal

MakeAppliance = Callable[[], Appliance]


@pytest.fixture
def appliance(portal: Portal, make_appliance: MakeAppliance) -> Appliance:
    """With six ports of ten and four channels in effect."""
    made = make_appliance()
    factories.activated(portal.project, {"Port": 10, "Channels": 4})
    device = factories.make_device(project=portal.project, hardware_id=made.hardware_id)
    factories.assigned(device, 6)
    factories.assigned(device, 4, "Channels")
    made.does("fetch")
    made.does("reset")
    return made


def device_of(appliance: Appliance) -> Device:
    return Device.objects.get(hardware_id=appliance.hardware_id)


def grant(appliance: Appliance, code: str) -> str:
    [found] = [one for one in queries.live_grants(device_of(appliance)) if one.product.code == code]
    return queries.grant_id(found)


def in_effect(appliance: Appliance) -> list[tuple[str, int]]:
    return sorted(
        (entry["product"], entry["quantity"])
        for entry in appliance.status()["licenses"]
        if entry["state"] == "in-effect"
    )


class TestOnline:
    def test_one_goes_back_and_the_rest_stays_in_effect(self, portal: Portal, appliance: Appliance) -> None:
        appliance.does("return", grant(appliance, "Port"))

        assert in_effect(appliance) == [("Channels", 4)]
        assert factories.free(portal.project) == 10
        assert list(verification.violations()) == []

    def test_what_stays_with_the_hardware_is_in_effect_still(
        self, portal: Portal, appliance: Appliance
    ) -> None:
        appliance.does("return", grant(appliance, "Port"), grant(appliance, "Channels"))
        appliance.does("reset")

        assert in_effect(appliance) == [("Channels", 4)]
        assert factories.free(portal.project, "Channels") == 0

    def test_all_go_back(self, portal: Portal, appliance: Appliance) -> None:
        appliance.does("return", "--all")
        appliance.does("fetch")
        appliance.does("reset")

        assert in_effect(appliance) == [("Channels", 4)]
        assert factories.free(portal.project) == 10

    def test_a_device_that_never_fetched_gives_all_back(
        self, portal: Portal, make_appliance: MakeAppliance
    ) -> None:
        made = make_appliance()
        factories.activated(portal.project, {"Port": 10})
        device = factories.make_device(project=portal.project, hardware_id=made.hardware_id)
        factories.assigned(device, 6)

        made.does("return", "--all")

        assert (factories.free(portal.project), in_effect(made)) == (10, [])

    def test_an_older_backup_brings_nothing_back(
        self, portal: Portal, appliance: Appliance, tmp_path: Path
    ) -> None:
        backup = tmp_path / "backup.json"
        appliance.does("export", str(backup))
        appliance.does("return", grant(appliance, "Port"))
        appliance.does("fetch")
        appliance.does("reset")

        appliance.run("restore", str(backup))
        appliance.run("reset")

        assert ("Port", 6) not in in_effect(appliance)
        assert list(verification.violations()) == []

    def test_the_portal_knows_what_is_in_effect(self, appliance: Appliance) -> None:
        known = Acknowledged.objects.get(device=device_of(appliance))
        assert (known.installed_seq, known.effective_seq) == (2, 2)


class TestByFile:
    def test_the_return_goes_and_its_receipt_comes_by_hand(
        self, portal: Portal, appliance: Appliance, tmp_path: Path
    ) -> None:
        appliance.does("portal", "http://127.0.0.1:9")  # nobody answers there
        written = tmp_path / "return.jws"
        appliance.does("return", grant(appliance, "Port"), "--file", str(written))
        assert in_effect(appliance) == [("Channels", 4)]

        partner = portal.partner()
        path = f"devices/{appliance.hardware_id}"
        answer = partner.post(f"{path}/statements", {"statement": written.read_text()})
        assert [one["result"] for one in answer["results"]] == ["returned"]
        carried = tmp_path / "carried.lic"
        carried.write_bytes(partner.download(f"{path}/license-document"))
        assert "receipt" in json.loads(carried.read_bytes())
        appliance.does("install", str(carried))
        appliance.does("reset")

        assert in_effect(appliance) == [("Channels", 4)]
        assert factories.free(portal.project) == 10
        assert list(verification.violations()) == []

    def test_everything_goes_back_with_the_number_that_the_portal_names(
        self, portal: Portal, appliance: Appliance, tmp_path: Path
    ) -> None:
        device = device_of(appliance)
        for _ in range(2):
            factories.assigned(device)  # documents of which the device hears nothing
        appliance.does("portal", "http://127.0.0.1:9")  # nobody answers there
        written, path = tmp_path / "return.jws", f"devices/{appliance.hardware_id}"
        appliance.does("return", "--all", "--file", str(written))
        partner = portal.partner()
        with pytest.raises(PortalRefusal, match="min_seq 5"):
            partner.post(f"{path}/statements", {"statement": written.read_text()})
        assert in_effect(appliance) == []

        appliance.does("return", "--all", "--min-seq", "5", "--file", str(written))
        partner.post(f"{path}/statements", {"statement": written.read_text()})
        carried = tmp_path / "carried.lic"
        carried.write_bytes(partner.download(f"{path}/license-document"))
        appliance.does("install", str(carried))
        appliance.does("reset")

        assert in_effect(appliance) == [("Channels", 4)]
        assert factories.free(portal.project) == 10
        assert list(verification.violations()) == []

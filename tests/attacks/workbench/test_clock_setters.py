"""Attackers who set the clock (trust.md 12), of the device or of the network it believes."""

from datetime import UTC, datetime

import pytest

from appliance.fetching import fetch
from tests.appliance.conftest import Bench
from tests.appliance.fake_portal import FakePortal
from tests.appliance.issuing import NOW, PORTAL_ID, Issuer, bridge, bundle, item

DAY = 24 * 60 * 60
IN_2099 = int(datetime(2099, 1, 1, tzinfo=UTC).timestamp())


class TestWhoSetsTheClock:
    """Sets a device's clock to 2099.

    What stops it: only what is signed and running time raise the floor of the device's clock, no network and
    no wall clock does. Set right again, the device runs what it ran; set back, it brings nothing back.
    """

    @pytest.fixture
    def bridged(self, online: Bench, portal: FakePortal) -> Bench:
        """Its portal gave it ports for good and a bridge for a day."""
        given = online.issuer.bundle(online.hardware_id, items=[item("Port"), bridge("UC", exp=NOW + DAY)])
        portal.answer(given)
        fetch(online.device())
        online.device().reset()
        return online

    def running(self, bench: Bench) -> set[str]:
        return {one.product for one in bench.device().status().licenses if one.state == "in-effect"}

    def test_what_has_no_end_runs_in_2099_too(self, bridged: Bench) -> None:
        bridged.hands.wall = IN_2099

        assert self.running(bridged) == {"Port"}

    def test_set_right_again_it_has_lost_nothing(self, bridged: Bench) -> None:
        bridged.hands.wall = IN_2099
        bridged.device().reset()
        bridged.device().status()

        bridged.hands.wall = NOW

        assert self.running(bridged) == {"Port", "UC"}

    def test_a_network_that_says_2099_raises_nothing(self, bridged: Bench, portal: FakePortal) -> None:
        urls = {
            name: f"{portal.address}/device/v1/{name}" for name in ("licenses", "returns", "acks", "claims")
        }
        portal.directory = {
            "urls": urls | {"nonce": f"{portal.address}/device/v1/new-nonce"},
            "portal": PORTAL_ID,
            "time": IN_2099,
        }
        portal.status, portal.body = 204, b""

        fetch(bridged.device())

        assert bridged.device().status().time < NOW + DAY
        assert self.running(bridged) == {"Port", "UC"}

    def test_set_back_after_the_end_it_brings_nothing_back(self, bridged: Bench) -> None:
        bridged.hands.run(DAY)
        assert self.running(bridged) == {"Port"}

        for wall in (0, NOW - DAY, NOW):
            bridged.hands.wall = wall
            assert self.running(bridged) == {"Port"}

    def test_a_document_whose_time_is_forged_is_none(self, bridged: Bench) -> None:
        """Signed by another portal, as far ahead as anybody likes."""
        forged = Issuer(roots=bridged.issuer.roots).document(bridged.hardware_id, seq=2, iat=IN_2099)

        bridged.refuse(bundle(forged, bridged.issuer.keyset()), "unknown-key")

        assert bridged.device().status().time < NOW + DAY

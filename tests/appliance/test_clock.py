"""The device's clock (mission rule 34)."""

from appliance.clock import FACTORY_RECORD, FIRMWARE_BUILT, ClockRecord, machine_clock
from tests.appliance.conftest import Bench, SetClock
from tests.appliance.issuing import NOW, bridge

DAY = 24 * 60 * 60


class TestTheFloor:
    def test_it_begins_with_the_build_of_the_firmware(self) -> None:
        hands = SetClock(wall=0, running=5)
        assert hands.clock().now(FACTORY_RECORD) == FIRMWARE_BUILT

    def test_it_rises_with_running_time(self) -> None:
        hands = SetClock(wall=0)
        record = hands.clock().raised(FACTORY_RECORD, NOW)
        hands.running += 100
        assert hands.clock().floor(record) == NOW + 100

    def test_it_is_raised_by_a_verified_time_and_never_lowered(self) -> None:
        clock = SetClock(wall=0).clock()
        record = clock.raised(FACTORY_RECORD, NOW)
        assert clock.raised(record, NOW + 5).floor == NOW + 5
        assert clock.raised(record, NOW - 5).floor == NOW

    def test_it_counts_nothing_of_a_run_it_did_not_see_begin(self) -> None:
        record = ClockRecord(NOW, "first run", 100)
        assert SetClock(running=5000, boot="second run").clock().floor(record) == NOW

    def test_it_does_not_fall_when_running_time_is_lower_than_recorded(self) -> None:
        record = ClockRecord(NOW, "first run", 5000)
        assert SetClock(running=100).clock().floor(record) == NOW

    def test_it_outlasts_a_restart(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id))
        bench.hands.run(DAY)
        bench.device().status()
        bench.hands = SetClock(wall=0, running=3, boot="second run")
        assert bench.device().status().time == NOW + DAY

    def test_it_counts_on_in_the_next_run(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id))
        bench.hands = SetClock(wall=0, running=3, boot="second run")
        bench.device().status()
        bench.hands.running += DAY
        assert bench.device().status().time == NOW + DAY

    def test_it_is_raised_by_the_time_of_a_document_and_of_a_key_set(self, bench: Bench) -> None:
        bench.hands.wall = 0
        bench.device().install(bench.issuer.bundle(bench.hardware_id, iat=NOW + 50))
        assert bench.device().status().time == NOW + 50


class TestTheWallClock:
    def test_it_may_run_ahead_and_raises_nothing(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id, items=[bridge(exp=NOW + DAY)]))
        bench.device().reset()
        bench.hands.wall = NOW + 36_500 * DAY
        assert bench.device().status().licenses[0].state == "installed"
        bench.hands.wall = NOW
        assert bench.device().status().licenses[0].state == "in-effect"

    def test_setting_it_back_brings_no_ended_license_back(self, bench: Bench) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id, items=[bridge(exp=NOW + DAY)]))
        bench.device().reset()
        bench.hands.run(DAY)
        bench.hands.wall = 0
        assert bench.device().status().licenses[0].waiting == "ended"


class TestTheMachine:
    def test_its_clock_can_be_read(self) -> None:
        clock = machine_clock()
        assert clock.running() > 0
        assert clock.boot == machine_clock().boot

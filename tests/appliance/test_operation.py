"""Test mode and resets at the device: eight hours of running time, and calls that end."""

from dataclasses import replace

import pytest

from appliance.operation import TEST_MODE_SECONDS, Operation, TestMode
from appliance.refusals import Refusal
from tests.appliance.conftest import Bench, SetClock
from tests.appliance.issuing import NOW, bridge, item

HOUR = 60 * 60
PORT = item("Port", quantity=10)


def left(bench: Bench) -> int | None:
    return bench.device().status().test_mode_left


def run_with(bench: Bench, *items: dict[str, object], seq: int = 1) -> None:
    bench.device().install(bench.issuer.bundle(bench.hardware_id, seq=seq, items=items))
    bench.device().reset()


class TestTheRecord:
    def test_it_counts_running_time_only(self) -> None:
        hands = SetClock()
        mode = TestMode(0, "first run", 1000)
        hands.run(HOUR)
        hands.wall += 900 * HOUR
        assert mode.left(hands.clock()) == 7 * HOUR

    def test_it_goes_on_in_the_next_run_where_it_was_written_down(self) -> None:
        mode = TestMode(3 * HOUR, "first run", 1000)
        later = SetClock(running=5, boot="second run")
        assert mode.left(later.clock()) == 5 * HOUR
        again = mode.recorded(later.clock())
        later.run(HOUR)
        assert again.left(later.clock()) == 4 * HOUR

    def test_it_never_has_less_than_nothing_left(self) -> None:
        assert TestMode(TEST_MODE_SECONDS + 5, "x", 0).left(SetClock().clock()) == 0

    def test_a_clock_that_runs_backwards_gives_nothing_back(self) -> None:
        assert TestMode(HOUR, "first run", 5000).recorded(SetClock(running=100).clock()).used == HOUR

    def test_a_reset_ends_everything_and_is_counted_once(self) -> None:
        busy = Operation(resets=4, calls={"Port": 3}, test_mode=TestMode(0, "x", 0))
        begun = busy.begin_reset()
        assert (begun.resets, begun.busy, begun.resetting) == (5, False, True)
        assert begun.begin_reset() == begun
        assert begun.end_reset() == replace(begun, resetting=False)


class TestTestMode:
    def test_it_licenses_everything_without_limit_and_without_a_portal(self, bench: Bench) -> None:
        bench.device().begin_test_mode()
        work = bench.device().work()
        assert work.status.test_mode_left == 8 * HOUR
        assert {counter.installed for counter in (*work.gateway, *work.pbx)} == {None}
        bench.device().want({"Channels": 500})
        [channels] = [one for one in bench.device().work().gateway if one.product == "Channels"]
        assert (channels.used, channels.short) == (500, 0)

    def test_it_switches_itself_off_and_resets_the_device(self, bench: Bench) -> None:
        run_with(bench, PORT)
        bench.device().begin_test_mode()
        bench.device().want({"Channels": 5})
        bench.device().install(bench.issuer.bundle(bench.hardware_id, seq=2, items=[PORT, item("Fax")]))
        bench.hands.run(8 * HOUR - 1)
        assert left(bench) == 1
        assert bench.device().status().seq_in_effect == 1
        bench.hands.run(1)
        status = bench.device().status()
        assert (status.test_mode_left, status.seq_in_effect, status.resets) == (None, 2, 2)
        assert bench.device().state().operation.calls == {}

    def test_it_outlasts_restarts_of_the_process_and_does_not_count_time_off(self, bench: Bench) -> None:
        bench.device().begin_test_mode()
        bench.hands.run(3 * HOUR)
        assert left(bench) == 5 * HOUR
        bench.hands = SetClock(wall=NOW + 90 * HOUR, running=3, boot="second run")
        assert left(bench) == 5 * HOUR
        bench.hands.run(5 * HOUR)
        assert left(bench) is None

    def test_setting_the_clock_changes_nothing_about_it(self, bench: Bench) -> None:
        bench.device().begin_test_mode()
        bench.hands.wall = NOW + 9000 * HOUR
        assert left(bench) == 8 * HOUR
        bench.hands.wall = 0
        bench.hands.running += 8 * HOUR
        assert left(bench) is None

    def test_it_may_be_switched_on_as_often_as_wished(self, bench: Bench) -> None:
        for _ in range(3):
            bench.device().begin_test_mode()
            bench.hands.run(8 * HOUR - 60)
            assert left(bench) == 60
            bench.device().begin_test_mode()
            assert left(bench) == 8 * HOUR
            bench.hands.run(8 * HOUR)
            assert left(bench) is None

    def test_switched_off_before_its_time_it_resets_the_device(self, bench: Bench) -> None:
        bench.device().begin_test_mode()
        bench.device().end_test_mode()
        assert (left(bench), bench.device().status().resets) == (None, 1)
        with pytest.raises(Refusal) as refused:
            bench.device().end_test_mode()
        assert refused.value.code == "test-mode-off"

    def test_a_reset_ends_it(self, bench: Bench) -> None:
        run_with(bench, PORT)
        bench.device().begin_test_mode()
        bench.device().reset()
        assert left(bench) is None

    def test_a_return_which_resets_the_device_ends_it(self, bench: Bench) -> None:
        run_with(bench, PORT)
        bench.device().begin_test_mode()
        bench.device().begin_return((PORT["id"],), audience="https://portal.test/")
        assert left(bench) is None


class TestReset:
    def test_it_ends_calls_on_a_device_without_licenses_too(self, bench: Bench) -> None:
        bench.device().want({"Port": 2})
        bench.device().reset()
        assert not bench.device().state().operation.busy

    def test_calls_and_test_mode_are_in_no_backup(self, bench: Bench) -> None:
        run_with(bench, PORT)
        exported = bench.device().exported_configuration()
        bench.device().begin_test_mode()
        bench.device().want({"Port": 2})
        assert bench.device().exported_configuration() == exported

    def test_a_file_of_its_state_that_cannot_be_read_is_told(self, bench: Bench) -> None:
        bench.device().begin_test_mode()
        for text in (
            "{",
            '{"format":9}',
            '{"format":1,"resets":-1,"resetting":false,"test_mode":null,"calls":{}}',
        ):
            (bench.home / "operation.json").write_text(text)
            with pytest.raises(Refusal) as refused:
                bench.device().status()
            assert refused.value.code == "damaged-state"


class TestAnEndDuringTestMode:
    def test_a_license_that_ends_meanwhile_is_gone_when_test_mode_is(self, bench: Bench) -> None:
        run_with(bench, PORT, bridge("Fax", exp=NOW + 2 * HOUR))
        bench.device().begin_test_mode()
        bench.hands.run(3 * HOUR)
        [fax] = [one for one in bench.device().work().pbx if one.product == "Fax"]
        assert fax.installed is None
        bench.device().end_test_mode()
        [fax] = [one for one in bench.device().work().pbx if one.product == "Fax"]
        assert fax.installed == 0

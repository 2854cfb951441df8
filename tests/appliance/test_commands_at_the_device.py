"""Commands for what goes on at the device itself: what they say, and with which exit code they end."""

import io
import json
from pathlib import Path

import pytest

from appliance.access import read_secret
from appliance.cli import main
from appliance.kinds import COUNTED, Feature
from appliance.objects import objects_to_json
from appliance.traffic import moved
from tests.appliance.browsing import PASSWORD
from tests.appliance.conftest import Bench
from tests.appliance.issuing import item
from tests.appliance.test_licensing import staff


@pytest.fixture
def device(bench: Bench) -> Bench:
    """A device that runs seven licenses for fax and eight channels."""
    items = [item("Fax", quantity=7), item("Channels", quantity=8, ret=False)]
    bench.device().install(bench.issuer.bundle(bench.hardware_id, items=items))
    bench.device().reset()
    return bench


def run(bench: Bench, *words: str) -> int:
    return main(["--home", str(bench.home), *words])


class TestCommands:
    def test_test_mode_is_switched_on_and_off(
        self, device: Bench, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(device, "test-mode", "on") == 0
        assert "eight hours" in capsys.readouterr().out
        assert run(device, "status") == 0
        assert "Test mode    on, 8:00 h left" in capsys.readouterr().out
        assert run(device, "test-mode", "off") == 0
        assert run(device, "test-mode", "off") == 1
        assert "test-mode-off" in capsys.readouterr().err

    def test_entries_are_deleted_by_their_ids(
        self, device: Bench, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fax = next(entry.id for entry in device.device().status().licenses if entry.product == "Fax")
        assert run(device, "delete", fax) == 0
        assert "Nothing changes at the portal" in capsys.readouterr().out
        assert run(device, "delete") == 2
        assert run(device, "delete", fax, "--all") == 2
        assert run(device, "delete", "--all") == 0
        assert run(device, "reset") == 0
        assert device.device().status().licenses == ()

    def test_traffic_sets_numbers_and_shows_what_is_turned_away(
        self, device: Bench, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(device, "traffic", "Channels=11", "Port=0") == 0
        [line] = [one for one in capsys.readouterr().out.splitlines() if one.startswith("Channels")]
        assert line.split() == ["Channels", "installed", "8", "used", "8", "3", "turned", "away"]
        for wrong in ("Channels=many", "Channels", "Fax=1"):
            assert run(device, "traffic", wrong) == 1

    def test_traffic_moves_numbers_by_itself(self, device: Bench) -> None:
        for _ in range(20):
            assert run(device, "traffic") == 0
            counters = {one.product: one for one in device.device().work().gateway}
            assert counters["Channels"].wanted <= 9
            assert counters["PRI"].wanted == 0

    def test_users_come_from_a_file_and_are_shown_with_what_they_lack(
        self, device: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "objects.json"
        path.write_text(json.dumps(objects_to_json(staff(8, Feature.FAX))))
        assert run(device, "objects", str(path)) == 0
        said = capsys.readouterr().out
        assert said.startswith("8 users, 1 config templates")
        assert said.count("not licensed: Fax") == 1
        for wrong in ("{", '{"format":1}', '{"format":1,"next_id":1,"users":[{"id":1}],"templates":[]}'):
            path.write_text(wrong)
            assert run(device, "objects", str(path)) == 1
            assert "not-objects" in capsys.readouterr().err
        assert run(device, "objects", str(tmp_path / "none.json")) == 1
        assert len(device.device().objects().users) == 8

    def test_the_check_up_ends_with_its_verdict(
        self, device: Bench, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(device, "check-up") == 0
        assert run(device, "traffic", "Channels=11") == 0
        capsys.readouterr()
        assert run(device, "check-up", "--json") == 1
        findings = json.loads(capsys.readouterr().out)
        assert [finding["step"] for finding in findings if not finding["good"]] == ["gateway-counters"]
        assert run(device, "check-up") == 1
        assert "FAULT  Channels: 11 wanted, 8 installed." in capsys.readouterr().out

    def test_the_password_is_read_from_a_pipe(
        self, device: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        assert run(device, "password") == 0
        assert PASSWORD not in capsys.readouterr().out
        secret = read_secret(device.home)
        assert secret is not None
        assert secret.is_password(PASSWORD)
        monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
        assert run(device, "password") == 1


class TestTraffic:
    def test_without_a_limit_it_stays_a_number_to_look_at(self, bench: Bench) -> None:
        bench.device().begin_test_mode()

        class Rising:
            """A chance that always goes up."""

            def randint(self, _least: int, most: int) -> int:
                return most

        for _ in range(20):
            work = bench.device().work()
            bench.device().want(
                moved({one.product: one for one in (*work.gateway, *work.pbx)}, Rising())  # type: ignore[arg-type]
            )
        assert set(bench.device().state().operation.calls.values()) == {30}
        assert bench.device().state().operation.calls.keys() == set(COUNTED)

"""The durable files and the lock."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from appliance.device import Device
from appliance.refusals import Refusal
from appliance.returning import return_file, send_return
from appliance.store import Store
from tests.appliance.conftest import Bench
from tests.appliance.issuing import Json, b64u, compact, random_id, unb64u


def damaged(pending: Json, damage: object) -> object:
    """A pending return with something changed in it, or in the statement that is signed for it."""
    if not isinstance(damage, dict):
        return damage
    if damage.keys() & {"payload", "labels", "reset_done"}:
        return {**pending, **damage}
    payload = json.loads(unb64u(pending["payload"]))
    without = payload.pop(damage["without"], None) if "without" in damage else None
    assert ("without" in damage) == (without is not None)
    changed = {**payload, **{name: value for name, value in damage.items() if name != "without"}}
    return {**pending, "payload": b64u(compact(changed))}


class TestWriting:
    def test_it_syncs_the_file_before_it_gets_its_name_and_the_folder_afterwards(
        self, tmp_path: Path
    ) -> None:
        steps: list[str] = []
        Store(tmp_path, before_step=steps.append).write("a", {"x": 1})
        assert steps == ["create a", "fill a", "sync a", "rename a", "sync folder of a"]
        assert Store(tmp_path).read("a") == {"x": 1}

    def test_it_leaves_files_for_the_owner_alone(self, tmp_path: Path) -> None:
        Store(tmp_path).write("a", {})
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600

    def test_a_file_half_written_before_does_not_matter(self, tmp_path: Path) -> None:
        (tmp_path / "a.new").write_bytes(b'{"x": "longer than what comes')
        Store(tmp_path).write("a", {})
        assert (tmp_path / "a").read_bytes() == b"{}"


class TestDamage:
    @pytest.mark.parametrize("name", ["vault.json", "configuration.json", "device.json"])
    @pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"format":2}', b"\x00\xff"], ids=repr)
    def test_it_is_said_and_not_guessed_over(self, bench: Bench, name: str, content: bytes) -> None:
        bench.device().install(bench.issuer.bundle(bench.hardware_id))
        (bench.home / name).write_bytes(content)
        with pytest.raises(Refusal) as refused:
            bench.device().status()
        assert refused.value.code == "damaged-state"

    @pytest.mark.parametrize(
        "bundle",
        [
            '{"bundle":"olp/1","tag":"t"}',
            '{"bundle":"olp/1","tag":"t","license":{"payload":"="}}',
            '{"bundle":"olp/1","tag":"t","license":{"payload":"e30"}}',
        ],
    )
    def test_a_configuration_without_its_document_is_damage(self, bench: Bench, bundle: str) -> None:
        damaged = {"format": 1, "installed": bundle, "in_effect": None}
        (bench.home / "configuration.json").write_text(json.dumps(damaged))
        with pytest.raises(Refusal) as refused:
            bench.device().status()
        assert refused.value.code == "damaged-state"

    @pytest.mark.parametrize(
        ("name", "damage"),
        [
            ("pending_return", 7),
            ("pending_return", {"payload": ""}),
            ("pending_return", {"payload": "=="}),
            ("pending_return", {"payload": b64u(b"no JSON")}),
            ("pending_return", {"payload": b64u(b"{}")}),
            ("pending_return", {"without": "jti"}),
            ("pending_return", {"without": "ctr"}),
            ("pending_return", {"without": "aud"}),
            ("pending_return", {"without": "grants"}),
            ("pending_return", {"without": "min_seq"}),
            ("pending_return", {"grants": "all"}),
            ("pending_return", {"grants": []}),
            ("pending_return", {"grants": [7]}),
            ("pending_return", {"grants": ["*", "A" * 22]}),
            ("pending_return", {"jti": "short"}),
            ("pending_return", {"ctr": "1"}),
            ("pending_return", {"labels": [1]}),
            ("pending_return", {"labels": {"A": 1}}),
            ("pending_return", {"labels": None}),
            ("pending_return", {"reset_done": "yes"}),
            ("pending_claim", 7),
            ("pending_claim", "=="),
            ("pending_claim", b64u(b"{}")),
            ("receipt", {"signed": "{}", "labels": {}}),
            ("receipt", {"signed": None, "labels": {}}),
            ("receipt", {"signed": '{"payload":"e30"}', "labels": {}}),
            ("keyset", "{}"),
            ("keyset", '{"payload":"e30"}'),
            ("keyset", 7),
            ("tombstones", [{"id": "short", "next_seq": None}]),
        ],
        ids=str,
    )
    def test_a_vault_with_something_else_in_it_is_damage(
        self, bench: Bench, name: str, damage: object
    ) -> None:
        device = bench.device()
        device.install(bench.issuer.bundle(bench.hardware_id))
        device.begin_return((random_id(),), audience="https://portal.test/")
        vault = json.loads((bench.home / "vault.json").read_bytes())
        vault[name] = damaged(vault[name], damage) if name == "pending_return" else damage
        (bench.home / "vault.json").write_text(json.dumps(vault))
        for act in (Device.status, Device.reset, send_return, return_file, Device.exported_configuration):
            with pytest.raises(Refusal) as refused:
                act(bench.device())
            assert refused.value.code == "damaged-state"

    def test_a_missing_vault_is_damage_and_not_a_new_device(self, bench: Bench) -> None:
        (bench.home / "vault.json").unlink()
        with pytest.raises(Refusal) as refused:
            bench.device().status()
        assert refused.value.code == "damaged-state"


class TestTheLock:
    def test_it_keeps_another_process_out(self, bench: Bench) -> None:
        command = [sys.executable, "-m", "appliance", "--home", str(bench.home), "status"]
        with Store(bench.home).locked():
            other = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
            with pytest.raises(subprocess.TimeoutExpired):
                other.wait(timeout=1.5)
        output, _ = other.communicate(timeout=60)
        assert other.returncode == 0
        assert b"seq" in output

    def test_it_keeps_another_thread_out(self, bench: Bench) -> None:
        entered = threading.Event()

        def enter() -> None:
            with Store(bench.home).locked():
                entered.set()

        thread = threading.Thread(target=enter)
        with Store(bench.home).locked():
            thread.start()
            assert not entered.wait(0.2)
        thread.join(timeout=60)
        assert entered.is_set()

    def test_it_needs_a_home(self, tmp_path: Path) -> None:
        with pytest.raises(Refusal) as refused, Store(tmp_path / "nowhere").locked():
            pass
        assert refused.value.code == "no-home"

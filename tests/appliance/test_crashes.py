"""Power is lost before every single durable step; the device then runs what it ran, or what was to come."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.device import Device
from appliance.installation import Outcome
from appliance.pending import ALL
from appliance.refusals import Refusal
from tests.appliance.conftest import Bench, MakeBench
from tests.appliance.crashing import KILLED, count_steps, crash
from tests.appliance.issuing import NOW, Json, bridge, bundle, item

PORT, FAX = item("Port"), item("Fax")
LENT = bridge("DECT", exp=NOW + 400 * 24 * 60 * 60)


def running(home: Path) -> set[str]:
    return {entry.product for entry in Device(home).status().licenses if entry.state == "in-effect"}


def crash_everywhere(
    bench: Bench,
    *arguments: str,
    check: Callable[[Path], None],
    before: Callable[[], object] = lambda: None,
) -> int:
    """Crash a command at each of its steps, each time on a fresh copy of the home, which `check` looks at.

    :param before: puts the portal back to where it was.
    """
    # The device has been switched on: writing down that a new run began is not part of the command.
    Device(bench.home).status()
    rehearsal = bench.home.with_name("rehearsal")
    shutil.copytree(bench.home, rehearsal)
    before()
    steps = count_steps(["--home", str(rehearsal), *arguments])
    for step in range(1, steps + 1):
        home = bench.home.with_name(f"crash-{step}")
        shutil.copytree(bench.home, home)
        before()
        assert crash(["--home", str(home), *arguments], die_at=step) == KILLED, step
        check(home)
    return steps


@pytest.fixture
def device(make_bench: MakeBench) -> Bench:
    """A device that runs Port and DECT out of document 1."""
    bench = make_bench()
    bench.device().install(bench.issuer.bundle(bench.hardware_id, items=[PORT, LENT]))
    bench.device().reset()
    return bench


def second_document(device: Bench, tmp_path: Path, *items: Json, version: int = 2) -> Path:
    document = device.issuer.document(device.hardware_id, seq=2, items=items)
    path = tmp_path / "second.lic"
    path.write_bytes(bundle(document, device.issuer.keyset(version=version)))
    return path


class TestInstall:
    def test_a_crash_leaves_the_old_licenses_running_and_the_file_can_be_installed(
        self, device: Bench, tmp_path: Path
    ) -> None:
        path = second_document(device, tmp_path, PORT, FAX)

        def check(home: Path) -> None:
            assert running(home) == {"Port", "DECT"}
            again = Device(home).install(path.read_bytes())
            assert again.outcome in {Outcome.INSTALLED, Outcome.ALREADY_INSTALLED}
            assert running(home) == {"Port", "DECT"}
            Device(home).reset()
            assert running(home) == {"Port", "Fax"}

        assert crash_everywhere(device, "install", str(path), check=check) == 10

    def test_a_crash_and_a_reset_leave_one_whole_document_running(
        self, device: Bench, tmp_path: Path
    ) -> None:
        path = second_document(device, tmp_path, PORT, FAX)
        seen = set()

        def check(home: Path) -> None:
            Device(home).reset()
            seen.add(frozenset(running(home)))

        crash_everywhere(device, "install", str(path), check=check)
        assert seen == {frozenset({"Port", "DECT"}), frozenset({"Port", "Fax"})}

    def test_a_crash_never_lets_the_document_before_in_again(self, device: Bench, tmp_path: Path) -> None:
        path = second_document(device, tmp_path, PORT, FAX)
        first = device.device().installed_bundle()

        def check(home: Path) -> None:
            Device(home).install(path.read_bytes())
            with pytest.raises(Refusal) as refused:
                Device(home).install(first)
            assert refused.value.code in {"older-document", "older-key-set"}

        crash_everywhere(device, "install", str(path), check=check)

    def test_a_crash_while_lengthening_keeps_everything_running(self, device: Bench, tmp_path: Path) -> None:
        path = second_document(device, tmp_path, PORT, {**LENT, "exp": LENT["exp"] + 1000})

        def check(home: Path) -> None:
            assert running(home) == {"Port", "DECT"}
            Device(home).install(path.read_bytes())
            assert not Device(home).status().reset_required
            assert running(home) == {"Port", "DECT"}

        assert crash_everywhere(device, "install", str(path), check=check) == 15

    def test_a_crash_at_the_first_document_leaves_a_device_without_or_with_it(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        path = tmp_path / "first.lic"
        path.write_bytes(bench.issuer.bundle(bench.hardware_id, items=[PORT]))

        def check(home: Path) -> None:
            assert running(home) == set()
            Device(home).install(path.read_bytes())
            Device(home).reset()
            assert running(home) == {"Port"}

        crash_everywhere(bench, "install", str(path), check=check)


class TestReset:
    def test_a_crash_leaves_the_old_or_the_new_document_in_effect(
        self, device: Bench, tmp_path: Path
    ) -> None:
        device.device().install(second_document(device, tmp_path, PORT, FAX).read_bytes())
        seen = []

        def check(home: Path) -> None:
            seen.append(running(home))
            Device(home).reset()
            assert running(home) == {"Port", "Fax"}

        crash_everywhere(device, "reset", check=check)
        assert {frozenset(products) for products in seen} == {
            frozenset({"Port", "DECT"}),
            frozenset({"Port", "Fax"}),
        }
        # Once the new one is in effect it stays: the old one never comes after it.
        assert seen == sorted(seen, key=lambda products: "Fax" in products)

    @pytest.mark.parametrize("words", [("reset",), ("test-mode", "off")], ids=["reset", "test mode off"])
    def test_a_crash_leaves_a_device_that_was_reset_wholly_or_not_at_all(
        self, device: Bench, tmp_path: Path, words: tuple[str, ...]
    ) -> None:
        device.device().install(second_document(device, tmp_path, PORT, FAX).read_bytes())
        Device(device.home).want({"Port": 3})
        Device(device.home).begin_test_mode()
        seen = []

        def check(home: Path) -> None:
            state = Device(home).state()
            seen.append((frozenset(running(home)), state.operation.busy, state.operation.resets))

        crash_everywhere(device, *words, check=check)
        assert set(seen) == {
            (frozenset({"Port", "DECT"}), True, 1),
            (frozenset({"Port", "Fax"}), False, 2),
        }
        assert seen == sorted(seen, key=lambda one: one[2])


class TestDelete:
    @pytest.mark.parametrize("everything", [True, False], ids=["document", "entry"])
    def test_a_crash_leaves_it_noted_or_not_and_it_can_be_repeated(
        self, device: Bench, everything: bool
    ) -> None:
        chosen = "--all" if everything else LENT["id"]

        def check(home: Path) -> None:
            assert running(home) == {"Port", "DECT"}
            noted = Device(home).status().deleted
            assert Device(home).status().reset_required is noted
            Device(home).delete(ALL if everything else (LENT["id"],))
            Device(home).reset()
            assert running(home) == (set() if everything else {"Port"})

        crash_everywhere(device, "delete", chosen, check=check)

    def test_a_crash_at_the_reset_after_it_lets_nothing_back_in(self, device: Bench) -> None:
        device.device().delete(ALL)

        def check(home: Path) -> None:
            seen = running(home)
            assert seen in ({"Port", "DECT"}, set())
            if seen:
                Device(home).reset()
            assert running(home) == set()
            assert Device(home).status().seq_highest == 1

        crash_everywhere(device, "reset", check=check)


class TestTestMode:
    def test_a_crash_leaves_it_on_or_off(self, device: Bench) -> None:
        def check(home: Path) -> None:
            assert running(home) == {"Port", "DECT"}
            Device(home).begin_test_mode()
            assert Device(home).status().test_mode_left

        crash_everywhere(device, "test-mode", "on", check=check)


class TestInit:
    def test_a_home_half_made_is_no_home(self, bench: Bench) -> None:
        (bench.home / "device.json").unlink()
        with pytest.raises(Refusal) as refused:
            Device(bench.home)
        assert refused.value.code == "no-home"

"""The operator's commands about devices: what they do, print and refuse (trust.md 1 and 3)."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from appliance.factory.authority import Authority, pem
from devices import alerts
from devices.models import Alert, BlockedKey, Device, SeqFloor, TrustAnchor
from tests.factories import NOW
from tests.operations.bookkeeping import last_entry, unchanged

KEY = "ab" * 32


def command(*words: object) -> str:
    """What a command prints."""
    printed = StringIO()
    call_command(*map(str, words), stdout=printed)
    return printed.getvalue()


def refuses(code: str, *words: object) -> None:
    """The command ends with one line that has the code, and has changed nothing."""
    with unchanged(), pytest.raises(CommandError) as refused:
        command(*words)
    assert f"[{code}]" in str(refused.value)
    assert "\n" not in str(refused.value)


class TestAlerts:
    @pytest.fixture
    def alert(self, device: Device) -> Alert:
        alerts.alert(Alert.Kind.COUNTER_FORK, device=device, subject="7", now=NOW, ctr=7)
        return Alert.objects.get()

    def test_it_says_that_none_is_open(self, db: None) -> None:
        assert command("alerts") == "No open alerts.\n"
        assert json.loads(command("alerts", "--json")) == []

    def test_it_lists_the_open_ones(self, alert: Alert) -> None:
        hardware_id = alert.about
        assert command("alerts") == f"{alert.pk}  2026-11-24 12:00 UTC  counter-fork  {hardware_id}  ctr=7\n"
        [told] = json.loads(command("alerts", "--json"))
        assert told == {
            "id": alert.pk,
            "kind": "counter-fork",
            "hardware_id": hardware_id,
            "company": None,
            "at": "2026-11-24T12:00:00+00:00",
            "facts": {"ctr": 7},
        }

    def test_it_settles_one_and_stops_listing_it(self, alert: Alert) -> None:
        told = command("alerts", "--settle", alert.pk, "--reason", "a restored snapshot")

        assert told == f"Settled alert {alert.pk}.\n"
        assert command("alerts") == "No open alerts.\n"
        assert (last_entry().actor_name, last_entry().facts["reason"]) == (
            "command alerts",
            "a restored snapshot",
        )

    def test_it_refuses_to_settle_without_a_reason_twice_or_none(self, alert: Alert) -> None:
        refuses("reason-needed", "alerts", "--settle", alert.pk)
        refuses("no-such-alert", "alerts", "--settle", 0, "--reason", "x")
        command("alerts", "--settle", alert.pk, "--reason", "x")
        refuses("alert-settled-already", "alerts", "--settle", alert.pk, "--reason", "x")


class TestBlocking:
    def test_it_blocks_and_unblocks_a_device_however_it_is_typed(self, device: Device) -> None:
        typed = device.hardware_id.replace("-", "").lower()
        assert command("block", "device", typed, "--reason", "stolen") == f"Blocked the device {device}.\n"
        device.refresh_from_db()
        assert device.blocked_at is not None
        assert last_entry().facts["reason"] == "stolen"

        told = command("unblock", "device", device.hardware_id, "--reason", "found")

        assert told == f"Unblocked the device {device}.\n"
        device.refresh_from_db()
        assert device.blocked_at is None

    def test_it_blocks_and_unblocks_a_key(self, db: None) -> None:
        assert command("block", "key", KEY, "--reason", "copied") == "Blocked the key.\n"
        assert (BlockedKey.objects.get().reason, BlockedKey.objects.get().blocked_by) == (
            "copied",
            "command block",
        )
        assert command("unblock", "key", KEY, "--reason", "a mistake") == "Unblocked the key.\n"
        assert not BlockedKey.objects.exists()

    def test_it_says_what_it_refuses(self, device: Device) -> None:
        refuses("no-such-device", "block", "device", "00-90-33-FF-FF-FF", "--reason", "x")
        refuses("no-such-device", "block", "device", "nonsense", "--reason", "x")
        refuses("reason-needed", "block", "device", device.hardware_id, "--reason", " ")
        refuses("device-not-blocked", "unblock", "device", device.hardware_id, "--reason", "x")
        refuses("key-hash-malformed", "block", "key", "abc", "--reason", "x")
        refuses("device-key-not-blocked", "unblock", "key", KEY, "--reason", "x")
        command("block", "device", device.hardware_id, "--reason", "x")
        command("block", "key", KEY, "--reason", "x")
        refuses("device-blocked-already", "block", "device", device.hardware_id, "--reason", "x")
        refuses("device-key-blocked-already", "block", "key", KEY, "--reason", "x")

    def test_it_asks_for_a_reason(self, device: Device) -> None:
        for name in ("block", "unblock"):
            with pytest.raises(CommandError, match="--reason"):
                command(name, "device", device.hardware_id)


class TestSeqFloor:
    def test_it_raises_all_devices(self, device: Device) -> None:
        told = command("seq_floor", "raise", 1000, "--reason", "restored from Monday's backup")

        assert told == "The next document of each of 1 devices has a seq above 1000.\n"
        device.refresh_from_db()
        assert (device.seq_floor, SeqFloor.objects.get().value) == (1000, 1000)
        assert last_entry().facts["reason"] == "restored from Monday's backup"

    def test_it_raises_one_device(self, device: Device) -> None:
        told = command("seq_floor", "device", device.hardware_id, 5_000_000, "--reason", "as the alert says")

        assert told == f"The next document of {device} has a seq above 5000000.\n"
        device.refresh_from_db()
        assert device.seq_floor == 5_000_000
        assert not SeqFloor.objects.exists()

    def test_it_says_what_it_refuses(self, device: Device) -> None:
        refuses("seq-out-of-range", "seq_floor", "raise", 0, "--reason", "x")
        refuses("reason-needed", "seq_floor", "raise", 5, "--reason", "")
        refuses("no-such-device", "seq_floor", "device", "00-90-33-FF-FF-FF", 5, "--reason", "x")
        command("seq_floor", "raise", 5, "--reason", "x")
        refuses("seq-floor-not-raised", "seq_floor", "raise", 5, "--reason", "x")
        refuses("seq-floor-not-raised", "seq_floor", "device", device.hardware_id, 5, "--reason", "x")


class TestTrustAnchor:
    @pytest.fixture
    def file(self, authority: Authority, tmp_path: Path) -> Path:
        path = tmp_path / "ca.pem"
        path.write_bytes(pem(authority.root))
        return path

    def add(self, file: Path, *more: str, prefix: str = "00-90-33") -> str:
        return command("trust_anchor", "add", file, "--manufacturer", "Example", "--prefix", prefix, *more)

    def test_it_adds_lists_and_removes_one(self, db: None, file: Path) -> None:
        told = self.add(file, "--prefix", "00-90-34", "--hardware-id-in", "CN")
        anchor = TrustAnchor.objects.get()
        sha256 = bytes(anchor.sha256).hex()
        assert told == f"Accepted {anchor} for 00-90-33, 00-90-34.\n"
        assert anchor.added_by == "command trust_anchor"

        line = f"{sha256[:16]}  Example  00-90-33 00-90-34  hardware ID in CN\n"
        assert command("trust_anchor", "list") == line
        [listed] = json.loads(command("trust_anchor", "list", "--json"))
        assert listed["sha256"] == sha256
        assert (listed["prefixes"], listed["hardware_id_in"]) == (["00-90-33", "00-90-34"], "CN")

        removed = command("trust_anchor", "remove", sha256[:8].upper(), "--reason", "its key leaked")
        assert removed == f"Removed {anchor}.\n"
        assert last_entry().facts["reason"] == "its key leaked"
        assert command("trust_anchor", "list") == ""

    def test_it_says_what_it_refuses(self, db: None, file: Path, tmp_path: Path) -> None:
        add = ("trust_anchor", "add", file, "--manufacturer", "Example", "--prefix")
        refuses("anchor-unusable", *add, "00-90")
        self.add(file)
        refuses("anchor-known", *add, "00-90-33")
        sha256 = bytes(TrustAnchor.objects.get().sha256).hex()
        refuses("no-such-anchor", "trust_anchor", "remove", sha256[:7], "--reason", "x")
        refuses("no-such-anchor", "trust_anchor", "remove", "0" * 64, "--reason", "x")
        refuses("reason-needed", "trust_anchor", "remove", sha256, "--reason", " ")
        with pytest.raises(CommandError, match="No such file"):
            self.add(tmp_path / "missing.pem")

"""Attackers who have the device in their hands, or what signs its licenses (trust.md 12): real appliances."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity, write_identity
from devices.models import Alert, Device
from licenses import jose, key_ceremony, keyring, keyset, queries, verification
from licenses.document import TYP
from licenses.signers import FileSigner, read_key_file
from portal.core import base64url, clock
from tests.conftest import Keys
from tests.factories import caller, free
from tests.journeys.conftest import Appliance, Portal
from tests.journeys.test_return import device_of, grant, in_effect

MakeAppliance = Callable[[], Appliance]


@pytest.fixture
def clone(appliance: Appliance, tmp_path: Path) -> Appliance:
    """The same device once more, with everything it remembers."""
    return replace(appliance, home=shutil.copytree(appliance.home, tmp_path / "clone"))


class TestWhoRestoresABackup:
    """Restores an old device backup after a return.

    What stops it: tombstones and `min_seq` lie outside the exported configuration, what is given back is out
    of effect before the return is signed, and the next fetch tells the device.
    """

    @pytest.fixture
    def backup(self, appliance: Appliance, tmp_path: Path) -> Path:
        """Of a device whose six ports are in effect, with the license file it was made from."""
        appliance.does("export", str(tmp_path / "backup.json"))
        return tmp_path / "backup.json"

    def test_after_a_return_its_licenses_stay_gone(
        self, portal: Portal, appliance: Appliance, backup: Path
    ) -> None:
        appliance.does("return", grant(appliance, "Port"))

        appliance.run("restore", str(backup))
        appliance.run("reset")

        assert in_effect(appliance) == [("Channels", 4)]
        assert free(portal.project) == 10

    def test_after_a_return_of_everything_nothing_returnable_comes_back(
        self, portal: Portal, appliance: Appliance, backup: Path
    ) -> None:
        appliance.does("return", "--all")

        appliance.run("restore", str(backup))
        appliance.run("reset")

        assert ("Port", 6) not in in_effect(appliance)
        assert free(portal.project) == 10

    def test_while_the_return_is_still_being_carried_neither(
        self, portal: Portal, appliance: Appliance, backup: Path, tmp_path: Path
    ) -> None:
        file = tmp_path / "return.jws"
        appliance.does("return", grant(appliance, "Port"), "--file", str(file))
        appliance.run("restore", str(backup))
        appliance.run("reset")
        assert in_effect(appliance) == [("Channels", 4)]

        path = f"devices/{appliance.hardware_id}/statements"
        portal.partner().post(path, {"statement": file.read_text()})

        assert free(portal.project) == 10
        assert list(verification.violations()) == []

    def test_an_old_license_file_is_refused_after_the_next_document(
        self, portal: Portal, appliance: Appliance, backup: Path, tmp_path: Path
    ) -> None:
        old = tmp_path / "old.lic"
        old.write_bytes(portal.partner().download(f"devices/{appliance.hardware_id}/license-document"))
        appliance.does("return", grant(appliance, "Port"))
        appliance.does("fetch")

        refused = appliance.run("install", str(old))

        assert refused.returncode != 0
        assert "older-document" in refused.stderr

    def test_a_whole_disk_put_back_is_known_by_its_counter_and_told_by_its_next_fetch(
        self, portal: Portal, appliance: Appliance, clone: Appliance
    ) -> None:
        """Its tombstones are gone as well: no device can know. The portal does, as soon as it speaks."""
        appliance.does("return", grant(appliance, "Port"))

        clone.run("return", grant(appliance, "Channels"))
        clone.does("fetch")
        clone.does("reset")

        assert in_effect(clone) == [("Channels", 4)]
        assert Alert.Kind.COUNTER_FORK in Alert.objects.values_list("kind", flat=True)
        assert free(portal.project) == 10


class TestWhoClonesADeviceKey:
    """Clones a device key.

    What stops it: two payloads under one `ctr` alert support, who can block the device; licenses bound to the
    one hardware ID are counted once, however many have its key; and another key for it is not listened to.
    """

    def test_two_that_give_back_are_noticed_and_silenced_and_nothing_is_credited_twice(
        self, portal: Portal, appliance: Appliance, clone: Appliance
    ) -> None:
        given = grant(appliance, "Port")
        appliance.does("return", given)
        clone.run("return", given)

        alerts = set(Alert.objects.values_list("kind", "device"))
        assert alerts == {(Alert.Kind.COUNTER_FORK, device_of(appliance).pk)}
        assert free(portal.project) == 10
        assert list(verification.violations()) == []

        # Support looks at it, and silences both.
        call_command("block", "device", appliance.hardware_id, "--reason", "Its key is there twice.")

        for one in (appliance, clone):
            refused = one.run("fetch")
            assert refused.returncode != 0
            assert "device-blocked" in refused.stderr

    def test_another_key_for_the_same_hardware_is_not_listened_to(
        self, portal: Portal, appliance: Appliance, authority: Authority, tmp_path: Path
    ) -> None:
        now = datetime.now(UTC)
        second = make_identity(authority, appliance.hardware_id, kind="P-256", now=now)
        identity = write_identity(tmp_path / "second", second)
        home = tmp_path / "second-home"
        impostor = Appliance(home=home, hardware_id=appliance.hardware_id)
        roots = str(tmp_path / "roots.json")
        impostor.does("init", "--identity", str(identity), "--roots", roots, "--portal", portal.origin)

        refused = impostor.run("fetch")

        assert refused.returncode != 0
        assert "key-not-pinned" in refused.stderr
        assert not impostor.status()["licenses"]

    def test_its_licenses_run_on_no_other_hardware(
        self, portal: Portal, appliance: Appliance, make_appliance: MakeAppliance, tmp_path: Path
    ) -> None:
        other, carried = make_appliance(), tmp_path / "carried.lic"
        carried.write_bytes(portal.partner().download(f"devices/{appliance.hardware_id}/license-document"))

        refused = other.run("install", str(carried))

        assert refused.returncode != 0
        assert "wrong-device" in refused.stderr


class TestWhoStealsASigningKey:
    """Steals a signing key.

    What stops it: devices ask for both algorithms and for a key set that the offline roots signed; after
    `compromised_at` the stolen key counts for nothing, while every document is signed again. That a forged
    license has no leaf in the log can be shown when the log is public.
    """

    def stolen(self) -> list[FileSigner]:
        """The document keys' files, with their passphrase."""
        folder = Path(settings.SIGNING_KEYS_DIR)
        return [
            read_key_file(folder / f"{entry.public_key.kid}.pem", settings.SIGNING_KEYS_PASSPHRASE)
            for entry in keyring.current().key_set.keys
        ]

    def download(self, portal: Portal, appliance: Appliance) -> dict[str, Any]:
        content = portal.partner().download(f"devices/{appliance.hardware_id}/license-document")
        bundle: dict[str, Any] = json.loads(content)
        return bundle

    def refuses(self, appliance: Appliance, bundle: object, file: Path, code: str) -> None:
        before = in_effect(appliance)
        file.write_text(json.dumps(bundle))
        refused = appliance.run("install", str(file))
        assert refused.returncode != 0
        assert code in refused.stderr
        appliance.run("reset")
        assert in_effect(appliance) == before

    def test_one_of_two_keys_makes_no_license_and_both_make_no_key_set(
        self, portal: Portal, appliance: Appliance, tmp_path: Path
    ) -> None:
        bundle, stolen, file = self.download(portal, appliance), self.stolen(), tmp_path / "forged.lic"
        key_set = json.loads(base64url.decode(bundle["keyset"]["payload"])) | {"version": 2}
        signed = jose.sign_general(json.dumps(key_set).encode(), typ=keyset.TYP, signers=stolen)

        for key in stolen:
            self.refuses(appliance, bundle | more(bundle, [key]), file, "stripped-signature")
        self.refuses(appliance, bundle | {"keyset": json.loads(signed)}, file, "unknown-roots")

    def test_once_it_is_known_both_count_for_nothing_and_nobody_loses_a_license(
        self, portal: Portal, appliance: Appliance, keyring: Keys, tmp_path: Path
    ) -> None:
        stolen, old = self.stolen(), self.download(portal, appliance)
        for signer in stolen:
            key_ceremony.compromise_key(kid=signer.kid, roots=keyring.roots, caller=caller(), now=clock.now())
        appliance.does("fetch")
        told = self.download(portal, appliance)

        assert in_effect(appliance) == [("Channels", 4), ("Port", 6)]
        forged = old | more(old, stolen)
        self.refuses(appliance, forged, tmp_path / "beside-the-old.lic", "older-key-set")
        forged |= {"keyset": told["keyset"]}
        self.refuses(appliance, forged, tmp_path / "beside-the-new.lic", "compromised-key")


def more(bundle: dict[str, Any], signers: list[FileSigner]) -> dict[str, Any]:
    """The license document with a thousand ports, signed by a thief."""
    payload = json.loads(base64url.decode(bundle["license"]["payload"]))
    payload["seq"] += 1
    for item in payload["items"]:
        item["qty"] = 1000
    signed = jose.sign_general(json.dumps(payload).encode(), typ=TYP, signers=signers)
    return {"license": json.loads(signed)}


def test_what_the_attackers_attack_is_in_effect(portal: Portal, appliance: Appliance) -> None:
    """Else all of the above would be refused for another reason."""
    assert in_effect(appliance) == [("Channels", 4), ("Port", 6)]
    assert len(queries.live_grants(Device.objects.get(hardware_id=appliance.hardware_id))) == 2

"""Keys and roots change while a real device is offline or was lied to (trust.md 4 and 6)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from licenses import jose, key_ceremony, keyring
from licenses.document import TYP
from licenses.signers import Ed25519Signer, FileSigner, MLDSA65Signer, read_key_file
from portal.core import base64url, clock
from tests.conftest import Keys
from tests.factories import caller
from tests.journeys.conftest import Appliance, Portal
from tests.journeys.test_key_to_running_device import buy, in_effect
from tools.demo.partner import Partner

MakeAppliance = Callable[[], Appliance]


def rotate(roots: tuple[FileSigner, ...]) -> None:
    key_ceremony.rotate_keys(roots=roots, caller=caller(), now=clock.now())


def download(partner: Partner, appliance: Appliance, file: Path) -> Path:
    file.write_bytes(partner.download(f"devices/{appliance.hardware_id}/license-document"))
    return file


def forged(bundle: dict[str, Any], signers: list[FileSigner]) -> dict[str, Any]:
    """The bundle with its license document made a greater one, signed by whoever holds `signers`."""
    payload = json.loads(base64url.decode(bundle["license"]["payload"]))
    payload["seq"] += 1
    payload["items"][0]["qty"] = 999
    signed = jose.sign_general(json.dumps(payload).encode(), typ=TYP, signers=signers)
    return bundle | {"license": json.loads(signed)}


class TestADeviceThatWasOffline:
    def test_takes_one_file_alone_after_five_rotations_and_a_change_of_roots(
        self, portal: Portal, keyring: Keys, make_appliance: MakeAppliance, tmp_path: Path
    ) -> None:
        appliance, partner = make_appliance(), portal.partner()
        buy(portal, partner, appliance)
        appliance.does("fetch")
        appliance.does("reset")
        rotate(keyring.roots)
        rotate(keyring.roots)
        new: tuple[FileSigner, ...] = (Ed25519Signer.generate(), MLDSA65Signer.generate())
        key_ceremony.change_roots(roots=keyring.roots, new_roots=new, caller=caller(), now=clock.now())
        for _ in range(3):
            rotate(new)
        partner.post(
            f"devices/{appliance.hardware_id}/assignments", {"product": "UC", "version": 14, "quantity": 3}
        )
        carried = download(partner, appliance, tmp_path / "carried.lic")
        appliance.does("portal", "http://127.0.0.1:9")  # nobody answers there

        appliance.does("install", str(carried))
        appliance.does("reset")

        assert sorted(in_effect(appliance)) == [("Port", 6), ("UC", 3)]

    def test_keeps_what_is_in_effect_when_only_keys_changed(
        self, portal: Portal, keyring: Keys, make_appliance: MakeAppliance
    ) -> None:
        appliance = make_appliance()
        buy(portal, portal.partner(), appliance)
        appliance.does("fetch")
        appliance.does("reset")
        rotate(keyring.roots)
        rotate(keyring.roots)

        appliance.does("fetch")

        assert in_effect(appliance) == [("Port", 6)]


class TestAKeyThatLeaked:
    def test_makes_nothing_that_a_device_takes_once_it_knows(
        self, portal: Portal, keyring: Keys, make_appliance: MakeAppliance, tmp_path: Path
    ) -> None:
        appliance, partner = make_appliance(), portal.partner()
        buy(portal, partner, appliance)
        bundle = json.loads(download(partner, appliance, tmp_path / "first.lic").read_bytes())
        leaked = _document_signers()
        appliance.does("fetch")
        appliance.does("reset")
        for signer in leaked:
            key_ceremony.compromise_key(kid=signer.kid, roots=keyring.roots, caller=caller(), now=clock.now())

        appliance.does("fetch")  # the same document, signed again, beside the key set that tells
        assert in_effect(appliance) == [("Port", 6)]

        told = json.loads(download(partner, appliance, tmp_path / "new.lic").read_bytes())
        forgery = tmp_path / "forged.lic"
        # Beside the key set of before, which it does not take back, and beside the one that tells.
        for beside, refusal in (
            ({}, "older-key-set"),
            ({"keyset": told["keyset"]}, "compromised-key"),
        ):
            forgery.write_text(json.dumps(forged(bundle, leaked) | beside))
            refused = appliance.run("install", str(forgery))
            assert refused.returncode != 0
            assert refusal in refused.stderr
            assert in_effect(appliance) == [("Port", 6)]
        assert appliance.status()["keyset_version"] == 3


def _document_signers() -> list[FileSigner]:
    """The private keys that sign documents now, as a thief would have them."""
    folder = Path(settings.SIGNING_KEYS_DIR)
    return [
        read_key_file(folder / f"{entry.public_key.kid}.pem", settings.SIGNING_KEYS_PASSPHRASE)
        for entry in keyring.current().key_set.keys
    ]

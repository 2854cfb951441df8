"""A return that is accepted while the portal cannot sign: the receipt comes later, and nothing is lost."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts.models import Project
from devices.models import Device
from licenses import delivery, jose, key_ceremony, keyring, queries, receipt
from licenses.keyring import NoKeySet, SigningKeyMissing
from licenses.models import Grant, Return
from licenses.signers import Ed25519Signer, MLDSA65Signer
from portal.core import base64url
from tests.conftest import Keys
from tests.factories import NOW, assigned, caller, free, give_back
from tests.operations.bookkeeping import latest, unchanged

JTI = "B" * 21 + "A"


@contextmanager
def keys_away(settings: LazySettings) -> Iterator[None]:
    """The folder with the signing keys is not mounted, and processes were started anew meanwhile."""
    folder = Path(settings.SIGNING_KEYS_DIR)
    elsewhere = folder.with_name("elsewhere")
    folder.rename(elsewhere)
    keyring._load.cache_clear()
    yield
    shutil.rmtree(folder, ignore_errors=True)
    elsewhere.rename(folder)
    keyring._load.cache_clear()


def verified(signed: bytes) -> bytes:
    """The payload of a receipt that both algorithms vouch for."""
    keys = keyring.current().key_set.keys_for(receipt.TYP)
    return jose.verify_general(signed, typ=receipt.TYP, keys=keys, required=["Ed25519", "ML-DSA-65"])


class TestAReturnWhileKeysAreAway:
    def test_it_is_accepted_though_not_answered(
        self, keyring: Keys, device: Device, project: Project, settings: LazySettings
    ) -> None:
        grant = assigned(device, 3)

        with keys_away(settings), pytest.raises(SigningKeyMissing) as refusal:
            give_back(device, grant, key=JTI)

        grant.refresh_from_db()
        assert (grant.state, free(project), free(device)) == (Grant.State.RETURNED, 10, 0)
        assert (latest(device).seq, latest(device).items) == (2, ())
        row = Return.objects.get()
        assert (row.jti, row.signed) == (JTI, None)
        assert "Nothing was changed" not in str(refusal.value.detail)

    def test_asking_again_meanwhile_changes_nothing(
        self, keyring: Keys, device: Device, settings: LazySettings
    ) -> None:
        grant = assigned(device, 3)
        with keys_away(settings):
            with pytest.raises(SigningKeyMissing):
                give_back(device, grant, key=JTI)

            with unchanged(), pytest.raises(SigningKeyMissing):
                give_back(device, grant, key=JTI)

    def test_asking_again_once_they_are_back_gets_the_receipt(
        self, keyring: Keys, device: Device, project: Project, settings: LazySettings
    ) -> None:
        grant = assigned(device, 3)
        with keys_away(settings), pytest.raises(SigningKeyMissing):
            give_back(device, grant, key=JTI)
        promised = bytes(Return.objects.get().receipt_payload)

        answer = give_back(device, grant, key=JTI)

        assert verified(answer.receipt) == promised
        assert dict(answer.results) == {queries.grant_id(grant): "returned"}
        assert answer.next_seq == answer.bundle.seq == 2
        assert (free(project), Return.objects.count()) == (10, 1)
        with unchanged():
            assert give_back(device, grant, key=JTI).receipt == answer.receipt

    def test_the_file_that_is_downloaded_then_brings_it_too(
        self, keyring: Keys, device: Device, settings: LazySettings
    ) -> None:
        """Whoever uploaded the return need not do it again."""
        with keys_away(settings), pytest.raises(SigningKeyMissing):
            give_back(device, assigned(device, 3), key=JTI)

        content = json.loads(delivery.download(device=device, caller=caller(), now=NOW).content)

        assert json.loads(base64url.decode(content["receipt"]["payload"]))["ret_jti"] == JTI
        assert json.loads(base64url.decode(content["license"]["payload"]))["items"] == []

    def test_new_keys_in_their_place_sign_it_as_well(
        self, keyring: Keys, device: Device, settings: LazySettings
    ) -> None:
        grant = assigned(device, 3)
        with keys_away(settings):
            with pytest.raises(SigningKeyMissing):
                give_back(device, grant, key=JTI)
            key_ceremony.rotate_keys(roots=keyring.roots, caller=caller(), now=NOW)

            answer = give_back(device, grant, key=JTI)

            assert verified(answer.receipt) == bytes(Return.objects.get().receipt_payload)


class TestAReturnBeforeThereAreKeys:
    def test_it_is_accepted_and_answered_when_there_are(
        self, device: Device, project: Project, settings: LazySettings, tmp_path: Path
    ) -> None:
        grant = assigned(device, 3)
        with pytest.raises(NoKeySet):
            give_back(device, grant, key=JTI)
        assert free(project) == 10
        settings.SIGNING_KEYS_DIR = tmp_path / "signing-keys"
        key_ceremony.publish_first_key_set(
            roots=(Ed25519Signer.generate(), MLDSA65Signer.generate()), caller=caller(), now=NOW
        )

        answer = give_back(device, grant, key=JTI)

        assert verified(answer.receipt) == bytes(Return.objects.get().receipt_payload)

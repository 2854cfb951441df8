"""The key sets that vouch for documents, as others read them (trust.md 6 and 10)."""

import stat
from pathlib import Path

from django.conf import LazySettings

from licenses import jose, key_store, keyset
from licenses import keyring as key_rings
from licenses.key_store import SigningKeyMissing
from licenses.keyring import DemoKeys, NoKeySet, NoSuchKeySet
from licenses.keyset import KeySetV1
from licenses.models import KeySetVersion
from tests.conftest import Keys
from tests.factories import NOW
from tests.operations.bookkeeping import refused


class TestKeepingDocumentKeys:
    def test_the_files_are_for_their_owner_alone(self, settings: LazySettings, tmp_path: Path) -> None:
        settings.SIGNING_KEYS_DIR = tmp_path / "keys"

        made = [key_store.make(alg) for alg in key_store.DOCUMENT_ALGORITHMS]

        files = {path.name: path for path in (tmp_path / "keys").iterdir()}
        assert set(files) == {f"{signer.kid}.pem" for signer in made}
        assert key_store.kept() == {signer.kid for signer in made}
        assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
        assert all(b"ENCRYPTED" in path.read_bytes() for path in files.values())

    def test_another_passphrase_does_not_open_them(self, settings: LazySettings, tmp_path: Path) -> None:
        settings.SIGNING_KEYS_DIR = tmp_path / "keys"
        made = key_store.make("Ed25519")
        settings.SIGNING_KEYS_PASSPHRASE = b"another one"

        with refused(SigningKeyMissing, kid=made.kid):
            key_store.signer(made.kid)


class TestReading:
    def test_without_a_key_set_everything_says_so(self, db: None) -> None:
        for read in (key_rings.current, key_rings.current_version, key_rings.published, key_rings.plain_jwks):
            with refused(NoKeySet):
                read()

    def test_every_version_stays(self, keyring: Keys) -> None:
        KeySetVersion.objects.create(version=2, signed=b"{}", made_at=NOW)

        assert key_rings.current_version() == 2
        assert key_rings.published(1) == bytes(keyring.key_set.signed)

    def test_an_unknown_version_is_not_found(self, keyring: Keys) -> None:
        for version in (0, 2, 999):
            with refused(NoSuchKeySet):
                key_rings.published(version)

    def test_the_plain_set_names_the_keys_that_count(self, keyring: Keys) -> None:
        key_set = KeySetV1.from_payload(
            jose.parse_general(bytes(keyring.key_set.signed), typ=keyset.TYP).payload
        )
        assert {key["kid"] for key in key_rings.plain_jwks()["keys"]} == {
            entry.public_key.kid for entry in key_set.keys
        }

    def test_signers_are_read_once(self, keyring: Keys) -> None:
        assert key_rings.current() is key_rings.current()

    def test_outside_the_demo_a_demo_s_key_set_signs_nothing(
        self, keyring: Keys, settings: LazySettings
    ) -> None:
        settings.DEMO = False

        with refused(DemoKeys):
            key_rings.current()

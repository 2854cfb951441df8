"""The keys that sign, and the key set that vouches for them (trust.md 6 and 10)."""

import hashlib
import stat
from pathlib import Path

from django.conf import LazySettings

from licenses import jose, key_ceremony, keyset
from licenses import keyring as key_rings
from licenses.key_ceremony import KeySetExists
from licenses.keyring import NoKeySet, NoSuchKeySet
from licenses.keyset import KeySetV1, Roots
from licenses.models import KeySetVersion
from licenses.signers import PublicKey
from portal.core import clock
from tests.conftest import Keys
from tests.factories import NOW, caller
from tests.operations.bookkeeping import last_entry, last_leaf, refused, unchanged


class TestPublishingTheFirstKeySet:
    def test_both_roots_vouch_for_it(self, keyring: Keys) -> None:
        roots = Roots(tuple(PublicKey.from_jwk(root.public_jwk()) for root in keyring.roots), 2)

        key_set = keyset.verify_step(roots, bytes(keyring.key_set.signed))

        assert (key_set.version, key_set.issued_at) == (1, clock.posix(NOW))
        assert {key.public_key.alg for key in key_set.keys} == {"Ed25519", "ML-DSA-65"}

    def test_it_is_in_history_and_log(self, keyring: Keys) -> None:
        assert (last_entry().event, last_entry().facts) == ("key-set-published", {"version": 1})
        payload = jose.parse_general(bytes(keyring.key_set.signed), typ=keyset.TYP).payload
        assert last_leaf().type == "key-set"
        assert bytes(last_leaf().document_sha256 or b"") == hashlib.sha256(payload).digest()

    def test_there_is_only_one_first(self, keyring: Keys) -> None:
        with refused(KeySetExists):
            key_ceremony.publish_first_key_set(roots=keyring.roots, caller=caller(), now=NOW)

    def test_the_same_request_again_is_answered_the_same(self, keyring: Keys) -> None:
        request = caller(key="once")
        first = key_ceremony.rotate_keys(roots=keyring.roots, caller=request, now=NOW)

        with unchanged():
            second = key_ceremony.rotate_keys(roots=keyring.roots, caller=request, now=NOW)

        assert bytes(second.signed) == bytes(first.signed)

    def test_the_files_are_for_their_owner_alone(self, keyring: Keys, settings: LazySettings) -> None:
        files = {path.name: path for path in Path(settings.SIGNING_KEYS_DIR).iterdir()}

        key_set = KeySetV1.from_payload(
            jose.parse_general(bytes(keyring.key_set.signed), typ=keyset.TYP).payload
        )
        assert set(files) == {f"{entry.public_key.kid}.pem" for entry in key_set.keys}
        assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
        assert all(b"ENCRYPTED" in path.read_bytes() for path in files.values())


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

"""Handing out the license document (mission rule 13, trust.md 4)."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts.models import User
from devices.models import Device
from licenses import delivery, documents, jose, keyring, queries
from licenses.document import TYP
from licenses.handout import Bundle
from licenses.keyring import NoKeySet, SigningKeyMissing
from licenses.models import Grant, LicenseDocument
from portal.core.models import AuditEntry
from tests.factories import NOW, assigned, caller, make_device
from tests.operations.bookkeeping import listed, read, refused, unchanged
from tests.operations.unbought import a_test_license

with_keys = pytest.mark.usefixtures("keyring")


def download(device: Device, user: User | None = None) -> Bundle:
    return delivery.download(device=device, caller=caller(user), now=NOW)


def fetch(device: Device, *, have: str | None = None, key_set_held: int | None = None) -> Bundle | None:
    return delivery.fetch(
        device=device,
        seq_seen=0,
        have=have,
        key_set_held=key_set_held,
        caller=caller(scope="device"),
        now=NOW,
    )


def current(device: Device) -> LicenseDocument:
    document = queries.current_document(device)
    assert document is not None
    return document


@with_keys
class TestDownloading:
    def test_it_gives_the_current_document_and_the_key_set(self, device: Device) -> None:
        assigned(device)
        assigned(device)

        got = download(device)

        parts = json.loads(got.content)
        assert got.seq == 2
        assert set(parts) == {"bundle", "tag", "license", "keyset", "chain"}
        assert (parts["bundle"], parts["tag"], parts["chain"]) == ("olp/1", got.tag, [])
        assert bytes(current(device).signed or b"") in got.content
        assert keyring.published() in got.content

    def test_every_algorithm_signed_it(self, device: Device) -> None:
        assigned(device)
        download(device)

        parsed = jose.parse_general(bytes(current(device).signed or b""), typ=TYP)
        keys = keyring.current().key_set.keys_for(TYP)
        assert {keys[kid].alg for kid in parsed.verify(keys)} == {"Ed25519", "ML-DSA-65"}
        assert parsed.payload == bytes(current(device).payload)

    def test_again_it_gives_the_same_bytes(self, device: Device) -> None:
        assigned(device)
        first = download(device)

        with unchanged():
            assert download(device) == first

    def test_it_is_in_the_history_once(self, device: Device, alice: User) -> None:
        assigned(device)
        download(device, alice)
        download(device, alice)

        [entry] = AuditEntry.objects.filter(event="document-downloaded")
        assert (entry.actor, entry.hardware_id, entry.facts) == (alice, device.hardware_id, {"seq": 1})
        assert current(device).handed_out_at == NOW

    def test_a_device_without_licenses_gets_an_empty_document(self, device: Device) -> None:
        got = download(device)

        assert (got.seq, listed(device)) == (1, [])
        assert current(device).act is None

    def test_after_a_change_the_tag_is_another(self, device: Device) -> None:
        assigned(device)
        first = download(device)
        assigned(device)

        second = download(device)

        assert first.tag != second.tag
        assert (first.seq, second.seq) == (1, 2)

    def test_skipped_documents_are_never_signed(self, device: Device) -> None:
        assigned(device)
        assigned(device)
        download(device)

        assert LicenseDocument.objects.get(device=device, seq=1).signed is None


@with_keys
class TestFetching:
    def test_it_gives_what_a_download_gives(self, device: Device) -> None:
        assigned(device)

        assert fetch(device) == download(device)
        assert AuditEntry.objects.filter(event__startswith="document-").get().event == "document-fetched"

    def test_a_device_that_has_it_gets_nothing(self, device: Device) -> None:
        assigned(device)
        got = fetch(device)
        assert got is not None

        with unchanged():
            assert fetch(device, have=got.tag) is None

    def test_a_device_that_has_an_older_one_gets_the_new_one(self, device: Device) -> None:
        assigned(device)
        old = fetch(device)
        assigned(device)
        assert old is not None

        new = fetch(device, have=old.tag)

        assert new is not None
        assert new.seq == 2

    def test_the_tag_of_a_file_counts_too(self, device: Device) -> None:
        assigned(device)

        assert fetch(device, have=download(device).tag) is None

    @pytest.mark.parametrize(("held", "sent"), [(None, True), (0, True), (1, False), (2, False)])
    def test_the_key_set_is_sent_to_who_lacks_it(self, device: Device, held: int | None, sent: bool) -> None:
        assigned(device)

        got = fetch(device, key_set_held=held)

        assert got is not None
        assert ("keyset" in json.loads(got.content)) == sent

    def test_the_tag_is_the_same_with_and_without_the_key_set(self, device: Device) -> None:
        assigned(device)
        with_it, without_it = fetch(device), fetch(device, key_set_held=1)

        assert with_it is not None
        assert without_it is not None
        assert with_it.tag == without_it.tag

    def test_two_devices_with_the_same_licenses_have_different_tags(self, device: Device) -> None:
        other = make_device(project=device.project)

        assert download(device).tag != download(other).tag


@with_keys
class TestAnItemThatEnded:
    """The portal needs no job for an end: the next fetch builds the document without it (trust.md 4)."""

    def test_the_next_fetch_brings_a_document_without_it(self, device: Device) -> None:
        bought, test = assigned(device), a_test_license(device)
        download(device)
        assert len(read(current(device)).items) == 2
        after = (test.expires_at or NOW) + timedelta(seconds=1)

        got = delivery.fetch(
            device=device, seq_seen=0, have=None, key_set_held=None, caller=caller(), now=after
        )

        assert got is not None
        assert got.seq == 3
        assert [item.id for item in read(current(device)).items] == [queries.grant_id(bought)]

    def test_until_then_nothing_changes(self, device: Device) -> None:
        test = a_test_license(device)
        first = download(device)
        before = (test.expires_at or NOW) - timedelta(seconds=1)

        with unchanged():
            assert delivery.download(device=device, caller=caller(), now=before) == first

    def test_one_document_is_enough(self, device: Device) -> None:
        test = a_test_license(device)
        after = (test.expires_at or NOW) + timedelta(seconds=1)
        first = delivery.download(device=device, caller=caller(), now=after)

        with unchanged():
            assert delivery.download(device=device, caller=caller(), now=after) == first

    def test_its_grant_is_left_to_history(self, device: Device) -> None:
        test = a_test_license(device)
        delivery.download(device=device, caller=caller(), now=(test.expires_at or NOW) + timedelta(days=1))

        assert Grant.objects.get(pk=test.pk).state == "live"


@with_keys
class TestSigningAhead:
    def test_the_first_fetch_finds_it_signed(self, device: Device) -> None:
        assigned(device)
        delivery.sign_document(document_id=current(device).pk)
        signed = current(device).signed
        assert signed is not None

        download(device)

        assert current(device).signed == signed

    def test_it_does_not_hand_it_out(self, device: Device) -> None:
        assigned(device)
        delivery.sign_document(document_id=current(device).pk)

        assert current(device).handed_out_at is None

    def test_it_may_run_twice(self, device: Device) -> None:
        assigned(device)
        delivery.sign_document(document_id=current(device).pk)

        with unchanged():
            delivery.sign_document(document_id=current(device).pk)

    def test_a_replaced_document_is_left_alone(self, device: Device) -> None:
        assigned(device)
        first = current(device)
        assigned(device)

        delivery.sign_document(document_id=first.pk)

        first.refresh_from_db()
        assert first.signed is None

    def test_whoever_comes_second_gets_the_bytes_of_the_first(self, device: Device) -> None:
        assigned(device)
        mine, others = current(device), current(device)
        documents.sign(others)

        assert documents.sign(mine).signed == others.signed

    def test_it_names_the_key_set(self, device: Device) -> None:
        assigned(device)
        delivery.sign_document(document_id=current(device).pk)

        assert current(device).signed_under == 1


class TestWithoutKeys:
    def test_nothing_is_handed_out_before_there_is_a_key_set(self, device: Device) -> None:
        assigned(device)

        with refused(NoKeySet):
            download(device)

    @with_keys
    def test_nothing_is_handed_out_without_the_key_files(
        self, device: Device, settings: LazySettings, tmp_path: Path
    ) -> None:
        assigned(device)
        settings.SIGNING_KEYS_DIR = tmp_path / "elsewhere"

        with refused(SigningKeyMissing):
            download(device)

    @with_keys
    def test_nothing_is_handed_out_with_the_wrong_passphrase(
        self, device: Device, settings: LazySettings
    ) -> None:
        assigned(device)
        settings.SIGNING_KEYS_PASSPHRASE = b"not the passphrase"

        with refused(SigningKeyMissing):
            download(device)

    def test_assigning_needs_no_keys(self, device: Device) -> None:
        assigned(device)

        assert listed(device) == [("Port", 14, 1)]

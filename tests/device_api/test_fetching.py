import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client

from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity
from devices.models import Alert, Device, DeviceContact
from licenses import document, jose, keyset, queries
from licenses.keyset import KeySetV1, Roots
from licenses.models import Grant, LicenseDocument
from licenses.signers import PublicKey
from portal.core import base64url
from portal.core.models import AuditEntry
from tests import factories, rows
from tests.conftest import Keys
from tests.device_api.conftest import HARDWARE_ID, MakeSigner, good_device
from tests.device_api.devices import Signer
from tests.golden import judges

BOTH = {"Ed25519", "ML-DSA-65"}


def bundle_of(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"] == "application/json"
    bundle: dict[str, Any] = json.loads(response.content)
    return bundle


def payload_of(bundle: dict[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(base64url.decode(bundle["license"]["payload"]))
    return payload


class TestAFetch:
    def test_it_gets_what_was_assigned(self, signer: Signer, device: Device) -> None:
        bundle = bundle_of(signer.fetch())

        grant = Grant.objects.get(device=device)
        assert bundle["bundle"] == "olp/1"
        assert payload_of(bundle)["seq"] == 1
        assert payload_of(bundle)["sub"] == HARDWARE_ID
        assert payload_of(bundle)["items"] == [
            {
                "id": queries.grant_id(grant),
                "product": "Port",
                "version": 14,
                "qty": 2,
                "class": "bought",
                "ret": True,
            }
        ]

    def test_the_bytes_are_those_that_were_signed(self, signer: Signer, device: Device) -> None:
        content = signer.fetch().content

        stored = LicenseDocument.objects.get(device=device)
        assert stored.signed is not None
        assert bytes(stored.signed) in content

    def test_both_signatures_verify_from_the_pinned_roots_on(
        self, signer: Signer, device: Device, keyring: Keys
    ) -> None:
        bundle = bundle_of(signer.fetch())
        pinned = Roots(tuple(PublicKey.from_jwk(root.public_jwk()) for root in keyring.roots), threshold=2)

        keys = keyset.verify_step(pinned, json.dumps(bundle["keyset"]).encode())

        payload = jose.verify_general(
            json.dumps(bundle["license"]).encode(),
            typ=document.TYP,
            keys=keys.keys_for(document.TYP),
            required=BOTH,
        )
        assert json.loads(payload) == payload_of(bundle)

    def test_an_independent_judge_finds_them_good(self, signer: Signer, device: Device) -> None:
        content = json.dumps(bundle_of(signer.fetch())["license"]).encode()
        published = json.loads(Client().get("/.well-known/jwks.json").content)["keys"]

        assert {key["alg"] for key in published} == BOTH
        for key in published:
            assert judges.jwcrypto_payload(content, key) is not None

    def test_a_device_without_licenses_gets_an_empty_document(
        self, signer: Signer, device: Device, authority: Authority
    ) -> None:
        other = "00-90-33-01-0B-00"
        factories.make_device(project=device.project, hardware_id=other)
        identity = make_identity(authority, other, kind="P-256", now=factories.NOW)

        assert payload_of(bundle_of(Signer.of(identity).fetch()))["items"] == []

    @pytest.mark.parametrize(
        ("kind", "alg"),
        [
            ("P-384", "ES384"),
            ("RSA-2048", "RS256"),
            ("RSA-2048", "PS256"),
            ("Ed25519", "Ed25519"),
            ("Ed25519", "EdDSA"),
        ],
    )
    def test_every_kind_of_key_may_sign(
        self, device: Device, authority: Authority, kind: str, alg: str
    ) -> None:
        identity = make_identity(authority, HARDWARE_ID, kind=kind, now=factories.NOW)

        bundle_of(Signer.of(identity, alg).fetch())

    def test_an_earlier_name_of_the_portal_is_still_its_name(
        self, signer: Signer, device: Device, settings: LazySettings
    ) -> None:
        settings.PORTAL_ID_ALSO = ["https://before.example/"]

        bundle_of(signer.fetch(aud="https://before.example/"))

    def test_every_origin_of_the_portal_has_the_door(
        self, signer: Signer, device: Device, settings: LazySettings
    ) -> None:
        settings.PORTAL_ORIGINS = ["https://a.example", "https://b.example"]

        bundle_of(signer.post(signer.sign(signer.header(url="https://b.example/device/v1/licenses"))))

    def test_unknown_members_do_no_harm(self, signer: Signer, device: Device) -> None:
        bundle_of(signer.fetch(color="blue", iat=4_102_444_800))

    def test_it_brings_no_cookie_and_is_kept_by_nobody(self, signer: Signer, device: Device) -> None:
        response = signer.fetch()

        assert not response.cookies
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Replay-Nonce"]


class TestWhatTheDeviceHas:
    def test_the_current_bundle_is_not_sent_again(self, signer: Signer, device: Device) -> None:
        tag = bundle_of(signer.fetch())["tag"]

        response = signer.fetch(have=tag)

        assert (response.status_code, response.content) == (204, b"")
        assert response.headers["Replay-Nonce"]

    def test_a_changed_bundle_is_sent(self, signer: Signer, device: Device) -> None:
        tag = bundle_of(signer.fetch())["tag"]
        factories.assigned(device, 3)

        bundle = bundle_of(signer.fetch(have=tag))

        assert bundle["tag"] != tag
        assert payload_of(bundle)["seq"] == 2
        assert sorted(item["qty"] for item in payload_of(bundle)["items"]) == [2, 3]

    def test_a_tag_of_something_else_is_not_the_current_one(self, signer: Signer, device: Device) -> None:
        bundle_of(signer.fetch(have="something-else"))

    def test_a_key_set_it_holds_is_left_out(self, signer: Signer, device: Device) -> None:
        whole, part = bundle_of(signer.fetch()), bundle_of(signer.fetch(ks=1))

        assert "keyset" in whole
        assert "keyset" not in part
        assert part["tag"] == whole["tag"]

    def test_an_older_key_set_brings_the_current_one(self, signer: Signer, device: Device) -> None:
        assert "keyset" in bundle_of(signer.fetch(ks=0))


class TestWhatAFetchLeavesBehind:
    def test_the_first_word_pins_the_key_and_says_so(self, signer: Signer, device: Device) -> None:
        signer.fetch()

        device.refresh_from_db()
        assert device.pinned_at == factories.NOW
        assert AuditEntry.objects.filter(event="device-key-pinned", hardware_id=HARDWARE_ID).count() == 1

    def test_it_notes_contact_and_firmware(self, signer: Signer, device: Device) -> None:
        signer.fetch(fw="14r2 build 1234")

        contact = DeviceContact.objects.get(device=device)
        assert (contact.last_at, contact.firmware) == (factories.NOW, "14r2 build 1234")

    def test_it_takes_a_firmware_name_as_long_as_the_format_allows(
        self, signer: Signer, device: Device
    ) -> None:
        bundle_of(signer.fetch(fw="f" * 128))

    def test_contact_is_written_once_an_hour(
        self, signer: Signer, device: Device, clock: time_machine.Traveller
    ) -> None:
        signer.fetch()
        clock.shift(timedelta(minutes=59))
        signer.fetch()
        assert DeviceContact.objects.get().last_at == factories.NOW

        clock.shift(timedelta(minutes=1))
        signer.fetch()
        assert DeviceContact.objects.get().last_at == factories.NOW + timedelta(hours=1)

    def test_the_document_counts_as_handed_out(self, signer: Signer, device: Device) -> None:
        signer.fetch()

        assert LicenseDocument.objects.get(device=device).handed_out_at == factories.NOW

    def test_a_replay_within_the_nonce_s_life_answers_the_same_and_changes_nothing(
        self, signer: Signer, device: Device, clock: time_machine.Traveller
    ) -> None:
        token = signer.sign()
        first = signer.post(token).content
        before = rows.everything()
        clock.shift(timedelta(minutes=9))

        assert signer.post(token).content == first
        assert rows.everything() == before


class TestADeviceIsHeldToItsKey:
    def test_another_key_with_a_good_certificate_does_not_speak_for_it(
        self, signer: Signer, device: Device, authority: Authority
    ) -> None:
        signer.fetch()
        clone = Signer.of(make_identity(authority, HARDWARE_ID, kind="P-256", now=factories.NOW))

        refused = clone.fetch()

        assert (refused.status_code, json.loads(refused.content)["code"]) == (403, "key-not-pinned")
        assert Alert.objects.get().kind == Alert.Kind.OTHER_KEY
        clone.refuse(clone.sign(), status=403, code="key-not-pinned")  # which tells nobody twice
        bundle_of(signer.fetch())

    def test_a_new_certificate_for_the_same_key_does(self, made: MakeSigner, device: Device) -> None:
        certificate = good_device()
        made(certificate).fetch()

        bundle_of(made(replace(certificate, not_before=factories.NOW - timedelta(days=1))).fetch())


class TestHardwareNobodyAdded:
    def test_it_leaves_no_row(self, keyring: Keys, anchor: object, signer: Signer) -> None:
        problem = signer.refuse(signer.sign(), status=404, code="unknown-device")

        assert problem.keys() == {"type", "title", "status", "detail", "code"}
        assert not Device.objects.exists()

    def test_it_fetches_as_soon_as_it_was_added(self, device: Device, authority: Authority) -> None:
        other = "00-90-33-01-0B-00"
        signer = Signer.of(make_identity(authority, other, kind="P-256", now=factories.NOW))
        signer.refuse(signer.sign(), status=404, code="unknown-device")

        factories.make_device(project=device.project, hardware_id=other)

        bundle_of(signer.fetch())


class TestAPortalWithoutKeys:
    def test_it_says_that_it_cannot_and_signs_nothing(
        self, signer: Signer, device: Device, settings: LazySettings
    ) -> None:
        settings.SIGNING_KEYS_DIR /= "elsewhere"

        response = signer.fetch()

        assert (response.status_code, json.loads(response.content)["code"]) == (503, "signing-key-missing")
        assert not LicenseDocument.objects.filter(signed__isnull=False).exists()


class TestTheOwnPoolOfTheDeviceDoors:
    def test_it_serves_a_fetch_like_the_whole(
        self, signer: Signer, device: Device, settings: LazySettings
    ) -> None:
        from portal import device_settings  # noqa: PLC0415 - a copy of the settings, made when it is imported

        settings.MIDDLEWARE = device_settings.MIDDLEWARE
        settings.ROOT_URLCONF = device_settings.ROOT_URLCONF

        bundle_of(signer.fetch())


def test_the_key_set_in_the_bundle_is_the_published_one(
    signer: Signer, device: Device, keyring: Keys
) -> None:
    content = signer.fetch().content

    assert bytes(keyring.key_set.signed) in content
    parsed = jose.parse_general(bytes(keyring.key_set.signed), typ=keyset.TYP)
    assert KeySetV1.from_payload(parsed.payload).version == 1

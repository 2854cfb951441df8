"""Fetching over REST (trust.md 3 and 9)."""

import base64
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.device import Device
from appliance.factory.authority import make_authority
from appliance.factory.devices import KEY_KINDS, make_identity, write_identity
from appliance.fetching import fetch
from appliance.installation import Outcome
from appliance.portal_client import MAX_ANSWER_BYTES, followed
from appliance.refusals import Refusal
from tests.appliance.conftest import HARDWARE_ID, OTHER_HARDWARE_ID, Bench
from tests.appliance.fake_portal import FakePortal, tag_of
from tests.appliance.issuing import NOW, Issuer, bundle, unb64u

COMMON = {"ver", "iss", "sub", "aud", "jti", "seq", "iat", "fw"}


def refuse(bench: Bench, code: str) -> Refusal:
    bench.device().status()
    before = bench.files()
    with pytest.raises(Refusal) as refused:
        fetch(bench.device())
    assert refused.value.code == code, refused.value
    assert bench.files() == before
    return refused.value


class TestTheRequest:
    def test_it_says_who_asks_and_what_is_held(self, online: Bench, portal: FakePortal) -> None:
        portal.answer(online.issuer.bundle(HARDWARE_ID))
        assert fetch(online.device()).outcome is Outcome.INSTALLED
        header, payload = portal.received[0].header, portal.received[0].payload
        assert header.keys() == {"alg", "typ", "x5c", "nonce", "url"}
        assert header["typ"] == "lic-fetch+jws"
        assert header["url"] == f"{portal.address}/device/v1/licenses"
        assert payload.keys() == COMMON
        assert len(unb64u(payload.pop("jti"))) == 16
        assert payload == {
            "ver": 1,
            "iss": HARDWARE_ID,
            "sub": HARDWARE_ID,
            "aud": portal.portal_id,
            "seq": 0,
            "iat": NOW,
            "fw": "14",
        }

    def test_it_names_the_bundle_and_the_key_set_held(self, online: Bench, portal: FakePortal) -> None:
        held = online.issuer.bundle(HARDWARE_ID, seq=7)
        online.device().install(held)
        assert fetch(online.device()).outcome is Outcome.UNCHANGED
        payload = portal.received[0].payload
        assert (payload["have"], payload["ks"], payload["seq"]) == (tag_of(held), 1, 7)

    def test_it_does_not_claim_a_bundle_it_lost(self, online: Bench, portal: FakePortal) -> None:
        held = online.issuer.bundle(HARDWARE_ID, seq=7)
        online.device().install(held)
        (online.home / "configuration.json").unlink()
        portal.answer(held)
        assert fetch(online.device()).outcome is Outcome.INSTALLED
        payload = portal.received[0].payload
        assert "have" not in payload
        assert payload["seq"] == 7

    def test_it_does_not_claim_an_older_bundle_after_a_crash_over_a_newer_one(
        self, online: Bench, portal: FakePortal
    ) -> None:
        online.device().install(online.issuer.bundle(HARDWARE_ID, seq=1))
        newer = online.issuer.bundle(HARDWARE_ID, seq=2)

        def lose_power(step: str) -> None:
            if step == "create configuration.json":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            online.device(before_step=lose_power).install(newer)
        portal.answer(newer)
        assert fetch(online.device()).outcome is Outcome.INSTALLED
        payload = portal.received[0].payload
        assert "have" not in payload
        assert payload["seq"] == 2
        assert online.device().status().seq_installed == 2

    def test_its_audience_is_the_issuer_of_the_key_set_and_not_the_directory(
        self, online: Bench, portal: FakePortal
    ) -> None:
        online.device().install(online.issuer.bundle(HARDWARE_ID))
        portal.portal_id = "https://evil.test/"
        fetch(online.device())
        assert portal.received[0].payload["aud"] == online.issuer.portal_id

    def test_every_request_has_an_id_and_a_nonce_of_its_own(self, online: Bench, portal: FakePortal) -> None:
        online.device().install(online.issuer.bundle(HARDWARE_ID))
        for _ in range(2):
            fetch(online.device())
        first, second = portal.received
        assert first.payload["jti"] != second.payload["jti"]
        assert first.header["nonce"] != second.header["nonce"]

    def test_its_chain_is_leaf_and_device_ca_without_the_root(
        self, online: Bench, portal: FakePortal
    ) -> None:
        online.device().install(online.issuer.bundle(HARDWARE_ID))
        fetch(online.device())
        chain = [base64.b64decode(text) for text in portal.received[0].header["x5c"]]
        assert len(chain) == 2
        assert HARDWARE_ID.encode() in chain[0]
        assert HARDWARE_ID.encode() not in chain[1]

    @pytest.mark.parametrize("kind", KEY_KINDS)
    def test_it_is_signed_with_any_kind_of_device_key(
        self, online: Bench, portal: FakePortal, kind: str, tmp_path: Path
    ) -> None:
        now = datetime.fromtimestamp(NOW, UTC)
        identity = make_identity(make_authority("Other", now=now), HARDWARE_ID, kind=kind, now=now)
        folder = write_identity(tmp_path / "identities", identity)
        shutil.copytree(folder, online.home / "identity", dirs_exist_ok=True)
        portal.answer(online.issuer.bundle(HARDWARE_ID))
        assert fetch(online.device()).outcome is Outcome.INSTALLED


class TestTheAnswer:
    def test_the_same_bundle_again_changes_nothing(self, online: Bench, portal: FakePortal) -> None:
        held = online.issuer.bundle(HARDWARE_ID)
        online.device().install(held)
        portal.answer(held)
        assert fetch(online.device()).outcome is Outcome.ALREADY_INSTALLED

    def test_a_bundle_without_key_set_is_installed_where_one_is_held(
        self, online: Bench, portal: FakePortal
    ) -> None:
        online.device().install(online.issuer.bundle(HARDWARE_ID))
        portal.answer(bundle(online.issuer.document(HARDWARE_ID, seq=2)))
        assert fetch(online.device()).outcome is Outcome.INSTALLED
        assert b'"keyset":{"payload"' in online.device().installed_bundle()

    def test_a_stale_nonce_is_replaced_once(self, online: Bench, portal: FakePortal) -> None:
        portal.stale_nonces = 1
        portal.answer(online.issuer.bundle(HARDWARE_ID))
        assert fetch(online.device()).outcome is Outcome.INSTALLED
        assert len(portal.received) == 2
        assert portal.received[0].payload == portal.received[1].payload

    def test_a_second_stale_nonce_is_a_refusal(self, online: Bench, portal: FakePortal) -> None:
        portal.stale_nonces = 2
        assert "bad-nonce" in str(refuse(online, "portal-refused"))
        assert len(portal.received) == 2

    def test_nothing_new_is_no_answer_to_a_device_that_holds_nothing(self, online: Bench) -> None:
        refuse(online, "portal-answer")

    def test_a_first_key_set_must_name_the_portal_of_the_directory(
        self, online: Bench, portal: FakePortal
    ) -> None:
        portal.portal_id = "https://evil.test/"
        portal.answer(online.issuer.bundle(HARDWARE_ID))
        refuse(online, "wrong-issuer")

    def test_documents_are_verified_as_those_carried_by_hand(
        self, online: Bench, portal: FakePortal, other_issuer: Issuer
    ) -> None:
        portal.answer(online.issuer.bundle(OTHER_HARDWARE_ID))
        refuse(online, "wrong-device")
        portal.answer(other_issuer.bundle(HARDWARE_ID))
        refuse(online, "unknown-roots")


class TestRefusals:
    @pytest.mark.parametrize(
        "code",
        [
            "unknown-device",
            "device-blocked",
            "certificate-rejected",
            "key-not-pinned",
            "wrong-audience",
            "wrong-url",
            "rate-limited",
        ],
    )
    def test_what_the_portal_refuses_is_said_in_the_device_s_words(
        self, online: Bench, portal: FakePortal, code: str
    ) -> None:
        portal.refuse(code, detail="As the portal says.")
        assert "As the portal says." in str(refuse(online, f"portal-{code}"))

    def test_a_problem_the_device_does_not_know_is_passed_on(self, online: Bench, portal: FakePortal) -> None:
        portal.refuse("moon-phase", detail="Wait for the new moon.")
        refusal = refuse(online, "portal-refused")
        assert "moon-phase: Wait for the new moon." in str(refusal)

    def test_a_bare_429_is_a_busy_portal(self, online: Bench, portal: FakePortal) -> None:
        portal.status = 429
        refuse(online, "portal-rate-limited")

    @pytest.mark.parametrize("status", [302, 308, 404, 500, 503])
    def test_an_answer_that_is_no_problem_is_not_understood(
        self, online: Bench, portal: FakePortal, status: int
    ) -> None:
        portal.status, portal.body = status, b"<html>Bad gateway</html>"
        refuse(online, "portal-answer")

    def test_a_redirect_is_not_followed(self, online: Bench, portal: FakePortal) -> None:
        portal.status = 302
        refuse(online, "portal-answer")
        assert portal.asked == ["/device/v1/directory"]

    def test_a_portal_without_nonces_is_not_understood(self, online: Bench, portal: FakePortal) -> None:
        portal.gives_nonces = False
        refuse(online, "portal-answer")
        portal.nonce_status = 503
        refuse(online, "portal-answer")

    def test_an_address_without_a_directory_is_not_understood(
        self, online: Bench, portal: FakePortal
    ) -> None:
        portal.raw_directory = b""
        refuse(online, "portal-answer")

    def test_an_endless_answer_is_cut_off(self, online: Bench, portal: FakePortal) -> None:
        portal.answer(b" " * (MAX_ANSWER_BYTES + 1))
        refuse(online, "portal-answer")

    def test_a_portal_that_is_not_there_is_said_to_be_unreachable(self, bench: Bench) -> None:
        refuse(bench, "portal-unreachable")

    @pytest.mark.parametrize(
        "directory",
        [
            b"<html>",
            b"{}",
            b'{"urls":[],"portal":"https://portal.test/"}',
            b'{"urls":{"nonce":"file:///etc/passwd","licenses":"http://127.0.0.1/"},"portal":"x"}',
            b'{"urls":{"nonce":"http://127.0.0.1/","licenses":"ftp://127.0.0.1/"},"portal":"x"}',
            b'{"urls":{"nonce":"http:","licenses":"http://127.0.0.1/"},"portal":"x"}',
        ],
        ids=repr,
    )
    def test_a_directory_that_is_none_is_not_followed(
        self, online: Bench, portal: FakePortal, directory: bytes
    ) -> None:
        portal.raw_directory = directory
        refuse(online, "portal-answer")


class TestAnAddressOutOfTheDirectory:
    def test_it_may_not_lead_away_from_tls(self) -> None:
        assert followed("https://other.test/nonce", secure=True) == "https://other.test/nonce"
        with pytest.raises(Refusal) as refused:
            followed("http://portal.test/nonce", secure=True)
        assert refused.value.code == "malformed"


class TestTwoAtOnce:
    def test_a_document_installed_meanwhile_is_not_undone(self, online: Bench, portal: FakePortal) -> None:
        older, newer = (online.issuer.bundle(HARDWARE_ID, seq=seq) for seq in (1, 2))
        portal.answer(older)
        portal.meanwhile = lambda: Device(online.home).install(newer)
        with pytest.raises(Refusal) as refused:
            fetch(online.device())
        assert refused.value.code == "older-document"
        assert online.device().status().seq_installed == 2

"""The staff pages: alerts, trust anchors, blocks; and that they are there for nobody else."""

from collections.abc import Mapping

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Company, Project, User
from devices import alerts, blocking
from devices.alert_sentences import SENTENCES
from devices.models import Alert, BlockedKey, Device, TrustAnchor
from devices.web.urls import urlpatterns
from tests import factories
from tests.factories import NOW, caller
from tests.operations.bookkeeping import last_entry
from tests.web.conftest import SignedIn

KEY = "ab" * 32
HARDWARE_ID = "00-90-33-01-0A-FF"


@pytest.fixture
def device(project: Project) -> Device:
    return factories.make_device(project=project, hardware_id=HARDWARE_ID, name="Main building")


def raise_alert(device: Device, kind: Alert.Kind = Alert.Kind.COUNTER_FORK, **facts: object) -> Alert:
    alerts.alert(kind, device=device, subject="1", now=NOW, **{"ctr": 7, "seq": 9, "ahead": 2, **facts})
    return Alert.objects.get(kind=kind)


def addresses(device: Device, anchor: TrustAnchor) -> Mapping[str, str]:
    """Every staff page, about something that is there."""
    alert = raise_alert(device)
    facts = {"certificate": KEY, "valid_from": NOW.isoformat(), "valid_until": NOW.isoformat()}
    alerts.alert(Alert.Kind.OTHER_KEY, device=device, subject=KEY, now=NOW, **facts)
    values = {
        "alert_id": alert.pk,
        "fingerprint": bytes(anchor.sha256).hex(),
        "hardware_id": device.hardware_id,
        "key_hash": KEY,
    }
    return {
        pattern.name: reverse(
            pattern.name, kwargs={name: values[name] for name in pattern.pattern.converters}
        )
        for pattern in urlpatterns
        if pattern.name
    }


class TestWhoMaySeeThem:
    def test_to_everybody_else_they_are_like_any_page_that_is_none(
        self,
        signed_in: SignedIn,
        alice: User,
        charlie: User,
        erin: User,
        device: Device,
        anchor: TrustAnchor,
    ) -> None:
        pages = addresses(device, anchor)
        assert len(pages) == len(urlpatterns)
        for user in (alice, charlie, erin):
            client = signed_in(user)
            nowhere = client.get("/nowhere")
            for address in pages.values():
                for answer in (client.get(address), client.post(address, {"act_key": "k1", "reason": "x"})):
                    assert answer.status_code == 404, address
                    assert answer.context["error"].code == nowhere.context["error"].code
        assert Alert.objects.filter(settled_at=None).exists()
        assert TrustAnchor.objects.exists()

    def test_signed_out_they_ask_for_a_sign_in(
        self, client: Client, device: Device, anchor: TrustAnchor
    ) -> None:
        for address in addresses(device, anchor).values():
            for answer in (client.get(address), client.post(address)):
                assert answer.headers["Location"] == f"{reverse('sign-in')}?next={address}"

    def test_staff_see_every_one(self, staff: Client, device: Device, anchor: TrustAnchor) -> None:
        for address in addresses(device, anchor).values():
            answer = staff.get(address)
            assert answer.status_code == 200, address
            assert "no-cache" in answer.headers["Cache-Control"]

    def test_only_staff_are_led_there(self, signed_in: SignedIn, alice: User, sam: User) -> None:
        assert f'href="{reverse("staff")}"' in signed_in(sam).get(reverse("home")).text
        assert f'href="{reverse("staff")}"' not in signed_in(alice).get(reverse("home")).text

    @pytest.mark.parametrize(
        ("address", "code"),
        [
            ("alerts/0", "no-such-alert"),
            ("trust-anchors/abc/remove", "no-such-anchor"),
            (f"trust-anchors/{KEY}/remove", "no-such-anchor"),
            ("trust-anchors/%00/remove", "no-such-anchor"),
            ("blocks/device/00-90-33-FF-FF-FF", "no-such-device"),
            ("blocks/device/%00", "no-such-device"),
            ("blocks/key/xyz", "key-hash-malformed"),
        ],
    )
    def test_what_is_not_there_is_said(self, staff: Client, address: str, code: str) -> None:
        answer = staff.get(f"/staff/{address}")
        assert answer.status_code in {400, 404, 422}
        assert answer.context["error"].code == code


class TestIndex:
    def test_it_counts_what_is_open(self, staff: Client, device: Device, anchor: TrustAnchor) -> None:
        raise_alert(device)
        page = staff.get(reverse("staff"))
        assert "1 alert is open." in page.text
        assert "1 manufacturer&#x27;s certificate counts." in page.text or "1 manufacturer's" in page.text
        assert "0 devices are blocked." in page.text


class TestAlerts:
    @pytest.mark.parametrize(
        ("kind", "words"),
        [
            (Alert.Kind.COUNTER_FORK, "counter 7"),
            (Alert.Kind.SEQ_AHEAD, "document 9, 2 ahead"),
            (Alert.Kind.SEQ_FAR_AHEAD, f"seq_floor device {HARDWARE_ID} 9"),
            (Alert.Kind.CLAIM_WITH_SUPPORT, "wants it in Alice Networks / DEFAULT"),
        ],
    )
    def test_each_is_a_sentence_with_its_device_and_what_to_do(
        self, staff: Client, device: Device, kind: Alert.Kind, words: str
    ) -> None:
        raise_alert(device, kind, project=device.project_id)
        page = staff.get(reverse("staff-alerts"))
        assert words in page.text
        assert HARDWARE_ID in page.text
        assert "What to do" in page.text
        assert kind not in page.text

    def test_those_about_a_company_lead_to_it_and_are_settled(
        self, staff: Client, alice: User, company: Company
    ) -> None:
        for kind, facts in (
            (Alert.Kind.CAP_REACHED, {"broken": HARDWARE_ID, "counted": 5, "cap": 5}),
            (Alert.Kind.KEYS_TRIED, {"user": alice.pk}),
        ):
            alerts.alert_about_company(kind, company=company, now=NOW, **facts)

        page = staff.get(reverse("staff-alerts")).text
        assert "Alice Networks asks for more moves" in page
        assert "Alice Example was held up" in page
        assert reverse("staff-company", args=[company.pk]) in page

        address = reverse("staff-alert", args=[Alert.objects.earliest("pk").pk])
        answer = staff.post(address, {"reason": "told them", "act_key": "x"}, follow=True)
        assert "The alert about Alice Networks is settled." in answer.text
        assert "told them" in staff.get(address).text

    def test_every_kind_has_words(self) -> None:
        assert set(SENTENCES) == set(Alert.Kind)

    def test_the_open_ones_come_first_and_then_what_became_of_the_others(
        self, staff: Client, sam: User, device: Device
    ) -> None:
        settled = raise_alert(device)
        raise_alert(device, Alert.Kind.SEQ_AHEAD)
        alerts.settle_alert(settled=settled, caller=caller(sam, reason="a restored snapshot"), now=NOW)
        page = staff.get(reverse("staff-alerts"))
        assert page.text.index("2 ahead") < page.text.index("counter 7")
        assert "a restored snapshot" in page.text
        assert "Sam Example" in page.text

    def test_none_is_said_to_be_none(self, staff: Client) -> None:
        assert "Nothing is open" in staff.get(reverse("staff-alerts")).text

    def test_one_is_settled_with_what_came_of_it_and_only_once(self, staff: Client, device: Device) -> None:
        alert = raise_alert(device)
        address = reverse("staff-alert", args=[alert.pk])
        given = {"reason": "a restored snapshot", "act_key": "k1"}
        answers = [staff.post(address, given) for _ in range(2)]
        assert [answer.headers["Location"] for answer in answers] == [reverse("staff-alerts")] * 2
        alert.refresh_from_db()
        assert alert.settled_at is not None
        assert (last_entry().event, last_entry().facts["reason"]) == ("alert-settled", "a restored snapshot")
        assert "a restored snapshot" in staff.get(address).text

    def test_a_reason_is_needed(self, staff: Client, device: Device) -> None:
        alert = raise_alert(device)
        page = staff.post(reverse("staff-alert", args=[alert.pk]), {"reason": " ", "act_key": "k1"})
        assert page.status_code == 400
        assert 'id="id_reason_error"' in page.text
        alert.refresh_from_db()
        assert alert.settled_at is None

    def test_somebody_elses_settlement_is_told(
        self, staff: Client, signed_in: SignedIn, olga: User, device: Device
    ) -> None:
        address = reverse("staff-alert", args=[raise_alert(device).pk])
        signed_in(olga).post(address, {"reason": "asked them", "act_key": "k1"})
        page = staff.post(address, {"reason": "me too", "act_key": "k1"})
        assert page.status_code == 409
        assert "alert-settled-already" in page.text
        assert "asked them" in page.text

    def test_a_form_used_before_is_told(self, staff: Client, device: Device) -> None:
        address = reverse("staff-alert", args=[raise_alert(device).pk])
        other = reverse("staff-alert", args=[raise_alert(device, Alert.Kind.SEQ_AHEAD).pk])
        staff.post(address, {"reason": "asked them", "act_key": "k1"})
        assert "form-used-before" in staff.post(other, {"reason": "asked them", "act_key": "k1"}).text


class TestBlocks:
    def test_a_device_is_shown_before_it_is_blocked_and_blocked_once(
        self, staff: Client, device: Device
    ) -> None:
        given = {"device": "009033010aff", "reason": "stolen from the van", "act_key": "k1"}
        page = staff.post(reverse("staff-block-device"), given)
        assert "Alice Networks / DEFAULT" in page.text
        assert "stays in effect" in page.text
        assert not Device.objects.filter(blocked_at__isnull=False).exists()
        answers = [staff.post(reverse("staff-block-device"), {**given, "confirm": "1"}) for _ in range(2)]
        assert [answer.headers["Location"] for answer in answers] == [reverse("staff-blocks")] * 2
        listed = staff.get(reverse("staff-blocks")).text
        for words in (HARDWARE_ID, "stolen from the van", "Sam Example"):
            assert words in listed

    @pytest.mark.parametrize("typed", ["00-90-33-FF-FF-FF", "no hardware ID"])
    def test_a_device_that_is_none_is_refused_beside_its_field(
        self, staff: Client, device: Device, typed: str
    ) -> None:
        page = staff.post(reverse("staff-block-device"), {"device": typed, "reason": "x", "act_key": "k1"})
        assert page.status_code == 404
        assert "no-such-device" in page.text
        assert page.context["form"].errors["device"]

    def test_blocked_and_unblocked_already_are_told(self, staff: Client, device: Device) -> None:
        unblock = reverse("staff-unblock-device", args=[HARDWARE_ID])
        assert "device-not-blocked" in staff.post(unblock, {"reason": "x", "act_key": "k0"}).text
        given = {"device": HARDWARE_ID, "reason": "x", "confirm": "1"}
        staff.post(reverse("staff-block-device"), {**given, "act_key": "k1"})
        again = staff.post(reverse("staff-block-device"), {**given, "act_key": "k2"})
        assert (again.status_code, "device-blocked-already" in again.text) == (409, True)

    def test_a_device_is_unblocked_with_a_reason(self, staff: Client, device: Device) -> None:
        blocking.block_device(device=device, caller=caller(reason="stolen"), now=NOW)
        address = reverse("staff-unblock-device", args=[HARDWARE_ID])
        assert "stolen" in staff.get(address).text
        assert staff.post(address, {"reason": "", "act_key": "k1"}).status_code == 400
        for _ in range(2):
            assert staff.post(address, {"reason": "found again", "act_key": "k1"}).status_code == 302
        device.refresh_from_db()
        assert device.blocked_at is None
        assert last_entry().facts["reason"] == "found again"

    def test_a_key_is_blocked_and_unblocked_with_a_reason(self, staff: Client, db: None) -> None:
        given = {"key": KEY.upper(), "reason": "copied", "act_key": "k1"}
        for _ in range(2):
            assert staff.post(reverse("staff-block-key"), given).status_code == 302
        assert BlockedKey.objects.get().blocked_by == "Sam Example"
        listed = staff.get(reverse("staff-blocks")).text
        assert KEY in listed
        assert "copied" in listed
        address = reverse("staff-unblock-key", args=[KEY])
        assert "copied" in staff.get(address).text
        for _ in range(2):
            assert staff.post(address, {"reason": "a mistake", "act_key": "k2"}).status_code == 302
        assert not BlockedKey.objects.exists()

    def test_what_is_no_key_or_blocked_already_is_refused_beside_its_field(
        self, staff: Client, db: None
    ) -> None:
        address = reverse("staff-block-key")
        malformed = staff.post(address, {"key": "abc", "reason": "x", "act_key": "k1"})
        assert "key-hash-malformed" in malformed.text
        staff.post(address, {"key": KEY, "reason": "x", "act_key": "k1"})
        twice = staff.post(address, {"key": KEY, "reason": "x", "act_key": "k2"})
        assert "device-key-blocked-already" in twice.text
        for page in (malformed, twice):
            assert page.context["form"].errors["key"]
        unknown = staff.post(reverse("staff-unblock-key", args=["cd" * 32]), {"reason": "x", "act_key": "k3"})
        assert "device-key-not-blocked" in unknown.text

    def test_an_alert_leads_to_blocking_its_device(self, staff: Client, device: Device) -> None:
        raise_alert(device)
        address = f"{reverse('staff-block-device')}?device={HARDWARE_ID}"
        assert address in staff.get(reverse("staff-alerts")).text
        assert f'value="{HARDWARE_ID}"' in staff.get(address).text

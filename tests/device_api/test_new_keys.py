"""A device that comes with another certificate: refused, noticed, listened to once two people accept it."""

from django.test import Client

from accounts.models import User
from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity
from devices.models import Alert, Device
from tests import factories
from tests.device_api.conftest import HARDWARE_ID
from tests.device_api.devices import Signer


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_it_fetches_with_its_new_certificate_from_the_second_persons_word_on(
    signer: Signer, device: Device, authority: Authority
) -> None:
    assert signer.fetch().status_code == 200
    repaired = Signer.of(make_identity(authority, HARDWARE_ID, kind="P-384", now=factories.NOW), "ES384")

    assert repaired.fetch().json()["code"] == "key-not-pinned"
    assert repaired.fetch().json()["code"] == "key-not-pinned"

    alert = Alert.objects.get()  # twice refused, once told
    assert (alert.kind, alert.device) == (Alert.Kind.OTHER_KEY, device)
    page = f"/staff/devices/{HARDWARE_ID}/certificates/{alert.subject}"
    sam, olga = (factories.make_user(name=name, is_staff=True) for name in ("Sam", "Olga"))
    assert f'href="{page}"' in signed_in(sam).get(f"/staff/devices/{HARDWARE_ID}").text
    assert f'href="{page}"' in signed_in(sam).get(f"/staff/alerts/{alert.pk}").text

    told = signed_in(sam).post(page, {"reason": "A new board.", "act_key": "1"}, follow=True).text
    assert "takes a second person" in told
    assert repaired.fetch().json()["code"] == "key-not-pinned"
    mine = signed_in(sam).get(page).text
    assert "Accept as the second person" not in mine
    assert "A new board." in mine
    told = signed_in(olga).post(page, {"reason": "They said so.", "act_key": "2"}, follow=True).text
    assert "known by its new certificate" in told

    assert repaired.fetch().status_code == 200
    assert signer.fetch().json()["code"] == "key-not-pinned"
    alert.refresh_from_db()
    assert alert.settled_at is not None
    assert Alert.objects.get(settled_at=None).subject != alert.subject  # the earlier key speaks


def test_what_one_accepted_another_drops(
    signer: Signer, device: Device, authority: Authority, alice: User
) -> None:
    signer.was_heard_of()
    Signer.of(make_identity(authority, HARDWARE_ID, kind="P-384", now=factories.NOW), "ES384").fetch()
    page = f"/staff/devices/{HARDWARE_ID}/certificates/{Alert.objects.get().subject}"
    sam = factories.make_user(name="Sam", is_staff=True)
    browser = signed_in(sam)
    browser.post(page, {"reason": "A new board.", "act_key": "1"})

    refused = browser.post(page, {"reason": "Me again.", "act_key": "2"})
    assert (refused.status_code, "It takes" in refused.text or "second person" in refused.text) == (409, True)
    told = browser.post(page, {"reason": "A clone.", "act_key": "3", "do": "drop"}, follow=True).text

    assert "was not accepted" in told
    assert "Not accepted" in browser.get(page).text
    assert signed_in(alice).get(page).status_code == 404

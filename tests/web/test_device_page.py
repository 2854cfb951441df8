import json

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from accounts.models import Project, ProjectRight, User
from devices.models import Device
from licenses import delivery, queries
from licenses.models import Grant, LicenseDocument
from tests import factories
from tests.factories import NOW
from tests.web.conftest import SignedIn


@pytest.fixture
def device(project: Project) -> Device:
    """A device in a project that has ten ports free."""
    factories.activated(project, {"Port": 10})
    return factories.make_device(project=project, name="Main building")


def url(name: str, device: Device, *more: str) -> str:
    return reverse(name, args=[device.hardware_id, *more])


def assignment(**change: str) -> dict[str, str]:
    return {"product": "Port/14", "quantity": "4", "act_key": "k1", **change}


class TestDevicePage:
    def test_it_shows_what_the_device_holds(self, signed_in: SignedIn, alice: User, device: Device) -> None:
        factories.assigned(device, 3)
        page = signed_in(alice).get(url("device", device))
        assert device.hardware_id in page.text
        assert [grant.quantity for grant, _ in page.context["grants"]] == [3]
        assert page.context["document"].seq == 1
        assert "Not handed out yet" in page.text
        assert "Port 14: 7 free" in page.text
        assert f'data-copy="{device.hardware_id}"' in page.text

    def test_it_tells_beforehand_how_many_a_document_lists(
        self, signed_in: SignedIn, alice: User, device: Device, settings: LazySettings
    ) -> None:
        settings.GRANTS_PER_DEVICE = 3
        factories.assigned(device)
        factories.assigned(device)

        page = signed_in(alice).get(url("device", device))

        assert "lists 2 of at most 3 licenses" in page.text

    def test_it_leads_on_while_it_holds_nothing(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        bare = factories.make_device(project=project)
        page = signed_in(alice).get(url("device", bare))
        assert "No licenses on this device" in page.text
        assert f"?into=project:{project.pk}" in page.text
        assert url("device-download", bare) not in page.text

    def test_it_shows_somebody_who_may_only_look_no_forms(
        self, signed_in: SignedIn, bob: User, device: Device, project: Project
    ) -> None:
        factories.assigned(device, 3)
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)
        page = signed_in(bob).get(url("device", device))
        assert page.status_code == 200
        assert "Port 14" in page.text
        for name in ("device-assign", "device-download"):
            assert url(name, device) not in page.text
        assert "/undo/" not in page.text

    def test_it_is_not_there_for_strangers(
        self, signed_in: SignedIn, charlie: User, bob: User, device: Device
    ) -> None:
        for user in (charlie, bob):
            for address in (url("device", device), reverse("device", args=["00-90-33-FF-FF-FF"])):
                page = signed_in(user).get(address)
                assert page.status_code == 404
                assert page.context["error"].code == "no-such-device"

    @pytest.mark.parametrize("typed", ["x", "%00", "%F0%9F%92%BE", "0" * 500])
    def test_it_is_not_there_for_what_is_no_hardware_id(
        self, typed: str, signed_in: SignedIn, alice: User, device: Device
    ) -> None:
        assert signed_in(alice).get(f"/devices/{typed}").status_code == 404


class TestAssign:
    def test_it_assigns_once(self, signed_in: SignedIn, alice: User, device: Device) -> None:
        client = signed_in(alice)
        for _ in range(2):
            page = client.post(url("device-assign", device), assignment(), follow=True)
            assert page.redirect_chain == [(url("device", device) + "#main", 302)]
            assert "seq 1" in page.text
        assert (factories.free(device), factories.free(device.project)) == (4, 6)

    def test_it_assigns_everything_once_too(self, signed_in: SignedIn, alice: User, device: Device) -> None:
        client = signed_in(alice)
        answers = [
            client.post(url("device-assign", device), assignment(quantity="10")).status_code for _ in range(2)
        ]
        assert answers == [302, 302]
        assert factories.free(device) == 10

    def test_it_lets_an_end_customer_with_the_right(
        self, signed_in: SignedIn, erin: User, device: Device
    ) -> None:
        assert signed_in(erin).post(url("device-assign", device), assignment()).status_code == 302

    @pytest.mark.parametrize(
        ("change", "status", "problem"),
        [
            ({"quantity": "11"}, 409, "insufficient-licenses"),
            ({"quantity": "0"}, 400, "quantity-out-of-range"),
            ({"quantity": "99999999999999999999"}, 400, "quantity-out-of-range"),
            ({"product": "UC/14"}, 409, "insufficient-licenses"),
            ({"product": "Port/15"}, 400, "no-such-product"),
        ],
    )
    def test_it_says_on_the_form_why_not(
        self,
        change: dict[str, str],
        status: int,
        problem: str,
        signed_in: SignedIn,
        alice: User,
        device: Device,
    ) -> None:
        page = signed_in(alice).post(url("device-assign", device), assignment(**change))
        assert page.status_code == status
        assert reverse("problem", args=[problem]) in page.text
        assert 'name="quantity"' in page.text
        assert (factories.free(device), factories.free(device.project)) == (0, 10)
        assert LicenseDocument.objects.count() == 0

    @pytest.mark.parametrize(
        "change", [{"quantity": ""}, {"quantity": "x"}, {"product": "Port"}, {"act_key": ""}]
    )
    def test_it_asks_for_what_is_missing(
        self, change: dict[str, str], signed_in: SignedIn, alice: User, device: Device
    ) -> None:
        page = signed_in(alice).post(url("device-assign", device), assignment(**change))
        assert page.status_code == 400
        assert 'role="alert"' in page.text
        assert factories.free(device) == 0

    def test_it_refuses_one_more_than_a_document_lists(
        self, signed_in: SignedIn, alice: User, device: Device, settings: LazySettings
    ) -> None:
        settings.GRANTS_PER_DEVICE = 1
        factories.assigned(device, 1)
        page = signed_in(alice).post(url("device-assign", device), assignment())
        assert page.status_code == 409
        assert "device-is-full" in page.text

    def test_it_needs_operate(
        self, signed_in: SignedIn, bob: User, charlie: User, device: Device, project: Project
    ) -> None:
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)
        for user, status in ((bob, 403), (charlie, 404)):
            for name in ("device-assign", "device-download"):
                page = signed_in(user).post(url(name, device), assignment())
                assert page.status_code == status
        assert factories.free(device) == 0


class TestUndo:
    def test_it_brings_the_licenses_back_once(self, signed_in: SignedIn, alice: User, device: Device) -> None:
        undo = url("device-undo", device, queries.grant_id(factories.assigned(device, 3)))
        client = signed_in(alice)
        assert undo in client.get(url("device", device)).text
        for _ in range(2):
            page = client.post(undo, {"act_key": "k1"}, follow=True)
            assert page.redirect_chain == [(url("device", device), 302)]
            assert undo not in page.text
        assert (factories.free(device), factories.free(device.project)) == (0, 10)

    def test_it_says_why_an_ended_assignment_cannot_be_undone(
        self, signed_in: SignedIn, alice: User, device: Device
    ) -> None:
        undo = url("device-undo", device, queries.grant_id(factories.assigned(device, 3)))
        client = signed_in(alice)
        client.post(undo, {"act_key": "k1"})
        page = client.post(undo, {"act_key": "k2"})
        assert page.status_code == 409
        assert "grant-already-ended" in page.text
        assert factories.free(device.project) == 10

    def test_it_is_over_once_a_document_was_handed_out(
        self, signed_in: SignedIn, alice: User, device: Device, keyring: object
    ) -> None:
        grant = factories.assigned(device, 3)
        delivery.download(device=device, caller=factories.caller(alice), now=NOW)
        undo = url("device-undo", device, queries.grant_id(grant))
        client = signed_in(alice)
        assert undo not in client.get(url("device", device)).text
        page = client.post(undo, {"act_key": "k1"})
        assert page.status_code == 409
        assert reverse("problem", args=["assignment-carried"]) in page.text
        assert Grant.objects.get().state == "live"

    def test_it_finds_no_grant_of_another_device(
        self, signed_in: SignedIn, alice: User, device: Device, project: Project
    ) -> None:
        other = factories.make_device(project=project)
        grant = factories.assigned(other, 3)
        for grant_id in (queries.grant_id(grant), "nonsense", "A" * 22):
            assert (
                signed_in(alice).post(url("device-undo", device, grant_id), {"act_key": "k1"}).status_code
                == 404
            )
        assert factories.free(other) == 3

    def test_it_needs_an_act_key(self, signed_in: SignedIn, alice: User, device: Device) -> None:
        undo = url("device-undo", device, queries.grant_id(factories.assigned(device, 3)))
        assert signed_in(alice).post(undo).status_code == 400
        assert factories.free(device) == 3

    def test_it_is_for_those_with_the_right(
        self, signed_in: SignedIn, charlie: User, bob: User, device: Device, project: Project
    ) -> None:
        undo = url("device-undo", device, queries.grant_id(factories.assigned(device, 3)))
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)
        for user, status in ((bob, 403), (charlie, 404)):
            assert signed_in(user).post(undo, {"act_key": "k1"}).status_code == status
        assert factories.free(device) == 3


class TestDownload:
    def test_it_hands_out_the_signed_bytes_as_a_file(
        self, signed_in: SignedIn, alice: User, device: Device, keyring: object
    ) -> None:
        factories.assigned(device, 3)
        response = signed_in(alice).post(url("device-download", device), {"act_key": "k1"})
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"
        assert "no-store" in response.headers["Cache-Control"]
        name = f"{device.hardware_id}-1.lic"
        assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        stored = bytes(LicenseDocument.objects.get().signed or b"")
        assert stored in response.content
        assert json.loads(response.content)["bundle"] == "olp/1"

    def test_it_gives_the_same_file_again(
        self, signed_in: SignedIn, alice: User, device: Device, keyring: object
    ) -> None:
        factories.assigned(device, 3)
        client = signed_in(alice)
        files = [client.post(url("device-download", device), {"act_key": "k1"}).content for _ in range(2)]
        assert files[0] == files[1]
        assert "Handed out" in client.get(url("device", device)).text

    def test_it_says_on_the_page_that_there_are_no_signing_keys(
        self, signed_in: SignedIn, alice: User, device: Device
    ) -> None:
        factories.assigned(device, 3)
        page = signed_in(alice).post(url("device-download", device), {"act_key": "k1"})
        assert page.status_code == 503
        assert "no-key-set" in page.text
        assert LicenseDocument.objects.get().handed_out_at is None


class TestAddressesOfForms:
    @pytest.mark.parametrize("name", ["device-assign", "device-download"])
    def test_they_lead_to_the_page_when_only_opened(
        self, name: str, signed_in: SignedIn, alice: User, device: Device
    ) -> None:
        factories.assigned(device, 3)
        assert signed_in(alice).get(url(name, device)).headers["Location"] == url("device", device)
        assert LicenseDocument.objects.get().handed_out_at is None

    def test_undo_leads_to_the_page_when_only_opened(
        self, signed_in: SignedIn, alice: User, device: Device
    ) -> None:
        undo = url("device-undo", device, queries.grant_id(factories.assigned(device, 3)))
        assert signed_in(alice).get(undo).headers["Location"] == url("device", device)
        assert factories.free(device) == 3

    def test_nobody_gets_past_signing_in(self, client: Client, device: Device) -> None:
        for name in ("device", "device-assign", "device-download"):
            response = client.post(url(name, device), assignment())
            assert response.headers["Location"].startswith(reverse("sign-in"))

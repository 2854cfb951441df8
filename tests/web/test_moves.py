"""The move of a broken device on its page (mission rules 24 and 25)."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Project, User
from devices.models import Device
from licenses.models import Move
from tests import factories
from tests.operations import moving
from tests.pictures import PDF, PNG
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("catalogue", "today", "keyring")


@pytest.fixture
def broken(project: Project) -> Device:
    factories.activated(project, {"Port": 9})
    device = factories.make_device(project=project)
    factories.assigned(device, 3)
    return device


@pytest.fixture
def replacement(project: Project) -> Device:
    return factories.make_device(project=project)


@pytest.fixture
def erins(signed_in: SignedIn, erin: User) -> Client:
    """An end customer's browser, who may operate the one project."""
    return signed_in(erin)


def page_of(client: Client, device: Device) -> str:
    return client.get(reverse("device", args=[device.hardware_id])).text


def send(client: Client, device: Device, **change: Any) -> str:
    sent = {"replacement": "", "reason": moving.REASON, "rma": "", "act_key": "k1", **change}
    return client.post(reverse("device-move", args=[device.hardware_id]), sent, follow=True).text


class TestAsking:
    def test_bridges_at_once_and_says_so_on_both_pages(
        self, erins: Client, broken: Device, replacement: Device
    ) -> None:
        assert "Ask for a move" in page_of(erins, broken)

        page = send(erins, broken, replacement=replacement.hardware_id.replace("-", ":").lower(), rma="RMA-7")

        assert "The replacement has a bridge" in page
        assert "RMA-7" in page
        assert "Until the move is decided, this device takes no assignment." in page
        assert "It replaces" in page_of(erins, replacement)
        assert moving.held(replacement) == {("bridge", "Port"): 3}

    def test_twice_with_one_form_is_one_move(
        self, erins: Client, broken: Device, replacement: Device
    ) -> None:
        for _ in range(2):
            send(erins, broken, replacement=replacement.hardware_id)

        assert Move.objects.count() == 1

    def test_says_first_that_a_signed_return_is_better_if_the_device_ever_spoke(
        self, erins: Client, broken: Device
    ) -> None:
        ask = reverse("device-move", args=[broken.hardware_id])
        assert "Can the device still be reached?" not in erins.get(ask).text
        Device.objects.filter(pk=broken.pk).update(pinned_spki=bytes(32), pinned_at=factories.NOW)

        assert "Can the device still be reached?" in erins.get(ask).text

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"replacement": "nonsense"}, "hardware-id-malformed"),
            ({"replacement": "00-90-33-FF-FF-FF"}, "no-such-device"),
        ],
    )
    def test_with_a_replacement_that_is_none_comes_back(
        self, erins: Client, broken: Device, change: dict[str, str], code: str
    ) -> None:
        assert code in send(erins, broken, **change)
        assert not Move.objects.exists()

    def test_names_the_replacement_later(self, erins: Client, broken: Device, replacement: Device) -> None:
        assert "Name the replacement as soon as you know it." in send(erins, broken)
        name = reverse("device-move-replacement", args=[broken.hardware_id, Move.objects.get().pk])
        assert "Name the replacement" in erins.get(name).text

        sent = {"replacement": replacement.hardware_id, "act_key": "k2"}
        page = erins.post(name, sent, follow=True).text

        assert "The replacement has a bridge" in page
        assert "Change the replacement" in page


class TestWithdrawing:
    def test_is_asked_first(self, erins: Client, broken: Device, replacement: Device) -> None:
        move = moving.asked(broken, replacement)
        address = reverse("device-move-withdraw", args=[broken.hardware_id, move.pk])
        assert "support looks first" in erins.get(address).text

        page = erins.post(address, {"act_key": "k1"}, follow=True).text

        assert "The move is withdrawn." in page
        assert "The last move of this device:" in page
        assert moving.held(replacement) == {}


class TestWhoOnlyLooks:
    def test_sees_the_move_and_no_button(
        self, signed_in: SignedIn, project: Project, broken: Device, replacement: Device
    ) -> None:
        vera = factories.make_user(name="Vera")
        factories.give_right(user=vera, project=project, level="view")
        moving.asked(broken, replacement)

        page = page_of(signed_in(vera), broken)

        assert "Bridged" in page
        assert "Withdraw the move" not in page

    def test_reads_nothing_of_a_replacement_in_another_project(
        self, erins: Client, broken: Device, project: Project
    ) -> None:
        there = factories.make_device(project=factories.make_project(company=project.company))
        moving.asked(broken, there)

        page = page_of(erins, broken)

        assert "a device in another project" in page
        assert there.hardware_id not in page


class TestEvidence:
    def saved(self, client: Client, address: str) -> bytes:
        answer = client.get(address)
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        return bytes(answer.content)

    def test_comes_with_the_request_and_is_saved_by_the_company_and_by_support(
        self, erins: Client, signed_in: SignedIn, broken: Device, sam: User
    ) -> None:
        page = send(erins, broken, evidence=SimpleUploadedFile("burned board.png", PNG))

        assert "burned board.png" in page
        move = Move.objects.get()
        file = reverse("device-move-evidence-file", args=[broken.hardware_id, move.pk])
        assert file in page
        assert self.saved(erins, file) == PNG
        console = signed_in(sam)
        assert "burned board.png" in console.get(reverse("staff-move", args=[move.pk])).text
        assert self.saved(console, reverse("staff-move-evidence", args=[move.pk])) == PNG

    def test_a_page_of_html_that_calls_itself_a_pdf_makes_no_move(
        self, erins: Client, broken: Device
    ) -> None:
        html = SimpleUploadedFile("report.pdf", b"<script>alert(1)</script>", content_type="application/pdf")

        page = send(erins, broken, evidence=html)

        assert "The evidence is no whole PDF, PNG or JPEG file." in page
        assert moving.REASON in page
        assert not Move.objects.exists()

    def test_is_added_later_once(self, erins: Client, broken: Device) -> None:
        move = moving.asked(broken)
        address = reverse("device-move-evidence", args=[broken.hardware_id, move.pk])
        assert address in page_of(erins, broken)

        def add(name: str, key: str) -> str:
            sent = {"evidence": SimpleUploadedFile(name, PDF), "act_key": key}
            return erins.post(address, sent, follow=True).text

        assert "The evidence is with the move." in add("one.pdf", "k1")
        assert f'"{address}"' not in page_of(erins, broken)
        assert "This move has its evidence file already." in add("two.pdf", "k2")

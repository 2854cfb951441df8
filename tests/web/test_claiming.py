"""Claiming a device that is in another project, and what the histories say of it (mission rule 7)."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Project, ProjectRight, User
from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity
from devices.models import Alert, Device
from licenses import verification
from licenses.models import ClaimCode
from tests import factories, rows
from tests.device_api.devices import Signer
from tests.factories import NOW
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("keyring", "anchor")

HARDWARE_ID = "00-90-33-01-0A-FF"
CLAIM = "lic-claim+jws"
CODE = re.compile(r'data-copy="([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})"')


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Noon, and it stays noon unless the test moves on."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def signer(authority: Authority) -> Signer:
    return Signer.of(make_identity(authority, HARDWARE_ID, kind="P-256", now=NOW))


@pytest.fixture
def device(project: Project) -> Device:
    """In Alice's project, with channels that stay with the hardware."""
    factories.activated(project, {"Port": 10, "Channels": 4})
    device = factories.make_device(project=project, hardware_id=HARDWARE_ID)
    factories.assigned(device, 4, "Channels")
    return device


@pytest.fixture
def target(charlie: User) -> Project:
    """Charlie's project, of another company."""
    return factories.first_project(charlie.memberships.get().company)


@pytest.fixture
def page(target: Project) -> str:
    """The address of the page for claiming."""
    return reverse("claim", args=[target.pk])


@pytest.fixture
def upload(target: Project) -> str:
    """The address that takes the claim file."""
    return reverse("claim-file", args=[target.pk])


def made(client: Client, page: str, **change: str) -> str:
    """Make a claim code as the page does, and read it there."""
    answer = client.post(page, {"hardware_id": HARDWARE_ID, "act_key": "k1", **change})
    assert answer.status_code == 200, answer.text
    [code] = CODE.findall(answer.text)
    return str(code)


def claim(signer: Signer, code: str, **said: Any) -> dict[str, Any]:
    written = signer.writes(CLAIM, **({"ctr": 1, "code": code} | said))
    return {"hardware_id": HARDWARE_ID, "file": SimpleUploadedFile("claim.jws", written)}


class TestTheWayThere:
    def test_a_taken_hardware_id_leads_to_claiming(
        self, signed_in: SignedIn, charlie: User, device: Device, target: Project, page: str
    ) -> None:
        client = signed_in(charlie)
        refused = client.post(
            reverse("project-add-device", args=[target.pk]),
            {"hardware_id": "0090.3301.0aff", "act_key": "k1"},
        )
        assert refused.status_code == 409
        link = f"{page}?hardware_id={HARDWARE_ID}"
        assert f'href="{link}"' in refused.text
        assert f'value="{HARDWARE_ID}"' in client.get(link).text

    def test_what_stands_in_the_address_is_only_text(
        self, signed_in: SignedIn, charlie: User, page: str
    ) -> None:
        assert "<script>x" not in signed_in(charlie).get(page, {"hardware_id": '"><script>x'}).text

    def test_the_project_s_page_leads_there_too(
        self, signed_in: SignedIn, charlie: User, target: Project, page: str
    ) -> None:
        assert f'href="{page}"' in signed_in(charlie).get(reverse("project", args=[target.pk])).text


class TestMakingACode:
    def test_it_is_shown_once_with_its_end_and_what_to_do(
        self, signed_in: SignedIn, charlie: User, device: Device, page: str
    ) -> None:
        client = signed_in(charlie)
        answer = client.post(page, {"hardware_id": "009033010aff", "act_key": "k1"})
        [code] = CODE.findall(answer.text)
        assert 'datetime="2026-11-25T12:00:00Z"' in answer.text
        assert "What to do on the device" in answer.text
        assert "no-store" in answer.headers["Cache-Control"]
        assert code not in client.get(page).text
        assert ClaimCode.objects.get().hardware_id == HARDWARE_ID
        # It is a secret of a day: the database has its hash alone.
        assert not any(code.replace("-", "") in str(row) for row in rows.everything().values())

    def test_it_is_in_the_history_of_the_project(
        self, signed_in: SignedIn, charlie: User, alice: User, device: Device, target: Project, page: str
    ) -> None:
        made(signed_in(charlie), page)
        told = signed_in(charlie).get(reverse("project", args=[target.pk])).text
        assert f'made a claim code for <span class="mono nowrap">{HARDWARE_ID}</span>.' in told
        # Whose it is learns nothing yet.
        for address in (reverse("project", args=[device.project_id]), f"/devices/{HARDWARE_ID}"):
            assert "claim code" not in signed_in(alice).get(address).text

    @pytest.mark.parametrize(
        ("typed", "status", "problem"),
        [("00-90-33-FF-FF-FF", 409, "device-not-taken"), ("x", 400, "hardware-id-malformed")],
    )
    def test_it_says_on_the_form_why_not(
        self,
        typed: str,
        status: int,
        problem: str,
        signed_in: SignedIn,
        charlie: User,
        page: str,
        device: Device,
    ) -> None:
        answer = signed_in(charlie).post(page, {"hardware_id": typed, "act_key": "k1"})
        assert answer.status_code == status
        assert reverse("problem", args=[problem]) in answer.text
        assert not ClaimCode.objects.exists()

    def test_a_device_that_nobody_has_is_simply_added(
        self, signed_in: SignedIn, charlie: User, page: str, target: Project
    ) -> None:
        answer = signed_in(charlie).post(page, {"hardware_id": HARDWARE_ID, "act_key": "k1"})
        assert f'href="{reverse("project", args=[target.pk])}#add"' in answer.text

    def test_a_device_of_the_project_needs_no_claim(
        self, signed_in: SignedIn, alice: User, device: Device
    ) -> None:
        page = reverse("claim", args=[device.project_id])
        answer = signed_in(alice).post(page, {"hardware_id": HARDWARE_ID, "act_key": "k1"})
        assert (answer.status_code, answer.context["form"].refusal.code) == (409, "device-already-added")

    @pytest.mark.parametrize("given", [{}, {"hardware_id": HARDWARE_ID}, {"act_key": "k1"}])
    def test_it_asks_for_what_is_missing(
        self, given: dict[str, str], signed_in: SignedIn, charlie: User, page: str, device: Device
    ) -> None:
        answer = signed_in(charlie).post(page, given | {"sent": "1"})
        assert answer.status_code == 400
        assert not ClaimCode.objects.exists()

    def test_it_is_for_those_with_the_right(
        self,
        client: Client,
        signed_in: SignedIn,
        alice: User,
        bob: User,
        device: Device,
        page: str,
        upload: str,
    ) -> None:
        mine = reverse("claim", args=[device.project_id])
        factories.give_right(user=bob, project=device.project, level=ProjectRight.Level.VIEW)
        given = {"hardware_id": HARDWARE_ID, "act_key": "k1"}
        for user, address, status in ((bob, mine, 403), (alice, page, 404), (alice, upload, 404)):
            assert signed_in(user).post(address, given).status_code == status
        assert signed_in(bob).get(mine).status_code == 403
        for address in (page, upload):
            assert client.post(address, given).headers["Location"].startswith(reverse("sign-in"))
        assert not ClaimCode.objects.exists()


class TestHandingTheClaimIn:
    def test_a_free_device_comes_over_once(
        self, signed_in: SignedIn, charlie: User, device: Device, signer: Signer, page: str, upload: str
    ) -> None:
        client = signed_in(charlie)
        written = claim(signer, made(client, page))

        answer = client.post(upload, written, follow=True)

        assert answer.redirect_chain == [(f"/devices/{HARDWARE_ID}#main", 302)]
        assert "is now in the project that claimed it" in answer.text
        assert "came into this project by a claim" in answer.text
        assert factories.free(device, "Channels") == 4
        before = rows.everything()
        written["file"].seek(0)
        again = client.post(upload, written, follow=True)
        assert again.redirect_chain == answer.redirect_chain
        assert rows.everything() == before
        assert list(verification.violations()) == []

    def test_the_earlier_project_reads_that_it_left_and_not_to_whom(
        self,
        signed_in: SignedIn,
        alice: User,
        charlie: User,
        device: Device,
        signer: Signer,
        page: str,
        upload: str,
    ) -> None:
        client = signed_in(charlie)
        client.post(upload, claim(signer, made(client, page)))

        told = signed_in(alice).get(reverse("project", args=[device.project_id])).text

        assert "left this project by a claim that it signed." in told
        assert "Charlie" not in told
        assert signed_in(alice).get(f"/devices/{HARDWARE_ID}").status_code == 404

    def test_one_that_holds_returnable_licenses_goes_to_support(
        self,
        signed_in: SignedIn,
        alice: User,
        charlie: User,
        device: Device,
        signer: Signer,
        target: Project,
        page: str,
        upload: str,
    ) -> None:
        factories.assigned(device, 2)
        client = signed_in(charlie)

        answer = client.post(upload, claim(signer, made(client, page)), follow=True)

        assert answer.redirect_chain == [(reverse("project", args=[target.pk]), 302)]
        assert "Support will look at it" in answer.text
        assert "proved itself with a claim; support decides about it." in answer.text
        assert Alert.objects.get().kind == Alert.Kind.CLAIM_WITH_SUPPORT
        assert Device.objects.get().project == device.project
        assert "claim" not in signed_in(alice).get(f"/devices/{HARDWARE_ID}").context["history"]

    def test_its_text_does_as_well(
        self, signed_in: SignedIn, charlie: User, device: Device, signer: Signer, page: str, upload: str
    ) -> None:
        client = signed_in(charlie)
        written = signer.writes(CLAIM, ctr=1, code=made(client, page).lower())

        answer = client.post(upload, {"hardware_id": "009033010AFF", "text": written.decode()})

        assert answer.headers["Location"] == f"/devices/{HARDWARE_ID}#main"

    @pytest.mark.parametrize("typ", ["lic-return+jws", "lic-ack+jws", "lic-fetch+jws"])
    def test_nothing_but_a_claim_is_taken(
        self, typ: str, signed_in: SignedIn, charlie: User, device: Device, signer: Signer, upload: str
    ) -> None:
        said = {"ctr": 1, "grants": ["*"], "min_seq": 2, "installed_seq": 1, "effective_seq": 1}
        written = SimpleUploadedFile("x.jws", signer.writes(typ, **said))
        self.refused(signed_in(charlie), upload, {"file": written}, 400, "not-a-statement-file")

    def test_a_code_is_good_for_a_day(
        self,
        clock: time_machine.Traveller,
        signed_in: SignedIn,
        charlie: User,
        device: Device,
        signer: Signer,
        page: str,
        upload: str,
    ) -> None:
        client = signed_in(charlie)
        written = claim(signer, made(client, page))
        signer.was_heard_of()
        clock.move_to(NOW + timedelta(hours=24))
        self.refused(client, upload, written, 404, "claim-code-unknown")

    def test_a_code_is_good_once(
        self, signed_in: SignedIn, charlie: User, device: Device, signer: Signer, page: str, upload: str
    ) -> None:
        client = signed_in(charlie)
        code = made(client, page)
        client.post(upload, claim(signer, code))
        other = claim(signer, code, ctr=2, jti="B" * 21 + "A")
        self.refused(client, upload, other, 404, "claim-code-unknown")

    def test_a_device_that_nobody_has_is_told_beside_the_field(
        self, signed_in: SignedIn, charlie: User, signer: Signer, upload: str
    ) -> None:
        page = self.refused(signed_in(charlie), upload, claim(signer, "0" * 16), 404, "unknown-device")
        assert "hardware_id" in page.context["form"].errors

    @pytest.mark.parametrize(
        ("typed", "status", "problem"),
        [("00-90-33-01-0B-00", 409, "statement-of-another-device"), ("x", 400, "hardware-id-malformed")],
    )
    def test_it_must_be_of_the_device_that_is_named(
        self,
        typed: str,
        status: int,
        problem: str,
        signed_in: SignedIn,
        charlie: User,
        device: Device,
        signer: Signer,
        upload: str,
    ) -> None:
        given = claim(signer, "0" * 16) | {"hardware_id": typed}
        page = self.refused(signed_in(charlie), upload, given, status, problem)
        assert "hardware_id" in page.context["form"].errors

    @pytest.mark.parametrize(
        ("content", "status", "problem"),
        [
            (b"x", 400, "not-a-statement-file"),
            (b'{"bundle":"olp/1"}', 400, "license-file-given"),
            (b"a" * (64 * 1024 + 1), 413, "statement-too-large"),
        ],
        ids=["nonsense", "license file", "too large"],
    )
    def test_what_is_no_statement_is_told(
        self,
        content: bytes,
        status: int,
        problem: str,
        signed_in: SignedIn,
        charlie: User,
        device: Device,
        upload: str,
    ) -> None:
        given = {"file": SimpleUploadedFile("claim.jws", content)}
        self.refused(signed_in(charlie), upload, given, status, problem)

    def test_its_address_leads_to_the_page_when_only_opened(
        self, signed_in: SignedIn, charlie: User, page: str, upload: str
    ) -> None:
        assert signed_in(charlie).get(upload).headers["Location"] == page

    def refused(self, client: Client, upload: str, given: dict[str, Any], status: int, code: str) -> Any:
        """See the page for claiming again with a refusal, and that nothing was changed."""
        before = rows.everything()
        page = client.post(upload, {"hardware_id": HARDWARE_ID} | given)
        assert (page.status_code, page.context["file_form"].refusal.code) == (status, code)
        assert reverse("problem", args=[code]) in page.text
        assert rows.everything() == before
        return page

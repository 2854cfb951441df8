"""Handing in what a device wrote as a file, and reading what came of it (mission rules 16 to 19)."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Project, ProjectRight, User
from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity
from devices.models import Alert, BlockedKey, Device
from licenses import assignment, claims, delivery, queries, verification
from licenses.models import Acknowledged, LicenseDocument, Return
from portal.core.models import AuditEntry
from tests import factories, rows
from tests.device_api.devices import Signer
from tests.device_api.test_returning import give_back
from tests.factories import NOW
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("keyring", "anchor")

HARDWARE_ID = "00-90-33-01-0A-FF"
RETURN, ACK, CLAIM = "lic-return+jws", "lic-ack+jws", "lic-claim+jws"
JTI = "AAECAwQFBgcICQoLDA0ODw"
PAGE = f"/devices/{HARDWARE_ID}"
UPLOAD = f"{PAGE}/upload"
RESULT = f"{PAGE}/returns/{JTI}"

Refused = Callable[..., Any]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """When the factory's certificates are valid."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def signer(authority: Authority) -> Signer:
    return Signer.of(make_identity(authority, HARDWARE_ID, kind="P-256", now=NOW))


@pytest.fixture
def device(project: Project) -> Device:
    """Two ports of ten and four channels, which stay with the hardware, are on it."""
    factories.activated(project, {"Port": 10, "Channels": 4})
    device = factories.make_device(project=project, hardware_id=HARDWARE_ID)
    factories.assigned(device, 2)
    factories.assigned(device, 4, "Channels")
    return device


def grant_of(device: Device, code: str) -> str:
    [grant] = [grant for grant in queries.live_grants(device) if grant.product.code == code]
    return queries.grant_id(grant)


def a_return(signer: Signer, *grants: str, **said: Any) -> bytes:
    return signer.writes(RETURN, **({"ctr": 1, "grants": list(grants), "min_seq": 0} | said))


def as_file(content: bytes, name: str = "return.jws") -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, content), "text": ""}


@pytest.fixture
def refused(signed_in: SignedIn, erin: User) -> Refused:
    """See that Erin gets the device's page with a refusal, and that nothing was changed."""

    def upload(given: dict[str, Any], status: int, code: str) -> Any:
        client = signed_in(erin)
        before = rows.everything()
        page = client.post(UPLOAD, given)
        assert (page.status_code, page.context["statement_form"].refusal.code) == (status, code)
        assert reverse("problem", args=[code]) in page.text
        assert rows.everything() == before
        return page

    return upload


class TestReturn:
    def test_it_says_what_became_of_each_license(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer
    ) -> None:
        ended = factories.assigned(device, 3)
        factories.give_back(device, ended)
        named = [grant_of(device, "Port"), grant_of(device, "Channels"), queries.grant_id(ended), "A" * 22]

        page = signed_in(erin).post(UPLOAD, as_file(a_return(signer, *named)), follow=True)

        assert page.redirect_chain == [(RESULT, 302)]
        told = [(result.id, result.outcome) for result in page.context["record"].results]
        assert told == list(zip(named, ["returned", "kept", "already", "unknown"], strict=True))
        for words in (
            "Licenses were given back",
            "In the balance of the project again.",
            "stay with their hardware",
            "it had ended already",
            "never had a license of this id",
            "seq 5",
            reverse("device-download", args=[HARDWARE_ID]),
        ):
            assert words in page.text
        assert (factories.free(device.project), factories.free(device)) == (10, 0)
        assert list(verification.violations()) == []

    @pytest.mark.parametrize("text", ["{}", " {}\r\n", "{}\n"])
    def test_its_text_does_as_well(
        self, text: str, signed_in: SignedIn, erin: User, device: Device, signer: Signer
    ) -> None:
        token = a_return(signer, grant_of(device, "Port")).decode()

        answer = signed_in(erin).post(UPLOAD, {"text": text.format(token)})

        assert answer.headers["Location"] == RESULT
        assert factories.free(device.project) == 10

    def test_its_text_may_have_been_broken_into_lines(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer
    ) -> None:
        token = a_return(signer, grant_of(device, "Port")).decode()
        lines = "\r\n".join(token[at : at + 76] for at in range(0, len(token), 76))

        assert signed_in(erin).post(UPLOAD, {"text": lines}).headers["Location"] == RESULT

    def test_handed_in_again_it_shows_the_same_and_changes_nothing(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer
    ) -> None:
        client = signed_in(erin)
        written = a_return(signer, grant_of(device, "Port"))
        first = client.post(UPLOAD, as_file(written), follow=True)
        before = rows.everything()

        second = client.post(UPLOAD, as_file(written), follow=True)

        assert second.redirect_chain == first.redirect_chain
        assert second.context["record"] == first.context["record"]
        assert rows.everything() == before

    def test_one_that_gives_nothing_back_says_so(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer
    ) -> None:
        page = signed_in(erin).post(UPLOAD, as_file(a_return(signer, "A" * 22)), follow=True)

        assert "The return was taken, and nothing changed" in page.text

    def test_everything_needs_the_number_that_the_page_shows(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer, refused: Refused
    ) -> None:
        signer.was_heard_of()
        page = refused(as_file(a_return(signer, "*", min_seq=2)), 409, "stale-return")
        assert "min_seq 3" in page.text
        shown = page.context["next_seq"]

        signed_in(erin).post(UPLOAD, as_file(a_return(signer, "*", min_seq=shown)))

        assert (shown, factories.free(device.project)) == (3, 10)

    def test_its_receipt_is_in_the_file_that_is_downloaded_next(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer
    ) -> None:
        client = signed_in(erin)
        client.post(UPLOAD, as_file(a_return(signer, grant_of(device, "Port"))))

        file = client.post(reverse("device-download", args=[HARDWARE_ID]), {"act_key": "k1"})

        assert b'"receipt"' in file.content
        assert Return.objects.get().signed is not None

    def test_sent_over_the_network_as_well_it_gets_the_receipt_that_the_file_brings(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer
    ) -> None:
        port = grant_of(device, "Port")
        client = signed_in(erin)
        client.post(UPLOAD, as_file(a_return(signer, port)))
        file = client.post(reverse("device-download", args=[HARDWARE_ID]), {"act_key": "k1"})

        answer = give_back(signer, port, jti=JTI)

        assert json.loads(answer.content)["receipt"] == json.loads(file.content)["receipt"]
        assert (factories.free(device.project), Return.objects.count()) == (10, 1)

    def test_it_hands_nothing_out_so_that_an_assignment_can_still_be_undone(
        self, signed_in: SignedIn, alice: User, device: Device, signer: Signer
    ) -> None:
        delivery.download(device=device, caller=factories.caller(alice), now=NOW)
        port = grant_of(device, "Port")
        later = factories.assigned(device, 5)

        signed_in(alice).post(UPLOAD, as_file(a_return(signer, port)))

        assert not LicenseDocument.objects.filter(seq__gt=2, handed_out_at__isnull=False).exists()
        assignment.undo_assignment(grant=later, caller=factories.caller(alice), now=NOW)
        assert factories.free(device.project) == 10

    def test_once_the_device_has_the_document_nothing_is_left_to_do(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer
    ) -> None:
        client = signed_in(erin)
        client.post(UPLOAD, as_file(a_return(signer, grant_of(device, "Port"))))
        said = signer.writes(ACK, jti="B" * 21 + "A", ctr=2, seq=3, installed_seq=3, effective_seq=3)
        client.post(UPLOAD, as_file(said, "ack.jws"))

        assert "Nothing: the device has said" in client.get(RESULT).text

    def test_the_history_names_who_brought_it(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer
    ) -> None:
        client = signed_in(erin)
        client.post(UPLOAD, as_file(a_return(signer, grant_of(device, "Port"))))

        page = client.get(PAGE)

        assert "gave back 2 × Port 14 (seq 3); Erin Example brought the file." in page.text
        assert f'href="{RESULT}"' in page.text


class TestResultPage:
    @pytest.fixture
    def taken(self, device: Device, signer: Signer, signed_in: SignedIn, erin: User) -> Device:
        signed_in(erin).post(UPLOAD, as_file(a_return(signer, grant_of(device, "Port"))))
        return device

    def test_a_viewer_reads_it_and_downloads_nothing(
        self, signed_in: SignedIn, bob: User, taken: Device, project: Project
    ) -> None:
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)
        page = signed_in(bob).get(RESULT)
        assert page.status_code == 200
        assert "Port 14" in page.text
        assert reverse("device-download", args=[HARDWARE_ID]) not in page.text

    def test_it_is_not_there_for_strangers(
        self, client: Client, signed_in: SignedIn, charlie: User, bob: User, taken: Device
    ) -> None:
        for user in (charlie, bob):
            page = signed_in(user).get(RESULT)
            assert (page.status_code, page.context["error"].code) == (404, "no-such-device")
        assert client.get(RESULT).headers["Location"].startswith(reverse("sign-in"))

    @pytest.mark.parametrize("jti", ["A" * 22, "x", "%00", "%F0%9F%92%BE"])
    def test_it_is_not_there_for_a_return_that_was_never_made(
        self, jti: str, signed_in: SignedIn, erin: User, taken: Device
    ) -> None:
        page = signed_in(erin).get(f"{PAGE}/returns/{jti}")
        assert (page.status_code, page.context["error"].code) == (404, "no-such-return")

    def test_it_stays_with_the_project_in_which_it_was_taken(
        self, signed_in: SignedIn, charlie: User, taken: Device, signer: Signer
    ) -> None:
        written = a_return(signer, str(queries.get_return(jti=JTI, device=taken).results[0].id))
        taken.project = factories.first_project(charlie.memberships.get().company)
        taken.save()
        client = signed_in(charlie)

        assert client.get(RESULT).status_code == 404
        assert f'href="{RESULT}"' not in client.get(PAGE).text
        again = client.post(UPLOAD, as_file(written), follow=True)
        assert again.redirect_chain == [(f"{PAGE}#main", 302)]
        assert "before the device came into this project" in again.text


class TestAcknowledgement:
    def test_it_is_kept_and_shown(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer
    ) -> None:
        written = signer.writes(ACK, ctr=1, seq=2, installed_seq=2, effective_seq=1)
        client = signed_in(erin)
        assert "The device has not said yet." in client.get(PAGE).text

        page = client.post(UPLOAD, as_file(written, "ack.jws"), follow=True)

        assert page.redirect_chain == [(f"{PAGE}#main", 302)]
        assert "seq 2 is installed, seq 1 is in effect" in page.text
        assert "seq 2 installed, seq 1 in effect" in page.text
        assert "Erin Example brought the file." in page.text
        assert Acknowledged.objects.get().installed_seq == 2


class TestClaim:
    def code(self, charlie: User) -> str:
        return claims.make_claim_code(
            project=factories.first_project(charlie.memberships.get().company),
            hardware_id=HARDWARE_ID,
            user=charlie,
            caller=factories.caller(charlie),
            now=NOW,
        ).code

    def test_a_free_device_leaves_by_it(
        self, signed_in: SignedIn, alice: User, charlie: User, device: Device, signer: Signer
    ) -> None:
        factories.give_back(device, grant_of(device, "Port"))
        written = signer.writes(CLAIM, ctr=2, code=self.code(charlie))

        page = signed_in(alice).post(UPLOAD, as_file(written, "claim.jws"), follow=True)

        assert page.redirect_chain == [(reverse("project", args=[device.project_id]), 302)]
        assert "is now in the project that claimed it" in page.text
        assert f"{HARDWARE_ID}</span> left this project by a claim" in page.text
        # Whoever has it now is nobody's business here.
        assert "Charlie" not in page.text

    def test_one_that_holds_licenses_stays(
        self, signed_in: SignedIn, erin: User, charlie: User, device: Device, signer: Signer
    ) -> None:
        written = signer.writes(CLAIM, ctr=2, code=self.code(charlie))

        page = signed_in(erin).post(UPLOAD, as_file(written, "claim.jws"), follow=True)

        assert page.redirect_chain == [(f"{PAGE}#main", 302)]
        assert "Support will look at it" in page.text
        assert Device.objects.get().project == device.project
        assert not AuditEntry.objects.filter(event="claim-with-support", project_id=device.project_id)


class TestRefused:
    @pytest.mark.parametrize("content", [b"x", b"a.b.c", b"{}", "é".encode(), b"\x00\xff"])
    def test_what_is_no_statement(self, content: bytes, device: Device, refused: Refused) -> None:
        refused(as_file(content), 400, "not-a-statement-file")

    @pytest.mark.parametrize("way", ["file", "text"])
    @pytest.mark.parametrize("spaced", [False, True], ids=["as it is", "edited"])
    def test_a_license_file(
        self, way: str, spaced: bool, device: Device, alice: User, refused: Refused
    ) -> None:
        lic = delivery.download(device=device, caller=factories.caller(alice), now=NOW).content
        lic = lic.replace(b'{"bundle":', b'{\n  "bundle": ') if spaced else lic
        given = as_file(lic, "x.lic") if way == "file" else {"text": lic.decode()}

        page = refused(given, 400, "license-file-given")

        assert "it goes to the device" in page.text

    def test_a_license_file_that_is_larger_than_statements_are(
        self, device: Device, refused: Refused
    ) -> None:
        refused(as_file(b'{"bundle":"olp/1",' + b" " * 70_000), 400, "license-file-given")

    @pytest.mark.parametrize("way", ["file", "text"])
    def test_what_is_too_large(self, way: str, device: Device, refused: Refused) -> None:
        content = b"a" * (64 * 1024 + 1)

        page = refused(
            as_file(content) if way == "file" else {"text": content.decode()}, 413, "statement-too-large"
        )

        assert "64 KiB" in page.text

    def test_what_is_just_small_enough_is_looked_at(self, device: Device, refused: Refused) -> None:
        refused(as_file(b"a" * 64 * 1024), 400, "not-a-statement-file")

    def test_a_fetch(self, device: Device, signer: Signer, refused: Refused) -> None:
        refused(as_file(signer.writes("lic-fetch+jws")), 400, "not-a-statement-file")

    def test_a_statement_that_was_made_for_rest(
        self, device: Device, signer: Signer, refused: Refused
    ) -> None:
        token = signer.sign(
            header=signer.header(typ=RETURN), claims=signer.claims(ctr=1, grants=["*"], min_seq=3)
        )
        refused(as_file(token), 400, "malformed")

    def test_a_statement_of_another_device(
        self, device: Device, authority: Authority, refused: Refused
    ) -> None:
        other = Signer.of(make_identity(authority, "00-90-33-01-0B-00", kind="P-256", now=NOW))
        refused(as_file(a_return(other, "A" * 22)), 409, "statement-of-another-device")

    def test_one_whose_signature_was_changed(self, device: Device, signer: Signer, refused: Refused) -> None:
        head, payload, signature = a_return(signer, "A" * 22).split(b".")
        changed = signature[:-4] + (b"AAAA" if signature[-4:] != b"AAAA" else b"BBBB")
        refused(as_file(b".".join((head, payload, changed))), 401, "bad-signature")

    def test_one_for_another_portal(self, device: Device, signer: Signer, refused: Refused) -> None:
        written = a_return(signer, "A" * 22, aud="https://other.example")
        refused(as_file(written), 400, "wrong-audience")

    def test_one_by_another_key_than_the_one_that_is_known(
        self, device: Device, signer: Signer, signed_in: SignedIn, erin: User, refused: Refused
    ) -> None:
        Device.objects.update(pinned_spki=b"\x07" * 32, pinned_at=NOW)
        file = a_return(signer, "A" * 22)
        signed_in(erin).post(UPLOAD, as_file(file))
        assert Alert.objects.get().kind == Alert.Kind.OTHER_KEY
        refused(as_file(file), 403, "key-not-pinned")  # which tells nobody twice

    def test_one_of_a_blocked_device(self, device: Device, signer: Signer, refused: Refused) -> None:
        Device.objects.update(blocked_at=NOW)

        page = refused(as_file(a_return(signer, "A" * 22)), 403, "device-blocked")

        assert "This device is blocked since" in page.text

    def test_one_by_a_blocked_key(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer, refused: Refused
    ) -> None:
        signed_in(erin).post(UPLOAD, as_file(a_return(signer, "A" * 22)))
        key = bytes(Device.objects.get().pinned_spki or b"")
        BlockedKey.objects.create(spki_sha256=key, reason="stolen", blocked_at=NOW)

        page = refused(as_file(a_return(signer, "A" * 22, jti="B" * 21 + "A")), 401, "certificate-rejected")

        assert "The key of this device is blocked" in page.text
        assert key.hex() in page.text

    def test_one_of_a_manufacturer_that_is_not_trusted(
        self, device: Device, signer: Signer, refused: Refused, anchor: Any
    ) -> None:
        anchor.delete()
        refused(as_file(a_return(signer, "A" * 22)), 401, "certificate-rejected")

    def test_another_return_of_the_same_name(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer, refused: Refused
    ) -> None:
        signed_in(erin).post(UPLOAD, as_file(a_return(signer, "A" * 22)))
        refused(as_file(a_return(signer, grant_of(device, "Port"), ctr=2)), 409, "jti-conflict")

    def test_a_claim_over_a_code_that_was_never_made(
        self, device: Device, signer: Signer, refused: Refused
    ) -> None:
        signer.was_heard_of()
        refused(as_file(signer.writes(CLAIM, ctr=1, code="0" * 16)), 404, "claim-code-unknown")


class TestForm:
    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({}, "Choose the file, or paste its text below."),
            ({"text": " \r\n "}, "Choose the file, or paste its text below."),
            (as_file(b""), "The file is empty."),
            ({"text": "a\x00b"}, "Null characters are not allowed."),
        ],
        ids=["nothing", "blanks", "empty file", "a NUL"],
    )
    def test_it_asks_for_what_is_missing(
        self, given: dict[str, Any], words: str, signed_in: SignedIn, erin: User, device: Device
    ) -> None:
        before = rows.everything()
        page = signed_in(erin).post(UPLOAD, given)
        assert page.status_code == 400
        assert words in page.text
        assert 'aria-invalid="true"' in page.text
        after = rows.everything()
        assert {name: after[name] for name in after if name != "accounts.User"} == {
            name: before[name] for name in before if name != "accounts.User"
        }

    def test_it_wants_the_file_or_its_text(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer
    ) -> None:
        written = a_return(signer, grant_of(device, "Port"))
        page = signed_in(erin).post(UPLOAD, as_file(written) | {"text": written.decode()})
        assert page.status_code == 400
        assert "Give the file or its text, not both." in page.text
        assert factories.free(device) == 2

    def test_it_is_on_the_page_for_those_with_the_right_only(
        self, signed_in: SignedIn, erin: User, bob: User, device: Device, project: Project
    ) -> None:
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)
        assert f'action="{UPLOAD}#files"' in signed_in(erin).get(PAGE).text
        assert UPLOAD not in signed_in(bob).get(PAGE).text

    def test_others_get_nowhere_with_it(
        self,
        client: Client,
        signed_in: SignedIn,
        bob: User,
        charlie: User,
        device: Device,
        project: Project,
        signer: Signer,
    ) -> None:
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)
        written = a_return(signer, grant_of(device, "Port"))
        for user, status in ((bob, 403), (charlie, 404)):
            assert signed_in(user).post(UPLOAD, as_file(written)).status_code == status
        assert client.post(UPLOAD, as_file(written)).headers["Location"].startswith(reverse("sign-in"))
        assert factories.free(device) == 2

    def test_a_stranger_cannot_tell_a_device_of_others_from_a_missing_one(
        self, signed_in: SignedIn, charlie: User, device: Device
    ) -> None:
        client = signed_in(charlie)
        pages = [
            client.post(f"/devices/{hwid}/upload", {"text": "x"})
            for hwid in (HARDWARE_ID, "00-90-33-FF-FF-FF", "x")
        ]
        assert {(page.status_code, page.context["error"].code) for page in pages} == {(404, "no-such-device")}

    def test_its_address_leads_to_the_page_when_only_opened(
        self, signed_in: SignedIn, erin: User, device: Device
    ) -> None:
        assert signed_in(erin).get(UPLOAD).headers["Location"] == PAGE


class TestKnownFacts:
    def test_the_page_shows_the_number_for_a_return_of_everything(
        self, signed_in: SignedIn, erin: User, device: Device
    ) -> None:
        Device.objects.update(seq_floor=41)
        assert 'data-copy="42"' in signed_in(erin).get(PAGE).text

    def test_it_shows_the_key_that_speaks_for_the_device(
        self, signed_in: SignedIn, erin: User, device: Device, signer: Signer
    ) -> None:
        client = signed_in(erin)
        assert "Its public key" not in client.get(PAGE).text
        client.post(UPLOAD, as_file(a_return(signer, "A" * 22)))

        key = bytes(Device.objects.get().pinned_spki or b"").hex()

        assert len(key) == 64
        assert f'data-copy="{key}"' in client.get(PAGE).text

    def test_the_code_for_a_phone_holds_an_address_from_the_settings(
        self,
        signed_in: SignedIn,
        erin: User,
        bob: User,
        device: Device,
        project: Project,
        settings: LazySettings,
    ) -> None:
        settings.PORTAL_ORIGINS = ["https://licenses.example.com"]
        page = signed_in(erin).get(PAGE, headers={"host": "testserver"})
        assert page.context["link"] == f"https://licenses.example.com{PAGE}"
        assert "<svg" in page.context["link_code"]
        assert "style=" not in page.text
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)
        assert "link_code" not in signed_in(bob).get(PAGE).context

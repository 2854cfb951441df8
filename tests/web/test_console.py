"""The console: one search box, a page for each thing, and every look written down."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import people
from accounts.models import Company, Project, User
from accounts.permissions import Role
from devices import blocking
from devices.models import Device
from licenses import delivery
from licenses.models import ActivationKey
from support.models import Look
from tests import factories
from tests.factories import NOW, caller
from tests.operations import moving
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("today", "keyring")

HARDWARE_ID = "00-90-33-01-0A-FF"


@pytest.fixture
def device(project: Project) -> Device:
    """It holds 3 Port in a document that was handed out, and 1 UC that was not."""
    factories.activated(project, {"Port": 9, "UC": 2})
    made = factories.make_device(project=project, hardware_id=HARDWARE_ID, name="Main building")
    factories.assigned(made, 3)
    delivery.download(device=made, caller=caller(), now=NOW)
    factories.assigned(made, 1, "UC")
    return made


def looks() -> list[tuple[str, str, str, str]]:
    return list(Look.objects.order_by("pk").values_list("page", "kind", "subject", "found_by"))


class TestSearching:
    def test_one_hit_leads_to_its_page_at_once_and_says_how_it_was_found(
        self, staff: Client, device: Device, sam: User
    ) -> None:
        page = staff.get(reverse("staff"), {"q": "0aff"}, follow=True)
        assert page.redirect_chain == [(f"{reverse('staff-device', args=[HARDWARE_ID])}?q=0aff", 302)]
        assert "Main building" in page.text
        assert looks() == [("staff-device", "device", HARDWARE_ID, "0aff")]
        assert Look.objects.get().actor == sam

    def test_several_stand_in_groups(self, staff: Client, device: Device, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(forename="0aff")
        with CaptureQueriesContext(connection) as sent:
            page = staff.get(reverse("staff"), {"q": "0aff"})
        assert len(sent) <= 13, [query["sql"] for query in sent]  # one each for names, accounts, open moves
        assert page.text.index("Devices") < page.text.index("People")
        for link in (
            reverse("staff-device", args=[HARDWARE_ID]),
            reverse("staff-person", args=[alice.pk]),
        ):
            assert f'href="{link}?q=0aff"' in page.text
        assert looks() == [("staff", "", "", "")]  # somebody was found: the words may be a name

    def test_what_finds_nobody_stands_beside_the_look(self, staff: Client, device: Device) -> None:
        factories.make_device(project=device.project, hardware_id="00-90-33-02-0A-FF")
        staff.get(reverse("staff"), {"q": "0AFF"})
        assert looks() == [("staff", "", "", "0AFF")]

    def test_nothing_and_too_little_are_said(self, staff: Client) -> None:
        assert "Nothing found" in staff.get(reverse("staff"), {"q": "zzzz"}).text
        assert "Type at least two characters." in staff.get(reverse("staff"), {"q": "z"}).text
        assert "Trust anchors" in staff.get(reverse("staff"), {"q": " "}).text


class TestADevice:
    def test_says_what_it_holds_and_how_far_that_got(self, staff: Client, device: Device) -> None:
        page = staff.get(reverse("staff-device", args=[HARDWARE_ID])).text
        for words in ("Port", "Handed out, not known to be in effect", "UC", "Not handed out yet"):
            assert words in page
        assert reverse("staff-company", args=[device.project.company_id]) in page
        assert "added the device" in page

    def test_with_a_move_leads_to_deciding_it(
        self, staff: Client, signed_in: SignedIn, device: Device, project: Project
    ) -> None:
        replacement = factories.make_device(project=project)
        move = moving.asked(device, replacement)
        page = staff.get(reverse("staff-device", args=[HARDWARE_ID])).text
        assert f'href="{reverse("staff-move", args=[move.pk])}"' in page
        assert "Broken: a move is open" in page
        assert "Decide the move" in page
        other = staff.get(reverse("staff-device", args=[replacement.hardware_id])).text
        assert "Replacement in an open move" in other
        assert "Bridge" in other
        auditor = factories.make_user(name="Audrey", is_staff=True, roles=[Role.AUDITOR])
        seen = signed_in(auditor).get(reverse("staff-device", args=[HARDWARE_ID])).text
        assert "Look at the move" in seen
        assert "Decide the move" not in seen
        assert "Block" not in seen.split("<main", 1)[1]

    def test_that_is_blocked_says_why(self, staff: Client, device: Device) -> None:
        blocking.block_device(device=device, caller=caller(reason="stolen from the van"), now=NOW)
        page = staff.get(reverse("staff-device", args=[HARDWARE_ID])).text
        assert "stolen from the van" in page
        assert reverse("staff-unblock-device", args=[HARDWARE_ID]) in page

    def test_that_was_released_is_there_with_its_history(self, staff: Client, device: Device) -> None:
        Device.objects.filter(pk=device.pk).update(released_at=NOW)
        page = staff.get(reverse("staff-device", args=[HARDWARE_ID])).text
        assert "No project has this device since" in page
        assert "assigned" in page

    @pytest.mark.parametrize("hardware_id", ["00-90-33-FF-FF-FF", "nothing", "%00"])
    def test_that_never_was_is_none(self, staff: Client, db: None, hardware_id: str) -> None:
        answer = staff.get(f"/staff/devices/{hardware_id}")
        assert (answer.status_code, answer.context["error"].code) == (404, "no-such-device")
        assert looks() == []


class TestACompany:
    def test_says_everything(self, staff: Client, device: Device, company: Company, bob: User) -> None:
        move = moving.asked(device)
        page = staff.get(reverse("staff-company", args=[company.pk])).text
        for words in (
            "Alice Networks",
            "not linked",
            "1 device",
            bob.email,
            "1 of 5 count",
            "DEFAULT",
        ):
            assert words in page, words
        assert reverse("staff-move", args=[move.pk]) in page
        assert reverse("staff-key", args=[ActivationKey.objects.get().pk]) in page

    def test_that_is_none_is_said(self, staff: Client, db: None) -> None:
        for number in (0, 2**70):
            answer = staff.get(reverse("staff-company", args=[number]))
            assert (answer.status_code, answer.context["error"].code) == (404, "no-company-of-that-number")


class TestAKey:
    def test_says_what_became_of_it_and_never_the_code(
        self, staff: Client, device: Device, company: Company
    ) -> None:
        code = factories.make_key(lines={"Fax": 4}, number="SO-1")
        key = factories.find_key(code)
        page = staff.get(reverse("staff-key", args=[key.pk])).text
        for words in ("SO-1", "reference of SO-1", "Fax", "Not activated", "the code is kept until"):
            assert words in page
        assert code not in page
        assert code.replace("-", "") not in page
        used = ActivationKey.objects.get(state="activated")
        page = staff.get(reverse("staff-key", args=[used.pk])).text
        assert "Activated" in page
        assert reverse("staff-company", args=[company.pk]) in page
        assert staff.get(reverse("staff-key", args=[2**70])).context["error"].code == "no-key-of-that-number"


class TestAPerson:
    def test_says_what_they_may_and_did_and_what_was_sent(
        self, staff: Client, signed_in: SignedIn, erin: User, company: Company
    ) -> None:
        people.change_profile(
            user=erin, forename="Erin", surname="Endres", language="de", caller=caller(erin), now=NOW
        )
        page = staff.get(reverse("staff-person", args=[erin.pk])).text
        for words in ("Erin Endres", erin.email, company.name, "May operate", "changed name or language"):
            assert words in page
        assert "Second factor" in page

    def test_who_left_is_nobody(self, staff: Client, erin: User) -> None:
        User.objects.filter(pk=erin.pk).update(left_at=NOW)
        for number in (erin.pk, 2**70):
            answer = staff.get(reverse("staff-person", args=[number]))
            assert answer.context["error"].code == "nobody-of-that-number"

    def test_their_name_stands_beside_no_look(self, staff: Client, erin: User) -> None:
        staff.get(reverse("staff"), {"q": "Erin Ex"}, follow=True)
        staff.get(reverse("staff"), {"q": "nobody@example.com"})
        assert looks() == [("staff-person", "person", str(erin.pk), ""), ("staff", "", "", "")]


class TestLooks:
    def test_every_page_of_the_console_is_one(self, staff: Client, device: Device) -> None:
        for name in ("staff", "staff-moves", "staff-alerts", "staff-blocks", "staff-mails", "staff-anchors"):
            staff.get(reverse(name))
        assert [look[0] for look in looks()] == [
            "staff",
            "staff-moves",
            "staff-alerts",
            "staff-blocks",
            "staff-mails",
            "staff-anchors",
        ]

    def test_what_was_not_shown_is_none(
        self, staff: Client, signed_in: SignedIn, alice: User, device: Device
    ) -> None:
        clerk = factories.make_user(name="Clerk", is_staff=True, roles=[Role.FULFILMENT])
        signed_in(clerk).get(reverse("staff-audit"))
        signed_in(alice).get(reverse("staff"))
        signed_in(alice).get(reverse("device", args=[HARDWARE_ID]))
        staff.get(reverse("home"))
        staff.get("/staff/devices/nothing")
        assert looks() == []

    def test_what_cannot_be_written_down_is_not_shown(
        self, staff: Client, device: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(**_given: Any) -> None:
            raise RuntimeError("the disk is full")

        monkeypatch.setattr("support.looks.record", broken)
        with pytest.raises(RuntimeError):
            staff.get(reverse("staff-device", args=[HARDWARE_ID]))

"""Support decides about moves in the console (mission rules 25 to 27)."""

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from accounts.models import Project, ReasonTemplate, User
from devices.models import Device
from licenses.models import Move
from tests import factories
from tests.operations import moving
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("catalogue", "today", "keyring")


@pytest.fixture
def broken(project: Project) -> Device:
    factories.activated(project, {"Port": 9})
    device = factories.make_device(project=project)
    factories.assigned(device, 3)
    return device


@pytest.fixture
def move(broken: Device, project: Project) -> Move:
    return moving.asked(broken, factories.make_device(project=project), rma="RMA-7")


@pytest.fixture
def sam(db: None) -> User:
    return factories.make_user(name="Sam", is_staff=True)


@pytest.fixture
def olga(db: None) -> User:
    return factories.make_user(name="Olga", is_staff=True)


def decide(client: Client, move: Move, do: str, *, reason: str = "Seen.", key: str = "k1") -> str:
    sent = {"do": do, "reason": reason, "act_key": key}
    return client.post(reverse("staff-move", args=[move.pk]), sent, follow=True).text


class TestTheQueue:
    def test_shows_what_is_open_with_age_and_weight(self, signed_in: SignedIn, sam: User, move: Move) -> None:
        page = signed_in(sam).get(reverse("staff-moves")).text

        assert move.broken.hardware_id in page
        assert "Bridged" in page
        assert '<td class="number">6</td>' in page

    def test_shows_hardware_until_it_is_seen_to(self, signed_in: SignedIn, sam: User, move: Move) -> None:
        moving.approved(move, sam)
        page = signed_in(sam).get(reverse("staff-moves")).text
        assert "Nothing has to be decided" in page
        assert "Hardware that has to come back" in page
        assert "RMA-7" in page

        moving.booked_in(move, sam)

        assert "Hardware that has to come back" not in signed_in(sam).get(reverse("staff-moves")).text


class TestDeciding:
    def test_is_one_button_and_a_reason(self, signed_in: SignedIn, sam: User, move: Move) -> None:
        page = decide(signed_in(sam), move, "approve")

        assert "The move is approved." in page
        assert moving.current(move).decision_reason == "Seen."
        assert "Book in" in page

    def test_without_a_reason_says_so_beside_the_field(
        self, signed_in: SignedIn, sam: User, move: Move
    ) -> None:
        decide(signed_in(sam), move, "approve", reason="")

        assert moving.current(move).state == "open"

    def test_twice_by_one_person_where_it_takes_two_is_refused(
        self, signed_in: SignedIn, sam: User, olga: User, move: Move, settings: LazySettings
    ) -> None:
        settings.MOVE_WEIGHT_LIMIT = 5
        client = signed_in(sam)
        assert "Approving it takes two people." in client.get(reverse("staff-move", args=[move.pk])).text

        assert "This move takes a second person." in decide(client, move, "approve")
        assert "second-person-needed" in decide(client, move, "approve", key="k2")
        assert "The move is approved." in decide(signed_in(olga), move, "approve")

    def test_otherwise_revokes_the_bridge(self, signed_in: SignedIn, sam: User, move: Move) -> None:
        assert "The move is refused" in decide(signed_in(sam), move, "refuse", reason="It lives.")

        assert moving.current(move).state == "refused"

    def test_gives_a_bridge_where_support_looks_first(
        self, signed_in: SignedIn, sam: User, move: Move
    ) -> None:
        assert move.replacement is not None
        moving.withdrawn(move)
        again = moving.asked(move.broken, move.replacement)
        page = signed_in(sam).get(reverse("staff-move", args=[again.pk])).text
        assert "within 180 days" in page

        decide(signed_in(sam), again, "bridge")

        assert moving.held(move.replacement) == {("bridge", "Port"): 3}

    def test_sees_to_the_hardware(self, signed_in: SignedIn, sam: User, olga: User, move: Move) -> None:
        moving.approved(move, sam)

        assert "second-person-needed" in decide(signed_in(sam), move, "write-off")
        assert "The old hardware is written off." in decide(signed_in(olga), move, "write-off")

    def test_with_a_button_that_nobody_made_changes_nothing(
        self, signed_in: SignedIn, sam: User, move: Move
    ) -> None:
        decide(signed_in(sam), move, "burn")

        assert moving.current(move).state == "open"

    def test_of_a_move_that_ended_meanwhile_is_refused(
        self, signed_in: SignedIn, sam: User, move: Move
    ) -> None:
        moving.withdrawn(move)

        assert "move-ended" in decide(signed_in(sam), move, "approve")

    def test_is_not_there_for_others(self, signed_in: SignedIn, alice: User, move: Move) -> None:
        response = signed_in(alice).post(reverse("staff-move", args=[move.pk]), {"do": "approve"})

        assert response.status_code == 404


class TestTemplatesOfReasons:
    def test_are_made_picked_filled_in_changed_and_archived(
        self, signed_in: SignedIn, sam: User, move: Move
    ) -> None:
        browser, page = signed_in(sam), reverse("staff-move", args=[move.pk])
        assert "Begin with a template" not in browser.get(page).text

        words = {"name": "Send it back", "language": "en", "text": "Please send the old hardware."}
        listed = browser.post(reverse("staff-reasons"), {**words, "act_key": "a"}, follow=True).text
        assert "The template Send it back is there." in listed
        assert "Please send the old hardware." in listed
        again = browser.post(reverse("staff-reasons"), {**words, "act_key": "b"})
        assert again.status_code == 409

        template = ReasonTemplate.objects.get()
        assert "Send it back (en)" in browser.get(page).text
        filled = browser.get(page, {"template": template.pk}).context["form"]
        assert filled["reason"].value() == "Please send the old hardware."
        assert browser.get(page, {"template": "x"}).context["form"]["reason"].value() == ""

        one = reverse("staff-reason", args=[template.pk])
        sent = {**words, "text": "Thank you.", "do": "change", "act_key": "c"}
        assert "Thank you." in browser.post(one, sent, follow=True).text
        sent |= {"do": "archive", "act_key": "d"}
        for _twice in range(2):
            assert "is archived." in browser.post(one, sent, follow=True).text
        assert "Begin with a template" not in browser.get(page, {"template": template.pk}).text
        assert browser.get(one).status_code == 404

"""Moves after hardware failure with real appliances, through time and over HTTP (mission rules 24 to 28)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.conf import LazySettings

from accounts.models import User
from appliance import fetching, returning
from appliance.pending import ALL
from devices.models import Alert
from licenses import verification
from licenses.models import Move
from tests import factories
from tests.journeys.conftest import Appliance, Portal
from tests.journeys.test_trials import START, Box, at
from tests.operations import moving

DAY = timedelta(days=1)
HELD = {"Port": 3, "Channels": 1}


@dataclass
class Two:
    """Two appliances of one project, of which the first holds licenses in effect."""

    portal: Portal
    broken: Box
    replacement: Box
    path: str
    spare: str

    def ask(self) -> Move:
        body = {"replacement": self.spare, "reason": "The power supply burned out."}
        self.portal.partner().post(f"{self.path}/moves", body)
        return Move.objects.latest("pk")

    def stage(self) -> str:
        stage: str = self.portal.partner().get(f"{self.path}/moves")["moves"][0]["stage"]
        return stage


@pytest.fixture
def two(portal: Portal, make_appliance: Callable[[], Appliance]) -> Two:
    broken, replacement = make_appliance(), make_appliance()
    factories.activated(portal.project, {"Port": 5, "Channels": 1})
    path = f"devices/{broken.hardware_id}"
    with at(START):
        partner = portal.partner()
        for one in (broken, replacement):
            partner.post(f"projects/{portal.project.pk}/devices", {"hardware_id": one.hardware_id})
        for code, quantity in HELD.items():
            partner.post(f"{path}/assignments", {"product": code, "version": 14, "quantity": quantity})
        boxes = Box(broken.home), Box(replacement.home)
        boxes[0].fetch_and_reset()
    assert boxes[0].in_effect() == HELD
    return Two(portal, *boxes, path, replacement.hardware_id)


@pytest.fixture
def sam(db: None) -> User:
    return factories.make_user(name="Sam", is_staff=True)


class TestADeviceThatDies:
    def test_is_bridged_within_one_fetch_and_replaced_and_empty_when_it_comes_back(
        self, two: Two, sam: User
    ) -> None:
        with at(START):
            move = two.ask()
            two.replacement.fetch_and_reset()
        assert two.replacement.in_effect() == HELD

        # Lengthened by a fetch of its last week: that takes effect at once, without a reset.
        for day in (8, 20):
            two.replacement.run_until(START + day * DAY)
            with at(START + day * DAY):
                fetching.fetch(two.replacement.start())
        two.replacement.run_until(START + 30 * DAY)
        assert two.replacement.in_effect() == HELD

        later = START + 31 * DAY
        with at(later):
            assert two.stage() == "bridged"
            moving.approved(moving.current(move), sam, now=later)
            fetching.fetch(two.replacement.start())
            assert two.stage() == "approved"
        two.replacement.run_until(START + 60 * DAY)  # no end any more, and no reset either
        assert two.replacement.in_effect() == HELD

        # The old device is found alive: it gets a document with nothing in it, and support an alert.
        assert two.broken.in_effect() == HELD
        with at(later):
            two.broken.fetch_and_reset()
        assert two.broken.in_effect() == {}
        assert Alert.objects.get().kind == "moved-device-alive"
        assert list(verification.violations()) == []

    def test_is_refused_and_the_bridge_ends_also_where_nobody_fetches(self, two: Two, sam: User) -> None:
        with at(START):
            move = two.ask()
            two.replacement.fetch_and_reset()
            moving.refused_by(moving.current(move), sam, now=START)

        two.replacement.run_until(START + 14 * DAY - DAY / 24)
        assert two.replacement.in_effect() == HELD  # without contact it cannot know
        two.replacement.run_until(START + 14 * DAY)
        assert two.replacement.in_effect() == {}
        assert two.broken.in_effect() == HELD
        assert list(verification.violations()) == []


class TestACompanyOverItsCap:
    def test_waits_for_two_people_and_then_works_again(
        self, two: Two, sam: User, settings: LazySettings
    ) -> None:
        settings.MOVES_WITHOUT_HARDWARE = 1
        project = two.portal.project
        earlier = factories.make_device(project=project)
        olga = factories.make_user(name="Olga", is_staff=True)
        with at(START):
            factories.assigned(earlier, 1)
            moving.asked(earlier, factories.make_device(project=project), now=START)

            move = two.ask()
            two.replacement.fetch_and_reset()
            assert two.stage() == "with-support"
            alert = Alert.objects.get()
            assert (alert.kind, alert.company) == ("cap-reached", project.company)
        assert two.replacement.in_effect() == {}  # no bridge before somebody has decided

        later = START + DAY
        with at(later):
            moving.approved(moving.current(move), sam, now=later)
            two.replacement.fetch_and_reset()
            assert two.stage() == "second-person"
            assert two.replacement.in_effect() == {}, "one of two is not enough"

            moving.approved(moving.current(move), olga, now=later)
            two.replacement.fetch_and_reset()
            assert two.stage() == "approved"
        two.replacement.run_until(START + 60 * DAY)  # bought: no end any more
        assert two.replacement.in_effect() == HELD
        assert list(verification.violations()) == []


class TestADeviceThatCanStillSign:
    def test_moves_what_can_be_returned_at_once_and_keeps_the_rest_for_support(self, two: Two) -> None:
        with at(START):
            two.ask()
            two.replacement.fetch_and_reset()
            returning.give_back(two.broken.start(), grants=ALL)

            # Out of effect on the one before it signed, bought on the other one without a reset.
            assert two.broken.in_effect().get("Port") is None
            fetching.fetch(two.replacement.start())
            assert two.stage() == "bridged"
        two.replacement.run_until(START + 14 * DAY)
        assert two.replacement.in_effect() == {"Port": 3}
        assert list(verification.violations()) == []

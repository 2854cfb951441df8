"""Test licenses from their creation to their end and after, with real appliances, through time and over HTTP
(mission rules 20 to 23, 34)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from accounts.models import Project, User
from appliance import claiming, fetching
from appliance.clock import Clock
from appliance.device import Device
from licenses import tasks, verification  # noqa: F401 - tasks registers what the schedule asks for
from licenses.models import TestLicense
from portal.core import schedule
from tests import factories
from tests.journeys.conftest import Appliance, Portal
from tests.operations.testing import contents
from tests.web import letters
from tools.demo.partner import Partner, PortalRefusal

MakeAppliance = Callable[[], Appliance]

START = datetime(2027, 11, 30, 12, 34, 56, tzinfo=UTC)
END = datetime(2028, 2, 29, 12, 34, 56, tzinfo=UTC)  # November has a day more than this February
SECOND = timedelta(seconds=1)


@dataclass
class Box:
    """An appliance whose hands of the clock the test moves; nothing else about it is made up."""

    home: Path
    running: float = field(default=1000.0)
    wall: float = field(default=START.timestamp())

    def start(self) -> Device:
        """The device as a newly started process finds it."""
        return Device(self.home, clock=Clock(lambda: self.wall, lambda: self.running, "first run"))

    def run_until(self, moment: datetime) -> None:
        """Let it run on, powered all the time."""
        seconds = moment.timestamp() - self.wall
        self.wall += seconds
        self.running += seconds

    def fetch_and_reset(self) -> None:
        fetching.fetch(self.start())
        self.start().reset()

    def in_effect(self) -> dict[str, int]:
        """Quantities in effect, by product."""
        return {
            one.product: one.quantity for one in self.start().status().licenses if one.state == "in-effect"
        }


def at(moment: datetime) -> Any:
    """The portal's clock."""
    return time_machine.travel(moment, tick=False)


def refusal(partner: Partner, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What the portal says to a request that it refuses."""
    with pytest.raises(PortalRefusal) as refused:
        partner.post(path, body)
    problem: dict[str, Any] = json.loads(refused.value.body)
    return problem


class TestACompleteCourse:
    def test_it_is_created_fetched_and_ends_by_both_clocks_and_there_is_no_second_one(
        self, portal: Portal, make_appliance: MakeAppliance
    ) -> None:
        appliance = make_appliance()
        box = Box(appliance.home)
        path = f"devices/{appliance.hardware_id}"
        factories.activated(portal.project, {"Port": 10})

        with at(START):
            partner = portal.partner()
            partner.post(f"projects/{portal.project.pk}/devices", {"hardware_id": appliance.hardware_id})
            partner.post(f"{path}/assignments", {"product": "Port", "version": 14, "quantity": 6})
            made = partner.post(f"{path}/test-license", {"version": 14, "quantity": 3})
            assert (made["state"], made["ends_at"]) == ("waiting", None)
            box.fetch_and_reset()
            running = partner.get(f"{path}/test-license")
            assert (running["state"], running["ends_at"]) == ("running", "2028-02-29T12:34:56Z")
        assert box.in_effect() == contents(quantity=3) | {"Port": 6}

        # Two months on it fetches again: the end is the same.
        later = START + timedelta(days=60)
        box.run_until(later)
        with at(later):
            box.fetch_and_reset()
            assert portal.partner().get(f"{path}/test-license")["ends_at"] == "2028-02-29T12:34:56Z"

        # The device knows the end by its own clock, without a word from the portal.
        box.run_until(END - SECOND)
        assert box.in_effect() == contents(quantity=3) | {"Port": 6}
        box.run_until(END)
        assert box.in_effect() == {"Port": 6}
        box.wall = START.timestamp()  # whoever sets it back brings nothing back
        assert box.in_effect() == {"Port": 6}

        # So does the portal, without a job.
        with at(END - SECOND):
            assert portal.partner().get(f"{path}/test-license")["state"] == "running"
        with at(END):
            partner = portal.partner()
            assert partner.get(f"{path}/test-license")["state"] == "ended"
            assert [grant["product"] for grant in partner.get(path)["grants"]] == ["Port"]
            problem = refusal(partner, f"{path}/test-license", {"version": 14, "quantity": 3})
            assert (problem["code"], problem["ended"]) == ("test-license-used", "2028-02-29 12:34:56")
            assert "has had its test license" in problem["title"]
            assert "Buy licenses" in problem["detail"]
            box.fetch_and_reset()
        assert box.in_effect() == {"Port": 6}
        assert {one.product for one in box.start().status().licenses} == {"Port"}
        assert list(verification.violations()) == []


class TestWhoIsTold:
    def test_three_times_before_the_end_and_once_at_it_by_a_worker_that_wakes_twice_a_day(
        self, portal: Portal, make_appliance: MakeAppliance
    ) -> None:
        appliance = make_appliance()
        box = Box(appliance.home)
        path = f"devices/{appliance.hardware_id}"
        with at(START):
            partner = portal.partner()
            partner.post(f"projects/{portal.project.pk}/devices", {"hardware_id": appliance.hardware_id})
            partner.post(f"{path}/test-license", {"version": 14, "quantity": 3})
            box.fetch_and_reset()

        told: list[tuple[timedelta, str]] = []
        moment = START
        while moment < END + timedelta(days=10):
            with at(moment):
                before = len(letters.arrived())
                schedule.ask(now=moment)
                told += [(END - moment, str(mail.subject)) for mail in letters.arrived()[before:]]
            moment += timedelta(hours=12)

        assert [whens.days for whens, _ in told] == [30, 7, 1, 0]
        endings = [subject.rpartition(" ends ")[2] for _, subject in told[:3]]
        assert endings == ["in 30 days", "in 7 days", "in 1 day"]
        assert told[3][1].endswith("has ended")
        assert all(mail.to == [portal.alice.email] for mail in letters.arrived()[-4:])
        with at(moment):
            problem = refusal(portal.partner(), f"{path}/test-license", {"version": 14, "quantity": 3})
        assert problem["code"] == "test-license-used"


class TestAHardwareIDThatChangesCompany:
    @pytest.fixture
    def charlie(self, db: None) -> User:
        return factories.make_user(name="Charlie", password=factories.PASSWORD)

    @pytest.fixture
    def theirs(self, charlie: User) -> Project:
        """Charlie's project, in a company of his own."""
        return factories.first_project(factories.make_company(founder=charlie, name="Charlie Networks"))

    def charlies(self, portal: Portal, charlie: User) -> Partner:
        partner = Partner(portal.origin)
        partner.sign_in(charlie.email, factories.PASSWORD)
        return partner

    def test_whoever_never_had_it_has_not_used_up_its_test_license(
        self, portal: Portal, make_appliance: MakeAppliance, charlie: User, theirs: Project
    ) -> None:
        appliance = make_appliance()
        box = Box(appliance.home)
        path = f"devices/{appliance.hardware_id}"

        with at(START):
            # Alice types a hardware ID that she does not have, and downloads its test license.
            alices = portal.partner()
            alices.post(f"projects/{portal.project.pk}/devices", {"hardware_id": appliance.hardware_id})
            alices.post(f"{path}/test-license", {"version": 14, "quantity": 1})
            alices.post(f"{path}/test-license/download", {})
            # Charlie has the device; it proves that with a claim, and fetches.
            charlies = self.charlies(portal, charlie)
            code = charlies.post(f"projects/{theirs.pk}/claim-codes", {"hardware_id": appliance.hardware_id})[
                "code"
            ]
            claiming.claim(box.start(), code)
            box.fetch_and_reset()
            assert box.in_effect() == {}
            charlies.post(f"{path}/test-license", {"version": 14, "quantity": 4})
            box.fetch_and_reset()

        assert box.in_effect() == contents(quantity=4)
        assert sorted(TestLicense.objects.values_list("void", flat=True)) == ["", "revoked"]
        assert list(verification.violations()) == []

    def test_whoever_had_it_has(
        self, portal: Portal, make_appliance: MakeAppliance, charlie: User, theirs: Project
    ) -> None:
        appliance = make_appliance()
        box = Box(appliance.home)
        path = f"devices/{appliance.hardware_id}"

        with at(START):
            alices = portal.partner()
            alices.post(f"projects/{portal.project.pk}/devices", {"hardware_id": appliance.hardware_id})
            alices.post(f"{path}/test-license", {"version": 14, "quantity": 2})
            box.fetch_and_reset()
            alices.post(f"{path}/release", {})
            charlies = self.charlies(portal, charlie)
            charlies.post(f"projects/{theirs.pk}/devices", {"hardware_id": appliance.hardware_id})
            # It runs on with its hardware, and it was the only one.
            box.fetch_and_reset()
            assert box.in_effect() == contents(quantity=2)
            problem = refusal(charlies, f"{path}/test-license", {"version": 14, "quantity": 4})
            assert problem["code"] == "test-license-there"
        with at(END):
            problem = refusal(
                self.charlies(portal, charlie), f"{path}/test-license", {"version": 14, "quantity": 4}
            )
            assert problem["code"] == "test-license-used"
        assert list(verification.violations()) == []


class TestGivingBack:
    @pytest.fixture
    def appliance(self, portal: Portal, make_appliance: MakeAppliance) -> Appliance:
        """With six ports and a test license for a slave in effect."""
        made = make_appliance()
        factories.activated(portal.project, {"Port": 10})
        device = factories.make_device(project=portal.project, hardware_id=made.hardware_id)
        factories.assigned(device, 6)
        portal.partner().post(f"devices/{made.hardware_id}/test-license", {"version": 14, "slave": True})
        made.does("fetch")
        made.does("reset")
        return made

    @staticmethod
    def in_effect(appliance: Appliance) -> dict[str, int]:
        return Box(appliance.home, wall=datetime.now(UTC).timestamp()).in_effect()

    def test_a_test_license_stays_where_it_is_named(self, portal: Portal, appliance: Appliance) -> None:
        held = portal.partner().get(f"devices/{appliance.hardware_id}")["grants"]
        [channels] = [grant["id"] for grant in held if grant["product"] == "Channels"]
        [port] = [grant["id"] for grant in held if grant["product"] == "Port"]

        appliance.does("return", port, channels)
        appliance.does("fetch")
        appliance.does("reset")

        assert self.in_effect(appliance) == contents(quantity=None)
        assert factories.free(portal.project) == 10
        assert list(verification.violations()) == []

    def test_it_ends_with_everything(self, portal: Portal, appliance: Appliance) -> None:
        appliance.does("return", "--all")
        appliance.does("fetch")
        appliance.does("reset")

        assert self.in_effect(appliance) == {}
        partner = portal.partner()
        assert partner.get(f"devices/{appliance.hardware_id}/test-license")["state"] == "given-back"
        assert list(verification.violations()) == []

"""Moves over REST (mission rules 24 and 25)."""

from typing import Any

import pytest

from accounts.models import Project, ProjectRight, User
from devices.models import Device
from licenses.models import Move
from tests import factories, rows
from tests.api.conftest import ApiOf
from tests.api.scenes import HARDWARE_ID, refused_alike, viewer
from tests.operations import moving

pytestmark = pytest.mark.usefixtures("catalogue", "today", "keyring")

PATH = f"devices/{HARDWARE_ID}/moves"
REASON = {"reason": moving.REASON}
AT = "2026-11-24T12:00:00Z"


@pytest.fixture
def broken(device: Device, project: Project) -> Device:
    """Two Port are on it."""
    factories.activated(project, {"Port": 5})
    factories.assigned(device, 2)
    return device


@pytest.fixture
def replacement(project: Project) -> Device:
    return factories.make_device(project=project)


class TestTheCourse:
    def test_it_is_asked_for_looked_at_and_withdrawn(
        self, api: ApiOf, erin: User, broken: Device, replacement: Device
    ) -> None:
        program = api(erin)
        asked = program.post(
            PATH, {"replacement": replacement.hardware_id, "rma": "RMA-7"} | REASON, status=201
        )
        assert asked == {
            "id": Move.objects.get().pk,
            "broken": HARDWARE_ID,
            "replacement": replacement.hardware_id,
            "stage": "bridged",
            "reason": moving.REASON,
            "rma": "RMA-7",
            "requested_at": AT,
            "open_until": "2027-01-05T12:00:00Z",
            "bridge_ends_at": "2026-12-08T12:00:00Z",
            "support_first": None,
            "units": 2,
            "ended_at": None,
            "decision_reason": None,
            "hardware": None,
            "evidence": None,
        }
        assert program.get(PATH) == {"moves": [asked]}
        assert program.get(f"{PATH}/{asked['id']}") == asked

        withdrawn = program.post(f"{PATH}/{asked['id']}/withdraw")

        changed = {"stage": "withdrawn", "bridge_ends_at": None, "units": 0, "ended_at": AT}
        assert withdrawn == asked | changed
        again = program.post(PATH, {"replacement": replacement.hardware_id} | REASON, status=201)
        assert (again["stage"], again["support_first"]) == ("with-support", "repeated")

    def test_the_replacement_is_named_later(
        self, api: ApiOf, erin: User, broken: Device, replacement: Device
    ) -> None:
        program = api(erin)
        asked = program.post(PATH, REASON, status=201)
        assert (asked["stage"], asked["replacement"]) == ("needs-replacement", None)

        named = program.post(f"{PATH}/{asked['id']}/replacement", {"replacement": replacement.hardware_id})

        assert (named["stage"], named["replacement"]) == ("bridged", replacement.hardware_id)
        assert moving.held(replacement) == {("bridge", "Port"): 2}

    def test_what_support_decided_is_told(
        self, api: ApiOf, erin: User, broken: Device, replacement: Device
    ) -> None:
        sam = factories.make_user(name="Sam", is_staff=True)
        move = moving.approved(moving.asked(broken, replacement), sam)

        told = api(erin).get(f"{PATH}/{move.pk}")

        assert (told["stage"], told["units"], told["hardware"]) == ("approved", 2, None)
        assert told["decision_reason"] == "Looks right."


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"reason": " "}, 400, "reason-needed"),
            ({"reason": "x", "replacement": HARDWARE_ID}, 400, "same-device"),
            ({"reason": "x", "replacement": "00-90-33-FF-FF-FF"}, 404, "no-such-device"),
            ({"reason": "x", "rma": "7" * 41}, 400, "rma-too-long"),
            ({"replacement": None}, 400, "invalid-input"),
            ({"reason": "x", "replacement": 7}, 400, "invalid-input"),
        ],
    )
    def test_what_makes_no_move_is_refused(
        self, api: ApiOf, erin: User, broken: Device, body: dict[str, Any], status: int, code: str
    ) -> None:
        api(erin).refuse("POST", PATH, body, status=status, code=code)

        assert not Move.objects.exists()

    def test_a_replacement_needs_the_right_as_well(
        self, api: ApiOf, erin: User, broken: Device, project: Project
    ) -> None:
        elsewhere = factories.make_project(company=project.company)
        there = factories.make_device(project=elsewhere)
        body = {"replacement": there.hardware_id} | REASON
        api(erin).refuse("POST", PATH, body, status=404, code="no-such-device")
        factories.give_right(user=erin, project=elsewhere, level=ProjectRight.Level.VIEW)

        api(erin).refuse("POST", PATH, body, status=403, code="right-missing")

    def test_a_replacement_in_another_project_is_not_told_to_whoever_may_not_see_it(
        self, api: ApiOf, alice: User, erin: User, broken: Device, project: Project
    ) -> None:
        there = factories.make_device(project=factories.make_project(company=project.company))
        asked = api(alice).post(PATH, {"replacement": there.hardware_id} | REASON, status=201)
        assert asked["replacement"] == there.hardware_id

        seen = api(erin).get(f"{PATH}/{asked['id']}")

        assert (seen["replacement"], seen["stage"]) == (None, "bridged")
        told = api(erin).get(f"devices/{HARDWARE_ID}/history")
        assert there.hardware_id not in str(told)

    def test_who_only_looks_asks_for_nothing(self, api: ApiOf, broken: Device, project: Project) -> None:
        looking = api(viewer(project))
        move = moving.asked(broken)

        assert looking.get(f"{PATH}/{move.pk}")["id"] == move.pk
        for path, body in ((PATH, REASON), (f"{PATH}/{move.pk}/withdraw", {})):
            looking.refuse("POST", path, body, status=403, code="right-missing")

    def test_a_stranger_sees_no_move(self, api: ApiOf, charlie: User, broken: Device) -> None:
        move = moving.asked(broken)
        stranger = api(charlie)

        refused_alike(stranger, "GET", "devices/{}/moves")
        refused_alike(stranger, "GET", f"devices/{{}}/moves/{move.pk}")
        refused_alike(stranger, "POST", f"devices/{{}}/moves/{move.pk}/withdraw", {})

    def test_a_move_of_another_device_is_none_of_this_one(
        self, api: ApiOf, erin: User, broken: Device, project: Project
    ) -> None:
        other = factories.make_device(project=project)
        factories.assigned(other)
        move = moving.asked(other)
        before = rows.everything()

        api(erin).refuse("POST", f"{PATH}/{move.pk}/withdraw", {}, status=404, code="no-such-move")

        assert rows.everything() == before

    def test_while_it_is_open_the_device_says_so_to_whoever_assigns(
        self, api: ApiOf, erin: User, broken: Device
    ) -> None:
        moving.asked(broken)

        problem = api(erin).refuse(
            "POST",
            f"devices/{HARDWARE_ID}/assignments",
            {"product": "Port", "version": 14, "quantity": 1},
            status=409,
            code="device-in-move",
        )
        assert problem["hardware_id"] == HARDWARE_ID

"""Test licenses over REST (mission rules 20 to 23)."""

from typing import Any

import pytest
import time_machine

from accounts.models import Project, User
from devices.models import Device
from licenses.models import TestLicense
from tests import factories, rows
from tests.api.conftest import ApiOf
from tests.api.scenes import HARDWARE_ID, refused_alike, viewer
from tests.operations.testing import contents

pytestmark = pytest.mark.usefixtures("catalogue", "today", "keyring")

PATH = f"devices/{HARDWARE_ID}/test-license"
ASKED = {"version": 14, "quantity": 7}
AT = "2026-11-24T12:00:00Z"
END = "2027-02-24T12:00:00Z"


def described(answer: dict[str, Any]) -> dict[str, Any]:
    """Without what it holds."""
    return {name: value for name, value in answer.items() if name != "contents"}


WAITING = {
    "hardware_id": HARDWARE_ID,
    "state": "waiting",
    "version": 14,
    "slave": False,
    "quantity": 7,
    "created_at": AT,
    "started_at": None,
    "ends_at": None,
}
RUNNING = WAITING | {"state": "running", "started_at": AT, "ends_at": END}


class TestTheCourse:
    def test_it_is_created_changed_downloaded_and_ends(self, api: ApiOf, erin: User, device: Device) -> None:
        program = api(erin)

        made = program.post(PATH, {"version": 13, "slave": True}, status=201)
        assert {line["product"]: line["quantity"] for line in made["contents"]} == contents(quantity=None)
        changed = program.post(f"{PATH}/change", ASKED)
        assert described(changed) == WAITING
        assert {line["product"]: line["quantity"] for line in changed["contents"]} == contents(quantity=7)
        assert program.get(PATH) == changed

        lic = program.post(f"{PATH}/download")
        assert set(lic) >= {"license", "keyset"}
        assert described(program.get(PATH)) == RUNNING
        with time_machine.travel("2027-02-24T12:00:00Z", tick=False):
            assert described(api(erin).get(PATH)) == RUNNING | {"state": "ended"}
            problem = api(erin).refuse("POST", f"{PATH}/download", status=409, code="test-license-used")
            assert problem["ended"] == "2027-02-24 12:00:00"

    def test_it_is_withdrawn_and_created_anew(self, api: ApiOf, erin: User, device: Device) -> None:
        program = api(erin)
        program.post(PATH, ASKED, status=201)

        answer = program.post(f"{PATH}/withdraw")

        assert answer == {"hardware_id": HARDWARE_ID, "version": 14, "withdrawn_at": AT}
        program.refuse("GET", PATH, status=404, code="no-such-test-license")
        program.post(PATH, ASKED, status=201)

    def test_the_file_without_it_is_to_be_had(self, api: ApiOf, erin: User, device: Device) -> None:
        program = api(erin)
        program.post(PATH, ASKED, status=201)

        response = program.client.get(f"/api/v1/devices/{HARDWARE_ID}/license-document")

        assert response.status_code == 200
        assert program.get(PATH)["state"] == "waiting"

    def test_the_download_names_a_file(self, api: ApiOf, erin: User, device: Device) -> None:
        program = api(erin)
        program.post(PATH, ASKED, status=201)

        response = program.send("POST", f"{PATH}/download", b"")

        assert response.headers["Content-Disposition"] == f'attachment; filename="{HARDWARE_ID}-1.lic"'


class TestRepetitions:
    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [(PATH, ASKED, 201), (f"{PATH}/change", {"version": 13, "slave": True}, 200)],
    )
    def test_the_same_request_again_has_one_effect(
        self, api: ApiOf, erin: User, device: Device, path: str, body: dict[str, Any], status: int
    ) -> None:
        program = api(erin)
        if path != PATH:
            program.post(PATH, ASKED, status=201)
        first = program.post(path, body, key="once", status=status)
        before = rows.everything()

        assert program.post(path, body, key="once", status=status) == first

        assert rows.everything() == before

    def test_downloaded_again_it_is_the_same_file(self, api: ApiOf, erin: User, device: Device) -> None:
        program = api(erin)
        program.post(PATH, ASKED, status=201)

        first = program.post(f"{PATH}/download", key="once")

        assert program.post(f"{PATH}/download", key="once") == first
        assert program.post(f"{PATH}/download") == first


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"version": 14}, 400, "test-quantity-out-of-range"),
            ({"version": 14, "quantity": 0}, 400, "test-quantity-out-of-range"),
            ({"version": 14, "quantity": None}, 400, "test-quantity-out-of-range"),
            ({"version": 14, "slave": True, "quantity": 5}, 400, "slave-takes-no-quantity"),
            ({"version": 9, "quantity": 5}, 400, "no-test-set"),
            ({"version": 10**12, "quantity": 5}, 400, "no-test-set"),
            ({"quantity": 5}, 400, "invalid-input"),
            ({"version": 14, "quantity": "5"}, 400, "invalid-input"),
            ({"version": 14, "quantity": 5, "slave": "true"}, 400, "invalid-input"),
            ({"version": 14, "quantity": 5, "slave": 1}, 400, "invalid-input"),
        ],
    )
    def test_what_makes_no_sense_changes_nothing(
        self, api: ApiOf, alice: User, device: Device, body: dict[str, Any], status: int, code: str
    ) -> None:
        before = rows.everything()

        api(alice).refuse("POST", PATH, body, status=status, code=code)

        assert rows.everything() == before

    def test_a_second_one_is_refused_with_why(self, api: ApiOf, alice: User, device: Device) -> None:
        api(alice).post(PATH, ASKED, status=201)

        problem = api(alice).refuse("POST", PATH, ASKED, status=409, code="test-license-there")

        assert HARDWARE_ID in problem["title"]

    @pytest.mark.parametrize("path", [f"{PATH}/change", f"{PATH}/withdraw", f"{PATH}/download"])
    def test_where_there_is_none(self, api: ApiOf, alice: User, device: Device, path: str) -> None:
        body = ASKED if path.endswith("change") else None
        api(alice).refuse("POST", path, body, status=404, code="no-such-test-license")

    @pytest.mark.parametrize("path", [f"{PATH}/change", f"{PATH}/withdraw"])
    def test_once_it_runs(self, api: ApiOf, alice: User, device: Device, path: str) -> None:
        api(alice).post(PATH, ASKED, status=201)
        api(alice).post(f"{PATH}/download")
        body = ASKED if path.endswith("change") else None
        api(alice).refuse("POST", path, body, status=409, code="test-license-started")

    def test_who_may_look_may_only_look(
        self, api: ApiOf, alice: User, project: Project, device: Device
    ) -> None:
        api(alice).post(PATH, ASKED, status=201)
        program = api(viewer(project))

        assert program.get(PATH)["state"] == "waiting"
        for path in (f"{PATH}/withdraw", f"{PATH}/download"):
            program.refuse("POST", path, status=403, code="right-missing")
        for path in (PATH, f"{PATH}/change"):
            program.refuse("POST", path, ASKED, status=403, code="right-missing")

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "devices/{}/test-license", None),
            ("POST", "devices/{}/test-license", ASKED),
            ("POST", "devices/{}/test-license/change", ASKED),
            ("POST", "devices/{}/test-license/withdraw", None),
            ("POST", "devices/{}/test-license/download", None),
        ],
    )
    def test_a_stranger_learns_nothing(
        self, api: ApiOf, charlie: User, device: Device, method: str, path: str, body: Any
    ) -> None:
        refused_alike(api(charlie), method, path, body)


class TestTheList:
    def test_it_has_those_of_the_devices_here_a_page_at_a_time(
        self, api: ApiOf, alice: User, project: Project, device: Device
    ) -> None:
        made = [factories.make_device(project=project) for _ in range(3)]
        for one in made:
            api(alice).post(f"devices/{one.hardware_id}/test-license", ASKED, status=201)
        wanted = sorted(one.hardware_id for one in made)
        path = f"projects/{project.pk}/test-licenses"

        first = api(alice).get(path, {"limit": 2})
        second = api(alice).get(path, {"limit": 2, "after": first["next"]})

        assert [one["hardware_id"] for one in first["test_licenses"]] == wanted[:2]
        assert ([one["hardware_id"] for one in second["test_licenses"]], second["next"]) == (wanted[2:], None)

    def test_it_says_of_each_what_its_page_says(
        self, api: ApiOf, alice: User, project: Project, device: Device
    ) -> None:
        api(alice).post(PATH, ASKED, status=201)
        api(alice).post(f"{PATH}/download")

        answer = api(alice).get(f"projects/{project.pk}/test-licenses")

        assert answer == {"test_licenses": [api(alice).get(PATH)], "next": None}

    def test_a_device_that_left_is_not_there(
        self, api: ApiOf, alice: User, project: Project, device: Device
    ) -> None:
        api(alice).post(PATH, ASKED, status=201)
        api(alice).post(f"{PATH}/download")
        other = factories.make_project(company=project.company)
        api(alice).post(f"devices/{HARDWARE_ID}/project", {"project": other.pk})

        assert api(alice).get(f"projects/{project.pk}/test-licenses")["test_licenses"] == []
        assert len(api(alice).get(f"projects/{other.pk}/test-licenses")["test_licenses"]) == 1

    def test_it_is_refused_to_strangers(self, api: ApiOf, charlie: User, project: Project) -> None:
        api(charlie).refuse("GET", f"projects/{project.pk}/test-licenses", status=404, code="no-such-project")


def test_the_device_shows_its_grants_as_test_licenses_with_their_end(
    api: ApiOf, alice: User, device: Device
) -> None:
    api(alice).post(PATH, ASKED, status=201)
    api(alice).post(f"{PATH}/download")

    answer = api(alice).get(f"devices/{HARDWARE_ID}")

    assert {(one["class"], one["expires_at"], one["undoable"]) for one in answer["grants"]} == {
        ("test", END, False)
    }
    with time_machine.travel("2027-02-24T12:00:00Z", tick=False):
        assert api(alice).get(f"devices/{HARDWARE_ID}")["grants"] == []
    assert TestLicense.objects.get().void == ""

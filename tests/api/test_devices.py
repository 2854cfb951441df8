from typing import Any

import pytest

from accounts.models import Project, User
from devices import enrollment
from devices.models import Device
from licenses import queries
from tests import factories, rows
from tests.api.conftest import ApiOf
from tests.api.scenes import HARDWARE_ID, refused_alike, viewer

pytestmark = pytest.mark.usefixtures("catalogue")


class TestAddingADevice:
    def test_it_takes_the_hardware_id_as_people_type_it(
        self, api: ApiOf, erin: User, project: Project
    ) -> None:
        added = api(erin).post(
            f"projects/{project.pk}/devices",
            {"hardware_id": "00:90:33:01:0a:ff", "name": " Hall "},
            status=201,
        )

        assert added == {
            "hardware_id": HARDWARE_ID,
            "name": "Hall",
            "project": project.pk,
            "added_at": added["added_at"],
        }
        assert Device.objects.get(hardware_id=HARDWARE_ID).project == project

    @pytest.mark.parametrize(
        "typed", ["", "00-90-33-01-0A", "00-90-33-01-0A-FF-00", "00-90-33-01-0A-FG", "x" * 999]
    )
    def test_what_is_no_hardware_id_is_refused(
        self, api: ApiOf, alice: User, project: Project, typed: str
    ) -> None:
        before = rows.everything()

        api(alice).refuse(
            "POST",
            f"projects/{project.pk}/devices",
            {"hardware_id": typed},
            status=400,
            code="hardware-id-malformed",
        )

        assert rows.everything() == before

    def test_a_name_is_bounded(self, api: ApiOf, alice: User, project: Project) -> None:
        api(alice).refuse(
            "POST",
            f"projects/{project.pk}/devices",
            {"hardware_id": HARDWARE_ID, "name": "x" * 101},
            status=400,
            code="device-name-too-long",
        )

    def test_a_device_is_added_once(self, api: ApiOf, alice: User, device: Device) -> None:
        api(alice).refuse(
            "POST",
            f"projects/{device.project_id}/devices",
            {"hardware_id": HARDWARE_ID},
            status=409,
            code="device-already-added",
        )

    def test_a_taken_one_is_told_without_saying_by_whom(
        self, api: ApiOf, charlie: User, device: Device
    ) -> None:
        own = factories.first_project(charlie.memberships.get().company)
        before = rows.everything()

        problem = api(charlie).refuse(
            "POST",
            f"projects/{own.pk}/devices",
            {"hardware_id": HARDWARE_ID},
            status=409,
            code="hardware-id-taken",
        )

        assert problem.keys() == {"type", "title", "status", "detail", "code", "hardware_id"}
        assert rows.everything() == before

    def test_view_is_not_enough(self, api: ApiOf, project: Project) -> None:
        api(viewer(project)).refuse(
            "POST",
            f"projects/{project.pk}/devices",
            {"hardware_id": HARDWARE_ID},
            status=403,
            code="right-missing",
        )

    def test_a_stranger_gets_what_a_missing_project_gives(
        self, api: ApiOf, charlie: User, project: Project
    ) -> None:
        def refused(project_id: int) -> dict[str, Any]:
            return api(charlie).refuse(
                "POST",
                f"projects/{project_id}/devices",
                {"hardware_id": HARDWARE_ID},
                status=404,
                code="no-such-project",
            )

        assert refused(project.pk) == refused(999_999)

    def test_a_repeated_request_has_one_effect_and_the_same_answer(
        self, api: ApiOf, alice: User, project: Project
    ) -> None:
        path, body = f"projects/{project.pk}/devices", {"hardware_id": HARDWARE_ID}
        first = api(alice).post(path, body, key="req-1", status=201)
        before = rows.everything()

        assert api(alice).post(path, {"hardware_id": "00903301 0aff"}, key="req-1", status=201) == first
        assert rows.everything() == before

    def test_a_request_id_is_not_taken_for_another_request(
        self, api: ApiOf, alice: User, project: Project
    ) -> None:
        path = f"projects/{project.pk}/devices"
        api(alice).post(path, {"hardware_id": HARDWARE_ID}, key="req-1", status=201)

        api(alice).refuse(
            "POST",
            path,
            {"hardware_id": "00-90-33-01-0B-00"},
            key="req-1",
            status=409,
            code="idempotency-key-reused",
        )


class TestListingDevices:
    @pytest.fixture
    def five(self, project: Project) -> list[str]:
        ids = [f"00-90-33-00-00-0{number}" for number in range(5)]
        for hardware_id in reversed(ids):
            factories.make_device(project=project, hardware_id=hardware_id)
        return ids

    def test_it_gives_pages_by_hardware_id_until_there_is_no_next(
        self, api: ApiOf, erin: User, project: Project, five: list[str]
    ) -> None:
        path = f"projects/{project.pk}/devices"
        seen: list[str] = []
        query: dict[str, Any] = {"limit": 2}
        while True:
            page = api(erin).get(path, query)
            assert len(page["devices"]) <= 2
            seen += [device["hardware_id"] for device in page["devices"]]
            if page["next"] is None:
                break
            query["after"] = page["next"]

        assert seen == five

    def test_a_page_that_ends_the_list_has_no_next(
        self, api: ApiOf, alice: User, project: Project, five: list[str]
    ) -> None:
        page = api(alice).get(f"projects/{project.pk}/devices", {"limit": 5})

        assert (len(page["devices"]), page["next"]) == (5, None)

    def test_it_says_when_a_device_was_last_heard_of(self, api: ApiOf, alice: User, device: Device) -> None:
        other = factories.make_device(project=device.project, hardware_id="00-90-33-01-0B-00")
        enrollment.record_contact(device=other, firmware="14r2", now=factories.NOW)

        listed = api(alice).get(f"projects/{device.project_id}/devices")["devices"]

        assert [row["last_contact_at"] for row in listed] == [None, "2026-11-24T12:00:00Z"]

    @pytest.mark.parametrize(
        ("query", "member"),
        [
            ({"limit": 0}, "limit"),
            ({"limit": 201}, "limit"),
            ({"limit": "all"}, "limit"),
            ({"limit": "9" * 5000}, "limit"),
            ({"after": "00:90:33:01:0A:FF"}, "after"),
            ({"after": "\0"}, "after"),
            ({"offset": 3}, "offset"),
        ],
    )
    def test_a_page_that_makes_no_sense_is_refused(
        self, api: ApiOf, alice: User, project: Project, query: dict[str, Any], member: str
    ) -> None:
        problem = api(alice).refuse(
            "GET", f"projects/{project.pk}/devices", query, status=400, code="invalid-input"
        )

        assert list(problem["errors"]) == [member]

    def test_a_stranger_gets_what_a_missing_project_gives(
        self, api: ApiOf, charlie: User, project: Project
    ) -> None:
        theirs = api(charlie).refuse(
            "GET", f"projects/{project.pk}/devices", status=404, code="no-such-project"
        )

        assert theirs == api(charlie).refuse(
            "GET", "projects/999999/devices", status=404, code="no-such-project"
        )


class TestGettingADevice:
    def test_a_new_one_holds_nothing(self, api: ApiOf, erin: User, device: Device) -> None:
        assert api(erin).get(f"devices/{HARDWARE_ID}") == {
            "hardware_id": HARDWARE_ID,
            "name": "Reception",
            "project": device.project_id,
            "added_at": "2026-11-24T12:00:00Z",
            "last_contact_at": None,
            "firmware": None,
            "key_pinned_at": None,
            "grants": [],
            "document": None,
        }

    @pytest.mark.usefixtures("keyring")
    def test_it_shows_grants_document_and_last_contact(self, api: ApiOf, alice: User, device: Device) -> None:
        carried = factories.assigned(device, 2)
        api(alice).get(f"devices/{HARDWARE_ID}/license-document")
        fresh = factories.assigned(device, 1)
        enrollment.record_contact(device=device, firmware="14r2", now=factories.NOW)

        shown = api(alice).get(f"devices/{HARDWARE_ID}")

        assert {grant["id"]: (grant["quantity"], grant["undoable"]) for grant in shown["grants"]} == {
            queries.grant_id(carried): (2, False),
            queries.grant_id(fresh): (1, True),
        }
        assert (shown["firmware"], shown["last_contact_at"]) == ("14r2", "2026-11-24T12:00:00Z")
        assert shown["document"] == {
            "seq": 2,
            "issued_at": "2026-11-24T12:00:00Z",
            "handed_out_at": None,
        }

    def test_a_stranger_gets_what_a_missing_device_gives(
        self, api: ApiOf, charlie: User, device: Device
    ) -> None:
        refused_alike(api(charlie), "GET", "devices/{}")

    def test_an_address_has_one_form_for_its_owner_too(self, api: ApiOf, alice: User, device: Device) -> None:
        api(alice).refuse("GET", "devices/00:90:33:01:0A:FF", status=404, code="no-such-device")

from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import Company, Project, ProjectRight, User
from devices import enrollment
from devices.models import Device
from licenses import queries
from licenses.models import Grant, LicenseDocument
from tests import factories, rows
from tests.api.conftest import Api, ApiOf

pytestmark = pytest.mark.usefixtures("catalogue")

HARDWARE_ID = "00-90-33-01-0A-FF"
PORTS = {"product": "Port", "version": 14, "quantity": 2}
# Forms in which people type it, the right form with something around it, and what no address holds.
NOT_CANONICAL = [
    "0090330 10AFF",
    "00903301 0AFF",
    "00-90-33-01-0a-ff",
    "00:90:33:01:0A:FF",
    "x",
    "%00",
    "é" * 17,
]


@pytest.fixture
def device(project: Project) -> Device:
    """A device with five ports free for it in its project."""
    factories.activated(project, {"Port": 5})
    return factories.make_device(project=project, hardware_id=HARDWARE_ID, name="Reception")


def viewer(project: Project) -> User:
    user = factories.make_user(name="Vera")
    factories.give_right(user=user, project=project, level=ProjectRight.Level.VIEW)
    return user


def refused_alike(stranger: Api, method: str, path: str, body: Any = None) -> None:
    """See that a device of others and a missing one are refused alike, and that nothing was changed."""
    before = rows.everything()
    theirs = stranger.refuse(method, path.format(HARDWARE_ID), body, status=404, code="no-such-device")
    missing = stranger.refuse(
        method, path.format("00-90-33-FF-FF-FF"), body, status=404, code="no-such-device"
    )
    assert theirs == missing
    for text in NOT_CANONICAL:
        stranger.refuse(method, path.format(text), body, status=404, code="no-such-device")
    assert rows.everything() == before


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


class TestAssigning:
    PATH = f"devices/{HARDWARE_ID}/assignments"

    def test_it_moves_licenses_to_the_device_and_issues_a_document(
        self, api: ApiOf, erin: User, device: Device
    ) -> None:
        answer = api(erin).post(self.PATH, PORTS, status=201)

        grant = Grant.objects.get(device=device)
        assert answer == {
            "grant": {
                "id": queries.grant_id(grant),
                "product": "Port",
                "version": 14,
                "name": "Port",
                "unit": "port",
                "quantity": 2,
                "class": "bought",
                "expires_at": None,
            },
            "seq": 1,
        }
        assert (factories.free(device.project), factories.free(device)) == (3, 2)

    def test_one_more_than_there_is_is_refused_with_the_numbers(
        self, api: ApiOf, alice: User, device: Device
    ) -> None:
        before = rows.everything()

        problem = api(alice).refuse(
            "POST", self.PATH, PORTS | {"quantity": 6}, status=409, code="insufficient-licenses"
        )

        assert (problem["wanted"], problem["available"]) == (6, 5)
        assert rows.everything() == before

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"quantity": 0}, "quantity-out-of-range"),
            ({"quantity": -3}, "quantity-out-of-range"),
            ({"quantity": 1_000_001}, "quantity-out-of-range"),
            ({"product": "Nonsense"}, "no-such-product"),
            ({"version": 15}, "no-such-product"),
            ({"quantity": "2"}, "invalid-input"),
            ({"quantity": True}, "invalid-input"),
            ({"quantity": None}, "invalid-input"),
            ({"version": "14"}, "invalid-input"),
            ({"product": 14}, "invalid-input"),
            ({"product": "x" * 1001}, "invalid-input"),
            ({"grant": "mine"}, "invalid-input"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, api: ApiOf, alice: User, device: Device, changes: dict[str, Any], code: str
    ) -> None:
        before = rows.everything()

        api(alice).refuse("POST", self.PATH, PORTS | changes, status=400, code=code)

        assert rows.everything() == before

    def test_a_device_has_room_for_so_many_grants(
        self, api: ApiOf, alice: User, device: Device, settings: LazySettings
    ) -> None:
        settings.GRANTS_PER_DEVICE = 1
        factories.assigned(device)

        problem = api(alice).refuse("POST", self.PATH, PORTS, status=409, code="device-is-full")

        assert problem["most"] == 1

    def test_view_is_not_enough(self, api: ApiOf, device: Device) -> None:
        api(viewer(device.project)).refuse("POST", self.PATH, PORTS, status=403, code="right-missing")

    def test_a_stranger_gets_what_a_missing_device_gives(
        self, api: ApiOf, charlie: User, device: Device
    ) -> None:
        refused_alike(api(charlie), "POST", "devices/{}/assignments", PORTS)

    def test_a_repeated_request_has_one_effect_and_the_same_answer(
        self, api: ApiOf, alice: User, device: Device
    ) -> None:
        first = api(alice).post(self.PATH, PORTS, key="req-1", status=201)
        before = rows.everything()

        assert api(alice).post(self.PATH, PORTS, key="req-1", status=201) == first
        assert rows.everything() == before

    def test_a_request_id_is_not_taken_for_another_request(
        self, api: ApiOf, alice: User, device: Device
    ) -> None:
        api(alice).post(self.PATH, PORTS, key="req-1", status=201)
        before = rows.everything()

        api(alice).refuse(
            "POST",
            self.PATH,
            PORTS | {"quantity": 1},
            key="req-1",
            status=409,
            code="idempotency-key-reused",
        )

        assert rows.everything() == before


class TestUndoing:
    @pytest.fixture
    def grant(self, device: Device) -> Grant:
        return factories.assigned(device, 2)

    @pytest.fixture
    def path(self, grant: Grant) -> str:
        return f"devices/{HARDWARE_ID}/assignments/{queries.grant_id(grant)}/undo"

    def test_it_brings_the_licenses_back(self, api: ApiOf, erin: User, device: Device, path: str) -> None:
        answer = api(erin).post(path)

        assert (answer["grant"]["quantity"], answer["seq"]) == (2, 2)
        assert (factories.free(device.project), factories.free(device)) == (5, 0)

    def test_an_empty_object_is_as_good_as_no_body(self, api: ApiOf, erin: User, path: str) -> None:
        api(erin).post(path, {})

    def test_it_cannot_be_undone_twice(self, api: ApiOf, erin: User, path: str) -> None:
        api(erin).post(path)
        before = rows.everything()

        api(erin).refuse("POST", path, status=409, code="grant-already-ended")

        assert rows.everything() == before

    @pytest.mark.usefixtures("keyring")
    def test_what_was_handed_out_stays(self, api: ApiOf, alice: User, path: str) -> None:
        api(alice).get(f"devices/{HARDWARE_ID}/license-document")
        before = rows.everything()

        api(alice).refuse("POST", path, status=409, code="assignment-carried")

        assert rows.everything() == before

    @pytest.mark.parametrize("grant_id", ["AAECAwQFBgcICQoLDA0ODw", "x", "%00", "é", "A" * 500])
    def test_an_unknown_grant_is_refused(
        self, api: ApiOf, alice: User, device: Device, grant_id: str
    ) -> None:
        api(alice).refuse(
            "POST", f"devices/{HARDWARE_ID}/assignments/{grant_id}/undo", status=404, code="no-such-grant"
        )

    def test_a_grant_of_another_device_is_not_found_on_this_one(
        self, api: ApiOf, alice: User, device: Device, grant: Grant
    ) -> None:
        factories.make_device(project=device.project, hardware_id="00-90-33-01-0B-00")

        api(alice).refuse(
            "POST",
            f"devices/00-90-33-01-0B-00/assignments/{queries.grant_id(grant)}/undo",
            status=404,
            code="no-such-grant",
        )

    def test_view_is_not_enough(self, api: ApiOf, device: Device, path: str) -> None:
        api(viewer(device.project)).refuse("POST", path, status=403, code="right-missing")

    def test_a_stranger_gets_what_a_missing_device_gives(
        self, api: ApiOf, charlie: User, grant: Grant
    ) -> None:
        refused_alike(api(charlie), "POST", f"devices/{{}}/assignments/{queries.grant_id(grant)}/undo")

    def test_a_repeated_request_has_one_effect_and_the_same_answer(
        self, api: ApiOf, alice: User, path: str
    ) -> None:
        first = api(alice).post(path, key="req-1")
        before = rows.everything()

        assert api(alice).post(path, key="req-1") == first
        assert rows.everything() == before

    def test_a_request_id_is_not_taken_for_another_request(
        self, api: ApiOf, alice: User, device: Device, path: str
    ) -> None:
        other = factories.assigned(device, 1)
        api(alice).post(path, key="req-1")

        api(alice).refuse(
            "POST",
            f"devices/{HARDWARE_ID}/assignments/{queries.grant_id(other)}/undo",
            key="req-1",
            status=409,
            code="idempotency-key-reused",
        )


class TestDownloading:
    PATH = f"devices/{HARDWARE_ID}/license-document"

    @pytest.mark.usefixtures("keyring")
    def test_it_gives_the_file_and_marks_it_as_handed_out(
        self, api: ApiOf, erin: User, device: Device
    ) -> None:
        factories.assigned(device, 2)

        bundle = api(erin).get(self.PATH)
        response = api(erin).send("GET", self.PATH, b"")

        assert bundle["bundle"] == "olp/1"
        assert response.headers["Content-Disposition"] == f'attachment; filename="{HARDWARE_ID}-1.lic"'
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        document = LicenseDocument.objects.get(device=device)
        assert document.signed is not None
        assert bytes(document.signed) in response.content
        assert document.handed_out_at is not None

    @pytest.mark.usefixtures("keyring")
    def test_downloading_again_gives_the_same_bytes_and_changes_nothing(
        self, api: ApiOf, alice: User, device: Device
    ) -> None:
        factories.assigned(device, 2)
        first = api(alice).send("GET", self.PATH, b"").content
        before = rows.everything()

        assert api(alice).send("GET", self.PATH, b"").content == first
        assert rows.everything() == before

    @pytest.mark.usefixtures("keyring")
    def test_head_hands_nothing_out(self, api: ApiOf, alice: User, device: Device) -> None:
        factories.assigned(device, 2)
        before = rows.everything()

        assert api(alice).send("HEAD", self.PATH, b"").status_code == 405
        assert rows.everything() == before

    def test_without_a_key_set_it_says_so_and_hands_nothing_out(
        self, api: ApiOf, alice: User, device: Device
    ) -> None:
        factories.assigned(device, 2)

        api(alice).refuse("GET", self.PATH, status=503, code="no-key-set")

        assert not LicenseDocument.objects.filter(handed_out_at__isnull=False).exists()

    @pytest.mark.usefixtures("keyring")
    def test_without_its_key_files_it_says_so(
        self, api: ApiOf, alice: User, device: Device, settings: LazySettings
    ) -> None:
        factories.assigned(device, 2)
        settings.SIGNING_KEYS_DIR /= "elsewhere"

        problem = api(alice).refuse("GET", self.PATH, status=503, code="signing-key-missing")

        assert str(settings.SIGNING_KEYS_DIR) not in str(problem)

    @pytest.mark.usefixtures("keyring")
    def test_an_item_that_has_ended_is_not_in_the_file(self, api: ApiOf, alice: User, device: Device) -> None:
        document = LicenseDocument.objects.create(
            device=device,
            seq=1,
            payload=b"{}",
            payload_sha256=b"0" * 32,
            issued_at=factories.NOW,
            outdated_at=datetime(2026, 11, 24, tzinfo=UTC),
        )

        api(alice).get(self.PATH)

        assert queries.current_document(device) != document

    def test_view_is_not_enough(self, api: ApiOf, device: Device) -> None:
        api(viewer(device.project)).refuse("GET", self.PATH, status=403, code="right-missing")

    def test_a_stranger_gets_what_a_missing_device_gives(
        self, api: ApiOf, charlie: User, device: Device, company: Company
    ) -> None:
        refused_alike(api(charlie), "GET", "devices/{}/license-document")

from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import Company, User
from devices.models import Device
from licenses import queries
from licenses.models import Grant, LicenseDocument
from tests import factories, rows
from tests.api.conftest import ApiOf
from tests.api.scenes import HARDWARE_ID, refused_alike, viewer

pytestmark = pytest.mark.usefixtures("catalogue")

PORTS = {"product": "Port", "version": 14, "quantity": 2}


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

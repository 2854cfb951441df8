"""Long lists: pages, filters, and who finds what in them."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Company, Project, User
from devices.models import Device
from portal.core import audit
from portal.core.models import AuditEntry
from tests import factories
from tests.api.conftest import Api, ApiOf
from tests.api.scenes import HARDWARE_ID

pytestmark = pytest.mark.usefixtures("catalogue")


def walked(program: Api, path: str, member: str, query: dict[str, Any] | None = None) -> list[Any]:
    """All rows of a list, two to a page; no page is larger, and only the last one may be smaller."""
    found: list[Any] = []
    after: dict[str, Any] = {}
    while True:
        answer = program.get(path, {"limit": 2, **(query or {}), **after})
        assert len(answer[member]) == 2 or answer["next"] is None
        found += answer[member]
        if answer["next"] is None:
            return found
        after = {"after": answer["next"]}


class TestPages:
    @pytest.mark.parametrize(
        ("path", "member"),
        [
            ("projects", "projects"),
            ("companies", "companies"),
            ("products", "products"),
            ("companies/{company}/api-tokens", "api_tokens"),
            ("companies/{company}/keys", "keys"),
            ("companies/{company}/history", "history"),
            ("projects/{project}/devices", "devices"),
            ("projects/{project}/history", "history"),
        ],
    )
    def test_every_row_is_on_one_page(
        self, api: ApiOf, alice: User, company: Company, project: Project, path: str, member: str
    ) -> None:
        for number in range(3):
            factories.make_project(company=company)
            factories.make_company(founder=alice)
            factories.make_token(company=company, maker=alice)
            if number:
                factories.activated(project)
            else:
                factories.activated(company)
            factories.make_device(project=project)
        where = path.format(company=company.pk, project=project.pk)

        rows = walked(api(alice), where, member)

        assert len(rows) > 2
        assert rows == api(alice).get(where, {"limit": 200})[member]

    @pytest.mark.parametrize(
        "query", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"after": "x"}, {"after": "-1"}, {"page": 2}]
    )
    def test_what_is_no_page_is_refused(self, api: ApiOf, alice: User, query: dict[str, Any]) -> None:
        api(alice).refuse("GET", "projects", query, status=400, code="invalid-input")


class TestFilteringProjects:
    def test_by_company_and_part_of_the_name(self, api: ApiOf, alice: User, company: Company) -> None:
        hall = factories.make_project(company=company, name="Town hall")
        factories.make_company(founder=alice)

        def found(**query: Any) -> list[int]:
            return [row["id"] for row in api(alice).get("projects", query)["projects"]]

        assert found(name="HALL") == [hall.pk]
        assert found(company=company.pk, name="default") == [factories.first_project(company).pk]
        assert found(company=999_999) == []


class TestFilteringDevices:
    @pytest.mark.parametrize(
        "query",
        [
            {"hardware_id": "01-0a"},
            {"hardware_id": "010A"},
            {"hardware_id": "3301:0a"},
            {"hardware_id": HARDWARE_ID},
            {"name": "recep"},
            {"hardware_id": "0aff", "name": "tion"},
        ],
    )
    def test_by_part_of_the_hardware_id_or_name(
        self, api: ApiOf, alice: User, device: Device, query: dict[str, str]
    ) -> None:
        factories.make_device(project=device.project, hardware_id="00-90-33-02-0B-00", name="Cellar")

        found = api(alice).get(f"projects/{device.project_id}/devices", query)["devices"]

        assert [row["hardware_id"] for row in found] == [HARDWARE_ID]

    def test_a_part_that_is_in_none_finds_none(self, api: ApiOf, alice: User, device: Device) -> None:
        path = f"projects/{device.project_id}/devices"

        assert api(alice).get(path, {"hardware_id": "FFFF"})["devices"] == []
        assert api(alice).get(path, {"name": "%"})["devices"] == []


class TestKeys:
    @pytest.fixture
    def code(self, project: Project) -> str:
        code = factories.make_key(number="SO-4711")
        from_key = {"code": code, "project": project.pk}
        Api(_admin(project)).post("keys/activate", from_key)
        return code

    def test_they_are_found_by_last_characters_order_and_reference(
        self, api: ApiOf, alice: User, company: Company, project: Project, code: str
    ) -> None:
        factories.activated(company)

        def found(**query: str) -> list[str]:
            keys = api(alice).get(f"companies/{company.pk}/keys", query)["keys"]
            return [row["order"] for row in keys]

        assert found(last=code[-4:].lower(), order="4711") == ["SO-4711"]
        assert found(last=code[-2:], order="4711") == ["SO-4711"]
        assert found(reference="of so-47") == ["SO-4711"]
        assert len(found()) == 2

    def test_they_say_where_the_licenses_went(
        self, api: ApiOf, alice: User, company: Company, project: Project, code: str
    ) -> None:
        [row] = api(alice).get(f"companies/{company.pk}/keys")["keys"]

        assert (row["into_project"], row["last_four"]) == (project.pk, code[-4:])

    def test_a_member_finds_no_keys_of_projects_that_are_not_theirs(
        self, api: ApiOf, bob: User, company: Company, code: str
    ) -> None:
        factories.activated(company)

        [row] = api(bob).get(f"companies/{company.pk}/keys")["keys"]

        assert row["into_project"] is None

    def test_an_end_customer_finds_no_keys(self, api: ApiOf, erin: User, company: Company, code: str) -> None:
        api(erin).refuse("GET", f"companies/{company.pk}/keys", status=404, code="no-such-company")


class TestHistories:
    def test_one_instant_s_entries_are_each_on_one_page(
        self, api: ApiOf, alice: User, project: Project
    ) -> None:
        for event in ("one", "two", "three", "four", "five"):
            audit.record(
                event,
                caller=factories.caller(),
                now=factories.NOW,
                company_id=project.company_id,
                project_id=project.pk,
            )

        told = walked(api(alice), f"projects/{project.pk}/history", "history")

        assert [entry["event"] for entry in told][:5] == ["five", "four", "three", "two", "one"]

    def test_it_says_who_did_what(self, api: ApiOf, alice: User, device: Device) -> None:
        api(alice).post(
            f"devices/{HARDWARE_ID}/assignments",
            {"product": "Port", "version": 14, "quantity": 2},
            status=201,
        )

        told = api(alice).get(f"devices/{HARDWARE_ID}/history")["history"]
        [entry] = [entry for entry in told if entry["event"] == "licenses-assigned"]

        assert entry["by"] == "Alice Example"
        assert entry["facts"] == {"product": "Port 14", "quantity": 2, "seq": 1}

    def test_by_time(self, api: ApiOf, alice: User, project: Project) -> None:
        for hours in range(3):
            audit.record(
                f"after-{hours}",
                caller=factories.caller(),
                now=factories.NOW + timedelta(days=1, hours=hours),
                project_id=project.pk,
            )

        told = api(alice).get(
            f"projects/{project.pk}/history",
            {"since": "2026-11-25T13:00:00Z", "until": "2026-11-25T15:00:00+01:00"},
        )["history"]

        assert [entry["event"] for entry in told] == ["after-1"]

    def test_of_a_company_by_project_and_device(
        self, api: ApiOf, alice: User, company: Company, device: Device
    ) -> None:
        other = factories.make_project(company=company)
        factories.make_device(project=other, hardware_id="00-90-33-02-0B-00")
        path = f"companies/{company.pk}/history"

        def devices(**query: Any) -> set[str]:
            return {row["hardware_id"] for row in api(alice).get(path, query)["history"]} - {""}

        assert devices() == {HARDWARE_ID, "00-90-33-02-0B-00"}
        assert devices(project=other.pk) == {"00-90-33-02-0B-00"}
        assert devices(device=HARDWARE_ID) == {HARDWARE_ID}

    def test_a_member_reads_nothing_of_projects_that_are_not_theirs(
        self, api: ApiOf, bob: User, company: Company, device: Device
    ) -> None:
        told = api(bob).get(f"companies/{company.pk}/history")["history"]

        assert {entry["project"] for entry in told} <= {None}

    @pytest.mark.parametrize("after", ["1", "-", "x-1", "1-1-1", "9" * 18 + "-1"])
    def test_what_is_no_position_is_refused(
        self, api: ApiOf, alice: User, project: Project, after: str
    ) -> None:
        api(alice).refuse(
            "GET", f"projects/{project.pk}/history", {"after": after}, status=400, code="invalid-input"
        )

    def test_no_address_of_anybody_is_told(self, api: ApiOf, alice: User, device: Device) -> None:
        path = f"devices/{HARDWARE_ID}/assignments"
        api(alice).post(path, {"product": "Port", "version": 14, "quantity": 2}, status=201)
        assert AuditEntry.objects.filter(hardware_id=HARDWARE_ID, address="127.0.0.1").exists()

        assert "127.0.0.1" not in str(api(alice).get(f"devices/{HARDWARE_ID}/history"))


def _admin(project: Project) -> User:
    return User.objects.get(memberships__company=project.company, memberships__role="admin")

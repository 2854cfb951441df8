"""Doors on the import of a company, and on the project of a device."""

import pytest

from accounts.models import Company, Project, User
from accounts.queries import companies_of
from devices.models import Device
from tests import factories, rows
from tests.api.conftest import ApiOf
from tests.api.scenes import refused_alike

pytestmark = pytest.mark.usefixtures("today", "catalogue")


@pytest.fixture
def accident(charlie: User) -> Company:
    return companies_of(charlie).get()


def ask(api: ApiOf, user: User, company: Company, accident: Company) -> int:
    body = {"company": accident.pk, "name": accident.name}
    made: int = api(user).post(f"companies/{company.pk}/imports", body, status=201)["id"]
    return made


class TestImports:
    def test_one_asks_and_the_other_looks_at_the_numbers_and_consents(
        self, api: ApiOf, alice: User, charlie: User, company: Company, accident: Company
    ) -> None:
        factories.activated(factories.first_project(accident), {"Port": 5})
        wanted = ask(api, alice, company, accident)
        path = f"companies/{accident.pk}/imports/{wanted}"

        shown = api(charlie).get(path)
        done = api(charlie).post(f"{path}/consent", key="once")

        assert shown["projects"] == [{"name": "DEFAULT", "becomes": f"DEFAULT ({accident.name})"}]
        assert (shown["licenses"], shown["members"], shown["devices"]) == (5, 1, 0)
        assert (done["end"], done["into"]["id"]) == ("done", company.pk)
        assert api(charlie).post(f"{path}/consent", key="once") == done
        assert [row["id"] for row in api(charlie).get("companies")["companies"]] == [company.pk]

    def test_both_sides_see_what_is_open(
        self, api: ApiOf, alice: User, charlie: User, company: Company, accident: Company
    ) -> None:
        wanted = ask(api, alice, company, accident)

        for user, side in ((alice, company), (charlie, accident)):
            [row] = api(user).get(f"companies/{side.pk}/imports")["imports"]
            assert row["id"] == wanted

    def test_it_is_refused_or_withdrawn(
        self, api: ApiOf, alice: User, charlie: User, company: Company, accident: Company
    ) -> None:
        first = ask(api, alice, company, accident)
        refused = api(charlie).post(f"companies/{accident.pk}/imports/{first}/refuse")
        second = ask(api, alice, company, accident)
        withdrawn = api(alice).post(f"companies/{company.pk}/imports/{second}/withdraw")

        assert (refused["end"], withdrawn["end"]) == ("refused", "withdrawn")

    def test_nobody_consents_for_another_company(
        self, api: ApiOf, alice: User, bob: User, company: Company, accident: Company
    ) -> None:
        wanted = ask(api, alice, company, accident)
        before = rows.everything()

        for action in ("consent", "refuse"):
            api(alice).refuse(
                "POST",
                f"companies/{accident.pk}/imports/{wanted}/{action}",
                status=404,
                code="no-such-company",
            )
            api(alice).refuse(
                "POST",
                f"companies/{company.pk}/imports/{wanted}/{action}",
                status=404,
                code="no-such-import",
            )
            api(bob).refuse(
                "POST", f"companies/{company.pk}/imports/{wanted}/{action}", status=403, code="admin-needed"
            )
        assert rows.everything() == before

    def test_number_and_name_must_fit(
        self, api: ApiOf, alice: User, company: Company, accident: Company
    ) -> None:
        for body in (
            {"company": accident.pk, "name": "x"},
            {"company": 10**9, "name": accident.name},
            {"company": company.pk, "name": accident.name},
        ):
            api(alice).refuse(
                "POST",
                f"companies/{company.pk}/imports",
                body,
                status=404,
                code="no-company-of-that-name",
            )


class TestProjectOfADevice:
    def test_it_is_changed_by_whoever_manages_both(
        self, api: ApiOf, alice: User, bob: User, company: Company, project: Project, device: Device
    ) -> None:
        other = factories.make_project(company=company)
        path = f"devices/{device.hardware_id}/project"
        factories.give_right(user=bob, project=project, level="manage")
        right = factories.give_right(user=bob, project=other, level="operate")
        api(bob).refuse("POST", path, {"project": other.pk}, status=403, code="right-missing")
        right.level = "manage"
        right.save()

        changed = api(bob).post(path, {"project": other.pk}, key="once")

        assert changed["project"] == other.pk
        assert api(bob).post(path, {"project": other.pk}, key="once") == changed
        api(bob).refuse("POST", path, {"project": other.pk}, status=409, code="in-this-project")

    def test_operating_is_not_enough(self, api: ApiOf, erin: User, project: Project, device: Device) -> None:
        api(erin).refuse(
            "POST",
            f"devices/{device.hardware_id}/project",
            {"project": project.pk},
            status=403,
            code="right-missing",
        )

    def test_a_stranger_s_device_is_not_there(self, api: ApiOf, charlie: User, device: Device) -> None:
        for path, body in (("project", {"project": 1}), ("release", {})):
            refused_alike(api(charlie), "POST", f"devices/{{}}/{path}", body)


class TestReleasing:
    def test_an_operator_lets_it_go_and_anybody_adds_it(
        self, api: ApiOf, erin: User, charlie: User, accident: Company, device: Device
    ) -> None:
        path = f"devices/{device.hardware_id}/release"

        released = api(erin).post(path, key="once")

        assert released["hardware_id"] == device.hardware_id
        assert api(erin).post(path, key="once") == released
        api(erin).refuse("GET", f"devices/{device.hardware_id}", status=404, code="no-such-device")
        api(charlie).post(
            f"projects/{factories.first_project(accident).pk}/devices",
            {"hardware_id": device.hardware_id},
            status=201,
        )

    def test_what_must_be_returned_first_is_counted(self, api: ApiOf, alice: User, device: Device) -> None:
        factories.assigned(device, 3)

        problem = api(alice).refuse(
            "POST", f"devices/{device.hardware_id}/release", status=409, code="device-keeps-licenses"
        )

        assert problem["quantity"] == 3

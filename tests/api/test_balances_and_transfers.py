from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import Company, Project, ProjectRight, User
from tests import factories, rows
from tests.api.conftest import ApiOf

pytestmark = pytest.mark.usefixtures("catalogue")

PORT = {"product": "Port", "version": 14, "name": "Port", "unit": "port"}


def order(
    source: dict[str, int], destination: dict[str, int], quantity: int = 3, /, **changes: Any
) -> dict[str, Any]:
    body = {
        "source": source,
        "destination": destination,
        "product": "Port",
        "version": 14,
        "quantity": quantity,
    }
    return body | changes


class TestListingProducts:
    def test_it_lists_the_catalogue(self, api: ApiOf, charlie: User) -> None:
        products = api(charlie).get("products", {"limit": "200"})["products"]

        assert len(products) == 80
        assert products[-1]["version"] == 14
        assert {
            "code": "Port",
            "version": 14,
            "name": "Port",
            "kind": "pbx",
            "unit": "port",
            "returnable": True,
            "user_assignable": False,
        } in products


class TestBalances:
    def test_a_company_shows_what_is_free_outside_its_projects(
        self, api: ApiOf, bob: User, company: Company, project: Project
    ) -> None:
        factories.activated(company, {"Port": 5})
        factories.activated(project, {"Port": 7})

        assert api(bob).get(f"companies/{company.pk}/balance") == {
            "balance": [{**PORT, "free": 5, "assigned": 0}]
        }

    def test_a_project_shows_what_is_free_and_what_is_on_its_devices(
        self, api: ApiOf, erin: User, project: Project
    ) -> None:
        factories.activated(project, {"Port": 7})
        factories.assigned(factories.make_device(project=project), 2)

        assert api(erin).get(f"projects/{project.pk}/balance") == {
            "balance": [{**PORT, "free": 5, "assigned": 2}]
        }

    @pytest.mark.parametrize("who", ["charlie", "erin"])
    def test_the_company_s_is_for_members(
        self, api: ApiOf, company: Company, who: str, request: pytest.FixtureRequest
    ) -> None:
        stranger: User = request.getfixturevalue(who)

        theirs = api(stranger).refuse(
            "GET", f"companies/{company.pk}/balance", status=404, code="no-such-company"
        )

        assert theirs == api(stranger).refuse(
            "GET", "companies/999999/balance", status=404, code="no-such-company"
        )

    def test_the_project_s_is_for_whoever_sees_it(self, api: ApiOf, charlie: User, project: Project) -> None:
        theirs = api(charlie).refuse(
            "GET", f"projects/{project.pk}/balance", status=404, code="no-such-project"
        )

        assert theirs == api(charlie).refuse(
            "GET", "projects/999999/balance", status=404, code="no-such-project"
        )


class TestTransferring:
    @pytest.fixture
    def stocked(self, company: Company) -> Company:
        return factories.activated(company, {"Port": 5})

    def test_an_admin_moves_licenses_from_the_company_to_a_project(
        self, api: ApiOf, alice: User, stocked: Company, project: Project
    ) -> None:
        answer = api(alice).post(
            "transfers", order({"company": stocked.pk}, {"project": project.pk}), status=201
        )

        assert answer == {"lines": [{**PORT, "quantity": 3}]}
        assert (factories.free(stocked), factories.free(project)) == (2, 3)

    def test_manage_suffices_back_to_the_company_and_between_projects(
        self, api: ApiOf, bob: User, project: Project
    ) -> None:
        other = factories.make_project(company=project.company)
        factories.activated(project, {"Port": 5})
        for one in (project, other):
            factories.give_right(user=bob, project=one, level=ProjectRight.Level.MANAGE)

        api(bob).post("transfers", order({"project": project.pk}, {"project": other.pk}, 2), status=201)
        api(bob).post(
            "transfers", order({"project": project.pk}, {"company": project.company_id}, 1), status=201
        )

        assert [factories.free(owner) for owner in (project, other, project.company)] == [2, 2, 1]

    def test_a_plain_member_takes_nothing_out_of_the_company(
        self, api: ApiOf, bob: User, stocked: Company, project: Project
    ) -> None:
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.MANAGE)

        api(bob).refuse(
            "POST",
            "transfers",
            order({"company": stocked.pk}, {"project": project.pk}),
            status=403,
            code="admin-needed",
        )

    def test_operate_is_not_enough(self, api: ApiOf, bob: User, project: Project) -> None:
        factories.activated(project, {"Port": 5})
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.OPERATE)
        before = rows.everything()

        problem = api(bob).refuse(
            "POST",
            "transfers",
            order({"project": project.pk}, {"company": project.company_id}),
            status=403,
            code="right-missing",
        )

        assert problem["needed"] == "manage"
        assert rows.everything() == before

    @pytest.mark.parametrize("side", ["source", "destination"])
    def test_a_stranger_gets_what_a_missing_project_gives(
        self, api: ApiOf, charlie: User, project: Project, side: str
    ) -> None:
        own = factories.first_project(charlie.memberships.get().company)
        other = "destination" if side == "source" else "source"

        def refused(project_id: int) -> dict[str, Any]:
            places = {side: {"project": project_id}, other: {"project": own.pk}}
            return api(charlie).refuse(
                "POST", "transfers", order({}, {}, **places), status=404, code="no-such-project"
            )

        assert refused(project.pk) == refused(999_999)

    @pytest.mark.parametrize("side", ["source", "destination"])
    def test_a_stranger_gets_what_a_missing_company_gives(
        self, api: ApiOf, charlie: User, company: Company, side: str
    ) -> None:
        own = factories.first_project(charlie.memberships.get().company)
        other = "destination" if side == "source" else "source"

        def refused(company_id: int) -> dict[str, Any]:
            places = {side: {"company": company_id}, other: {"project": own.pk}}
            return api(charlie).refuse(
                "POST", "transfers", order({}, {}, **places), status=404, code="no-such-company"
            )

        assert refused(company.pk) == refused(999_999)

    def test_one_unit_more_than_there_is_is_refused_with_the_numbers(
        self, api: ApiOf, alice: User, stocked: Company, project: Project
    ) -> None:
        before = rows.everything()

        problem = api(alice).refuse(
            "POST",
            "transfers",
            order({"company": stocked.pk}, {"project": project.pk}, 6),
            status=409,
            code="insufficient-licenses",
        )

        assert (problem["wanted"], problem["available"], problem["product"]) == (6, 5, "Port 14")
        assert rows.everything() == before

    def test_licenses_stay_in_their_company(self, api: ApiOf, alice: User, stocked: Company) -> None:
        other = factories.make_company(founder=alice, name="Second")

        api(alice).refuse(
            "POST",
            "transfers",
            order({"company": stocked.pk}, {"company": other.pk}),
            status=409,
            code="other-company",
        )

    def test_a_transfer_goes_somewhere(self, api: ApiOf, alice: User, stocked: Company) -> None:
        api(alice).refuse(
            "POST",
            "transfers",
            order({"company": stocked.pk}, {"company": stocked.pk}),
            status=409,
            code="same-balance",
        )

    @pytest.mark.parametrize("changes", [{"product": "Nonsense"}, {"version": 10}, {"version": 2**40}])
    def test_an_unknown_product_is_refused(
        self, api: ApiOf, alice: User, stocked: Company, project: Project, changes: dict[str, Any]
    ) -> None:
        api(alice).refuse(
            "POST",
            "transfers",
            order({"company": stocked.pk}, {"project": project.pk}, **changes),
            status=400,
            code="no-such-product",
        )

    @pytest.mark.parametrize("quantity", [0, -1, 2**53 - 1])
    def test_a_quantity_has_bounds(
        self,
        api: ApiOf,
        alice: User,
        stocked: Company,
        project: Project,
        quantity: int,
        settings: LazySettings,
    ) -> None:
        problem = api(alice).refuse(
            "POST",
            "transfers",
            order({"company": stocked.pk}, {"project": project.pk}, quantity),
            status=400,
            code="quantity-out-of-range",
        )

        assert problem["largest"] == settings.LARGEST_QUANTITY

    @pytest.mark.parametrize(
        "source",
        [{}, {"company": 1, "project": 1}, {"company": "1"}, {"company": True}, [], 1, None, {"user": 1}],
    )
    def test_a_balance_is_named_in_one_way(
        self, api: ApiOf, alice: User, project: Project, source: object
    ) -> None:
        problem = api(alice).refuse(
            "POST",
            "transfers",
            order({}, {"project": project.pk}, source=source),
            status=400,
            code="invalid-input",
        )

        assert list(problem["errors"]) == ["source"]

    def test_a_repeated_request_has_one_effect_and_the_same_answer(
        self, api: ApiOf, alice: User, stocked: Company, project: Project
    ) -> None:
        body = order({"company": stocked.pk}, {"project": project.pk})
        first = api(alice).post("transfers", body, key="req-1", status=201)
        before = rows.everything()

        assert api(alice).post("transfers", body, key="req-1", status=201) == first
        assert rows.everything() == before

    def test_a_request_id_is_not_taken_for_another_request(
        self, api: ApiOf, alice: User, stocked: Company, project: Project
    ) -> None:
        body = order({"company": stocked.pk}, {"project": project.pk})
        api(alice).post("transfers", body, key="req-1", status=201)
        before = rows.everything()

        api(alice).refuse(
            "POST",
            "transfers",
            body | {"quantity": 1},
            key="req-1",
            status=409,
            code="idempotency-key-reused",
        )

        assert rows.everything() == before

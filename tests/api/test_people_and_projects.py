import pytest

from accounts.models import Company, Project, User
from portal.core.models import Act, AuditEntry
from tests import factories, rows
from tests.api.conftest import ApiOf

LONG = "x" * 201


class TestMe:
    def test_it_says_who_is_signed_in_and_where_they_belong(
        self, api: ApiOf, alice: User, company: Company
    ) -> None:
        assert api(alice).get("me") == {
            "id": alice.pk,
            "email": alice.email,
            "forename": "Alice",
            "surname": "Example",
            "companies": [{"id": company.pk, "name": "Alice Networks", "role": "admin"}],
        }

    def test_an_end_customer_belongs_to_no_company(self, api: ApiOf, erin: User) -> None:
        assert api(erin).get("me")["companies"] == []


class TestListingCompanies:
    def test_it_lists_the_companies_one_is_a_member_of_and_no_others(
        self, api: ApiOf, bob: User, charlie: User, company: Company
    ) -> None:
        assert api(bob).get("companies") == {
            "companies": [{"id": company.pk, "name": "Alice Networks", "role": "member"}],
            "next": None,
        }


class TestCreatingACompany:
    def test_the_founder_becomes_admin_and_finds_the_first_project(self, api: ApiOf, db: None) -> None:
        dora = factories.make_user(name="Dora")

        created = api(dora).post("companies", {"name": " Dora Data "}, status=201)

        assert created == {"id": created["id"], "name": "Dora Data", "role": "admin"}
        [project] = api(dora).get("projects")["projects"]
        assert (project["name"], project["company"]) == (
            "DEFAULT",
            {"id": created["id"], "name": "Dora Data"},
        )

    @pytest.mark.parametrize("name", ["", "   ", LONG])
    def test_it_needs_a_name_that_fits(self, api: ApiOf, alice: User, name: str) -> None:
        before = rows.everything()

        api(alice).refuse("POST", "companies", {"name": name}, status=400, code="company-needs-a-name")

        assert rows.everything() == before

    def test_a_repeated_request_has_one_effect_and_the_same_answer(self, api: ApiOf, alice: User) -> None:
        first = api(alice).post("companies", {"name": "Second"}, key="req-1", status=201)
        before = rows.everything()

        assert api(alice).post("companies", {"name": "Second"}, key="req-1", status=201) == first
        assert rows.everything() == before

    def test_a_request_id_is_not_taken_for_another_request(self, api: ApiOf, alice: User) -> None:
        api(alice).post("companies", {"name": "Second"}, key="req-1", status=201)
        before = rows.everything()

        api(alice).refuse(
            "POST", "companies", {"name": "Third"}, key="req-1", status=409, code="idempotency-key-reused"
        )

        assert rows.everything() == before

    def test_two_people_may_use_the_same_request_id(self, api: ApiOf, alice: User, charlie: User) -> None:
        first = api(alice).post("companies", {"name": "Twin"}, key="req-1", status=201)
        second = api(charlie).post("companies", {"name": "Twin"}, key="req-1", status=201)

        assert first["id"] != second["id"]

    def test_the_history_says_who_and_from_where(self, api: ApiOf, alice: User) -> None:
        created = api(alice).post("companies", {"name": "Second"}, key="req-1", status=201)

        entry = AuditEntry.objects.get(event="company-created", company_id=created["id"])
        assert (entry.actor, entry.who, entry.address) == (alice, "Alice Example", "127.0.0.1")
        assert Act.objects.get(scope=f"user:{alice.pk}", key="req-1").operation == "create-company"


class TestCreatingAProject:
    def test_an_admin_makes_one_with_an_empty_balance(
        self, api: ApiOf, alice: User, company: Company
    ) -> None:
        created = api(alice).post(
            f"companies/{company.pk}/projects", {"name": "Town hall", "description": "two sites"}, status=201
        )

        assert (created["name"], created["description"], created["archived_at"]) == (
            "Town hall",
            "two sites",
            None,
        )
        assert api(alice).get(f"projects/{created['id']}") == created
        assert api(alice).get(f"projects/{created['id']}/balance") == {"balance": []}

    def test_a_plain_member_may_not(self, api: ApiOf, bob: User, company: Company) -> None:
        api(bob).refuse(
            "POST", f"companies/{company.pk}/projects", {"name": "Mine"}, status=403, code="admin-needed"
        )

    @pytest.mark.parametrize("who", ["charlie", "erin"])
    def test_a_stranger_gets_what_a_missing_company_gives(
        self, api: ApiOf, company: Company, who: str, request: pytest.FixtureRequest
    ) -> None:
        stranger: User = request.getfixturevalue(who)
        before = rows.everything()

        theirs = api(stranger).refuse(
            "POST", f"companies/{company.pk}/projects", {"name": "Mine"}, status=404, code="no-such-company"
        )
        missing = api(stranger).refuse(
            "POST", "companies/999999/projects", {"name": "Mine"}, status=404, code="no-such-company"
        )

        assert theirs == missing
        assert rows.everything() == before

    @pytest.mark.parametrize("name", ["", "  ", "x" * 101])
    def test_it_needs_a_name_that_fits(self, api: ApiOf, alice: User, company: Company, name: str) -> None:
        api(alice).refuse(
            "POST",
            f"companies/{company.pk}/projects",
            {"name": name},
            status=400,
            code="project-needs-a-name",
        )

    def test_names_are_unique_in_the_company(self, api: ApiOf, alice: User, company: Company) -> None:
        before = rows.everything()

        problem = api(alice).refuse(
            "POST",
            f"companies/{company.pk}/projects",
            {"name": "default"},
            status=409,
            code="project-name-taken",
        )

        assert problem["name"] == "default"
        assert rows.everything() == before

    def test_a_repeated_request_has_one_effect_and_the_same_answer(
        self, api: ApiOf, alice: User, company: Company
    ) -> None:
        path, body = f"companies/{company.pk}/projects", {"name": "Town hall"}
        first = api(alice).post(path, body, key="req-1", status=201)
        before = rows.everything()

        assert api(alice).post(path, body, key="req-1", status=201) == first
        assert rows.everything() == before

    def test_a_request_id_is_not_taken_for_another_request(
        self, api: ApiOf, alice: User, company: Company
    ) -> None:
        path = f"companies/{company.pk}/projects"
        api(alice).post(path, {"name": "Town hall"}, key="req-1", status=201)

        api(alice).refuse(
            "POST", path, {"name": "School"}, key="req-1", status=409, code="idempotency-key-reused"
        )


class TestListingProjects:
    def test_an_admin_sees_all_of_the_company(self, api: ApiOf, alice: User, project: Project) -> None:
        other = factories.make_project(company=project.company, name="Town hall")

        listed = api(alice).get("projects")["projects"]

        assert [row["id"] for row in listed] == [project.pk, other.pk]

    def test_a_member_without_rights_sees_none(self, api: ApiOf, bob: User, project: Project) -> None:
        assert api(bob).get("projects") == {"projects": [], "next": None}

    def test_an_end_customer_sees_the_one_project(self, api: ApiOf, erin: User, project: Project) -> None:
        factories.make_project(company=project.company)

        assert [row["id"] for row in api(erin).get("projects")["projects"]] == [project.pk]


class TestGettingAProject:
    def test_it_shows_the_project(self, api: ApiOf, erin: User, project: Project) -> None:
        assert api(erin).get(f"projects/{project.pk}")["name"] == "DEFAULT"

    @pytest.mark.parametrize("who", ["charlie", "bob"])
    def test_whoever_may_not_see_it_gets_what_a_missing_project_gives(
        self, api: ApiOf, project: Project, who: str, request: pytest.FixtureRequest
    ) -> None:
        stranger: User = request.getfixturevalue(who)

        theirs = api(stranger).refuse("GET", f"projects/{project.pk}", status=404, code="no-such-project")
        missing = api(stranger).refuse("GET", "projects/999999", status=404, code="no-such-project")

        assert theirs == missing

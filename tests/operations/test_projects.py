"""Creating a project (mission rule 4)."""

import pytest

from accounts import projects
from accounts.models import Company, Project, User
from accounts.projects import ProjectNameTaken, ProjectNeedsAName
from portal.core.acts import IdempotencyKeyReused
from tests.factories import NOW, caller, make_company
from tests.operations.bookkeeping import last_entry, refused, unchanged


def create(
    company: Company, name: str = "Berlin", *, key: str | None = None, description: str = ""
) -> Project:
    return projects.create_project(
        company=company, name=name, description=description, caller=caller(key=key), now=NOW
    )


class TestCreatingAProject:
    def test_it_belongs_to_the_company(self, company: Company) -> None:
        project = create(company, " Berlin ", description="Head office")

        assert (project.company, project.name, project.description) == (company, "Berlin", "Head office")

    def test_it_is_in_the_history(self, company: Company, alice: User) -> None:
        project = projects.create_project(company=company, name="Berlin", caller=caller(alice), now=NOW)

        entry = last_entry()
        assert (entry.event, entry.actor) == ("project-created", alice)
        assert (entry.company_id, entry.project_id, entry.facts) == (
            company.pk,
            project.pk,
            {"name": "Berlin"},
        )

    @pytest.mark.parametrize("name", ["", "  ", "x" * 101])
    def test_it_needs_a_name(self, company: Company, name: str) -> None:
        with refused(ProjectNeedsAName):
            create(company, name)

    @pytest.mark.parametrize("name", ["DEFAULT", "default", " Default "])
    def test_a_taken_name_is_refused_in_any_case(self, company: Company, name: str) -> None:
        with refused(ProjectNameTaken, name=name.strip()):
            create(company, name)

    def test_another_company_may_use_the_name(self, company: Company, charlie: User) -> None:
        create(company)

        assert create(make_company(founder=charlie)).name == "Berlin"

    def test_the_same_request_again_is_answered_the_same(self, company: Company) -> None:
        first = create(company, key="once")

        with unchanged():
            assert create(company, key="once") == first

    @pytest.mark.parametrize("change", [{"name": "Bonn"}, {"description": "Head office"}], ids=str)
    def test_a_request_id_is_not_for_another_project(self, company: Company, change: dict[str, str]) -> None:
        create(company, key="once")

        with refused(IdempotencyKeyReused):
            create(company, key="once", **change)

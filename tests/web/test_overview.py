import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Company, Project, User
from tests import factories
from tests.web.conftest import SignedIn


class TestOverview:
    def test_it_asks_to_sign_in(self, client: Client, db: None) -> None:
        assert client.get(reverse("home")).headers["Location"].startswith(reverse("sign-in"))

    def test_it_leads_somebody_without_a_company_to_creating_one(
        self, signed_in: SignedIn, dora: User
    ) -> None:
        page = signed_in(dora).get(reverse("home"))
        assert page.status_code == 200
        assert reverse("company-new") in page.text
        assert "You belong to no company yet" in page.text

    def test_it_says_how_it_goes_while_there_is_nothing(
        self, signed_in: SignedIn, alice: User, company: Company
    ) -> None:
        page = signed_in(alice).get(reverse("home"))
        assert "How it goes" in page.text
        assert reverse("activate") in page.text

    def test_it_says_that_a_device_is_next(self, signed_in: SignedIn, alice: User, project: Project) -> None:
        factories.activated(project)
        assert "add the device" in signed_in(alice).get(reverse("home")).text

    def test_it_shows_balances_at_a_glance(
        self, signed_in: SignedIn, alice: User, company: Company, project: Project
    ) -> None:
        factories.activated(company, {"UC": 7})
        factories.activated(project, {"Port": 1234})
        factories.make_device(project=project)
        page = signed_in(alice).get(reverse("home"))
        [part] = page.context["parts"]
        assert [(row.product.code, row.free) for row in part.free] == [("UC", 7)]
        [line] = part.projects
        assert ([(row.product.code, row.free) for row in line.free], line.devices) == ([("Port", 1234)], 1)
        assert "1 device<" in page.text

    def test_it_shows_a_plain_member_no_project_without_a_right(
        self, signed_in: SignedIn, bob: User, project: Project
    ) -> None:
        page = signed_in(bob).get(reverse("home"))
        assert reverse("project", args=[project.pk]) not in page.text
        assert "No project that you may see" in page.text

    def test_it_shows_an_end_customer_the_one_project_only(
        self, signed_in: SignedIn, erin: User, company: Company, project: Project
    ) -> None:
        factories.activated(company, {"Video": 77})
        other = factories.make_project(company=company)
        page = signed_in(erin).get(reverse("home"))
        assert reverse("project", args=[project.pk]) in page.text
        assert reverse("project", args=[other.pk]) not in page.text
        assert reverse("company", args=[company.pk]) not in page.text
        assert "Video" not in page.text
        assert "Shared with you" in page.text

    def test_it_shows_a_stranger_nothing(
        self, signed_in: SignedIn, charlie: User, company: Company, project: Project
    ) -> None:
        page = signed_in(charlie).get(reverse("home"))
        assert company.name not in page.text

    @pytest.mark.parametrize("projects", [1, 8])
    def test_it_asks_the_database_equally_often_however_many_projects_there_are(
        self,
        projects: int,
        signed_in: SignedIn,
        alice: User,
        company: Company,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(projects):
            factories.make_device(project=factories.activated(factories.make_project(company=company)))
        client = signed_in(alice)
        with django_assert_max_num_queries(8):
            client.get(reverse("home"))

from django.urls import reverse

from accounts.models import Company, Membership, Project, User
from tests import factories
from tests.web.conftest import SignedIn


class TestCompanyNew:
    def test_it_creates_a_company_with_its_first_project(self, signed_in: SignedIn, dora: User) -> None:
        client = signed_in(dora)
        form = client.get(reverse("company-new"))
        key = form.context["form"]["act_key"].value()
        response = client.post(reverse("company-new"), {"name": " Dora Data ", "act_key": key}, follow=True)
        company = Company.objects.get()
        assert company.name == "Dora Data"
        assert response.redirect_chain == [(reverse("company", args=[company.pk]), 302)]
        assert "DEFAULT" in response.text
        assert Membership.objects.get().role == "admin"

    def test_it_has_one_effect_when_sent_twice(self, signed_in: SignedIn, dora: User) -> None:
        client = signed_in(dora)
        answers = [
            client.post(reverse("company-new"), {"name": "Dora Data", "act_key": "k1"}) for _ in range(2)
        ]
        assert [answer.headers["Location"] for answer in answers] == [
            reverse("company", args=[Company.objects.get().pk])
        ] * 2

    def test_it_says_that_the_form_was_sent_before_with_other_content(
        self, signed_in: SignedIn, dora: User
    ) -> None:
        client = signed_in(dora)
        client.post(reverse("company-new"), {"name": "Dora Data", "act_key": "k1"})
        again = client.post(reverse("company-new"), {"name": "Dora Networks", "act_key": "k1"})
        assert again.status_code == 409
        assert "form-used-before" in again.text
        new_key = again.context["form"]["act_key"].value()
        assert new_key != "k1"
        client.post(reverse("company-new"), {"name": "Dora Networks", "act_key": new_key})
        assert Company.objects.count() == 2

    def test_it_refuses_a_missing_name_or_act_key(self, signed_in: SignedIn, dora: User) -> None:
        client = signed_in(dora)
        no_name = client.post(reverse("company-new"), {"name": "  ", "act_key": "k1"})
        no_key = client.post(reverse("company-new"), {"name": "Dora Data"})
        strange_key = client.post(reverse("company-new"), {"name": "Dora Data", "act_key": "kä"})
        assert [no_name.status_code, no_key.status_code, strange_key.status_code] == [400, 400, 400]
        assert 'id="id_name_error"' in no_name.text
        assert "idempotency-key-malformed" in strange_key.text
        assert Company.objects.count() == 0


class TestProjectNew:
    def test_it_creates_a_project(self, signed_in: SignedIn, alice: User, company: Company) -> None:
        url = reverse("project-new", args=[company.pk])
        answers = [
            signed_in(alice).post(url, {"name": "City hospital", "description": "x", "act_key": "k1"})
            for _ in range(2)
        ]
        project = Project.objects.get(name="City hospital")
        assert {answer.headers["Location"] for answer in answers} == {reverse("project", args=[project.pk])}

    def test_it_refuses_a_name_that_is_taken(
        self, signed_in: SignedIn, alice: User, company: Company
    ) -> None:
        url = reverse("project-new", args=[company.pk])
        page = signed_in(alice).post(url, {"name": "default", "act_key": "k1"})
        assert page.status_code == 409
        assert reverse("problem", args=["project-name-taken"]) in page.text
        assert 'id="id_name_error"' in page.text
        assert Project.objects.count() == 1

    def test_it_is_for_admins_only(self, signed_in: SignedIn, bob: User, company: Company) -> None:
        page = signed_in(bob).post(
            reverse("project-new", args=[company.pk]), {"name": "Mine", "act_key": "k1"}
        )
        assert page.status_code == 403
        assert "admin-needed" in page.text
        assert Project.objects.count() == 1

    def test_it_is_not_there_for_strangers_and_end_customers(
        self, signed_in: SignedIn, charlie: User, erin: User, company: Company
    ) -> None:
        for user in (charlie, erin):
            for number in (company.pk, 999_999):
                page = signed_in(user).get(reverse("project-new", args=[number]))
                assert page.status_code == 404


class TestCompanyPage:
    def test_it_shows_balance_projects_and_members(
        self, signed_in: SignedIn, alice: User, bob: User, company: Company, project: Project
    ) -> None:
        factories.activated(company, {"UC": 7})
        page = signed_in(alice).get(reverse("company", args=[company.pk]))
        assert [(row.product.code, row.free) for row in page.context["balance"]] == [("UC", 7)]
        assert reverse("project", args=[project.pk]) in page.text
        assert alice.email in page.text
        assert bob.email in page.text
        assert reverse("transfer", args=[company.pk]) in page.text

    def test_it_shows_a_plain_member_no_forms_and_no_history_of_other_projects(
        self, signed_in: SignedIn, bob: User, company: Company, project: Project
    ) -> None:
        device = factories.make_device(project=project)
        page = signed_in(bob).get(reverse("company", args=[company.pk]))
        assert page.status_code == 200
        assert reverse("transfer", args=[company.pk]) not in page.text
        assert reverse("project-new", args=[company.pk]) not in page.text
        assert device.hardware_id not in page.text

    def test_it_is_not_there_for_strangers_and_end_customers(
        self, signed_in: SignedIn, charlie: User, erin: User, company: Company
    ) -> None:
        for user in (charlie, erin):
            missing = signed_in(user).get(reverse("company", args=[999_999]))
            there = signed_in(user).get(reverse("company", args=[company.pk]))
            assert missing.status_code == there.status_code == 404
            assert missing.context["error"].code == there.context["error"].code == "no-such-company"
            assert company.name not in there.text

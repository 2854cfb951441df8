import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Company, Project, ProjectRight, User
from tests import factories
from tests.web.conftest import SignedIn


@pytest.fixture
def filled(company: Company) -> Company:
    """The company, with ten ports in its balance."""
    return factories.activated(company, {"Port": 10})


def given(source: Company | Project, destination: Company | Project, **more: str) -> dict[str, str]:
    return {
        "source": f"{source._meta.model_name}:{source.pk}",
        "destination": f"{destination._meta.model_name}:{destination.pk}",
        "product": "Port/14",
        "quantity": "4",
        "act_key": "k1",
        **more,
    }


def url(company: Company) -> str:
    return reverse("transfer", args=[company.pk])


class TestTransfer:
    def test_it_first_shows_the_numbers_before_and_after(
        self, signed_in: SignedIn, alice: User, filled: Company, project: Project
    ) -> None:
        page = signed_in(alice).post(url(filled), given(filled, project))
        preview = page.context["preview"]
        assert (preview.source_before, preview.source_after) == (10, 6)
        assert (preview.destination_before, preview.destination_after) == (0, 4)
        assert factories.free(filled) == 10

    def test_it_transfers_once_when_confirmed(
        self, signed_in: SignedIn, alice: User, filled: Company, project: Project
    ) -> None:
        client = signed_in(alice)
        for _ in range(2):
            page = client.post(url(filled), given(filled, project, confirm="1"), follow=True)
            assert page.redirect_chain == [(reverse("project", args=[project.pk]), 302)]
        assert (factories.free(filled), factories.free(project)) == (6, 4)

    def test_it_transfers_everything_once_too(
        self, signed_in: SignedIn, alice: User, filled: Company, project: Project
    ) -> None:
        client = signed_in(alice)
        answers = [
            client.post(url(filled), given(filled, project, confirm="1", quantity="10")) for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [302, 302]
        assert (factories.free(filled), factories.free(project)) == (0, 10)

    @pytest.mark.parametrize("confirm", [{}, {"confirm": "1"}])
    @pytest.mark.parametrize(
        ("change", "status", "problem"),
        [
            ({"quantity": "11"}, 409, "insufficient-licenses"),
            ({"quantity": "0"}, 400, "quantity-out-of-range"),
            ({"quantity": "-1"}, 400, "quantity-out-of-range"),
            ({"product": "Port/99"}, 400, "no-such-product"),
            ({"destination": "project:999999"}, 404, "no-such-project"),
            ({"source": "nonsense"}, 404, "no-such-project"),
        ],
    )
    def test_it_says_on_the_form_why_not(
        self,
        confirm: dict[str, str],
        change: dict[str, str],
        status: int,
        problem: str,
        signed_in: SignedIn,
        alice: User,
        filled: Company,
        project: Project,
    ) -> None:
        page = signed_in(alice).post(url(filled), {**given(filled, project), **change, **confirm})
        assert page.status_code == status
        assert reverse("problem", args=[problem]) in page.text
        assert 'name="quantity"' in page.text
        assert (factories.free(filled), factories.free(project)) == (10, 0)

    def test_it_refuses_the_same_balance_twice(
        self, signed_in: SignedIn, alice: User, filled: Company
    ) -> None:
        page = signed_in(alice).post(url(filled), given(filled, filled))
        assert page.status_code == 409
        assert "same-balance" in page.text

    def test_it_refuses_another_companys_balance(
        self, signed_in: SignedIn, alice: User, charlie: User, filled: Company
    ) -> None:
        theirs = charlie.memberships.get().company
        assert signed_in(alice).post(url(filled), given(filled, theirs, confirm="1")).status_code == 404
        factories.join(user=alice, company=theirs, role="admin")
        page = signed_in(alice).post(url(filled), given(filled, theirs, confirm="1"))
        assert page.status_code == 409
        assert "other-company" in page.text
        assert factories.free(filled) == 10

    @pytest.mark.parametrize("value", ["", "four", "1.5", "Port"])
    def test_it_refuses_what_is_no_number(
        self, value: str, signed_in: SignedIn, alice: User, filled: Company, project: Project
    ) -> None:
        page = signed_in(alice).post(url(filled), {**given(filled, project), "quantity": value})
        assert page.status_code == 400
        assert 'id="id_quantity_error"' in page.text

    def test_it_leads_on_when_nothing_is_free(
        self, signed_in: SignedIn, alice: User, company: Company
    ) -> None:
        assert "Nothing is free to transfer" in signed_in(alice).get(url(company)).text

    def test_it_offers_first_what_the_chosen_balance_has(
        self, signed_in: SignedIn, alice: User, filled: Company, project: Project
    ) -> None:
        factories.activated(project, {"App": 1})
        page = signed_in(alice).get(f"{url(filled)}?from=company:{filled.pk}")
        assert page.text.index('value="Port/14"') < page.text.index('value="App/14"')


class TestRights:
    def test_it_takes_an_admin_to_take_out_of_the_company_balance(
        self, signed_in: SignedIn, bob: User, filled: Company, project: Project
    ) -> None:
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.MANAGE)
        page = signed_in(bob).post(url(filled), given(filled, project, confirm="1"))
        assert page.status_code == 403
        assert "admin-needed" in page.text
        assert factories.free(filled) == 10

    def test_it_takes_manage_in_the_project_to_give_back(
        self, signed_in: SignedIn, bob: User, company: Company, project: Project
    ) -> None:
        factories.activated(project, {"Port": 5})
        right = factories.give_right(user=bob, project=project, level=ProjectRight.Level.OPERATE)
        assert signed_in(bob).get(url(company)).status_code == 403
        right.level = ProjectRight.Level.MANAGE
        right.save()
        page = signed_in(bob).post(url(company), given(project, company, confirm="1"))
        assert page.headers["Location"] == reverse("company", args=[company.pk])
        assert factories.free(company) == 4

    def test_it_takes_manage_in_both_projects(
        self, signed_in: SignedIn, bob: User, company: Company, project: Project
    ) -> None:
        factories.activated(project, {"Port": 5})
        other = factories.make_project(company=company)
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.MANAGE)
        factories.give_right(user=bob, project=other, level=ProjectRight.Level.OPERATE)
        page = signed_in(bob).post(url(company), given(project, other, confirm="1"))
        assert page.status_code == 403
        assert factories.free(project) == 5

    def test_it_is_not_there_for_strangers_and_end_customers(
        self, signed_in: SignedIn, charlie: User, erin: User, filled: Company, project: Project
    ) -> None:
        for user in (charlie, erin):
            client: Client = signed_in(user)
            assert client.get(url(filled)).status_code == 404
            assert client.post(url(filled), given(filled, project, confirm="1")).status_code == 404
        assert factories.free(filled) == 10

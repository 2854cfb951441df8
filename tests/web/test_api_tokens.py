import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, Company, Project, ProjectRight, User
from tests import factories
from tests.web.conftest import SignedIn

SECRET = re.compile(r'<span class="mono">(olp_[\w-]{43})</span>')


@pytest.fixture
def url(company: Company) -> str:
    return reverse("company-api-tokens", args=[company.pk])


def make(client: Client, url: str, **changes: object) -> str:
    """Fill in the form and send it; the page that comes back."""
    given = {"name": "ERP", "scopes": ["operate"], "last_day": "", "act_key": "k1", **changes}
    return client.post(url, given).content.decode()


class TestMaking:
    def test_the_secret_is_shown_once(self, signed_in: SignedIn, alice: User, url: str) -> None:
        client = signed_in(alice)

        page = make(client, url)

        [secret] = SECRET.findall(page)
        answer = Client().get("/api/v1/token", headers={"Authorization": f"Bearer {secret}"})
        assert answer.json()["scopes"] == ["read", "operate"]
        assert secret not in client.get(url).content.decode()

    def test_the_page_is_kept_nowhere(self, signed_in: SignedIn, alice: User, url: str) -> None:
        assert (
            "no-store" in signed_in(alice).post(url, {"name": "x", "act_key": "k"}).headers["Cache-Control"]
        )

    def test_sent_twice_it_makes_one_and_says_so(self, signed_in: SignedIn, alice: User, url: str) -> None:
        client = signed_in(alice)
        make(client, url)

        again = make(client, url)

        assert not SECRET.search(again)
        assert "revoke it and make another one" in again
        assert ApiToken.objects.count() == 1

    def test_the_last_day_is_whole(self, signed_in: SignedIn, alice: User, url: str) -> None:
        make(signed_in(alice), url, last_day="2027-02-28")

        assert ApiToken.objects.get().expires_at.isoformat() == "2027-03-01T00:00:00+00:00"  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("field", "value"), [("name", " "), ("last_day", "2020-01-01"), ("scopes", ["everything"])]
    )
    def test_a_refusal_stands_at_its_field(
        self, signed_in: SignedIn, alice: User, url: str, field: str, value: object
    ) -> None:
        page = make(signed_in(alice), url, **{field: value})

        assert f'id="id_{field}_error"' in page
        assert ApiToken.objects.count() == 0

    def test_a_project_s_token_offers_no_keys_and_no_transfers(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        page = signed_in(alice).get(reverse("project-api-tokens", args=[project.pk])).content.decode()

        assert 'value="operate"' in page
        assert 'value="activate"' not in page
        assert 'value="transfer"' not in page


class TestRevoking:
    def test_it_ends_the_token(self, signed_in: SignedIn, alice: User, company: Company, url: str) -> None:
        token = factories.make_token(company=company, maker=alice, name="Old").api_token

        response = signed_in(alice).post(
            reverse("api-token-revoke", args=[token.pk]), {"act_key": "k1"}, follow=True
        )

        assert response.redirect_chain == [(url, 302)]
        assert "The token Old is revoked." in response.text
        token.refresh_from_db()
        assert token.revoked_at is not None

    def test_it_is_asked_about_first(self, signed_in: SignedIn, alice: User, company: Company) -> None:
        token = factories.make_token(company=company, maker=alice).api_token

        page = signed_in(alice).get(reverse("api-token-revoke", args=[token.pk])).text

        assert f"Revoke the token {token.name}?" in page
        assert "refused at once" in page
        token.refresh_from_db()
        assert token.revoked_at is None


class TestWhoMay:
    @pytest.mark.parametrize(("who", "status"), [("bob", 403), ("erin", 404), ("charlie", 404)])
    def test_nobody_but_an_admin(
        self, signed_in: SignedIn, url: str, who: str, status: int, request: pytest.FixtureRequest
    ) -> None:
        assert signed_in(request.getfixturevalue(who)).get(url).status_code == status

    def test_whoever_manages_a_project_has_its_page(
        self, signed_in: SignedIn, erin: User, alice: User, project: Project
    ) -> None:
        url = reverse("project-api-tokens", args=[project.pk])
        assert signed_in(erin).get(url).status_code == 403

        ProjectRight.objects.filter(user=erin).update(level="manage")

        assert signed_in(erin).get(url).status_code == 200
        assert url in signed_in(erin).get(reverse("project", args=[project.pk])).content.decode()

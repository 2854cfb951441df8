from django.test import Client
from django.urls import reverse

from accounts.models import User
from portal.core.models import AuditEntry
from tests import factories
from tests.factories import PASSWORD
from tests.web.conftest import SignedIn

ADDRESS = "alice@example.com"


def make_alice() -> User:
    return factories.make_user(name="Alice", email=ADDRESS, password=PASSWORD)


def events() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("event", flat=True))


class TestSignIn:
    def test_it_leads_to_the_overview_and_is_recorded(self, client: Client) -> None:
        alice = make_alice()
        response = client.post(
            reverse("sign-in"), {"email": ADDRESS, "password": PASSWORD, "act_key": "k1"}, follow=True
        )
        assert response.redirect_chain == [(reverse("home"), 302)]
        entry = AuditEntry.objects.get()
        assert (entry.event, entry.actor, entry.address) == ("signed-in", alice, "127.0.0.1")

    def test_it_does_not_care_about_case_in_the_address(self, client: Client) -> None:
        make_alice()
        response = client.post(
            reverse("sign-in"), {"email": "ALICE@Example.com", "password": PASSWORD, "act_key": "k1"}
        )
        assert response.status_code == 302

    def test_it_leads_to_the_page_that_was_asked_for(self, client: Client) -> None:
        make_alice()
        asked = client.get(reverse("activate"))
        assert asked.headers["Location"] == f"{reverse('sign-in')}?next={reverse('activate')}"
        form = client.get(asked.headers["Location"])
        assert f'name="next" value="{reverse("activate")}"' in form.text
        response = client.post(
            reverse("sign-in"),
            {"email": ADDRESS, "password": PASSWORD, "act_key": "k1", "next": reverse("activate")},
        )
        assert response.headers["Location"] == reverse("activate")

    def test_it_never_leads_to_another_site(self, client: Client) -> None:
        make_alice()
        for target in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example"):
            response = client.post(
                reverse("sign-in"),
                {"email": ADDRESS, "password": PASSWORD, "act_key": "k1", "next": target},
            )
            assert response.headers["Location"] == reverse("home")
            client.logout()

    def test_it_gives_a_wrong_password_and_an_unknown_address_the_same_answer(self, client: Client) -> None:
        make_alice()
        pages = []
        for email in (ADDRESS, "nobody@example.com"):
            response = client.post(reverse("sign-in"), {"email": email, "password": "wrong", "act_key": "k1"})
            assert response.status_code == 401
            assert reverse("problem", args=["sign-in-failed"]) in response.text
            assert "wrong" not in response.text
            error = response.context["form"].refusal
            pages.append((error.headline, error.detail))
        assert pages[0] == pages[1]
        assert events() == ["sign-in-failed", "sign-in-failed"]

    def test_it_refuses_somebody_who_is_not_active(self, client: Client) -> None:
        alice = make_alice()
        alice.is_active = False
        alice.save()
        response = client.post(reverse("sign-in"), {"email": ADDRESS, "password": PASSWORD, "act_key": "k1"})
        assert response.status_code == 401

    def test_it_refuses_further_tries_at_one_person_even_with_the_right_password(
        self, client: Client
    ) -> None:
        make_alice()
        for _ in range(10):
            client.post(reverse("sign-in"), {"email": ADDRESS, "password": "wrong", "act_key": "k1"})
        response = client.post(
            reverse("sign-in"), {"email": ADDRESS.upper(), "password": PASSWORD, "act_key": "k1"}
        )
        assert response.status_code == 429
        assert response.headers["Retry-After"] == "900"
        assert "too-many-tries" in response.text
        assert not client.session.get("_auth_user_id")

    def test_it_names_what_is_missing_beside_the_field(self, client: Client) -> None:
        response = client.post(reverse("sign-in"), {"email": "not an address", "act_key": "k1"})
        assert response.status_code == 400
        assert 'id="id_email_error"' in response.text
        assert 'aria-describedby="id_password_error"' in response.text
        assert events() == []

    def test_it_leads_on_somebody_who_is_signed_in(self, signed_in: SignedIn, alice: User) -> None:
        assert signed_in(alice).get(reverse("sign-in")).headers["Location"] == reverse("home")

    def test_it_needs_the_token_against_forged_requests(self) -> None:
        make_alice()
        strict = Client(enforce_csrf_checks=True)
        response = strict.post(reverse("sign-in"), {"email": ADDRESS, "password": PASSWORD, "act_key": "k1"})
        assert response.status_code == 403
        assert "form-expired" in response.text


class TestSignOut:
    def test_it_ends_the_session_and_is_recorded(self, signed_in: SignedIn, dora: User) -> None:
        client = signed_in(dora)
        response = client.post(reverse("sign-out"), {"act_key": "k1"}, follow=True)
        assert response.redirect_chain == [(reverse("sign-in"), 302)]
        assert events() == ["signed-out"]
        assert client.get(reverse("home")).status_code == 302

    def test_it_does_nothing_when_its_address_is_only_opened(self, signed_in: SignedIn, dora: User) -> None:
        client = signed_in(dora)
        assert client.get(reverse("sign-out")).headers["Location"] == reverse("home")
        assert client.get(reverse("home")).status_code == 200

    def test_it_bears_a_second_click(self, client: Client) -> None:
        assert client.post(reverse("sign-out"), {"act_key": "k1"}).headers["Location"] == reverse("sign-in")
        assert events() == []


class TestPagesBehindSignIn:
    def test_they_are_kept_by_no_browser_or_proxy(self, signed_in: SignedIn, dora: User) -> None:
        for name in ("home", "activate", "company-new"):
            assert "no-store" in signed_in(dora).get(reverse(name)).headers["Cache-Control"]
        assert "no-store" in Client().get(reverse("sign-in")).headers["Cache-Control"]

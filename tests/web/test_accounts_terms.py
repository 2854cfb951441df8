"""New terms are asked for at the next sign-in, before anything else (mission rule 1)."""

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from accounts.models import TermsAcceptance, User
from tests import factories
from tests.web.conftest import SignedIn

NEW = "2027-01"


@pytest.fixture
def late(signed_in: SignedIn, alice: User, settings: LazySettings) -> Client:
    """Alice, signed in, who has not accepted the new terms."""
    settings.TERMS_VERSION = NEW
    return signed_in(alice)


class TestAsking:
    @pytest.mark.parametrize("name", ["home", "activate", "company-new", "account", "profile"])
    def test_every_page_leads_to_them_and_back(self, late: Client, name: str) -> None:
        asked = late.get(reverse(name))
        assert (
            asked.headers["Location"] == f"{reverse('accept-terms')}?next={reverse(name).replace('/', '%2F')}"
        )
        page = late.get(asked.headers["Location"])
        assert f"version {NEW}" in page.text
        assert "no-store" in page.headers["Cache-Control"]
        accepted = late.post(reverse("accept-terms"), {"version": NEW, "next": reverse(name)})
        assert accepted.headers["Location"] == reverse(name)
        assert late.get(reverse(name)).status_code == 200

    def test_nothing_is_done_before(self, late: Client, alice: User) -> None:
        response = late.post(reverse("company-new"), {"name": "Acme", "act_key": "k"})
        assert response.headers["Location"] == reverse("accept-terms")
        assert alice.memberships.count() == 0

    def test_both_versions_are_on_record(self, late: Client, alice: User) -> None:
        late.post(reverse("accept-terms"), {"version": NEW})
        late.post(reverse("accept-terms"), {"version": NEW})
        accepted = TermsAcceptance.objects.filter(user=alice).order_by("pk")
        assert [one.version for one in accepted] == ["2026-11", NEW]

    def test_who_does_not_accept_may_sign_out_read_take_their_data_and_leave(self, late: Client) -> None:
        assert late.get(reverse("terms")).status_code == 200
        for name in ("my-data", "account-delete"):
            assert late.get(reverse(name)).status_code == 200
        assert late.post(reverse("sign-out"), {"act_key": "k"}).headers["Location"] == reverse("sign-in")

    def test_accepting_never_leads_to_another_site(self, late: Client) -> None:
        response = late.post(reverse("accept-terms"), {"version": NEW, "next": "//evil.example"})
        assert response.headers["Location"] == reverse("home")

    def test_terms_that_changed_while_they_were_read_are_shown_anew(
        self, late: Client, alice: User, settings: LazySettings
    ) -> None:
        settings.TERMS_VERSION = "2027-02"
        response = late.post(reverse("accept-terms"), {"version": NEW})
        assert response.status_code == 409
        assert "terms-changed" in response.text
        assert 'value="2027-02"' in response.text
        alice.refresh_from_db()
        assert alice.terms_version == "2026-11"

    def test_they_can_be_read_by_everybody(self, client: Client, db: None) -> None:
        assert "Version 2026-11" in client.get(reverse("terms")).text


class TestPrograms:
    def test_they_are_refused_with_a_code_of_their_own(self, late: Client) -> None:
        response = late.get("/api/v1/me")
        assert (response.status_code, response.json()["code"]) == (403, "terms-not-accepted")

    def test_and_change_nothing(self, late: Client, alice: User) -> None:
        response = late.post("/api/v1/companies", {"name": "Acme"}, content_type="application/json")
        assert response.json()["code"] == "terms-not-accepted"
        assert alice.memberships.count() == 0

    def test_they_go_on_once_the_person_has_accepted(self, late: Client) -> None:
        late.post(reverse("accept-terms"), {"version": NEW})
        assert late.get("/api/v1/me").status_code == 200

    def test_devices_and_their_keys_are_nobodys_and_not_asked(self, late: Client) -> None:
        assert late.get("/device/v1/directory").status_code == 200

    def test_answers_to_strangers_do_not_vary_by_cookie_for_it(self, client: Client, db: None) -> None:
        assert "Cookie" not in client.get("/device/v1/directory").headers.get("Vary", "")


class TestThoseOfNow:
    def test_nobody_is_asked_twice(self, signed_in: SignedIn) -> None:
        assert signed_in(factories.make_user()).get(reverse("home")).status_code == 200

"""Passwords: forgotten, chosen anew, changed; what a guesser learns, which is nothing."""

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from portal.core.models import AuditEntry
from tests import factories
from tests.factories import PASSWORD
from tests.web.letters import arrived, letter, link_in

ADDRESS = "alice@example.com"
OTHER = "another battery staple"


@pytest.fixture
def alice(db: None) -> User:
    return factories.make_user(name="Alice", email=ADDRESS, password=PASSWORD)


def sign_in(client: Client, password: str) -> int:
    response = client.post(reverse("sign-in"), {"email": ADDRESS, "password": password, "act_key": "k"})
    return response.status_code


def forget(client: Client, email: str = ADDRESS) -> str:
    response = client.post(reverse("account_reset_password"), {"email": email})
    assert response.status_code == 302
    return response.headers["Location"]


def follow(client: Client, path: str) -> str:
    """Open a link of a mail; the portal leads on to an address without the key."""
    response = client.get(path)
    return response.headers["Location"]


class TestForgotten:
    def test_the_mails_link_leads_to_a_new_one(self, client: Client, alice: User) -> None:
        assert forget(client) == reverse("account_reset_password_done")
        form = follow(client, link_in(letter(ADDRESS)))
        assert form.endswith("set-password"), "the key is in no address that a page sends on"
        response = client.post(form, {"password1": OTHER})
        assert response.headers["Location"] == reverse("account_reset_password_from_key_done")
        assert sign_in(Client(), PASSWORD) == 401
        assert sign_in(Client(), OTHER) == 302
        assert letter(ADDRESS).subject == "Your password was chosen anew"

    def test_whoever_was_signed_in_is_signed_out(self, client: Client, alice: User) -> None:
        thief = Client()
        thief.force_login(alice)
        forget(client)
        client.post(follow(client, link_in(letter(ADDRESS))), {"password1": OTHER})
        assert thief.get(reverse("home")).status_code == 302

    def test_a_link_works_once(self, client: Client, alice: User) -> None:
        forget(client)
        path = link_in(letter(ADDRESS))
        client.post(follow(client, path), {"password1": OTHER})
        page = Client().get(path)
        assert "does not work any more" in page.text

    def test_a_false_link_opens_nothing(self, client: Client, alice: User) -> None:
        page = client.get(f"/new-password/{alice.pk}-abcdef-0123456789")
        assert "does not work any more" in page.text

    def test_an_unknown_address_gets_the_same_answer_and_another_mail(
        self, client: Client, alice: User
    ) -> None:
        assert forget(client) == forget(client, "nobody@example.com")
        assert letter("nobody@example.com").subject == "No account with this address"
        assert link_in(letter("nobody@example.com")) == reverse("account_signup")

    def test_a_bad_password_is_refused_beside_the_field(self, client: Client, alice: User) -> None:
        forget(client)
        response = client.post(follow(client, link_in(letter(ADDRESS))), {"password1": "short"})
        assert response.status_code == 400
        assert 'id="id_password1_error"' in response.text

    def test_nobody_is_flooded_with_mails(self, client: Client, alice: User) -> None:
        for _ in range(5):
            forget(client)
        response = client.post(reverse("account_reset_password"), {"email": ADDRESS})
        assert response.status_code == 429
        assert len(arrived()) == 5

    def test_its_mail_is_in_the_persons_language_not_in_the_askers(self, client: Client, alice: User) -> None:
        User.objects.filter(pk=alice.pk).update(language="de")
        forget(client)
        assert letter(ADDRESS).subject == "Ein neues Passwort"
        assert "Guten Tag Alice Example," in str(letter(ADDRESS).body)

    def test_somebody_the_vendor_added_chooses_a_first_one_that_way(self, client: Client, db: None) -> None:
        from django.core.management import call_command  # noqa: PLC0415

        call_command("add_person", "sam@example.com", "Sam", "Sommer", "--role=support", verbosity=0)
        forget(client, "sam@example.com")
        client.post(follow(client, link_in(letter("sam@example.com"))), {"password1": OTHER})
        response = client.post(
            reverse("sign-in"), {"email": "sam@example.com", "password": OTHER, "act_key": "k"}
        )
        assert response.headers["Location"] == reverse("home")
        assert client.get(reverse("home")).headers["Location"].startswith(reverse("accept-terms"))


class TestChanging:
    def change(self, client: Client, **changes: str) -> tuple[int, str]:
        form = {"oldpassword": PASSWORD, "password1": OTHER, **changes}
        response = client.post(reverse("account_change_password"), form)
        return response.status_code, response.headers.get("Location", response.text)

    def test_it_ends_every_other_session_and_is_told_by_mail(self, client: Client, alice: User) -> None:
        other = Client()
        for one in (client, other):
            assert sign_in(one, PASSWORD) == 302
        assert self.change(client) == (302, reverse("account"))
        assert client.get(reverse("account")).status_code == 200
        assert other.get(reverse("account")).status_code == 302
        assert letter(ADDRESS).subject == "Your password was changed"
        assert "127.0.0.1" in str(letter(ADDRESS).body)

    def test_it_needs_the_old_one(self, client: Client, alice: User) -> None:
        client.force_login(alice)
        status, page = self.change(client, oldpassword="wrong")
        assert status == 400
        assert 'id="id_oldpassword_error"' in page

    def test_it_refuses_a_bad_one(self, client: Client, alice: User) -> None:
        client.force_login(alice)
        for password in ("short", "alice@example.com", "1234567890"):
            assert self.change(client, password1=password)[0] == 400
        assert sign_in(Client(), PASSWORD) == 302

    def test_somebody_without_one_is_led_to_a_first(self, client: Client, alice: User) -> None:
        alice.set_unusable_password()
        alice.save()
        client.force_login(alice)
        first = client.get(reverse("account_change_password")).headers["Location"]
        assert first == reverse("account_set_password")
        assert client.post(first, {"password1": OTHER}).headers["Location"] == reverse("account")
        assert sign_in(Client(), OTHER) == 302

    def test_it_is_for_those_who_are_signed_in(self, client: Client, db: None) -> None:
        response = client.get(reverse("account_change_password"))
        assert response.headers["Location"].startswith(reverse("sign-in"))


class TestGuessing:
    def test_ten_wrong_ones_close_the_door_for_that_address_only(self, client: Client, alice: User) -> None:
        factories.make_user(name="Bob", email="bob@example.com", password=PASSWORD)
        assert [sign_in(client, "wrong") for _ in range(11)] == [401] * 10 + [429]
        assert sign_in(Client(), PASSWORD) == 429
        response = client.post(
            reverse("sign-in"), {"email": "bob@example.com", "password": PASSWORD, "act_key": "k"}
        )
        assert response.status_code == 302

    def test_right_ones_do_not_use_the_tries_up(self, alice: User) -> None:
        assert [sign_in(Client(), PASSWORD) for _ in range(12)] == [302] * 12

    def test_a_hundred_from_one_network_address_close_it_for_all(
        self, client: Client, alice: User, settings: LazySettings
    ) -> None:
        settings.ACCOUNT_RATE_LIMITS = {"login_failed": "3/15m/ip,10/15m/key"}
        for number in range(3):
            client.post(
                reverse("sign-in"), {"email": f"guess{number}@example.com", "password": "x", "act_key": "k"}
            )
        assert sign_in(client, PASSWORD) == 429

    def test_the_proxys_word_tells_addresses_apart(
        self, client: Client, alice: User, settings: LazySettings
    ) -> None:
        settings.ACCOUNT_RATE_LIMITS = {"login_failed": "1/15m/ip"}
        settings.TRUSTED_PROXIES = settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        form = {"email": ADDRESS, "password": "wrong", "act_key": "k"}
        statuses = [
            client.post(reverse("sign-in"), form, headers={"x-forwarded-for": f"203.0.113.9, {address}"})
            for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
        ]
        assert [response.status_code for response in statuses] == [401, 429, 401]

    def test_the_history_names_the_user_it_was_for_and_no_address_that_was_typed(
        self, client: Client, alice: User
    ) -> None:
        sign_in(client, "wrong")
        client.post(reverse("sign-in"), {"email": "x@example.com", "password": "wrong", "act_key": "k"})
        entries = AuditEntry.objects.filter(event="sign-in-failed").order_by("pk")
        assert [entry.facts for entry in entries] == [{"user": alice.pk}, {"user": None}]
        assert [(entry.actor, entry.who) for entry in entries] == [(None, "somebody")] * 2

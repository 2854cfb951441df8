"""Authenticator apps and recovery codes; passkeys need a browser (tests/browser/test_accounts.py)."""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from accounts.models import User
from portal.core import clock
from portal.core.models import AuditEntry
from tests import factories
from tests.factories import PASSWORD
from tests.web.codes import code_of
from tests.web.letters import letter

ADDRESS = "alice@example.com"
APP_ADD, APP_REMOVE = "mfa_activate_totp", "mfa_deactivate_totp"
pytestmark = pytest.mark.django_db(transaction=True)  # allauth tells of a new factor after the commit


@pytest.fixture
def alice(transactional_db: None) -> User:
    return factories.make_user(name="Alice", email=ADDRESS, password=PASSWORD)


def sign_in(client: Client, email: str = ADDRESS) -> str:
    response = client.post(reverse("sign-in"), {"email": email, "password": PASSWORD, "act_key": "k"})
    return str(response.headers["Location"])


def confirm(client: Client) -> None:
    """Say once more who it is, as security changes ask."""
    response = client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert response.status_code == 302


def add_app(client: Client) -> str:
    """Add an authenticator app and return its secret."""
    sign_in(client)
    confirm(client)
    page = client.get(reverse(APP_ADD))
    found: set[str] = set(re.findall(r"\b[A-Z2-7]{32}\b", page.text))
    [secret] = found
    response = client.post(reverse(APP_ADD), {"code": code_of(secret)})
    assert response.headers["Location"] == reverse("mfa_view_recovery_codes")
    return secret


def recovery_codes(client: Client) -> list[str]:
    page = client.get(reverse("mfa_view_recovery_codes"))
    return re.findall(r"<li>([0-9A-Za-z-]{8,})</li>", page.text)


def give(client: Client, code: str) -> tuple[int, str]:
    response = client.post(reverse("mfa_authenticate"), {"code": code})
    return response.status_code, response.headers.get("Location", "")


class TestApp:
    def test_from_then_on_the_password_is_not_enough(self, client: Client, alice: User) -> None:
        secret = add_app(client)
        fresh = Client()
        assert sign_in(fresh) == reverse("mfa_authenticate")
        assert fresh.get(reverse("home")).status_code == 302
        assert give(fresh, "000000")[0] == 400
        assert give(fresh, code_of(secret)) == (302, reverse("home"))
        assert fresh.get(reverse("home")).status_code == 200

    def test_the_page_that_was_asked_for_comes_after_it(self, client: Client, alice: User) -> None:
        secret = add_app(client)
        fresh = Client()
        form = {"email": ADDRESS, "password": PASSWORD, "act_key": "k", "next": reverse("activate")}
        fresh.post(reverse("sign-in"), form)
        assert give(fresh, code_of(secret)) == (302, reverse("activate"))

    def test_adding_it_is_told_by_mail_and_gives_recovery_codes(self, client: Client, alice: User) -> None:
        add_app(client)
        assert letter(ADDRESS).subject == "An authenticator app was added"
        assert len(recovery_codes(client)) == 10

    def test_it_is_not_added_with_a_wrong_code(self, client: Client, alice: User) -> None:
        sign_in(client)
        confirm(client)
        client.get(reverse(APP_ADD))
        response = client.post(reverse(APP_ADD), {"code": "12345"})
        assert response.status_code == 400
        assert not Authenticator.objects.exists()

    def test_a_code_is_taken_once_as_long_as_it_is_good(self, client: Client, alice: User) -> None:
        secret = add_app(client)
        with time_machine.travel(clock.now(), tick=False) as traveller:
            code = code_of(secret)
            first, second = Client(), Client()
            sign_in(first)
            assert give(first, code)[0] == 302
            traveller.shift(timedelta(seconds=35))  # within the tolerance for clocks that differ
            sign_in(second)
            assert give(second, code)[0] == 400
            assert give(second, code_of(secret))[0] == 302

    def test_a_clock_half_a_minute_off_does_no_harm(self, client: Client, alice: User) -> None:
        secret = add_app(client)
        with time_machine.travel(clock.now(), tick=False) as traveller:
            late = code_of(secret)
            traveller.shift(timedelta(seconds=30))
            fresh = Client()
            sign_in(fresh)
            assert give(fresh, late)[0] == 302

    def test_its_secret_is_not_in_the_database(self, client: Client, alice: User) -> None:
        secret = add_app(client)
        assert secret not in str(list(Authenticator.objects.values("data")))

    def test_guessing_codes_ends(self, client: Client, alice: User) -> None:
        secret = add_app(client)
        fresh = Client()
        sign_in(fresh)
        statuses = [give(fresh, f"{number:06}")[0] for number in range(11)]
        assert statuses == [400] * 10 + [429]
        assert give(fresh, code_of(secret))[0] == 429
        page = fresh.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
        assert f'<a href="{reverse("problem", args=["too-many-tries"])}"' in page.text
        assert AuditEntry.objects.filter(event="second-factor-failed", facts={"user": alice.pk}).count() == 10

    def test_removing_it_makes_the_password_enough_again(self, client: Client, alice: User) -> None:
        add_app(client)
        assert client.post(reverse(APP_REMOVE)).headers["Location"] == reverse("mfa_index")
        assert letter(ADDRESS).subject == "The authenticator app was removed"
        assert not Authenticator.objects.exists(), "recovery codes end with the last factor"
        assert sign_in(Client()) == reverse("home")


class TestRecoveryCodes:
    def test_one_stands_in_for_a_lost_telephone_once(self, client: Client, alice: User) -> None:
        add_app(client)
        [code, *_rest] = recovery_codes(client)
        first, second = Client(), Client()
        assert sign_in(first) == reverse("mfa_authenticate")
        assert give(first, code) == (302, reverse("home"))
        sign_in(second)
        assert give(second, code)[0] == 400

    def test_who_came_back_with_one_can_remove_what_was_lost(self, client: Client, alice: User) -> None:
        add_app(client)
        [code, *_rest] = recovery_codes(client)
        back = Client()
        sign_in(back)
        give(back, code)
        asked = back.get(reverse(APP_REMOVE))
        assert asked.headers["Location"].startswith(reverse("account_reauthenticate"))
        confirm(back)
        assert back.post(reverse(APP_REMOVE)).status_code == 302
        assert sign_in(Client()) == reverse("home")

    def test_new_ones_replace_the_old(self, client: Client, alice: User) -> None:
        add_app(client)
        before = recovery_codes(client)
        client.post(reverse("mfa_generate_recovery_codes"))
        after = recovery_codes(client)
        assert len(after) == 10
        assert not set(before) & set(after)
        assert letter(ADDRESS).subject == "New recovery codes were made"

    def test_they_can_be_taken_along_as_a_file(self, client: Client, alice: User) -> None:
        add_app(client)
        response = client.get(reverse("mfa_download_recovery_codes"))
        assert response.headers["Content-Type"].startswith("text/plain")
        assert all(code in response.text for code in recovery_codes(client))
        assert "no-store" in response.headers["Cache-Control"]


class TestTheQuestionWhetherItIsStillThePerson:
    @pytest.mark.parametrize(
        "name",
        ["mfa_activate_totp", "mfa_add_webauthn", "account_email", "my-data", "account-delete"],
    )
    def test_it_comes_before_every_page_of_security(self, client: Client, alice: User, name: str) -> None:
        sign_in(client)
        asked = client.get(reverse(name))
        question, _, query = asked.headers["Location"].partition("?")
        assert question == reverse("account_reauthenticate")
        response = client.post(f"{question}?{query}", {"password": PASSWORD})
        assert response.headers["Location"] == reverse(name)
        assert client.get(reverse(name)).status_code == 200

    def test_the_answer_holds_for_five_minutes(self, client: Client, alice: User) -> None:
        with time_machine.travel(clock.now(), tick=False) as traveller:
            sign_in(client)
            confirm(client)
            traveller.shift(timedelta(minutes=4, seconds=59))
            assert client.get(reverse("my-data")).status_code == 200
            traveller.shift(timedelta(seconds=2))
            assert client.get(reverse("my-data")).status_code == 302

    def test_a_wrong_password_is_no_answer(self, client: Client, alice: User) -> None:
        sign_in(client)
        response = client.post(reverse("account_reauthenticate"), {"password": "wrong"})
        assert response.status_code == 400
        assert client.get(reverse("my-data")).status_code == 302

    def test_a_code_is_an_answer_too(self, client: Client, alice: User) -> None:
        secret = add_app(client)
        fresh = Client()
        with time_machine.travel(clock.now(), tick=False) as traveller:
            sign_in(fresh)
            give(fresh, code_of(secret))
            traveller.shift(timedelta(seconds=60))
            response = fresh.post(reverse("mfa_reauthenticate"), {"code": code_of(secret)})
            assert response.status_code == 302
            assert fresh.get(reverse("my-data")).status_code == 200

    def test_nobody_answers_for_another_session(self, client: Client, alice: User) -> None:
        sign_in(client)
        confirm(client)
        other = Client()
        sign_in(other)
        assert other.get(reverse("my-data")).status_code == 302


class TestPasskeyDoors:
    """Without a browser: what is sent that no passkey made."""

    @pytest.mark.parametrize("credential", ["", "{}", "[]", "null", '{"id": "x"}', "no json"])
    def test_what_is_no_passkey_signs_nobody_in(self, client: Client, alice: User, credential: str) -> None:
        assert client.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"}).json()
        response = client.post(reverse("mfa_login_webauthn"), {"credential": credential})
        assert response.status_code in {302, 400}
        assert client.get(reverse("home")).status_code == 302

    def test_somebody_elses_passkey_cannot_be_looked_at_or_removed(self, client: Client, alice: User) -> None:
        bob = factories.make_user(name="Bob", password=PASSWORD)
        other = Authenticator.objects.create(
            user=bob, type=Authenticator.Type.WEBAUTHN, data={"name": "Bob's", "credential": {}}
        )
        sign_in(client)
        confirm(client)
        for name in ("mfa_remove_webauthn", "mfa_edit_webauthn"):
            assert client.post(reverse(name, args=[other.pk]), {"name": "mine"}).status_code == 404
        assert Authenticator.objects.filter(pk=other.pk).exists()

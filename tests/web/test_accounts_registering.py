"""Registration: e-mail address, names, password, terms; the mail's link activates (mission rule 1)."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.conf import LazySettings
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import Mail, TermsAcceptance, User
from portal.core import clock, outbox
from portal.core.models import AuditEntry
from tests import factories
from tests.factories import PASSWORD
from tests.web.letters import arrived, letter, link_in

ADDRESS = "dora@example.com"
FORM = {"forename": "Dora", "surname": "Dietz", "email": ADDRESS, "password1": PASSWORD, "terms": "on"}


def register(client: Client, **changes: str) -> str:
    """Send the form and return where it leads, or the page that refuses it."""
    response = client.post(reverse("account_signup"), {**FORM, **changes})
    if response.status_code == 302:
        return response.headers["Location"]
    assert response.status_code == 400
    return response.text


def sign_in(client: Client, email: str = ADDRESS, password: str = PASSWORD) -> str:
    response = client.post(
        reverse("sign-in"), {"email": email, "password": password, "act_key": factories.caller().key}
    )
    return response.headers.get("Location", str(response.status_code))


@pytest.mark.django_db
class TestRegistering:
    def test_it_leads_to_an_account_that_the_mails_link_activates(self, client: Client) -> None:
        assert register(client) == reverse("account_email_verification_sent")
        assert sign_in(client) == reverse("account_email_verification_sent"), "not before the link"
        page = client.get(link_in(letter(ADDRESS)))
        assert "Dora Dietz" in page.text
        response = client.post(page.wsgi_request.path, follow=True)
        assert response.redirect_chain == [(reverse("sign-in"), 302)]
        assert f"{ADDRESS} is confirmed." in response.text
        assert sign_in(client) == reverse("home")

    def test_activating_accepts_the_terms_of_now(self, client: Client, settings: LazySettings) -> None:
        register(client)
        assert TermsAcceptance.objects.count() == 0
        settings.TERMS_VERSION = "2027-01"
        path = link_in(letter(ADDRESS))
        assert "version 2027-01" in client.get(path).text
        client.post(path)
        user = User.objects.get()
        accepted = TermsAcceptance.objects.get()
        assert (accepted.user, accepted.version, user.terms_version) == (user, "2027-01", "2027-01")
        entry = AuditEntry.objects.get(event="terms-accepted")
        assert (entry.actor, entry.address, entry.at) == (user, "127.0.0.1", accepted.at)

    def test_the_page_behind_the_link_changes_nothing_before_it_is_sent(self, client: Client) -> None:
        register(client)
        path = link_in(letter(ADDRESS))
        client.get(path)
        assert not EmailAddress.objects.get().verified

    def test_a_link_works_once(self, client: Client) -> None:
        register(client)
        path = link_in(letter(ADDRESS))
        client.post(path)
        assert "does not work any more" in client.get(path).text
        assert client.post(path).status_code == 404

    def test_a_false_link_says_what_to_do(self, client: Client) -> None:
        page = client.get(reverse("account_confirm_email", args=["MQ:abc:def"]))
        assert "does not work any more" in page.text

    def test_the_language_of_the_form_becomes_the_persons(self, client: Client) -> None:
        client.post(reverse("account_signup"), FORM, headers={"accept-language": "de"})
        assert User.objects.get().language == "de"
        assert letter(ADDRESS).subject == "Aktivieren Sie Ihr Konto"

    def test_a_password_is_stored_as_argon2(self, client: Client) -> None:
        register(client)
        assert User.objects.get().password.startswith("argon2$argon2id$")

    def test_it_is_closed_to_somebody_who_is_signed_in(self, client: Client) -> None:
        client.force_login(factories.make_user())
        assert client.get(reverse("account_signup")).headers["Location"] == reverse("home")

    def test_it_needs_the_token_against_forged_requests(self) -> None:
        assert Client(enforce_csrf_checks=True).post(reverse("account_signup"), FORM).status_code == 403
        assert User.objects.count() == 0


@pytest.mark.django_db
class TestRefusals:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("forename", ""),
            ("forename", "Support"),
            ("surname", "Team Berlin"),
            ("surname", "R2D2"),
            ("surname", "www.example.com"),
            ("surname", "<b>bold</b>"),
            ("email", "not an address"),
            ("password1", "short"),
            ("password1", "password123"),
            ("password1", "dora@example.com"),
            ("terms", ""),
        ],
    )
    def test_it_names_the_field(self, client: Client, field: str, value: str) -> None:
        page = register(client, **{field: value})
        assert f'id="id_{field}_error"' in page
        assert User.objects.count() == 0
        assert arrived() == []

    @pytest.mark.parametrize(
        "name", ["O’Brien", "Müller-Lüdenscheidt", "St. John", "Øystein", "李", "de la Cruz"]
    )
    def test_it_takes_peoples_names_as_they_are(self, client: Client, name: str) -> None:
        register(client, surname=f" {name} ")
        assert User.objects.get().surname == name

    def test_too_many_registrations_from_one_address_wait(self, client: Client) -> None:
        for number in range(20):
            register(client, email=f"dora.{number}@example.com", password1="short")
        response = client.post(reverse("account_signup"), FORM)
        assert response.status_code == 429
        assert "too-many-tries" in response.text
        assert int(response.headers["Retry-After"]) > 0
        assert User.objects.count() == 0


@pytest.mark.django_db
class TestKnownAddresses:
    """Whether an address has an account shows nowhere but in a mail to it."""

    def test_they_get_the_same_answer_and_another_mail(self, client: Client) -> None:
        alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
        known, unknown = Client(), Client()
        assert register(known, email="Alice@Example.com") == register(unknown)
        pages = [one.get(reverse("account_email_verification_sent")).text for one in (known, unknown)]
        assert pages[0] == pages[1]
        assert User.objects.filter(email__iexact=alice.email).count() == 1
        assert letter(ADDRESS).subject == "Activate your account"
        told = letter("alice@example.com")
        assert told.subject == "You have an account already"
        assert link_in(told) == reverse("account_reset_password")

    def test_a_known_address_changes_nothing_of_its_account(self, client: Client) -> None:
        alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
        before = User.objects.filter(pk=alice.pk).values().get()
        register(client, email="alice@example.com", password1="another battery staple")
        assert User.objects.filter(pk=alice.pk).values().get() == before

    def test_a_wrong_name_beside_a_known_address_says_nothing_of_the_address(self, client: Client) -> None:
        factories.make_user(name="Alice", email="alice@example.com")
        pages = [register(Client(), email=email, surname="") for email in ("alice@example.com", ADDRESS)]
        assert pages[0].count("error") == pages[1].count("error")
        assert arrived() == []

    def test_signing_in_before_the_link_sends_it_again(self, client: Client, settings: LazySettings) -> None:
        settings.ACCOUNT_RATE_LIMITS = {"confirm_email": None}
        register(client)
        assert sign_in(client) == reverse("account_email_verification_sent")
        assert [one.to for one in arrived()] == [[ADDRESS], [ADDRESS]]

    def test_but_not_more_often_than_once_a_minute(self, client: Client) -> None:
        register(client)
        sign_in(client)
        assert len(arrived()) == 1


@pytest.mark.django_db
class TestMails:
    def test_a_mail_is_a_row_until_the_worker_has_sent_it(self, client: Client) -> None:
        register(client)
        assert mail.outbox == []
        row = Mail.objects.get()
        assert (row.to, row.state) == (ADDRESS, "queued")
        arrived()
        row.refresh_from_db()
        assert (row.state, row.text, row.html) == ("sent", "", ""), "nothing with a link stays behind"

    def test_a_registration_that_nobody_activates_is_forgotten_after_a_week(self, client: Client) -> None:
        register(client)
        later = clock.now() + timedelta(days=7, minutes=1)
        while outbox.work_off(clock=lambda: later):
            pass
        assert User.objects.count() == 0

    def test_it_has_a_text_and_a_page_with_the_same_link(self, client: Client) -> None:
        register(client)
        message = letter(ADDRESS)
        path = link_in(message)
        [alternative] = message.alternatives  # type: ignore[attr-defined]
        assert alternative.mimetype == "text/html"
        assert path in alternative.content
        assert message.from_email == "License Portal <portal@demo.invalid>"

    def test_its_links_lead_to_the_portals_own_address_whatever_host_was_asked(self, client: Client) -> None:
        client.post(reverse("account_signup"), FORM, headers={"host": "testserver"})
        assert "http://localhost:8000/confirm-address/" in str(letter(ADDRESS).body)

    def test_no_registration_without_its_mail(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_arguments: object, **_named: object) -> None:
            raise RuntimeError

        monkeypatch.setattr("accounts.mails.outbox.put_all", broken)
        with pytest.raises(RuntimeError):
            register(client)
        assert User.objects.count() == 0

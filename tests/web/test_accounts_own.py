"""A person's own account: overview, name and language, address, sessions, data, and its end."""

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from accounts.models import Company, Membership, Project, User
from portal.core.models import AuditEntry
from tests import factories
from tests.factories import PASSWORD
from tests.web.conftest import SignedIn
from tests.web.letters import arrived, letter, link_in

ADDRESS, NEW = "dora@example.com", "dora.dietz@example.com"


@pytest.fixture
def dora(db: None) -> User:
    return factories.make_user(name="Dora", email=ADDRESS, password=PASSWORD)


def enter(user: User) -> Client:
    """A client that signed in with the password and answered the question of security changes."""
    client = Client()
    form = {"email": user.email, "password": PASSWORD, "act_key": "k"}
    assert client.post(reverse("sign-in"), form, headers={"user-agent": "Test"}).status_code == 302
    assert client.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 302
    return client


class TestOverview:
    def test_it_leads_to_everything(self, dora: User) -> None:
        page = enter(dora).get(reverse("account")).text
        for name in (
            "profile",
            "account_email",
            "account_change_password",
            "usersessions_list",
            "mfa_activate_totp",
            "mfa_add_webauthn",
            "my-data",
            "account-delete",
        ):
            assert f'href="{reverse(name)}"' in page

    def test_the_menu_leads_to_it(self, dora: User) -> None:
        assert f'href="{reverse("account")}"' in enter(dora).get(reverse("home")).text

    @pytest.mark.parametrize(
        "name",
        [
            "account",
            "profile",
            "account_email",
            "usersessions_list",
            "my-data",
            "account-delete",
            "mfa_activate_totp",
            "mfa_add_webauthn",
            "mfa_view_recovery_codes",
            "account_reauthenticate",
        ],
    )
    def test_strangers_sign_in_first(self, client: Client, db: None, name: str) -> None:
        assert client.get(reverse(name)).headers["Location"].startswith(reverse("sign-in"))


class TestNameAndLanguage:
    def test_they_are_saved_and_the_portal_speaks_it(self, dora: User) -> None:
        client = enter(dora)
        form = {"forename": "Dora", "surname": " Dietz-Adler ", "language": "de"}
        assert client.post(reverse("profile"), form).headers["Location"] == reverse("account")
        dora.refresh_from_db()
        assert (dora.get_full_name(), dora.language) == ("Dora Dietz-Adler", "de")
        page = client.get(reverse("account"), headers={"accept-language": "en"}).text
        assert "Name und Sprache sind gespeichert." in page
        assert '<html lang="de">' in page
        assert AuditEntry.objects.get(event="profile-changed").actor == dora

    def test_it_speaks_it_in_every_browser_the_person_signs_in_with(self, dora: User) -> None:
        User.objects.filter(pk=dora.pk).update(language="de")
        assert '<html lang="de">' in enter(dora).get(reverse("home")).text

    def test_a_name_that_is_no_persons_is_refused_with_its_code(self, dora: User) -> None:
        response = enter(dora).post(
            reverse("profile"), {"forename": "Support", "surname": "Team", "language": "en"}
        )
        assert response.status_code == 400
        assert "name-of-a-person-needed" in response.text
        dora.refresh_from_db()
        assert dora.get_full_name() == "Dora Example"

    def test_a_language_that_nobody_speaks_here_is_refused(self, dora: User) -> None:
        form = {"forename": "Dora", "surname": "Example", "language": "tlh"}
        assert enter(dora).post(reverse("profile"), form).status_code == 400


class TestAddress:
    def change(self, client: Client, email: str = NEW) -> int:
        return client.post(reverse("account_email"), {"email": email, "action_add": "1"}).status_code

    def test_it_counts_once_its_mail_was_followed_and_the_old_one_is_told(self, dora: User) -> None:
        client = enter(dora)
        assert self.change(client) == 302
        assert NEW in client.get(reverse("account")).text
        dora.refresh_from_db()
        assert dora.email == ADDRESS
        client.post(link_in(letter(NEW)))
        dora.refresh_from_db()
        assert dora.email == NEW
        assert list(EmailAddress.objects.filter(user=dora).values_list("email", "verified")) == [(NEW, True)]
        assert letter(ADDRESS).subject == "Your e-mail address was changed"
        form = {"email": ADDRESS, "password": PASSWORD, "act_key": "k"}
        assert Client().post(reverse("sign-in"), form).status_code == 401
        assert Client().post(reverse("sign-in"), {**form, "email": NEW}).status_code == 302

    def test_it_accepts_no_terms_anew(self, dora: User) -> None:
        client = enter(dora)
        self.change(client)
        client.post(link_in(letter(NEW)))
        assert not AuditEntry.objects.filter(event="terms-accepted").exists()

    def test_it_can_be_taken_back(self, dora: User) -> None:
        client = enter(dora)
        self.change(client)
        client.post(reverse("account_email"), {"email": NEW, "action_remove": "1"})
        dora.refresh_from_db()
        assert (dora.email, EmailAddress.objects.filter(user=dora).count()) == (ADDRESS, 1)

    def test_an_address_of_another_account_gets_the_same_answer_and_cannot_be_confirmed(
        self, dora: User
    ) -> None:
        other = factories.make_user(name="Erin", email="erin@example.com")
        client = enter(dora)
        assert self.change(client) == self.change(client, other.email)
        page = client.get(link_in(letter(other.email)))
        assert "cannot be used for this one" in page.text
        client.post(page.wsgi_request.path)
        dora.refresh_from_db()
        assert dora.email == ADDRESS

    def test_an_address_that_somebody_registered_but_never_confirmed_is_refused_with_a_code(
        self, dora: User
    ) -> None:
        squatter = User.objects.create_user(NEW, PASSWORD, forename="Never", surname="There")
        EmailAddress.objects.create(user=squatter, email=NEW, verified=False, primary=True)
        client = enter(dora)
        self.change(client)
        response = client.post(link_in(letter(NEW)))
        assert response.status_code == 409
        assert "address-taken" in response.text

    def test_the_own_address_is_refused(self, dora: User) -> None:
        assert self.change(enter(dora), ADDRESS.upper()) == 400


class TestSessions:
    def test_they_are_listed_with_browser_and_address(self, dora: User) -> None:
        client, other = enter(dora), enter(dora)
        page = client.get(reverse("usersessions_list")).text
        assert page.count("127.0.0.1") == 2
        assert page.count("this session") == 1
        assert other.get(reverse("account")).status_code == 200

    def test_one_of_them_can_be_ended(self, dora: User) -> None:
        client, other = enter(dora), enter(dora)
        row = UserSession.objects.get(session_key=other.session.session_key)
        response = client.post(reverse("session-end", args=[row.pk]))
        assert response.headers["Location"] == reverse("usersessions_list")
        assert other.get(reverse("account")).status_code == 302
        assert client.get(reverse("account")).status_code == 200

    def test_all_others_can_be_ended(self, dora: User) -> None:
        client, *others = [enter(dora) for _ in range(3)]
        client.post(reverse("sessions-end-others"))
        assert [one.get(reverse("account")).status_code for one in others] == [302, 302]
        assert client.get(reverse("account")).status_code == 200

    def test_ending_the_own_one_signs_out(self, dora: User) -> None:
        client = enter(dora)
        row = UserSession.objects.get()
        client.post(reverse("session-end", args=[row.pk]))
        assert client.get(reverse("account")).status_code == 302

    def test_nobody_ends_somebody_elses(self, dora: User) -> None:
        erin = factories.make_user(name="Erin", email="erin@example.com", password=PASSWORD)
        hers = enter(erin)
        row = UserSession.objects.get(user=erin)
        response = enter(dora).post(reverse("session-end", args=[row.pk]))
        assert response.status_code == 404
        assert "no-such-session" in response.text
        assert hers.get(reverse("account")).status_code == 200


class TestData:
    def test_it_holds_all_of_the_person_and_no_secret(self, dora: User, company: Company) -> None:
        project = factories.first_project(company)
        factories.join(user=dora, company=company)
        factories.give_right(user=dora, project=project, level="operate")
        response = enter(dora).get(reverse("my-data"))
        assert response.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
        assert "no-store" in response.headers["Cache-Control"]
        data = response.json()
        assert data["account"]["email"] == ADDRESS
        assert data["memberships"][0]["company"] == "Alice Networks"
        assert data["rights"] == [{"company": "Alice Networks", "project": "DEFAULT", "right": "operate"}]
        assert data["sessions"][0]["user_agent"] == "Test"
        assert [entry["event"] for entry in data["history"]] == ["signed-in"]
        assert data["terms_accepted"][0]["version"] == "2026-11"
        dora.refresh_from_db()
        assert dora.password not in response.text
        assert UserSession.objects.get().session_key not in response.text

    def test_it_holds_nothing_of_others(self, dora: User, alice: User, company: Company) -> None:
        factories.join(user=dora, company=company)
        text = enter(dora).get(reverse("my-data")).text
        assert alice.email not in text
        assert "company-created" not in text


class TestLeaving:
    def leave(self, client: Client) -> tuple[int, str]:
        response = client.post(reverse("account-delete"), {"act_key": "k"})
        return response.status_code, response.headers.get("Location", response.text)

    def test_it_says_first_what_goes_and_what_stays(self, dora: User) -> None:
        page = enter(dora).get(reverse("account-delete")).text
        assert "What goes" in page
        assert "What stays" in page
        dora.refresh_from_db()
        assert dora.left_at is None

    def test_the_account_is_gone_and_a_last_mail_says_so(self, dora: User) -> None:
        client, other = enter(dora), enter(dora)
        assert self.leave(client) == (302, reverse("sign-in"))
        assert client.get(reverse("home")).status_code == 302
        assert other.get(reverse("home")).status_code == 302
        form = {"email": ADDRESS, "password": PASSWORD, "act_key": "k"}
        assert Client().post(reverse("sign-in"), form).status_code == 401
        assert [(one.to, one.subject) for one in arrived()] == [([ADDRESS], "Your account is deleted")]

    def test_the_address_is_free_for_a_new_account(self, client: Client, dora: User) -> None:
        self.leave(enter(dora))
        form = {
            "forename": "Dora",
            "surname": "Dietz",
            "email": ADDRESS,
            "password1": PASSWORD,
            "terms": "on",
        }
        client.post(reverse("account_signup"), form)
        assert letter(ADDRESS).subject == "Activate your account"

    def test_a_company_is_not_left_without_admin(self, dora: User, bob: User) -> None:
        company = factories.make_company(founder=dora, name="Acme")
        factories.join(user=bob, company=company)
        status, page = self.leave(enter(dora))
        assert status == 409
        assert "last-admin" in page
        assert "Acme" in page
        assert Membership.objects.filter(user=dora).exists()

    def test_histories_say_a_former_member(
        self, signed_in: SignedIn, dora: User, alice: User, company: Company, project: Project
    ) -> None:
        factories.join(user=dora, company=company, role=Membership.Role.ADMIN)
        client = enter(dora)
        client.post(reverse("project-new", args=[company.pk]), {"name": "Clinic", "act_key": "k"})
        before = signed_in(alice).get(reverse("company", args=[company.pk])).text
        assert "Dora Example created the project Clinic." in before
        self.leave(client)
        after = signed_in(alice).get(reverse("company", args=[company.pk])).text
        assert "A former member created the project Clinic." in after
        assert "A former member left the company." in after
        assert "Dora" not in after

"""The end of an account: what goes, what stays, and who may not leave yet."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import translation

from accounts import leaving
from accounts.models import Company, Mail, Membership, Project, ProjectRight, TermsAcceptance, User
from accounts.scopes import LastAdmin
from portal.core.models import Act, AuditEntry, OutboxJob
from tests.factories import NOW, caller, give_right, join, make_company, make_user

ADMIN = Membership.Role.ADMIN


def leave(user: User) -> None:
    leaving.delete_account(user=user, caller=caller(user), now=NOW)


class TestLeaving:
    def test_nothing_of_the_person_stays(self, bob: User, company: Company, project: Project) -> None:
        email, name = bob.email, bob.get_full_name()
        give_right(user=bob, project=project, level="operate")
        Authenticator.objects.create(user=bob, type="totp", data={"secret": "x"})
        client = Client()
        client.force_login(bob)
        key = client.session.session_key
        UserSession.objects.create(user=bob, session_key=key, ip="192.0.2.1", user_agent="Test")
        leave(bob)
        bob.refresh_from_db()
        assert (bob.get_full_name(), bob.left_at, bob.last_login, bob.is_active) == ("", NOW, None, False)
        assert email not in bob.email
        assert not bob.has_usable_password()
        for rows in (Membership, ProjectRight, EmailAddress, Authenticator, UserSession):
            assert not rows._default_manager.filter(user=bob).exists(), rows
        assert not Session.objects.exists()
        everything = [*AuditEntry.objects.values(), *Act.objects.values(), *User.objects.values()]
        assert email not in str(everything)
        assert name not in str(everything)

    def test_what_they_did_stays_and_says_a_former_member(self, alice: User) -> None:
        company = make_company(founder=alice)
        leave(alice)
        entry = AuditEntry.objects.get(event="company-created", company_id=company.pk)
        with translation.override("en"):
            assert (entry.actor, entry.who) == (alice, "A former member")
        assert TermsAcceptance.objects.filter(user=alice).exists(), "that terms were accepted stays on record"

    def test_each_company_is_told_in_its_history(self, bob: User, company: Company) -> None:
        leave(bob)
        assert AuditEntry.objects.get(event="member-left").company_id == company.pk

    def test_a_last_mail_goes_out_in_the_persons_language(self, bob: User) -> None:
        bob.language = "de"
        bob.save()
        email = bob.email
        leave(bob)
        mail = Mail.objects.get(kind="account-deleted")
        assert (mail.to, mail.subject) == (email, "Ihr Konto ist gelöscht")
        assert "Guten Tag Bob Example," in mail.text

    def test_a_second_time_does_nothing(self, bob: User) -> None:
        leave(bob)
        entries, jobs = AuditEntry.objects.count(), OutboxJob.objects.count()
        leave(bob)
        assert AuditEntry.objects.count() == entries
        assert OutboxJob.objects.count() == jobs == Mail.objects.count()

    def test_two_former_members_do_not_get_into_each_others_way(self, bob: User, charlie: User) -> None:
        leave(bob)
        leave(charlie)
        assert User.objects.exclude(left_at=None).count() == 2


class TestLastAdmins:
    def test_they_stay_until_another_is_named(self, alice: User, bob: User, company: Company) -> None:
        with pytest.raises(LastAdmin) as refused:
            leave(alice)
        assert refused.value.facts == {"company": company.name}
        alice.refresh_from_db()
        assert (alice.left_at, alice.get_full_name()) == (None, "Alice Example")
        Membership.objects.filter(user=bob).update(role=ADMIN)
        leave(alice)
        assert [row.user for row in company.memberships.all()] == [bob]

    def test_one_company_that_would_be_without_holds_them_in_all(self, alice: User, company: Company) -> None:
        other = make_company(founder=alice, name="Other")
        join(user=make_user(name="Dora"), company=other)
        with pytest.raises(LastAdmin):
            leave(alice)
        assert Membership.objects.filter(user=alice).count() == 2

    def test_the_only_member_may_leave_and_the_company_stays(self, alice: User, company: Company) -> None:
        leave(alice)
        company.refresh_from_db()
        assert company.memberships.count() == 0
        assert company.projects.count() == 1

    def test_a_plain_member_may_always(self, bob: User, company: Company) -> None:
        leave(bob)
        assert company.memberships.count() == 1

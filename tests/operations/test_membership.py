"""Inviting, joining, roles and leaving (mission rules 2 and 5)."""

from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress

from accounts import invitation_queries, invitations, membership, queries
from accounts.invitation_queries import NoSuchInvitation
from accounts.invitations import AddressNeeded, AlreadyInvited
from accounts.membership import (
    AlreadyMember,
    InvitationEnded,
    InvitationForAnother,
)
from accounts.models import Company, Invitation, Membership, Project, ProjectRight, User
from accounts.queries import NoSuchMembership
from accounts.scopes import LastAdmin
from portal.core.throttle import RateLimited
from tests.factories import NOW, caller, give_right, join, make_company, make_user
from tests.operations.bookkeeping import last_entry, refused, unchanged
from tests.web.letters import letter, link_in

pytestmark = pytest.mark.usefixtures("today")
ADMIN, MEMBER = Membership.Role.ADMIN, Membership.Role.MEMBER


def invite(
    company: Company, inviter: User, email: str, role: Membership.Role = MEMBER, *, key: str | None = None
) -> Invitation:
    return membership.invite_member(
        company=company, email=email, role=role, inviter=inviter, caller=caller(inviter, key=key), now=NOW
    )


def accept(invitation: Invitation, user: User, *, key: str | None = None) -> Invitation:
    return membership.accept_invitation(
        invitation=invitation, user=user, caller=caller(user, key=key), now=NOW
    )


def membership_of(user: User, company: Company) -> Membership:
    return Membership.objects.select_related("company").get(user=user, company=company)


def admins_of(company: Company) -> set[User]:
    return {row.user for row in Membership.objects.filter(company=company, role=ADMIN)}


class TestInviting:
    def test_the_mail_s_link_leads_to_the_invitation(self, company: Company, alice: User) -> None:
        invitation = invite(company, alice, " Dora@Example.com ", ADMIN)

        assert (invitation.email, invitation.role) == ("dora@example.com", "admin")
        token = link_in(letter("dora@example.com")).rpartition("/")[2]
        assert invitation_queries.invitation_behind(token) == invitation
        assert token.encode() not in bytes(Invitation.objects.get().token_sha256)

    def test_the_history_names_no_address(self, company: Company, alice: User) -> None:
        invite(company, alice, "dora@example.com")

        entry = last_entry()
        assert (entry.event, entry.company_id, entry.actor) == ("member-invited", company.pk, alice)
        assert "dora" not in str(entry.facts)

    @pytest.mark.parametrize(
        "text", ["", "dora", "dora@", "a b@example.com", "x" * 250 + "@example.com", "a\x00@b.de"]
    )
    def test_it_needs_an_address(self, company: Company, alice: User, text: str) -> None:
        with refused(AddressNeeded):
            invite(company, alice, text)

    def test_there_is_one_open_invitation_for_an_address_in_any_case(
        self, company: Company, alice: User
    ) -> None:
        invite(company, alice, "dora@example.com")

        with refused(AlreadyInvited):
            invite(company, alice, "DORA@example.com", ADMIN)

    def test_an_expired_one_makes_room(self, company: Company, alice: User) -> None:
        old = invite(company, alice, "dora@example.com")
        Invitation.objects.update(expires_at=NOW)

        new = invite(company, alice, "dora@example.com")

        old.refresh_from_db()
        assert (old.end, old.email) == ("expired", "")
        assert new.ended_at is None

    def test_a_member_needs_none(self, company: Company, alice: User, bob: User) -> None:
        with refused(AlreadyMember):
            invite(company, alice, bob.email.upper())

    def test_two_companies_may_invite_one_person(self, company: Company, alice: User) -> None:
        invite(company, alice, "dora@example.com")

        assert invite(make_company(founder=alice, name="Second"), alice, "dora@example.com").pk

    def test_the_same_request_again_sends_no_second_mail(self, company: Company, alice: User) -> None:
        first = invite(company, alice, "dora@example.com", key="once")

        with unchanged():
            assert invite(company, alice, "dora@example.com", key="once") == first

    def test_a_company_sends_no_more_than_sixty_in_an_hour(self, company: Company, alice: User) -> None:
        for number in range(invitations.MAILS.times):
            invite(company, alice, f"person{number}@example.com")

        with refused(RateLimited):
            invite(company, alice, "one.more@example.com")


class TestSendingAgain:
    def test_the_new_link_counts_and_the_old_one_does_not(
        self, company: Company, alice: User, today: time_machine.Traveller
    ) -> None:
        invitation = invite(company, alice, "dora@example.com")
        old = link_in(letter("dora@example.com")).rpartition("/")[2]

        later = NOW + timedelta(days=10)
        today.move_to(later)
        membership.resend_invitation(invitation=invitation, caller=caller(alice), now=later)

        new = link_in(letter("dora@example.com")).rpartition("/")[2]
        assert invitation_queries.invitation_behind(new).expires_at == later + invitations.GOOD_FOR
        with pytest.raises(NoSuchInvitation):
            invitation_queries.invitation_behind(old)

    def test_a_withdrawn_one_is_not_sent_again(self, company: Company, alice: User) -> None:
        invitation = invite(company, alice, "dora@example.com")
        membership.withdraw_invitation(invitation=invitation, caller=caller(alice), now=NOW)

        with refused(InvitationEnded):
            membership.resend_invitation(invitation=invitation, caller=caller(alice), now=NOW)


class TestAccepting:
    def test_the_invited_one_joins_with_the_role(self, company: Company, alice: User) -> None:
        dora = make_user(name="Dora", email="dora@example.com")

        accept(invite(company, alice, "Dora@example.com", ADMIN), dora)

        assert admins_of(company) == {alice, dora}
        assert last_entry().event == "invitation-accepted"

    def test_the_address_is_forgotten(self, company: Company, alice: User) -> None:
        accept(invite(company, alice, "dora@example.com"), make_user(name="Dora", email="dora@example.com"))

        assert Invitation.objects.get().email == ""

    def test_somebody_who_registers_afterwards_finds_it(self, company: Company, alice: User) -> None:
        invitation = invite(company, alice, "dora@example.com")
        dora = make_user(name="Dora", email="dora@example.com")

        assert list(invitation_queries.invitations_for(dora, now=NOW)) == [invitation]

    def test_another_person_with_the_link_does_not_get_in(
        self, company: Company, alice: User, charlie: User
    ) -> None:
        invitation = invite(company, alice, "dora@example.com")

        with refused(InvitationForAnother):
            accept(invitation, charlie)

    def test_an_address_that_is_not_confirmed_does_not_count(self, company: Company, alice: User) -> None:
        dora = make_user(name="Dora", email="dora@example.com")
        EmailAddress.objects.filter(user=dora).update(verified=False)
        invitation = invite(company, alice, "dora@example.com")

        with refused(InvitationForAnother):
            accept(invitation, dora)
        assert list(invitation_queries.invitations_for(dora, now=NOW)) == []

    def test_it_ends_after_fourteen_days(self, company: Company, alice: User) -> None:
        dora = make_user(name="Dora", email="dora@example.com")
        invitation = invite(company, alice, "dora@example.com")

        with refused(InvitationEnded):
            membership.accept_invitation(
                invitation=invitation, user=dora, caller=caller(dora), now=NOW + timedelta(days=14)
            )
        membership.accept_invitation(
            invitation=invitation, user=dora, caller=caller(dora), now=NOW + timedelta(days=14, seconds=-1)
        )

    def test_it_is_accepted_once(self, company: Company, alice: User) -> None:
        dora = make_user(name="Dora", email="dora@example.com")
        invitation = invite(company, alice, "dora@example.com")
        accept(invitation, dora, key="once")

        with unchanged():
            accept(invitation, dora, key="once")
        with refused(InvitationEnded):
            accept(invitation, dora)

    def test_whoever_is_a_member_by_then_keeps_the_role(self, company: Company, alice: User) -> None:
        dora = make_user(name="Dora", email="dora@example.com")
        invitation = invite(company, alice, "dora@example.com", MEMBER)
        join(user=dora, company=company, role=ADMIN)

        accept(invitation, dora)

        assert dora in admins_of(company)


class TestEndingAnInvitation:
    def test_declined_it_gives_nothing(self, company: Company, alice: User) -> None:
        dora = make_user(name="Dora", email="dora@example.com")
        invitation = invite(company, alice, "dora@example.com")

        membership.decline_invitation(invitation=invitation, user=dora, caller=caller(dora), now=NOW)

        with refused(InvitationEnded):
            accept(invitation, dora)
        assert not queries.is_member(company=company, user=dora)

    def test_only_the_invited_one_declines(self, company: Company, alice: User, charlie: User) -> None:
        invitation = invite(company, alice, "dora@example.com")

        with refused(InvitationForAnother):
            membership.decline_invitation(
                invitation=invitation, user=charlie, caller=caller(charlie), now=NOW
            )

    def test_withdrawn_it_is_dead(self, company: Company, alice: User) -> None:
        dora = make_user(name="Dora", email="dora@example.com")
        invitation = invite(company, alice, "dora@example.com")

        membership.withdraw_invitation(invitation=invitation, caller=caller(alice, key="once"), now=NOW)

        with unchanged():
            membership.withdraw_invitation(invitation=invitation, caller=caller(alice, key="once"), now=NOW)
        with refused(InvitationEnded):
            accept(invitation, dora)
        with refused(InvitationEnded):
            membership.withdraw_invitation(invitation=invitation, caller=caller(alice), now=NOW)


class TestRoles:
    def change(self, company: Company, user: User, role: Membership.Role, key: str | None = None) -> None:
        membership.change_role(
            membership=membership_of(user, company), role=role, caller=caller(key=key), now=NOW
        )

    def test_a_member_becomes_admin_and_the_first_one_may_step_down(
        self, company: Company, alice: User, bob: User
    ) -> None:
        self.change(company, bob, ADMIN)
        self.change(company, alice, MEMBER)

        assert admins_of(company) == {bob}
        assert last_entry().facts == {"user": alice.pk, "role": "member"}

    def test_the_last_admin_does_not_step_down(self, company: Company, alice: User, bob: User) -> None:
        with refused(LastAdmin, company=company.name):
            self.change(company, alice, MEMBER)

    def test_the_same_request_again_does_nothing(self, company: Company, bob: User) -> None:
        self.change(company, bob, ADMIN, key="once")
        self.change(company, bob, MEMBER)

        with unchanged():
            self.change(company, bob, ADMIN, key="once")


class TestLeaving:
    def leave(self, company: Company, user: User) -> None:
        membership.leave_company(company=company, user=user, caller=caller(user), now=NOW)

    def test_a_member_s_rights_in_the_company_end_and_others_stay(
        self, company: Company, project: Project, bob: User, charlie: User
    ) -> None:
        elsewhere = Project.objects.get(company__memberships__user=charlie)
        give_right(user=bob, project=project, level="manage")
        give_right(user=bob, project=elsewhere, level="view")

        self.leave(company, bob)

        assert list(queries.projects_of(bob)) == [elsewhere]
        assert (last_entry().event, last_entry().actor) == ("member-left", bob)

    def test_the_last_admin_stays_as_long_as_others_belong_to_it(
        self, company: Company, alice: User, bob: User
    ) -> None:
        with refused(LastAdmin, company=company.name):
            self.leave(company, alice)

    def test_the_only_member_may_leave(self, company: Company, alice: User) -> None:
        self.leave(company, alice)

        assert not Membership.objects.filter(company=company).exists()

    def test_who_left_already_is_told_so(self, company: Company, bob: User) -> None:
        self.leave(company, bob)

        with refused(NoSuchMembership):
            self.leave(company, bob)


class TestRemoving:
    def remove(self, company: Company, user: User, key: str | None = None) -> None:
        membership.remove_member(company=company, user_id=user.pk, caller=caller(key=key), now=NOW)

    def test_the_person_loses_everything_and_is_told(
        self, company: Company, project: Project, bob: User
    ) -> None:
        give_right(user=bob, project=project, level="operate")

        self.remove(company, bob, key="once")

        assert not queries.is_member(company=company, user=bob)
        assert not ProjectRight.objects.filter(user=bob).exists()
        assert company.name in letter(bob.email).subject
        assert last_entry().facts == {"user": bob.pk}
        with unchanged():
            self.remove(company, bob, key="once")

    def test_the_last_admin_is_not_removed(self, company: Company, alice: User, bob: User) -> None:
        with refused(LastAdmin):
            self.remove(company, alice)

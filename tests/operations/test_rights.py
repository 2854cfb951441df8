"""Rights in one project, of members and of end customers (mission rule 5)."""

import pytest

from accounts import membership, queries, rights
from accounts.invitations import AlreadyInvited
from accounts.models import Company, Invitation, Project, ProjectRight, User
from accounts.rights import HasTheRight, NobodyToGiveARight, NoSuchRight
from accounts.scopes import ProjectArchived
from tests.factories import NOW, caller, give_right, make_project, make_user
from tests.operations.bookkeeping import last_entry, refused, unchanged
from tests.web.letters import letter

pytestmark = pytest.mark.usefixtures("today")
VIEW, OPERATE, MANAGE = ProjectRight.Level.VIEW, ProjectRight.Level.OPERATE, ProjectRight.Level.MANAGE


def invite(
    project: Project, alice: User, level: ProjectRight.Level = OPERATE, *, key: str | None = None
) -> Invitation:
    return rights.invite_into_project(
        project=project,
        email="dora@example.com",
        level=level,
        inviter=alice,
        caller=caller(alice, key=key),
        now=NOW,
    )


@pytest.fixture
def dora(db: None) -> User:
    return make_user(name="Dora", email="dora@example.com")


class TestInvitingAnEndCustomer:
    def test_they_see_the_one_project_and_nothing_else(
        self, company: Company, project: Project, alice: User, dora: User
    ) -> None:
        make_project(company=company)
        invitation = invite(project, alice)
        # Read first: an invitation that is answered before its mail is sent needs none.
        assert project.name in letter("dora@example.com").subject

        membership.accept_invitation(invitation=invitation, user=dora, caller=caller(dora), now=NOW)

        assert list(queries.projects_of(dora)) == [project]
        assert queries.right_in(project=project, user=dora) == "operate"
        assert list(queries.companies_of(dora)) == []

    def test_it_is_in_the_project_s_history(self, project: Project, alice: User) -> None:
        invite(project, alice)

        entry = last_entry()
        assert (entry.event, entry.project_id) == ("invited-into-project", project.pk)
        assert entry.facts == {"project": "DEFAULT", "right": "operate"}

    def test_an_invitation_raises_a_right_and_never_lowers_it(
        self, project: Project, alice: User, dora: User
    ) -> None:
        for had, invited_to, has in ((VIEW, MANAGE, MANAGE), (MANAGE, VIEW, MANAGE)):
            ProjectRight.objects.filter(user=dora).delete()
            invitation = invite(project, alice, invited_to)
            give_right(user=dora, project=project, level=had)
            membership.accept_invitation(invitation=invitation, user=dora, caller=caller(dora), now=NOW)
            assert queries.right_in(project=project, user=dora) == has

    def test_whoever_has_a_right_is_not_invited(self, project: Project, alice: User, dora: User) -> None:
        give_right(user=dora, project=project, level=VIEW)

        with refused(HasTheRight):
            invite(project, alice)

    def test_there_is_one_open_invitation(self, project: Project, alice: User) -> None:
        invite(project, alice, key="once")

        with unchanged():
            invite(project, alice, key="once")
        with refused(AlreadyInvited):
            invite(project, alice, MANAGE)

    def test_nobody_comes_into_an_archived_project(self, project: Project, alice: User, dora: User) -> None:
        invitation = invite(project, alice)
        Project.objects.filter(pk=project.pk).update(archived_at=NOW)

        with refused(ProjectArchived, name="DEFAULT"):
            membership.accept_invitation(invitation=invitation, user=dora, caller=caller(dora), now=NOW)
        invitation.delete()
        with refused(ProjectArchived):
            invite(project, alice)


class TestSettingARight:
    def set(
        self, project: Project, user: User, level: ProjectRight.Level, key: str | None = None
    ) -> ProjectRight:
        return rights.set_right(
            project=project, user_id=user.pk, level=level, caller=caller(key=key), now=NOW
        )

    def test_a_member_gets_one(self, project: Project, bob: User) -> None:
        assert self.set(project, bob, OPERATE, key="once").level == "operate"
        assert last_entry().facts == {"project": "DEFAULT", "user": bob.pk, "right": "operate"}
        with unchanged():
            self.set(project, bob, OPERATE, key="once")

    def test_an_end_customer_s_is_changed(self, project: Project, erin: User) -> None:
        self.set(project, erin, VIEW)

        assert queries.right_in(project=project, user=erin) == "view"

    def test_a_stranger_gets_none(self, project: Project, charlie: User) -> None:
        with refused(NobodyToGiveARight):
            self.set(project, charlie, VIEW)

    def test_a_right_withdrawn_since_is_not_told_again(self, project: Project, bob: User) -> None:
        self.set(project, bob, OPERATE, key="once")
        rights.withdraw_right(project=project, user_id=bob.pk, caller=caller(), now=NOW)

        with refused(NoSuchRight):
            self.set(project, bob, OPERATE, key="once")


class TestWithdrawingARight:
    def withdraw(self, project: Project, user: User, key: str | None = None) -> None:
        rights.withdraw_right(project=project, user_id=user.pk, caller=caller(key=key), now=NOW)

    def test_an_end_customer_sees_nothing_any_more(self, project: Project, erin: User) -> None:
        self.withdraw(project, erin, key="once")

        assert list(queries.projects_of(erin)) == []
        assert last_entry().event == "right-withdrawn"
        with unchanged():
            self.withdraw(project, erin, key="once")

    def test_an_admin_s_comes_with_the_role(self, project: Project, alice: User) -> None:
        with refused(NoSuchRight):
            self.withdraw(project, alice)

"""Notices: to those whom something concerns, who did not do it themselves and want to know."""

from collections.abc import Collection

import pytest

from accounts import leaving, membership, notice_choices, tasks  # noqa: F401 - registers the handlers
from accounts.mail_kinds import TOPICS, Topic
from accounts.models import Company, Mail, Membership, Project, User
from accounts.resending import MailBodyErased, MailIsWaiting, resend_mail
from licenses import activation
from portal.core import outbox
from portal.core.models import AuditEntry
from tests.factories import (
    NOW,
    activated,
    assigned,
    caller,
    give_back,
    join,
    make_device,
    make_key,
    make_token,
    make_user,
)

pytestmark = pytest.mark.django_db
ADMIN, MEMBER = Membership.Role.ADMIN, Membership.Role.MEMBER


@pytest.fixture
def amir(company: Company) -> User:
    """The second admin of Alice's company, who reads German."""
    user = make_user(name="Amir")
    user.language = "de"
    user.save()
    join(user=user, company=company, role=ADMIN)
    return user


def written(kind: str) -> list[Mail]:
    return list(Mail.objects.filter(kind=kind).order_by("pk"))


def told(kind: str) -> set[str]:
    return {mail.to for mail in written(kind)}


def choose(user: User, *topics: Topic) -> None:
    wanted: Collection[str] = set(topics)
    notice_choices.choose_notices(user=user, wanted=wanted, caller=caller(user), now=NOW)


@pytest.mark.usefixtures("catalogue")
class TestActivation:
    def activate(self, target: Company | Project, by: User) -> None:
        code = make_key(lines={"Port": 5, "UC": 2})
        activation.activate_key(code=code, target=target, caller=caller(by), now=NOW)

    def test_the_other_admins_are_told_in_their_language(
        self, company: Company, alice: User, amir: User, bob: User
    ) -> None:
        self.activate(company, alice)

        [mail] = written("key-activated")
        assert (mail.to, mail.company_id, mail.project_id) == (amir.email, company.pk, None)
        assert "Alice Example hat den Schlüssel aktiviert" in mail.text
        assert "5 × Port 14, 2 × UC 14" in mail.text
        assert f"http://localhost:8000/companies/{company.pk}\n" in mail.text

    def test_of_one_into_a_project_too(self, project: Project, alice: User, amir: User) -> None:
        self.activate(project, amir)

        [mail] = written("key-activated")
        assert (mail.to, mail.project_id) == (alice.email, project.pk)
        assert f"in the project DEFAULT of {project.company.name}" in mail.text

    def test_a_repeated_request_tells_once(self, company: Company, alice: User, amir: User) -> None:
        code = make_key()
        for _again in range(2):
            activation.activate_key(code=code, target=company, caller=caller(alice, key="once"), now=NOW)

        assert len(written("key-activated")) == 1

    def test_a_rehearsal_tells_nobody(self, company: Company, alice: User, amir: User) -> None:
        activation.rehearse_activation(code=make_key(), target=company, caller=caller(alice), now=NOW)

        assert written("key-activated") == []


@pytest.mark.usefixtures("catalogue", "keyring")
class TestReturns:
    def test_who_may_operate_the_project_is_told(
        self, project: Project, alice: User, bob: User, erin: User
    ) -> None:
        activated(project, {"UC": 5})
        device = make_device(project=project)

        give_back(device, assigned(device, 5, "UC"))

        assert told("licenses-returned") == {alice.email, erin.email}
        assert "5 × UC 14" in written("licenses-returned")[0].text

    def test_of_a_return_that_credits_nothing_nobody_is_told(self, project: Project, alice: User) -> None:
        give_back(make_device(project=project), "A" * 22)

        assert written("licenses-returned") == []


class TestMembers:
    def invite(self, company: Company, by: User, user: User) -> None:
        invitation = membership.invite_member(
            company=company, email=user.email, role=MEMBER, inviter=by, caller=caller(by), now=NOW
        )
        membership.accept_invitation(invitation=invitation, user=user, caller=caller(user), now=NOW)

    def test_admins_hear_who_joined(self, company: Company, alice: User, amir: User) -> None:
        self.invite(company, alice, make_user(name="Dora"))

        assert told("member-joined") == {alice.email, amir.email}

    def test_admins_hear_who_left_and_by_whom(
        self, company: Company, alice: User, amir: User, bob: User
    ) -> None:
        membership.remove_member(company=company, user_id=bob.pk, caller=caller(alice), now=NOW)

        [mail] = written("member-left")
        assert mail.to == amir.email
        assert "Alice Example hat Bob Example aus Alice Networks entfernt." in mail.text
        assert told("member-removed") == {bob.email}

    def test_who_deletes_the_account_leaves_as_well(self, company: Company, alice: User, bob: User) -> None:
        leaving.delete_account(user=bob, caller=caller(bob), now=NOW)

        [mail] = written("member-left")
        assert mail.to == alice.email
        assert "Bob Example left Alice Networks." in mail.text

    def test_admins_hear_of_a_new_api_token(self, company: Company, alice: User, amir: User) -> None:
        make_token("operate", company=company, maker=alice, name="ERP")

        assert told("api-token-created") == {amir.email}
        assert "read, operate" in written("api-token-created")[0].text


class TestChoice:
    def test_by_default_everything_comes(self, company: Company, alice: User, bob: User) -> None:
        membership.leave_company(company=company, user=bob, caller=caller(bob), now=NOW)

        assert told("member-left") == {alice.email}

    def test_a_topic_that_is_not_wanted_does_not_come_and_others_do(
        self, company: Company, alice: User, amir: User, bob: User
    ) -> None:
        choose(alice, *(set(TOPICS) - {Topic.MEMBERS}))
        membership.leave_company(company=company, user=bob, caller=caller(bob), now=NOW)
        assert told("member-left") == {amir.email}

        choose(alice, *TOPICS)
        membership.leave_company(company=company, user=amir, caller=caller(amir), now=NOW)
        assert alice.email in told("member-left")

    def test_what_has_no_topic_comes_to_who_wants_nothing(
        self, company: Company, alice: User, amir: User
    ) -> None:
        choose(amir)

        make_token(company=company, maker=alice)

        assert told("api-token-created") == {amir.email}

    def test_who_may_not_sign_in_any_more_gets_none(self, company: Company, alice: User, amir: User) -> None:
        amir.is_active = False
        amir.save()

        make_token(company=company, maker=alice)

        assert written("api-token-created") == []


class TestSendingAgain:
    @pytest.fixture
    def sent(self, company: Company, alice: User, amir: User) -> Mail:
        make_token(company=company, maker=alice)
        outbox.work_off(clock=lambda: NOW)
        [mail] = written("api-token-created")
        assert mail.state == "sent"
        return mail

    def test_it_is_a_mail_of_its_own(self, sent: Mail, sam: User) -> None:
        again = resend_mail(mail=sent, caller=caller(sam), now=NOW)

        assert again.pk != sent.pk
        assert again.message_id != sent.message_id
        assert (again.state, again.to, again.text) == ("queued", sent.to, sent.text)
        assert AuditEntry.objects.get(event="mail-resent").facts == {
            "mail": sent.pk,
            "kind": "api-token-created",
        }

    def test_asked_again_it_is_sent_once(self, sent: Mail, sam: User) -> None:
        twice = [resend_mail(mail=sent, caller=caller(sam, key="once"), now=NOW) for _ in range(2)]

        assert twice[0] == twice[1]
        assert len(written("api-token-created")) == 2

    def test_one_that_waits_is_not_sent_beside_itself(self, sent: Mail, sam: User) -> None:
        again = resend_mail(mail=sent, caller=caller(sam), now=NOW)

        with pytest.raises(MailIsWaiting):
            resend_mail(mail=again, caller=caller(sam), now=NOW)

    def test_one_with_a_secret_cannot_be_sent_again(self, company: Company, alice: User, sam: User) -> None:
        membership.invite_member(
            company=company,
            email="dora@example.com",
            role=MEMBER,
            inviter=alice,
            caller=caller(alice),
            now=NOW,
        )
        outbox.work_off(clock=lambda: NOW)

        with pytest.raises(MailBodyErased):
            resend_mail(mail=written("invitation")[0], caller=caller(sam), now=NOW)

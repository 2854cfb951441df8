"""Members, invitations, rights and settings, on pages."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import membership, queries
from accounts.models import Company, Invitation, Membership, Project, User
from portal.core import acts
from tests import factories, rows
from tests.factories import NOW, caller
from tests.web.conftest import SignedIn
from tests.web.letters import letter, link_in

pytestmark = pytest.mark.usefixtures("today")


@pytest.fixture
def invited(db: None) -> User:
    return factories.make_user(name="Dora", email="dora@example.com")


def post(client: Client, name: str, /, *arguments: object, **data: object) -> Any:
    return client.post(reverse(name, args=arguments), {"act_key": acts.new_key(), **data}, follow=True)


class TestInvitingAColleague:
    def test_from_the_form_to_the_company(
        self, signed_in: SignedIn, alice: User, invited: User, company: Company
    ) -> None:
        post(signed_in(alice), "members", company.pk, email="dora@example.com", role="member")

        browser = signed_in(invited)
        page = browser.get(link_in(letter("dora@example.com")))
        assert company.name in page.text
        invitation = Invitation.objects.get()
        post(browser, "invitation-accept", invitation.pk)

        assert queries.is_member(company=company, user=invited)

    def test_it_waits_on_the_overview_as_well(
        self, signed_in: SignedIn, alice: User, invited: User, company: Company
    ) -> None:
        post(signed_in(alice), "members", company.pk, email="dora@example.com", role="member")

        page = signed_in(invited).get(reverse("home"))

        assert reverse("invitation-accept", args=[Invitation.objects.get().pk]) in page.text

    def test_somebody_who_is_not_signed_in_is_led_to_do_so(self, alice: User, company: Company) -> None:
        membership.invite_member(
            company=company,
            email="new@example.com",
            role=Membership.Role.MEMBER,
            inviter=alice,
            caller=caller(alice),
            now=NOW,
        )
        link = link_in(letter("new@example.com"))

        page = Client().get(link)

        assert f"{reverse('sign-in')}?next={link}" in page.text
        assert reverse("account_signup") in page.text

    def test_another_person_s_link_is_refused(
        self, signed_in: SignedIn, alice: User, charlie: User, company: Company
    ) -> None:
        post(signed_in(alice), "members", company.pk, email="dora@example.com", role="member")

        page = signed_in(charlie).get(link_in(letter("dora@example.com")))

        assert page.status_code == 403
        assert company.name not in page.text

    def test_a_dead_link_says_so(self, signed_in: SignedIn, alice: User) -> None:
        page = signed_in(alice).get(reverse("invitation", args=["x" * 43]))

        assert (page.status_code, page.context["error"].code) == (404, "no-such-invitation")

    def test_opening_an_address_answers_nothing(
        self, signed_in: SignedIn, alice: User, invited: User, company: Company
    ) -> None:
        post(signed_in(alice), "members", company.pk, email="dora@example.com", role="member")
        invitation = Invitation.objects.get()
        inviter, addressee = signed_in(alice), signed_in(invited)
        before = rows.everything()

        for browser, name in (
            (addressee, "invitation-accept"),
            (addressee, "invitation-decline"),
            (inviter, "invitation-resend"),
            (inviter, "invitation-withdraw"),
        ):
            assert browser.get(reverse(name, args=[invitation.pk])).status_code == 302
        assert rows.everything() == before

    def test_it_is_declined_sent_again_and_withdrawn(
        self, signed_in: SignedIn, alice: User, invited: User, company: Company
    ) -> None:
        inviter = signed_in(alice)
        for end, name in (("declined", "invitation-decline"), ("withdrawn", "invitation-withdraw")):
            post(inviter, "members", company.pk, email="dora@example.com", role="member")
            invitation = Invitation.objects.get(ended_at=None)
            post(inviter, "invitation-resend", invitation.pk)
            post(signed_in(invited) if end == "declined" else inviter, name, invitation.pk)
            invitation.refresh_from_db()
            assert invitation.end == end


class TestTheListOfMembers:
    def test_a_plain_member_looks_and_changes_nothing(
        self, signed_in: SignedIn, alice: User, bob: User, company: Company
    ) -> None:
        browser = signed_in(bob)
        page = browser.get(reverse("members", args=[company.pk]))

        assert alice.email in page.text
        assert reverse("member-remove", args=[company.pk, alice.pk]) not in page.text
        before = rows.everything()
        for name, arguments, data in (
            ("members", [company.pk], {"email": "x@example.com", "role": "admin"}),
            ("member-role", [company.pk, bob.pk], {"role": "admin"}),
            ("member-remove", [company.pk, alice.pk], {}),
        ):
            refused = browser.post(reverse(name, args=arguments), {"act_key": "k", **data})
            assert (refused.status_code, refused.context["error"].code) == (403, "admin-needed")
        assert rows.everything() == before

    def test_an_admin_makes_another_and_steps_down(
        self, signed_in: SignedIn, alice: User, bob: User, company: Company
    ) -> None:
        browser = signed_in(alice)
        post(browser, "member-role", company.pk, bob.pk, role="admin")
        post(browser, "member-role", company.pk, alice.pk, role="member")

        assert not queries.is_admin(company=company, user=alice)
        assert queries.is_admin(company=company, user=bob)

    def test_the_last_admin_reads_what_to_do(
        self, signed_in: SignedIn, alice: User, bob: User, company: Company
    ) -> None:
        browser = signed_in(alice)
        for name, arguments in (("member-role", [company.pk, alice.pk]), ("company-leave", [company.pk])):
            page = browser.post(reverse(name, args=arguments), {"act_key": acts.new_key(), "role": "member"})
            assert page.status_code == 409
            assert "last-admin" in page.text

    def test_a_member_is_removed_behind_a_question(
        self, signed_in: SignedIn, alice: User, bob: User, company: Company
    ) -> None:
        browser = signed_in(alice)
        asked = browser.get(reverse("member-remove", args=[company.pk, bob.pk]))
        assert bob.get_full_name() in asked.text
        assert queries.is_member(company=company, user=bob)

        post(browser, "member-remove", company.pk, bob.pk)

        assert not queries.is_member(company=company, user=bob)

    def test_a_member_leaves(self, signed_in: SignedIn, bob: User, company: Company) -> None:
        post(signed_in(bob), "company-leave", company.pk)

        assert not queries.is_member(company=company, user=bob)


class TestPeopleInAProject:
    def test_a_member_gets_a_right_and_loses_it(
        self, signed_in: SignedIn, alice: User, bob: User, project: Project
    ) -> None:
        browser = signed_in(alice)
        page = browser.get(reverse("project-people", args=[project.pk]))
        assert bob.email in page.text

        post(browser, "project-right", project.pk, user=bob.pk, level="operate")
        assert queries.right_in(project=project, user=bob) == "operate"
        post(browser, "project-right-withdraw", project.pk, bob.pk)
        assert queries.right_in(project=project, user=bob) == ""

    @pytest.mark.parametrize("typed", ["", "x", "²", "0", "999999999999999999999"])
    def test_only_somebody_of_the_list_does(
        self, signed_in: SignedIn, alice: User, project: Project, typed: str
    ) -> None:
        browser = signed_in(alice)
        before = rows.everything()

        page = browser.post(
            reverse("project-right", args=[project.pk]), {"act_key": "k", "user": typed, "level": "view"}
        )

        assert page.status_code in {400, 404}
        assert rows.everything() == before

    def test_an_end_customer_is_invited_and_sees_the_one_project(
        self, signed_in: SignedIn, alice: User, invited: User, company: Company, project: Project
    ) -> None:
        post(signed_in(alice), "project-invite", project.pk, email="dora@example.com", level="view")
        browser = signed_in(invited)

        page = post(browser, "invitation-accept", Invitation.objects.get().pk)

        assert page.status_code == 200
        assert browser.get(reverse("project", args=[project.pk])).status_code == 200
        assert browser.get(reverse("company", args=[company.pk])).status_code == 404
        assert browser.get(reverse("project-people", args=[project.pk])).status_code == 403

    def test_an_outside_manager_does_not_see_who_belongs_to_the_company(
        self, signed_in: SignedIn, alice: User, bob: User, erin: User, project: Project
    ) -> None:
        project.rights.filter(user=erin).update(level="manage")

        page = signed_in(erin).get(reverse("project-people", args=[project.pk]))

        assert page.status_code == 200
        assert alice.email not in page.text
        assert bob.email not in page.text


class TestSettings:
    def test_a_project_is_renamed(self, signed_in: SignedIn, alice: User, project: Project) -> None:
        browser = signed_in(alice)
        assert "DEFAULT" in browser.get(reverse("project-settings", args=[project.pk])).text

        post(browser, "project-settings", project.pk, name="Berlin", description="Head office")

        project.refresh_from_db()
        assert (project.name, project.description) == ("Berlin", "Head office")

    def test_a_taken_name_stays_in_the_form(
        self, signed_in: SignedIn, alice: User, company: Company, project: Project
    ) -> None:
        factories.make_project(company=company, name="Berlin")

        page = signed_in(alice).post(
            reverse("project-settings", args=[project.pk]), {"act_key": "k", "name": "berlin"}
        )

        assert page.status_code == 409
        assert "project-name-taken" in page.text

    def test_an_empty_project_is_archived_and_taken_out(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        browser = signed_in(alice)
        post(browser, "project-archive", project.pk)
        page = browser.get(reverse("project", args=[project.pk]))
        assert reverse("project-add-device", args=[project.pk]) not in page.text
        assert reverse("project-settings", args=[project.pk]) in page.text

        post(browser, "project-unarchive", project.pk)

        project.refresh_from_db()
        assert project.archived_at is None

    def test_what_is_in_the_way_is_said_with_numbers(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        factories.make_device(project=factories.activated(project, {"Port": 5}))

        page = signed_in(alice).post(reverse("project-archive", args=[project.pk]), {"act_key": "k"})

        assert page.status_code == 409
        assert "1 devices and 5 free licenses" in page.text


class TestTheActiveProject:
    def test_it_stays_at_hand_on_every_page(self, signed_in: SignedIn, alice: User, company: Company) -> None:
        berlin = factories.make_project(company=company, name="Berlin")
        browser = signed_in(alice)
        browser.get(reverse("project", args=[berlin.pk]))

        elsewhere = browser.get(reverse("account"))

        assert (
            f'<a href="{reverse("project", args=[berlin.pk])}">Berlin · {company.name}</a>' in elsewhere.text
        )

    def test_it_stands_first_where_a_key_is_activated(
        self, signed_in: SignedIn, alice: User, company: Company
    ) -> None:
        berlin = factories.make_project(company=company, name="Berlin")
        browser = signed_in(alice)
        browser.get(reverse("project", args=[berlin.pk]))

        page = browser.get(reverse("activate"))

        assert f'value="project:{berlin.pk}" selected' in page.text

    def test_one_switches_among_all_of_one_s_own(
        self, signed_in: SignedIn, alice: User, company: Company, charlie: User
    ) -> None:
        second = factories.make_company(founder=alice, name="Second")
        theirs = queries.projects_of(charlie).get()
        browser = signed_in(alice)
        assert "Second" in browser.get(reverse("switch")).text

        browser.post(reverse("switch"), {"company": second.pk})
        assert "Second" in browser.get(reverse("account")).text
        assert browser.post(reverse("switch"), {"project": theirs.pk}).status_code == 404
        assert browser.post(reverse("switch"), {}).status_code == 404

    def test_a_project_of_another_company_does_not_stay(
        self, signed_in: SignedIn, alice: User, company: Company, project: Project
    ) -> None:
        second = factories.make_company(founder=alice, name="Second")
        browser = signed_in(alice)
        browser.get(reverse("project", args=[project.pk]))
        browser.get(reverse("company", args=[second.pk]))

        assert browser.session["active_project"] is None
        assert browser.session["active_company"]["id"] == second.pk

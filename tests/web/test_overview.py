from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Company, Project, ProjectRight, User
from devices.models import Device
from licenses import balances, company_import
from licenses.models import Acknowledged, LicenseDocument
from tests import factories
from tests.factories import NOW, caller
from tests.operations import moving, testing
from tests.web.conftest import SignedIn


class TestOverview:
    def test_it_asks_to_sign_in(self, client: Client, db: None) -> None:
        assert client.get(reverse("home")).headers["Location"].startswith(reverse("sign-in"))

    def test_it_leads_somebody_without_a_company_to_creating_one(
        self, signed_in: SignedIn, dora: User
    ) -> None:
        page = signed_in(dora).get(reverse("home"))
        assert page.status_code == 200
        assert reverse("company-new") in page.text
        assert "You belong to no company yet" in page.text

    def test_it_says_how_it_goes_while_there_is_nothing(
        self, signed_in: SignedIn, alice: User, company: Company
    ) -> None:
        page = signed_in(alice).get(reverse("home"))
        assert "How it goes" in page.text
        assert reverse("activate") in page.text

    def test_it_says_that_a_device_is_next(self, signed_in: SignedIn, alice: User, project: Project) -> None:
        factories.activated(project)
        assert "add the device" in signed_in(alice).get(reverse("home")).text

    def test_it_shows_balances_at_a_glance(
        self, signed_in: SignedIn, alice: User, company: Company, project: Project
    ) -> None:
        factories.activated(company, {"UC": 7})
        factories.activated(project, {"Port": 1234})
        factories.make_device(project=project)
        page = signed_in(alice).get(reverse("home"))
        [part] = page.context["parts"]
        assert [(row.product.code, row.free) for row in part.free] == [("UC", 7)]
        [line] = part.projects
        assert ([(row.product.code, row.free) for row in line.free], line.devices) == ([("Port", 1234)], 1)
        assert "1 device<" in page.text

    def test_it_shows_a_plain_member_no_project_without_a_right(
        self, signed_in: SignedIn, bob: User, project: Project
    ) -> None:
        page = signed_in(bob).get(reverse("home"))
        assert reverse("project", args=[project.pk]) not in page.text
        assert "No project that you may see" in page.text

    def test_it_shows_an_end_customer_the_one_project_only(
        self, signed_in: SignedIn, erin: User, company: Company, project: Project
    ) -> None:
        factories.activated(company, {"Video": 77})
        other = factories.make_project(company=company)
        page = signed_in(erin).get(reverse("home"))
        assert reverse("project", args=[project.pk]) in page.text
        assert reverse("project", args=[other.pk]) not in page.text
        assert reverse("company", args=[company.pk]) not in page.text
        assert "Video" not in page.text
        assert "Shared with you" in page.text

    def test_it_shows_a_stranger_nothing(
        self, signed_in: SignedIn, charlie: User, company: Company, project: Project
    ) -> None:
        page = signed_in(charlie).get(reverse("home"))
        assert company.name not in page.text

    @pytest.mark.parametrize("projects", [1, 8])
    def test_it_asks_the_database_equally_often_however_many_projects_there_are(
        self,
        projects: int,
        signed_in: SignedIn,
        alice: User,
        company: Company,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(projects):
            factories.make_device(project=factories.activated(factories.make_project(company=company)))
        client = signed_in(alice)
        with django_assert_max_num_queries(12):
            client.get(reverse("home"))


@pytest.mark.usefixtures("today")
class TestAttention:
    def give(self, device: Device, *, days_ago: float) -> LicenseDocument:
        factories.assigned(device)
        document = LicenseDocument.objects.order_by("-pk")[0]
        document.issued_at = NOW - timedelta(days=days_ago)
        document.save()
        return document

    def hand_out(self, document: LicenseDocument) -> None:
        document.signed, document.signed_under, document.handed_out_at = b"signed", 1, NOW
        document.save()

    def waiting(self, client: Client) -> list[tuple[str, int, int]]:
        page = client.get(reverse("home"))
        return [(one.project.name, one.not_fetched, one.for_reset) for one in page.context["waiting"]]

    def test_it_counts_devices_that_leave_their_document_lying_for_a_day(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        client = signed_in(alice)
        factories.activated(project, {"Port": 10})
        lying, fresh, fetched, again = (factories.make_device(project=project) for _ in range(4))
        self.give(fresh, days_ago=0.9)
        self.hand_out(self.give(fetched, days_ago=3))
        # What lay there was never handed out, but something later was.
        self.give(again, days_ago=3)
        self.hand_out(self.give(again, days_ago=2))
        assert self.waiting(client) == []
        assert "Nothing needs your attention" in client.get(reverse("home")).text
        self.give(lying, days_ago=2)
        self.give(lying, days_ago=0)
        assert self.waiting(client) == [("DEFAULT", 1, 0)]
        link = f"{reverse('project', args=[project.pk])}?show=not-fetched#devices"
        assert link in client.get(reverse("home")).text

    def test_it_counts_devices_that_wait_for_a_reset(
        self, signed_in: SignedIn, alice: User, erin: User, charlie: User, project: Project
    ) -> None:
        for installed, effective in ((2, 1), (2, 2), (3, 0)):
            Acknowledged.objects.create(
                device=factories.make_device(project=project),
                installed_seq=installed,
                effective_seq=effective,
                at=NOW,
            )
        assert self.waiting(signed_in(alice)) == [("DEFAULT", 0, 2)]
        assert self.waiting(signed_in(erin)) == [("DEFAULT", 0, 2)]
        assert self.waiting(signed_in(charlie)) == []

    def test_it_names_open_moves_with_the_end_of_their_bridge_to_whoever_sees_the_project(
        self, signed_in: SignedIn, alice: User, erin: User, charlie: User, project: Project
    ) -> None:
        factories.activated(project, {"Port": 10})
        bridged, bare = (factories.make_device(project=project) for _ in range(2))
        factories.assigned(bridged)
        factories.assigned(bare)
        move = moving.asked(bridged, factories.make_device(project=project))
        moving.asked(bare)
        for user in (alice, erin):
            page = signed_in(user).get(reverse("home"))
            ends = [(one.broken, one.bridge_ends_at) for one in page.context["moves"]]
            assert ends == [(bridged, NOW + timedelta(days=14)), (bare, None)]
            assert f"{reverse('device', args=[bridged.hardware_id])}#move" in page.text
            assert "needs a replacement" in page.text
        assert signed_in(charlie).get(reverse("home")).context["moves"] == []
        moving.withdrawn(move)
        page = signed_in(alice).get(reverse("home"))
        assert [one.broken for one in page.context["moves"]] == [bare]

    def test_it_names_test_licenses_that_end_within_two_weeks_and_leads_to_all_endings(
        self,
        signed_in: SignedIn,
        alice: User,
        charlie: User,
        project: Project,
        keyring: object,
        today: time_machine.Traveller,
    ) -> None:
        device = factories.make_device(project=project)
        testing.created(device)
        ends = testing.downloaded(device).ends_at
        assert ends is not None
        seen = []
        for days in (15, 14, 0.5, 0):
            today.move_to(ends - timedelta(days=days), tick=False)
            page = signed_in(alice).get(reverse("home"))
            seen.append(f'href="{reverse("endings")}">See what ends' in page.text)
            assert bool(page.context["tests_ending"]) == seen[-1]
        assert seen == [False, True, True, False]
        today.move_to(ends - timedelta(days=1), tick=False)
        assert signed_in(charlie).get(reverse("home")).context["tests_ending"] == []

    def test_it_shows_admins_the_imports_that_wait_for_them(
        self, signed_in: SignedIn, alice: User, bob: User, charlie: User, company: Company
    ) -> None:
        asking = charlie.memberships.get().company
        wanted = company_import.ask_for_company(
            target=asking,
            number=company.pk,
            name=company.name,
            asker=charlie,
            caller=caller(charlie),
            now=NOW,
        )
        link = reverse("company-import", args=[company.pk, wanted.pk])
        assert link in signed_in(alice).get(reverse("home")).text
        assert link not in signed_in(bob).get(reverse("home")).text
        assert link not in signed_in(charlie).get(reverse("home")).text
        company_import.refuse_import(wanted=wanted, caller=caller(alice), now=NOW)
        assert link not in signed_in(alice).get(reverse("home")).text

    def test_it_shows_the_latest_events_of_what_may_be_seen(
        self,
        signed_in: SignedIn,
        alice: User,
        bob: User,
        company: Company,
        project: Project,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        secret = factories.activated(factories.make_project(company=company, name="Secret place"))
        balances.transfer_licenses(
            source=secret,
            destination=project,
            product=factories.get_product(),
            quantity=1,
            caller=caller(),
            now=NOW + timedelta(hours=1),
        )
        # Dora belongs to another company, and has a right in the project.
        dora = factories.make_user(name="Dora")
        factories.make_company(founder=dora, name="Dora Systems")
        factories.give_right(user=dora, project=project, level=ProjectRight.Level.VIEW)

        def told(user: User) -> str:
            client = signed_in(user)
            with django_assert_max_num_queries(12):
                page = client.get(reverse("home"))
            return " ".join(f"{line.before}{line.after}" for line in page.context["history"])

        assert "from Secret place to DEFAULT" in told(alice)
        assert "from another balance to DEFAULT" in told(dora)
        assert "created the company Dora Systems" in told(dora)
        assert "Secret place" not in told(dora)
        assert "Secret place" not in told(bob)

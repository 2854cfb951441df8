from datetime import timedelta

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Company, Project, ProjectRight, User
from devices import enrollment
from devices.models import Device
from tests import factories
from tests.factories import NOW
from tests.web.conftest import SignedIn

TYPED = "00:90:33:0a:0b:0c"
CANONICAL = "00-90-33-0A-0B-0C"


def page_of(project: Project) -> str:
    return reverse("project", args=[project.pk])


def add_to(project: Project) -> str:
    return reverse("project-add-device", args=[project.pk])


class TestProjectPage:
    def test_it_shows_balance_devices_and_history(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        factories.activated(project, {"Port": 10})
        device = factories.make_device(project=project, name="Main building")
        factories.assigned(device, 3)
        enrollment.record_contact(device=device, firmware="14r1", now=NOW + timedelta(minutes=5))
        page = signed_in(alice).get(page_of(project))
        [row] = page.context["balance"]
        assert (row.free, row.assigned) == (7, 3)
        assert reverse("device", args=[device.hardware_id]) in page.text
        assert "Main building" in page.text
        assert '<time datetime="2026-11-24T12:05:00Z" title="2026-11-24 12:05:00 UTC">' in page.text
        assert "assigned 3 × Port 14 to" in page.text

    def test_it_leads_on_while_there_is_nothing(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        page = signed_in(alice).get(page_of(project))
        assert "No licenses in this project yet" in page.text
        assert "No devices yet" in page.text
        assert add_to(project) in page.text

    def test_it_shows_somebody_who_may_only_look_no_forms(
        self, signed_in: SignedIn, bob: User, project: Project
    ) -> None:
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)
        page = signed_in(bob).get(page_of(project))
        assert page.status_code == 200
        assert add_to(project) not in page.text
        assert "?into=" not in page.text
        assert "?from=" not in page.text

    def test_it_shows_an_end_customer_neither_keys_nor_the_company(
        self, signed_in: SignedIn, erin: User, company: Company, project: Project
    ) -> None:
        page = signed_in(erin).get(page_of(project))
        assert add_to(project) in page.text
        assert "?into=" not in page.text
        assert reverse("company", args=[company.pk]) not in page.text

    def test_it_is_not_there_for_strangers_and_members_without_a_right(
        self, signed_in: SignedIn, charlie: User, bob: User, project: Project
    ) -> None:
        for user in (charlie, bob):
            there, missing = (
                signed_in(user).get(address)
                for address in (page_of(project), reverse("project", args=[999_999]))
            )
            assert there.status_code == missing.status_code == 404
            assert there.context["error"].code == missing.context["error"].code == "no-such-project"
            posted = signed_in(user).post(add_to(project), {"hardware_id": TYPED, "act_key": "k1"})
            assert posted.status_code == 404
        assert Device.objects.count() == 0

    def test_it_shows_fifty_devices_at_a_time(
        self,
        signed_in: SignedIn,
        alice: User,
        project: Project,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        Device.objects.bulk_create(
            Device(project=project, hardware_id=f"00-90-33-00-00-{number:02X}", added_at=NOW)
            for number in range(60)
        )
        client = signed_in(alice)
        client.get(page_of(project))  # makes it the active one
        with django_assert_max_num_queries(12):
            first = client.get(page_of(project))
        second = client.get(f"{page_of(project)}?page=2")
        assert (len(first.context["page"]), len(second.context["page"])) == (50, 10)
        assert "Page 1 of 2" in first.text
        assert client.get(f"{page_of(project)}?page=nonsense").context["page"].number == 1


class TestAddDevice:
    def test_it_adds_the_device_once_and_leads_to_it(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        client = signed_in(alice)
        given = {"hardware_id": TYPED, "name": "Main building", "act_key": "k1"}
        for _ in range(2):
            page = client.post(add_to(project), given, follow=True)
            assert page.redirect_chain == [(reverse("device", args=[CANONICAL]) + "#main", 302)]
        device = Device.objects.get()
        assert (device.hardware_id, device.name) == (CANONICAL, "Main building")

    @pytest.mark.parametrize(
        "typed", ["00-90-33-01-0A", "00-90-33-01-0A-FF-00", "00-90-33-01-0A-FG", "SN4711"]
    )
    def test_it_refuses_what_is_no_hardware_id(
        self, typed: str, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        page = signed_in(alice).post(add_to(project), {"hardware_id": typed, "act_key": "k1"})
        assert page.status_code == 400
        assert reverse("problem", args=["hardware-id-malformed"]) in page.text
        assert 'id="id_hardware_id_error"' in page.text
        assert f'value="{typed}"' in page.text
        assert Device.objects.count() == 0

    def test_it_refuses_a_device_that_is_there_already(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        factories.make_device(project=project, hardware_id=CANONICAL)
        page = signed_in(alice).post(add_to(project), {"hardware_id": TYPED, "act_key": "k1"})
        assert page.status_code == 409
        assert "device-already-added" in page.text

    def test_it_does_not_say_who_has_a_hardware_id_that_is_taken(
        self, signed_in: SignedIn, charlie: User, alice: User, company: Company, project: Project
    ) -> None:
        factories.make_device(project=project, hardware_id=CANONICAL)
        theirs = factories.first_project(charlie.memberships.get().company)
        page = signed_in(charlie).post(add_to(theirs), {"hardware_id": TYPED, "act_key": "k1"})
        assert page.status_code == 409
        assert "hardware-id-taken" in page.text
        assert company.name not in page.text

    def test_it_needs_operate(self, signed_in: SignedIn, bob: User, project: Project) -> None:
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)
        page = signed_in(bob).post(add_to(project), {"hardware_id": TYPED, "act_key": "k1"})
        assert page.status_code == 403
        assert "right-missing" in page.text
        assert Device.objects.count() == 0

    def test_it_asks_for_what_is_missing(self, signed_in: SignedIn, alice: User, project: Project) -> None:
        page = signed_in(alice).post(add_to(project), {"name": "x" * 101, "act_key": "k1"})
        assert page.status_code == 400
        assert 'id="id_hardware_id_error"' in page.text
        assert 'id="id_name_error"' in page.text

    def test_it_leads_to_the_form_when_its_address_is_only_opened(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        assert signed_in(alice).get(add_to(project)).headers["Location"] == page_of(project)

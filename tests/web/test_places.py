"""Importing a company, and the project of a device, on pages."""

import pytest
from django.urls import reverse

from accounts import queries
from accounts.models import Company, Project, User
from devices.models import Device
from licenses.models import CompanyImport
from portal.core import acts
from tests import factories, rows
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("today")


@pytest.fixture
def accident(charlie: User) -> Company:
    return queries.companies_of(charlie).get()


@pytest.fixture
def device(project: Project) -> Device:
    factories.activated(project, {"Port": 5})
    return factories.make_device(project=project, hardware_id="00-90-33-01-0A-FF")


class TestImporting:
    def test_asked_looked_at_with_numbers_and_done(
        self, signed_in: SignedIn, alice: User, charlie: User, company: Company, accident: Company
    ) -> None:
        factories.activated(accident, {"Port": 7})
        signed_in(alice).post(
            reverse("company-imports", args=[company.pk]),
            {"act_key": "k", "number": accident.pk, "name": accident.name.upper()},
        )
        wanted = CompanyImport.objects.get()
        browser = signed_in(charlie)
        assert accident.name in browser.get(reverse("company-imports", args=[accident.pk])).text

        page = browser.get(reverse("company-import", args=[accident.pk, wanted.pk]))
        assert f"DEFAULT ({accident.name})" in page.text
        assert "<dd>7</dd>" in page.text
        done = browser.post(
            reverse("company-import", args=[accident.pk, wanted.pk]),
            {"act_key": acts.new_key(), "answer": "consent"},
            follow=True,
        )

        assert done.redirect_chain[-1][0] == reverse("company", args=[company.pk])
        assert queries.is_member(company=company, user=charlie)

    def test_it_is_refused_by_any_other_answer(
        self, signed_in: SignedIn, alice: User, charlie: User, company: Company, accident: Company
    ) -> None:
        signed_in(alice).post(
            reverse("company-imports", args=[company.pk]),
            {"act_key": "k", "number": accident.pk, "name": accident.name},
        )
        wanted = CompanyImport.objects.get()

        signed_in(charlie).post(
            reverse("company-import", args=[accident.pk, wanted.pk]), {"act_key": acts.new_key()}
        )

        wanted.refresh_from_db()
        assert wanted.end == "refused"

    def test_it_is_withdrawn(
        self, signed_in: SignedIn, alice: User, company: Company, accident: Company
    ) -> None:
        browser = signed_in(alice)
        browser.post(
            reverse("company-imports", args=[company.pk]),
            {"act_key": "k", "number": accident.pk, "name": accident.name},
        )
        wanted = CompanyImport.objects.get()
        browser.get(reverse("company-import-withdraw", args=[company.pk, wanted.pk]))
        wanted.refresh_from_db()
        assert wanted.end == ""

        browser.post(reverse("company-import-withdraw", args=[company.pk, wanted.pk]), {"act_key": "w"})

        wanted.refresh_from_db()
        assert wanted.end == "withdrawn"

    def test_who_is_admin_of_both_is_led_on(self, signed_in: SignedIn, alice: User, company: Company) -> None:
        second = factories.make_company(founder=alice, name="Second")

        led = signed_in(alice).post(
            reverse("company-imports", args=[company.pk]),
            {"act_key": "k", "number": second.pk, "name": "Second"},
        )

        wanted = CompanyImport.objects.get()
        assert led.headers["Location"] == reverse("company-import", args=[second.pk, wanted.pk])

    def test_a_wrong_name_is_said_in_the_form(
        self, signed_in: SignedIn, alice: User, company: Company, accident: Company
    ) -> None:
        page = signed_in(alice).post(
            reverse("company-imports", args=[company.pk]),
            {"act_key": "k", "number": accident.pk, "name": "x"},
        )

        assert page.status_code == 404
        assert "no-company-of-that-name" in page.text
        assert accident.name not in page.text

    def test_members_and_strangers_do_not_import(
        self, signed_in: SignedIn, alice: User, bob: User, erin: User, company: Company, accident: Company
    ) -> None:
        signed_in(alice).post(
            reverse("company-imports", args=[company.pk]),
            {"act_key": "k", "number": accident.pk, "name": accident.name},
        )
        wanted = CompanyImport.objects.get()
        clients = [(signed_in(user), status) for user, status in ((bob, 403), (erin, 404))]
        before = rows.everything()

        for browser, status in clients:
            for name, arguments in (
                ("company-imports", [company.pk]),
                ("company-import", [company.pk, wanted.pk]),
                ("company-import-withdraw", [company.pk, wanted.pk]),
            ):
                page = browser.post(reverse(name, args=arguments), {"act_key": acts.new_key()})
                assert page.status_code == status
        assert rows.everything() == before


class TestChangingTheProject:
    def test_to_another_one_of_the_company(
        self, signed_in: SignedIn, alice: User, company: Company, device: Device
    ) -> None:
        berlin = factories.make_project(company=company, name="Berlin")
        browser = signed_in(alice)
        assert "Berlin" in browser.get(reverse("device-project", args=[device.hardware_id])).text

        browser.post(
            reverse("device-project", args=[device.hardware_id]), {"act_key": "k", "project": berlin.pk}
        )

        device.refresh_from_db()
        assert device.project == berlin

    @pytest.mark.parametrize("typed", ["x", "²", "999999999999999999999"])
    def test_what_is_no_project_is_refused(
        self, signed_in: SignedIn, alice: User, device: Device, typed: str
    ) -> None:
        page = signed_in(alice).post(
            reverse("device-project", args=[device.hardware_id]), {"act_key": "k", "project": typed}
        )

        assert page.status_code == 404
        assert "no-such-project" in page.text

    def test_an_operator_does_not(self, signed_in: SignedIn, erin: User, device: Device) -> None:
        browser = signed_in(erin)
        page = browser.get(reverse("device", args=[device.hardware_id]))

        assert reverse("device-project", args=[device.hardware_id]) not in page.text
        assert browser.get(reverse("device-project", args=[device.hardware_id])).status_code == 403


class TestReleasing:
    def test_behind_a_question(self, signed_in: SignedIn, erin: User, device: Device) -> None:
        browser = signed_in(erin)
        address = reverse("device-release", args=[device.hardware_id])
        assert address in browser.get(reverse("device", args=[device.hardware_id])).text
        assert browser.get(address).status_code == 200

        gone = browser.post(address, {"act_key": "k"}, follow=True)

        assert gone.redirect_chain[-1][0] == reverse("project", args=[device.project_id])
        assert browser.get(reverse("device", args=[device.hardware_id])).status_code == 404

    def test_what_must_be_returned_is_said(self, signed_in: SignedIn, alice: User, device: Device) -> None:
        factories.assigned(device, 3)

        page = signed_in(alice).post(reverse("device-release", args=[device.hardware_id]), {"act_key": "k"})

        assert page.status_code == 409
        assert "device-keeps-licenses" in page.text

"""Support sees a company's pages as the company sees them: read only, said on every page, written down."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Company, Project, User
from accounts.permissions import Role
from devices.models import Device
from licenses import delivery
from licenses.models import Grant
from support.models import Look
from tests import factories
from tests.factories import NOW, caller
from tests.operations import moving
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("today", "keyring")

BANNER = "as the company sees them"


@pytest.fixture
def device(project: Project) -> Device:
    factories.activated(project, {"Port": 9})
    made = factories.make_device(project=project)
    factories.assigned(made, 3)
    delivery.download(device=made, caller=caller(), now=NOW)
    return made


@pytest.fixture
def viewing(staff: Client, company: Company) -> Client:
    """Sam, who looks at the pages of Alice's company."""
    answer = staff.post(reverse("staff-view", args=[company.pk]))
    assert answer.headers["Location"] == reverse("company", args=[company.pk])
    return staff


def addresses(device: Device) -> list[str]:
    company, project = [device.project.company_id], [device.project_id]
    return [
        reverse("home"),
        *(reverse(name, args=company) for name in ("company", "company-keys", "company-history")),
        *(reverse(name, args=company) for name in ("company-balance", "members")),
        *(reverse(name, args=project) for name in ("project", "project-history", "project-balance")),
        *(reverse(name, args=[device.hardware_id]) for name in ("device", "device-history")),
        reverse("search") + f"?q={device.hardware_id[-5:]}",
    ]


def content(client: Client, address: str) -> str:
    """What a page says, without what differs each time."""
    page = client.get(address)
    assert page.status_code == 200, address
    text = page.text.split("<main", 1)[1].split("</main>")[0]
    return re.sub(r'name="(csrfmiddlewaretoken|act_key)" value="[^"]*"', "", text)


class TestWhatIsSeen:
    def test_each_page_is_that_of_a_member_who_may_view(
        self, viewing: Client, signed_in: SignedIn, device: Device, bob: User
    ) -> None:
        moving.asked(device)
        factories.give_right(user=bob, project=device.project, level="view")
        member = signed_in(bob)
        for address in addresses(device):
            mine, theirs = content(viewing, address), content(member, address)
            if address == reverse("members", args=[device.project.company_id]):
                continue  # it offers the member to leave
            assert mine == theirs, address

    def test_each_page_names_the_company_and_the_way_out(self, viewing: Client, device: Device) -> None:
        for address in addresses(device):
            page = viewing.get(address).text
            assert BANNER in page
            assert "<strong>Alice Networks</strong>" in page
            assert f'action="{reverse("staff-view-leave")}"' in page

    def test_another_company_is_not_there(self, viewing: Client, charlie: User) -> None:
        other = Company.objects.get(name="Charlie Communications")
        for name in ("company", "company-keys", "company-history", "members"):
            assert viewing.get(reverse(name, args=[other.pk])).status_code == 404
        first = factories.first_project(other)
        assert viewing.get(reverse("project", args=[first.pk])).status_code == 404

    def test_what_takes_an_admin_is_refused(self, viewing: Client, company: Company) -> None:
        for name in ("company-api-tokens", "company-mails", "company-imports", "company-customer"):
            answer = viewing.get(reverse(name, args=[company.pk]))
            assert (answer.status_code, answer.context["error"].code) == (403, "admin-needed")

    def test_programs_interface_shows_the_same_and_takes_nothing(
        self, viewing: Client, device: Device
    ) -> None:
        listed = viewing.get(f"/api/v1/projects/{device.project_id}/devices").json()
        assert [one["hardware_id"] for one in listed["devices"]] == [device.hardware_id]
        answer = viewing.post(
            f"/api/v1/devices/{device.hardware_id}/assignments",
            {"product": "Port", "version": 14, "quantity": 1},
            content_type="application/json",
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "only-looking")


class TestThatNothingIsSent:
    def test_a_button_of_the_page_is_refused_with_the_way_out(self, viewing: Client, device: Device) -> None:
        given = {"product": "Port/14", "quantity": 1, "act_key": "k1"}
        answer = viewing.post(reverse("device-assign", args=[device.hardware_id]), given)
        assert answer.status_code == 403
        assert answer.context["error"].code == "only-looking"
        assert "Alice Networks" in answer.text
        assert Grant.objects.count() == 1

    def test_not_in_the_console_either(self, viewing: Client, device: Device) -> None:
        given = {"device": device.hardware_id, "reason": "x", "confirm": "1", "act_key": "k1"}
        assert viewing.post(reverse("staff-block-device"), given).status_code == 403
        device.refresh_from_db()
        assert device.blocked_at is None


class TestBeginningAndEnding:
    def test_leaving_ends_it(self, viewing: Client, company: Company, device: Device) -> None:
        answer = viewing.post(reverse("staff-view-leave"))
        assert answer.headers["Location"] == reverse("staff-company", args=[company.pk])
        assert viewing.get(reverse("company", args=[company.pk])).status_code == 404
        assert BANNER not in viewing.get(reverse("home")).text
        assert company.name not in viewing.get(reverse("home")).text

    def test_the_console_stays_the_console(self, viewing: Client, device: Device, charlie: User) -> None:
        other = Company.objects.get(name="Charlie Communications")
        page = viewing.get(reverse("staff-company", args=[other.pk]))
        assert page.status_code == 200
        assert BANNER in page.text

    def test_taking_the_role_ends_it_at_once(self, viewing: Client, sam: User, company: Company) -> None:
        factories.give_roles(sam, Role.FULFILMENT)
        assert viewing.get(reverse("company", args=[company.pk])).status_code == 404
        factories.give_roles(sam, Role.SUPPORT)
        assert viewing.get(reverse("company", args=[company.pk])).status_code == 404

    def test_fulfilment_may_not_begin(self, signed_in: SignedIn, company: Company) -> None:
        clerk = factories.make_user(name="Clerk", is_staff=True, roles=[Role.FULFILMENT])
        answer = signed_in(clerk).post(reverse("staff-view", args=[company.pk]))
        assert (answer.status_code, answer.context["error"].code) == (403, "role-missing")

    def test_signing_out_is_always_possible(self, viewing: Client) -> None:
        assert viewing.post(reverse("sign-out"), {"act_key": "k1"}).status_code == 302
        assert viewing.get(reverse("staff")).status_code == 302

    def test_each_page_is_a_look(self, viewing: Client, company: Company, device: Device) -> None:
        viewing.get(reverse("device", args=[device.hardware_id]))
        viewing.get(reverse("company-keys", args=[company.pk]))
        kept = Look.objects.order_by("pk").values_list("page", "kind", "subject", "company_id")
        assert list(kept) == [
            ("device", "device", device.hardware_id, company.pk),
            ("company-keys", "company", str(company.pk), company.pk),
        ]

"""The staff pages that hand a device over to another company (mission rule 7)."""

import pytest
from django.urls import reverse

from accounts.models import Company, Project, User
from accounts.permissions import Role
from devices import alerts
from devices.models import Alert, Device
from licenses import moves
from tests import factories
from tests.factories import NOW, caller
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("catalogue", "keyring", "today")
HARDWARE_ID = "00-90-33-01-0A-FF"


@pytest.fixture
def device(project: Project) -> Device:
    factories.activated(project, {"Port": 10, "Channels": 3})
    return factories.make_device(project=project, hardware_id=HARDWARE_ID)


@pytest.fixture
def buyer(charlie: User) -> Project:
    """DEFAULT of Charlie's company."""
    return factories.first_project(charlie.memberships.get().company)


def address(project: Project) -> str:
    return reverse("staff-hand-over-to", args=[HARDWARE_ID, project.pk])


def test_who_loses_and_gains_what_comes_first_then_consent_and_reason(
    signed_in: SignedIn, sam: User, alice: User, device: Device, company: Company, buyer: Project
) -> None:
    factories.assigned(device, 4)
    factories.assigned(device, 1, "Channels")
    console = signed_in(sam)
    page = console.get(reverse("staff-device", args=[HARDWARE_ID])).text
    assert f'href="{reverse("staff-hand-over", args=[HARDWARE_ID])}"' in page
    name = buyer.company.name
    found = console.get(reverse("staff-hand-over", args=[HARDWARE_ID]), {"q": name[:5].lower()}).text
    assert f'href="{address(buyer)}"' in found
    page = console.get(address(buyer)).text
    assert f"{company.name} loses, {name} gains" in page
    assert "Stays with the hardware, and goes along" in page
    assert f'<option value="{alice.pk}">' in page

    refused = console.post(address(buyer), {"reason": "Sold.", "act_key": "1"})
    assert (refused.status_code, "consent" in refused.context["form"].errors) == (400, True)
    of_another = {"reason": "Sold.", "act_key": "1", "consent": str(sam.pk)}
    refused = console.post(address(buyer), of_another)
    assert (refused.status_code, "is no admin of" in refused.text) == (409, True)
    given = {"reason": "Sold.", "act_key": "1", "consent": str(alice.pk)}
    page = console.post(address(buyer), given, follow=True).text

    assert f"is in {name} / DEFAULT now." in page
    mine = signed_in(alice).get(reverse("company", args=[company.pk])).text
    assert "Alice Example agreed: Sold." in mine


def test_a_claim_leads_there_and_is_settled(
    signed_in: SignedIn, sam: User, device: Device, buyer: Project
) -> None:
    kind = Alert.Kind.CLAIM_WITH_SUPPORT
    alerts.alert(kind, device=device, subject="1", now=NOW, project=buyer.pk)
    console = signed_in(sam)
    told = Alert.objects.get()
    assert f'href="{address(buyer)}"' in console.get(reverse("staff-alert", args=[told.pk])).text
    assert f'href="{address(buyer)}"' in console.get(reverse("staff-hand-over", args=[HARDWARE_ID])).text
    assert 'name="consent"' not in console.get(address(buyer)).text  # nothing can be returned

    console.post(address(buyer), {"reason": "They sent it in.", "act_key": "1"})

    assert "They sent it in." in console.get(reverse("staff-alert", args=[told.pk])).text


def test_what_is_in_the_way_is_said_and_there_is_no_button(
    signed_in: SignedIn, sam: User, alice: User, device: Device, buyer: Project, company: Company
) -> None:
    factories.assigned(device)
    beside = factories.make_project(company=company)
    console = signed_in(sam)
    page = console.get(address(beside)).text
    assert "belong to the same company" in page
    moves.ask_for_move(device=device, replacement=None, rma="", caller=caller(reason="It burned."), now=NOW)

    page = console.get(address(buyer)).text
    assert "Decide the move first." in page
    assert 'name="reason"' not in page
    given = {"reason": "Sold.", "act_key": "1", "consent": str(alice.pk)}
    assert console.post(address(buyer), given).status_code == 409


def test_it_is_for_support(signed_in: SignedIn, sam: User, device: Device, buyer: Project) -> None:
    factories.give_roles(sam, Role.AUDITOR)

    assert signed_in(sam).get(address(buyer)).status_code == 403
    assert signed_in(sam).get(reverse("staff-hand-over-to", args=[HARDWARE_ID, 99999])).status_code == 403

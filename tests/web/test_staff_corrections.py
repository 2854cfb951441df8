"""The staff page that takes an order back (mission rule 10)."""

import pytest
from django.urls import reverse

from accounts.models import Project, User
from accounts.permissions import Role
from licenses import activation
from licenses.models import ActivationKey
from tests import factories
from tests.factories import NOW, caller
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("catalogue", "today")


@pytest.fixture
def address(project: Project) -> str:
    """Of the page about an order with 10 Port, which were activated."""
    code = factories.make_key(lines={"Port": 10}, number="SO-2026/7")
    activation.activate_key(code=code, target=project, caller=caller(), now=NOW)
    return reverse("staff-order-correct", args=["SO-2026/7"])


def test_the_numbers_come_first_then_a_reason_then_it_is_done(
    signed_in: SignedIn, sam: User, project: Project, address: str
) -> None:
    factories.activated(project, {"Port": 5})
    console = signed_in(sam)
    page = console.get(address).text
    assert '<td class="number">15</td><td class="number">10</td><td class="number">5</td>' in page

    page = console.post(address, {"reason": "Wrong customer.", "act_key": "k1"}, follow=True).text

    assert "The order SO-2026/7 is taken back." in page
    assert "This order was canceled or taken back." in page
    assert factories.free(project) == 5


def test_what_is_in_the_way_is_named_and_there_is_no_button(
    signed_in: SignedIn, sam: User, project: Project, address: str
) -> None:
    device = factories.make_device(project=project)
    factories.assigned(device, 4)
    console = signed_in(sam)

    page = console.get(address).text

    assert "4 of Port 14 are in the way" in page
    assert device.hardware_id in page
    assert 'name="reason"' not in page
    answer = console.post(address, {"reason": "Wrong customer.", "act_key": "k1"})
    assert answer.status_code == 409
    assert "Not all of it is free" in answer.text


def test_an_auditor_looks_and_changes_nothing(
    signed_in: SignedIn, sam: User, project: Project, address: str
) -> None:
    factories.give_roles(sam, Role.AUDITOR)
    console = signed_in(sam)

    assert 'name="reason"' not in console.get(address).text
    assert console.post(address, {"reason": "Wrong customer."}).status_code == 403
    assert factories.free(project) == 10


def test_a_key_is_blocked_and_unblocked_on_one_page(signed_in: SignedIn, sam: User) -> None:
    key = factories.find_key(factories.make_key())
    page = reverse("staff-key-block", args=[key.pk])
    console = signed_in(sam)
    assert "Block the key" in console.get(page).text

    blocked = console.post(page, {"do": "block", "reason": "Stolen.", "act_key": "k1"}, follow=True).text
    assert f"The key ending in {key.last_four} is blocked." in blocked

    again = console.post(page, {"do": "unblock", "reason": "Found.", "act_key": "k2"}, follow=True).text
    assert "can be activated again" in again


def test_a_person_is_blocked_and_let_in_on_one_page(signed_in: SignedIn, sam: User, alice: User) -> None:
    page = reverse("staff-person-block", args=[alice.pk])
    console = signed_in(sam)

    blocked = console.post(page, {"do": "block", "reason": "Leaked.", "act_key": "k1"}, follow=True).text
    assert "Alice Example is blocked." in blocked

    again = console.post(page, {"do": "unblock", "reason": "Changed.", "act_key": "k2"}, follow=True).text
    assert "Alice Example may sign in again." in again


def test_the_pages_of_a_key_and_a_person_lead_there(
    signed_in: SignedIn, sam: User, alice: User, address: str
) -> None:
    waiting = factories.find_key(factories.make_key())
    used = ActivationKey.objects.get(state="activated")
    console = signed_in(sam)

    page = console.get(reverse("staff-key", args=[waiting.pk])).text
    assert reverse("staff-key-block", args=[waiting.pk]) in page
    assert address in console.get(reverse("staff-key", args=[used.pk])).text
    person = console.get(reverse("staff-person", args=[alice.pk])).text
    assert reverse("staff-person-block", args=[alice.pk]) in person

"""By keyboard alone, and without JavaScript as well: what support and partners do with long lists, moves and
devices that are sold on."""

import re

import pytest
from django.conf import LazySettings
from playwright.sync_api import expect

from accounts.models import Company, User
from accounts.permissions import Role
from devices.models import Device
from licenses import tasks as jobs_of_licenses  # noqa: F401, tasks bring the handlers
from licenses.models import Move
from orders.models import OrderUpload
from portal.core import clock, outbox, tasks  # noqa: F401
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.test_journeys import Keys, button
from tests.operations import moving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("java_script", [True, False], ids=["by keyboard", "and without JavaScript"]),
]

LIST = b"order;code;version;quantity\nSO/1;Port;14;1\nSO/2;UC;14;2\n"


@pytest.fixture
def company(catalogue: None, keyring: object) -> Company:
    """Alice's, with a move that waits for support, and a device that the company of Dora has bought."""
    alice = factories.make_user(name="Alice", email="alice@example.com")
    company = factories.make_company(founder=alice)
    project = factories.activated(factories.first_project(company), {"Port": 9})
    broken = factories.make_device(project=project, hardware_id="00-90-33-01-0A-FF")
    factories.assigned(broken, 3)
    moving.asked(broken, factories.make_device(project=project, hardware_id="00-90-33-02-0A-FF"))
    factories.assigned(factories.make_device(project=project, hardware_id="00-90-33-03-0A-AA"), 2)
    factories.make_company(founder=factories.make_user(name="Dora"), name="Dora Systems")
    return company


@pytest.fixture
def sam(company: Company) -> User:
    return factories.make_user(name="Sam", email="sam@example.com", is_staff=True, roles=list(Role))


def work_off() -> None:
    """What waits in the background is done."""
    while outbox.work_off(clock=clock.now):
        pass


def test_support_finds_a_move_and_decides_it_and_hands_a_device_over(
    java_script: bool, open_window: OpenWindow, sam: User
) -> None:
    visit = open_window(java_script=java_script, user=sam)
    page, keys = visit.page, Keys(visit.page)
    page.goto("/staff/")
    keys.enter(page.get_by_role("searchbox", name="Search").last, "0aff")
    page.keyboard.press("Enter")
    keys.press(page.get_by_role("link", name="Decide the move 00-90-33-01-0A-FF"))
    expect(page.get_by_role("heading", name="What was asked for")).to_be_visible()
    keys.enter(page.get_by_label("Reason"), "The picture shows it.")
    keys.press(button(page, "Approve"))
    expect(page.get_by_text("The move is approved.")).to_be_visible()
    assert Move.objects.get().state == "approved"

    page.goto("/staff/?q=00-90-33-03-0A-AA")
    keys.press(page.get_by_role("link", name="Hand over…"))
    expect(page.get_by_role("heading", name="Hand a device over")).to_be_visible()
    keys.enter(page.get_by_label("Company that gets it"), "dora")
    page.keyboard.press("Enter")
    keys.press(page.get_by_role("link", name="Dora Systems / DEFAULT"))
    expect(page.get_by_role("heading", name="Hand this device over?")).to_be_visible()
    keys.enter(page.get_by_label("Who agreed"), "Alice")
    keys.enter(page.get_by_label("Reason"), "Sold with the house; Alice wrote so.")
    keys.press(button(page, "Hand the device over"))
    expect(page.get_by_text("00-90-33-03-0A-AA is in Dora Systems / DEFAULT now.")).to_be_visible()
    assert Device.objects.get(hardware_id="00-90-33-03-0A-AA").project.company.name == "Dora Systems"
    assert (visit.complaints, visit.strangers) == ([], [])


def test_a_list_of_orders_is_checked_entered_and_its_keys_are_taken(
    java_script: bool, open_window: OpenWindow, sam: User
) -> None:
    visit = open_window(java_script=java_script, user=sam)
    page, keys = visit.page, Keys(visit.page)
    page.goto("/staff/orders/upload")
    keys.reach(page.get_by_label("File", exact=True))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files({"name": "list.csv", "mimeType": "text/csv", "buffer": LIST})
    keys.press(button(page, "Check the list"))
    expect(page.get_by_role("heading", name="Checked: everything can be entered")).to_be_visible()
    keys.press(button(page, "Enter 2 orders"))
    expect(page.get_by_role("heading", name="Entered", exact=True)).to_be_visible()
    with page.expect_download() as coming:
        keys.press(button(page, "Download the keys"))
    assert coming.value.path().read_bytes().startswith(b"PK")
    page.reload()
    keys.press(button(page, "Confirm the delivery of all"))
    expect(page.get_by_text("The delivery is confirmed")).to_be_visible()
    assert OrderUpload.objects.get().delivered_at is not None
    assert (visit.complaints, visit.strangers) == ([], [])


def test_a_long_history_is_narrowed_and_its_file_is_made_while_a_bar_is_watched(
    java_script: bool, open_window: OpenWindow, company: Company, settings: LazySettings
) -> None:
    settings.HISTORY_ROWS_AT_ONCE = 1
    alice = User.objects.get(forename="Alice")
    visit = open_window(java_script=java_script, user=alice)
    page, keys = visit.page, Keys(visit.page)
    page.goto(f"/companies/{company.pk}/history")
    keys.enter(page.get_by_label("Hardware ID"), "0aff")
    keys.enter(page.get_by_label("About"), "Licenses")
    keys.press(button(page, "Show"))
    expect(page).to_have_url(re.compile("kind=licenses"))
    expect(page.locator("#list").get_by_text("assigned 3 × Port 14")).to_be_visible()
    keys.reach(page.get_by_label("About"))
    keys.enter(page.get_by_label("About"), "Everything")
    keys.press(button(page, "Show"))
    keys.press(button(page, "Make a CSV file of it"))
    expect(page.get_by_role("progressbar", name="Rows")).to_be_visible()
    work_off()
    with page.expect_download() as coming:
        keys.press(button(page, "Download"))
    assert "assigned" in coming.value.path().read_text("utf-8-sig")
    keys.press(page.get_by_role("link", name="In the background").first)
    expect(page.get_by_role("listitem").filter(has_text="Done").first).to_be_visible()
    assert (visit.complaints, visit.strangers) == ([], [])

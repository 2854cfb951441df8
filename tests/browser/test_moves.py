"""A move in a real browser: a partner asks for it; support searches for four digits, and approves it with two
clicks and a reason."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, expect

from accounts.models import Project
from devices.models import Device
from licenses.models import Move
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.looks import fits, follow
from tests.browser.test_from_key_to_file import sign_in
from tests.factories import PASSWORD
from tests.operations import moving

pytestmark = pytest.mark.browser


@dataclass
class Pair:
    """Two devices of a company of Alice's, the first with three Port; Sam is support. Both can sign in."""

    broken: Device
    replacement: Device


@pytest.fixture
def pair(catalogue: None, keyring: object) -> Pair:
    alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
    factories.make_user(name="Sam", email="sam@example.com", password=PASSWORD, is_staff=True)
    project: Project = factories.first_project(factories.make_company(founder=alice))
    factories.activated(project, {"Port": 5})
    broken, replacement = (
        factories.make_device(project=project, hardware_id=f"00-90-33-0{number}-0A-FF") for number in (1, 2)
    )
    factories.assigned(broken, 3)
    return Pair(broken, replacement)


@pytest.mark.parametrize(("width", "java_script"), [(360, True), (1280, False)], ids=["phone", "plain"])
def test_from_a_dead_device_to_an_approval(
    width: int, java_script: bool, open_window: OpenWindow, pair: Pair
) -> None:
    page = open_window(width=width, java_script=java_script).page
    sign_in(page, "alice@example.com")
    page.goto(f"/devices/{pair.broken.hardware_id}")
    page.get_by_role("link", name="Ask for a move").click()
    assert fits(page)
    page.get_by_label("Replacement").fill(pair.replacement.hardware_id)
    page.get_by_label("Reason").fill("The power supply burned out.")
    page.get_by_role("button", name="Ask for the move").click()
    expect(page.get_by_text("The replacement has a bridge")).to_be_visible()
    assert fits(page)
    assert moving.held(pair.replacement) == {("bridge", "Port"): 3}

    staff = open_window(width=width, java_script=java_script).page
    sign_in(staff, "sam@example.com")
    staff.goto("/staff/")
    staff.get_by_role("searchbox", name="Search").last.fill("0aff")  # both devices end with it
    staff.get_by_role("searchbox", name="Search").last.press("Enter")
    clicks = 0

    def click(locator: Locator) -> None:
        nonlocal clicks
        clicks += 1
        follow(locator)

    click(staff.get_by_role("link", name=f"Decide the move {pair.broken.hardware_id}"))
    assert fits(staff)
    staff.get_by_label("Reason").fill("The picture shows it.")
    click(staff.get_by_role("button", name="Approve"))

    expect(staff.get_by_text("The move is approved.")).to_be_visible()
    assert clicks <= 2
    assert Move.objects.get().state == "approved"
    assert moving.held(pair.replacement) == {("bought", "Port"): 3}

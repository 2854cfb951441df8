"""The console in a real browser: four digits lead to the device; its company is seen as it sees itself."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Company
from accounts.permissions import Role
from devices.models import Device
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.looks import findings, fits
from tests.browser.test_from_key_to_file import sign_in
from tests.factories import PASSWORD
from tests.operations import moving

pytestmark = pytest.mark.browser

HARDWARE_ID = "00-90-33-01-0A-FF"
PHONE, DESKTOP = (360, False), (1280, True)


@pytest.fixture
def device(catalogue: None, keyring: object) -> Device:
    """Broken, with a move that has its bridge."""
    alice = factories.make_user(name="Alice", email="alice@example.com")
    factories.make_user(
        name="Sam", email="sam@example.com", password=PASSWORD, is_staff=True, roles=list(Role)
    )
    project = factories.first_project(factories.make_company(founder=alice))
    factories.activated(project, {"Port": 5})
    made = factories.make_device(project=project, hardware_id=HARDWARE_ID, name="Main building")
    factories.assigned(made, 3)
    moving.asked(made, factories.make_device(project=project, hardware_id="00-90-33-02-0A-FF"))
    return made


@pytest.mark.parametrize(("width", "dark"), [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_from_four_digits_to_the_device_and_what_its_company_sees(
    width: int, dark: bool, open_window: OpenWindow, device: Device
) -> None:
    page = open_window(width=width, dark=dark).page
    sign_in(page, "sam@example.com")
    found = {}

    def look(name: str) -> None:
        found[name] = findings(page)
        assert fits(page), name
        _keep(page, f"{name}-{width}")

    page.goto("/staff/")
    look("home")
    page.get_by_role("searchbox", name="Search").last.fill("0aff")
    page.locator("main").get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()
    look("found")
    page.get_by_role("link", name=f"{HARDWARE_ID} Main building").click()
    expect(page.get_by_text("Broken: a move is open")).to_be_visible()
    look("device")
    page.locator("main").get_by_role("link", name="Example Telecom").click()
    look("company")
    page.get_by_role("link", name="Alice Example").first.click()
    look("person")
    page.go_back()
    page.locator("main").get_by_role("link", name="…").first.click()
    look("key")
    page.goto("/staff/audit")
    look("audit")
    page.goto("/staff/roles")
    look("roles")
    page.goto("/staff/second-factor")
    company = Company.objects.get()
    page.goto(f"/staff/companies/{company.pk}")
    page.get_by_role("button", name="See its pages as it sees them").click()
    expect(page.get_by_text("as the company sees them")).to_be_visible()
    look("viewing")
    page.get_by_role("button", name="Leave this view").click()
    expect(page).to_have_url(f"{page.url.split('/staff')[0]}/staff/companies/{company.pk}")
    assert {name: report for name, report in found.items() if report} == {}


def _keep(page: Page, name: str) -> None:
    """A picture, for whoever wants to look: PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

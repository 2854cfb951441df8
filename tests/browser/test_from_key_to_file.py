import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Project
from tests import factories
from tests.browser.conftest import OpenWindow, Visit
from tests.browser.looks import fits
from tests.factories import PASSWORD

pytestmark = pytest.mark.browser

HARDWARE_ID = "00-90-33-01-0A-FF"


def sign_in(page: Page, email: str) -> None:
    page.goto("/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def project(catalogue: None, keyring: object) -> Project:
    """DEFAULT of a company of Alice's, who can sign in."""
    alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
    return factories.first_project(factories.make_company(founder=alice))


class TestFromKeyToFile:
    @pytest.mark.parametrize(
        ("width", "java_script"), [(360, True), (1280, True), (360, False)], ids=["phone", "desk", "plain"]
    )
    def test_a_partner_gets_there_by_what_is_on_the_pages(
        self, width: int, java_script: bool, open_window: OpenWindow, project: Project, tmp_path: Path
    ) -> None:
        code = factories.make_key(lines={"Port": 10, "UC": 5})
        visit = open_window(width=width, java_script=java_script)
        page = visit.page
        sign_in(page, "alice@example.com")
        page.get_by_role("main").get_by_role("link", name="Activate a key").click()
        activate(page, code.lower().replace("-", ""))
        page.get_by_role("link", name="To the project").click()
        page.get_by_label("Hardware ID").fill("0090.3301.0aff")
        page.get_by_role("button", name="Add the device").click()
        expect(page).to_have_url(re.compile(f"/devices/{HARDWARE_ID}#main$"))
        assign_and_undo(page)
        file = download(page, tmp_path)
        assert file.name == f"{HARDWARE_ID}-3.lic"
        assert json.loads(file.read_bytes())["bundle"] == "olp/1"
        page.reload()
        expect(page.get_by_role("button", name="Undo")).to_have_count(0)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("You are signed out.")).to_be_visible()
        complained_of_nothing(visit)


class TestScripts:
    def test_times_are_in_the_readers_zone_and_the_hardware_id_can_be_copied(
        self, open_window: OpenWindow, project: Project
    ) -> None:
        factories.make_device(project=project, hardware_id=HARDWARE_ID)
        visit = open_window()
        page = visit.page
        sign_in(page, "alice@example.com")
        page.goto(f"/devices/{HARDWARE_ID}")
        added = page.locator("dl time").first
        expect(added).to_have_text("2026-11-24 13:00")
        expect(added).to_have_attribute("title", "2026-11-24 12:00:00 UTC")
        page.get_by_role("button", name=f"Copy the hardware ID {HARDWARE_ID}").click()
        expect(page.get_by_text("Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == HARDWARE_ID
        complained_of_nothing(visit)

    def test_a_code_is_put_in_groups_while_it_is_typed(
        self, open_window: OpenWindow, project: Project
    ) -> None:
        visit = open_window()
        sign_in(visit.page, "alice@example.com")
        visit.page.goto("/activate")
        field = visit.page.get_by_label("Activation key")
        field.press_sequentially("abcde12345x")
        expect(field).to_have_value("ABCDE-12345-X")
        complained_of_nothing(visit)


def activate(page: Page, code: str) -> None:
    page.get_by_label("Activation key").fill(code)
    page.get_by_label("Put its licenses into").select_option(label="Project DEFAULT")
    page.get_by_role("button", name="Look what it holds").click()
    expect(page.get_by_role("heading", name="Activate this key?")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Activate the key").click()
    expect(page.get_by_role("heading", name="The key is activated")).to_be_visible()
    assert fits(page)


def assign_and_undo(page: Page) -> None:
    """Ten ports, which is undone once, and then four."""
    for quantity in ("10", "4"):
        page.get_by_label("Product").select_option("Port/14")
        page.get_by_label("Quantity").fill(quantity)
        page.get_by_role("button", name="Assign").click()
        expect(page.get_by_text(f"{quantity} × Port 14 assigned.")).to_be_visible()
        assert fits(page)
        if quantity == "10":
            page.get_by_role("button", name="Undo 10 × Port 14").click()
            expect(page.get_by_text("Undone: 10 × Port 14")).to_be_visible()


def download(page: Page, folder: Path) -> Path:
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download the .lic file").click()
    target = folder / coming.value.suggested_filename
    coming.value.save_as(target)
    return target


def complained_of_nothing(visit: Visit) -> None:
    assert visit.complaints == []
    assert visit.strangers == []

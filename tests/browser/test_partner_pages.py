"""What partners do all day, in a browser: by keyboard, and without JavaScript."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Company
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.looks import fits
from tests.factories import PASSWORD

pytestmark = pytest.mark.browser

HARDWARE_ID = "00-90-33-01-0A-FF"


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("E-mail address").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.wait_for_load_state()  # the scripts wait for the whole page, and keys for the scripts


@pytest.fixture
def company(catalogue: None, keyring: object) -> Company:
    """A company of Alice's, who can sign in, with two devices and a hundred ports in its first project."""
    alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
    company = factories.make_company(founder=alice)
    project = factories.activated(factories.first_project(company), {"Port": 100})
    factories.make_device(project=project, hardware_id=HARDWARE_ID, name="Main building")
    factories.make_device(project=project, hardware_id="00-90-33-02-00-01", name="Main warehouse")
    return company


class TestSearchBox:
    def test_it_finds_by_keyboard_while_somebody_types(
        self, open_window: OpenWindow, company: Company
    ) -> None:
        visit = open_window(width=1280)
        page = visit.page
        sign_in(page)
        page.keyboard.press("/")
        page.keyboard.type("Main")
        found = page.get_by_role("search").get_by_role("link")
        expect(found).to_have_count(2)
        expect(page.get_by_role("search")).to_contain_text("arrow keys")
        page.keyboard.press("Escape")
        expect(found).to_have_count(0)
        expect(page.get_by_role("searchbox")).to_have_value("Main")
        page.keyboard.type(" b")
        expect(found).to_have_count(1)
        page.keyboard.press("ArrowDown")
        expect(found).to_be_focused()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"/devices/{HARDWARE_ID}$"))
        assert (visit.complaints, visit.strangers) == ([], [])

    @pytest.mark.parametrize("java_script", [True, False])
    def test_it_never_sends_a_whole_activation_key(
        self, java_script: bool, open_window: OpenWindow, company: Company
    ) -> None:
        page = open_window(java_script=java_script).page
        sign_in(page)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        box = page.get_by_role("searchbox")
        box.fill(factories.make_key())
        box.press("Enter")
        box.fill("Main")
        box.press("Enter")
        expect(page.get_by_role("heading", name="Search for “Main”")).to_be_visible()
        expect(page.get_by_role("main").get_by_role("link", name="Main warehouse")).to_be_visible()
        assert {url.partition("?")[2] for url in asked if "/search?" in url} <= {"q=Main", "q=Main&part=1"}


class TestScanning:
    """Chromium here reads no codes itself, so a reader stands in for it, and a canvas for the camera."""

    READER = """
        const seen = ["SO-4711", "CODE"];
        window.BarcodeDetector = class {
          static async getSupportedFormats() { return ["code_128", "qr_code"]; }
          async detect() { return seen.length ? [{ rawValue: seen.shift() }] : []; }
        };
        navigator.mediaDevices.getUserMedia = async () => {
          const canvas = document.createElement("canvas");
          canvas.getContext("2d");
          return window.camera = canvas.captureStream(5);
        };
    """

    def test_a_code_gets_into_the_field_and_the_camera_stops(
        self, open_window: OpenWindow, company: Company
    ) -> None:
        code = factories.make_key()
        visit = open_window(width=360, host="localhost")
        page = visit.page
        page.add_init_script(self.READER.replace("CODE", code))
        sign_in(page)
        page.goto("/activate")
        page.get_by_role("button", name="Scan with the camera").click()
        expect(page.get_by_label("Activation key")).to_have_value(code)
        expect(page.get_by_text(f"Scanned. …{code[-4:]}")).to_be_visible()
        assert page.evaluate("window.camera.active") is False
        page.goto("/activate/several")
        page.get_by_role("button", name="Scan with the camera").click()
        expect(page.get_by_label("Activation keys")).to_have_value(f"{code}\n")
        page.get_by_role("button", name="Stop the camera").click()
        assert page.evaluate("window.camera.active") is False
        page.get_by_role("button", name="Look what they hold").click()
        page.get_by_role("button", name="Activate 1 key").click()
        expect(page.get_by_role("heading", name="1 key activated")).to_be_visible()
        assert (visit.complaints, visit.strangers) == ([], [])


class TestFiftyDevices:
    @pytest.mark.parametrize(
        ("width", "java_script"), [(1280, True), (360, False)], ids=["desk", "plain phone"]
    )
    def test_they_are_pasted_in_and_get_their_licenses_after_a_look_at_the_numbers(
        self, width: int, java_script: bool, open_window: OpenWindow, company: Company
    ) -> None:
        visit = open_window(width=width, java_script=java_script)
        page = visit.page
        sign_in(page)
        page.get_by_role("main").get_by_role("link", name="DEFAULT", exact=True).click()
        page.get_by_role("link", name="Add many at once").click()
        lines = [f"00903377{number:04X};Branch {number}" for number in range(50)]
        page.get_by_label("Devices").fill("\n".join(["Hardware ID;Name", *lines, "nonsense"]))
        page.get_by_role("button", name="Check the list").click()
        expect(page.get_by_role("heading", name="1 line cannot be added")).to_be_visible()
        page.get_by_role("button", name="Add 50 devices").click()
        expect(page.get_by_text("50 devices added.")).to_be_visible()
        page.get_by_label("Part of a hardware ID or name").fill("branch")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page).to_have_url(re.compile("branch"))  # the list is another one from here on
        if java_script:
            page.get_by_label("Choose all on this page").check()
            page.get_by_label("Choose 00-90-33-77-00-00").uncheck()
            page.get_by_role("button", name="Assign to the chosen devices").click()
        else:
            page.get_by_role("link", name="or to all 50 shown").click()
        devices = 49 if java_script else 50
        page.get_by_label("Quantity for each device").fill("3")
        page.get_by_role("button", name="Look at the numbers").click()
        expect(page.get_by_text(f"{3 * devices} of Port 14 wanted, 100 free").first).to_be_visible()
        page.get_by_label("Quantity for each device").fill("2")
        page.get_by_role("button", name="Look at the numbers").click()
        expect(page.get_by_role("row")).to_have_count(devices + 1)
        expect(page.get_by_role("main")).to_contain_text(f"100 are free now, and {100 - 2 * devices} then")
        page.get_by_role("button", name="Assign", exact=True).click()
        expect(page.get_by_text(f"2 × Port 14 assigned to each of {devices} devices.")).to_be_visible()
        assert fits(page)
        page.get_by_role("link", name="At another moment").click()
        expect(page.get_by_role("row", name=re.compile("Port 14"))).to_contain_text(f"{2 * devices}")
        page.get_by_label("Moment").fill("2020-01-01T12:00")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.get_by_text("There was nothing in this balance")).to_be_visible()
        # Chromium tells its console of the refusal.
        assert [one for one in visit.complaints if "409" not in one] == []
        assert visit.strangers == []

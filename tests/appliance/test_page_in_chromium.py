"""The device's page in a real Chromium: dropping and pasting, what axe finds, and whether it fits."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from appliance.bundle import MAX_BYTES
from appliance.fetching import fetch
from appliance.pending import ALL
from appliance.returning import begin_return_file
from tests.appliance.books import Books
from tests.appliance.browsing import Browser, sign_in
from tests.appliance.conftest import HARDWARE_ID, Bench
from tests.appliance.fake_portal import FakePortal
from tests.appliance.issuing import item
from tests.browser.looks import fits

pytestmark = pytest.mark.browser

# What a browser does when files are dropped on a page: [name, text] of each.
DROP = """
([files, target]) => {
  const data = new DataTransfer();
  for (const [name, text] of files) { data.items.add(new File([text], name)); }
  const at = document.querySelector(target);
  for (const kind of ["dragover", "drop"]) {
    at.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}
"""
PASTE = """
([text, target]) => {
  const data = new DataTransfer();
  data.setData("text", text);
  document.querySelector(target).dispatchEvent(
    new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}
"""


@pytest.fixture
def books(online: Bench, portal: FakePortal) -> Books:
    portal.books = Books(online.issuer, HARDWARE_ID)
    portal.books.assign(item("Port", quantity=6), item("Channels", ret=False))
    return portal.books


@pytest.fixture
def page(chromium: Chromium, browser: Browser, books: Books) -> Page:
    """The device's page in a window of a desk."""
    window = chromium.new_page(viewport={"width": 1280, "height": 800})
    window.set_default_timeout(10_000)
    sign_in(window.context, browser)
    window.goto(f"http://127.0.0.1:{browser.port}/")
    return window


class TestDroppingAndPasting:
    def test_a_dropped_file_is_named_and_installed(self, page: Page, books: Books) -> None:
        page.evaluate(DROP, [[["carried.lic", books.bundle().decode()]], "h1"])
        expect(page.locator(".says")).to_have_text("Ready to install: carried.lic")
        expect(page.get_by_role("button", name="Install")).to_be_focused()
        page.get_by_role("button", name="Install").click()
        expect(page.locator('[data-code="installed"]')).to_be_visible()

    def test_what_is_too_large_is_said_before_it_is_sent(self, page: Page) -> None:
        page.evaluate(DROP, [[["large.lic", "x" * (MAX_BYTES + 1)]], "h1"])
        expect(page.locator(".says")).to_contain_text("larger than a license file can be")
        assert page.evaluate("document.querySelector('input[type=file]').files.length") == 0
        page.evaluate(PASTE, ["{" + "x" * MAX_BYTES, "h1"])
        assert page.locator("textarea").input_value() == ""

    def test_several_files_are_not_guessed_among(self, page: Page) -> None:
        page.evaluate(DROP, [[["a.lic", "{}"], ["b.lic", "{}"]], "h1"])
        expect(page.locator(".says")).to_have_text("Drop one file at a time.")

    def test_a_license_file_pasted_on_the_page_is_installed(self, page: Page, books: Books) -> None:
        page.evaluate(PASTE, [books.bundle().decode(), "h1"])
        expect(page.locator(".says")).to_have_text("The pasted text is ready to install.")
        page.get_by_role("button", name="Install").click()
        expect(page.locator('[data-code="installed"]')).to_be_visible()

    def test_other_text_and_pasting_into_a_field_are_left_alone(self, page: Page) -> None:
        page.evaluate(PASTE, ["hello", "h1"])
        page.evaluate(PASTE, ['{"bundle":1}', "#code"])
        assert page.locator("textarea").input_value() == ""

    def test_the_picker_does_it_without_a_script(
        self,
        chromium: Chromium,
        browser: Browser,
        books: Books,
    ) -> None:
        context = chromium.new_context(java_script_enabled=False)
        sign_in(context, browser)
        window = context.new_page()
        window.goto(f"http://127.0.0.1:{browser.port}/")
        file = {"name": "carried.lic", "mimeType": "application/json", "buffer": books.bundle()}
        window.get_by_label("License file (.lic)").set_input_files(file)  # type: ignore[arg-type]
        window.get_by_role("button", name="Install").click()
        expect(window.locator('[data-code="installed"]')).to_be_visible()


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1280, True)], ids=["phone", "dark"])
class TestItsLooks:
    def test_axe_finds_nothing_and_nothing_sticks_out(
        self,
        chromium: Chromium,
        browser: Browser,
        online: Bench,
        books: Books,
        width: int,
        dark: bool,
    ) -> None:
        window = chromium.new_page(
            viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light"
        )
        sign_in(window.context, browser)
        found = {}

        def look(name: str, path: str = "/") -> None:
            window.goto(f"http://127.0.0.1:{browser.port}{path}")
            results = Axe().run(window)
            found[name] = results.generate_report() if results.violations_count else ""
            assert fits(window), name

        look("new")
        fetch(online.device())
        look("installed")
        online.device().reset()
        look("in effect")
        look("asked", "/return?all=1")
        begin_return_file(online.device(), ALL)
        look("a return waits")
        assert {name: report for name, report in found.items() if report} == {}

"""The device's side of the course, in a real Chromium: licenses, test mode, users, the check-up."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from appliance.access import set_password
from appliance.check_up import Step
from tests.appliance.books import Books
from tests.appliance.browsing import PASSWORD, Browser, served
from tests.appliance.conftest import HARDWARE_ID, Bench
from tests.appliance.fake_portal import FakePortal
from tests.appliance.issuing import NOW, Json, item
from tests.appliance.moved_clock import hands_of
from tests.browser.looks import fits

pytestmark = pytest.mark.browser

HOUR = 60 * 60
MOVED = ("-m", "tests.appliance.moved_clock")


@dataclass
class Desk:
    """A person at the device's pages."""

    page: Page
    origin: str
    home: Path
    bench: Bench

    def open(self, path: str) -> None:
        self.page.goto(self.origin + path)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def told(self, code: str) -> None:
        expect(self.page.locator(f'[data-code="{code}"]')).to_be_visible()

    def add(self, *items: Json, seq: int = 1) -> None:
        """Add a license file that lists `items`."""
        self.open("/")
        data = self.bench.issuer.bundle(HARDWARE_ID, seq=seq, items=items)
        file = {"name": "carried.lic", "mimeType": "application/json", "buffer": data}
        self.page.get_by_label("License file (.lic)").set_input_files(file)  # type: ignore[arg-type]
        self.press("Install")

    def state_of(self, product: str) -> str:
        row = self.page.get_by_role("row").filter(
            has=self.page.get_by_role("rowheader", name=product, exact=True)
        )
        return row.get_attribute("data-state") or ""

    def counter(self, product: str) -> list[str]:
        """Installed, used and turned away, as the Licenses tab shows them."""
        return self.page.locator(f'[data-product="{product}"] td').all_inner_texts()

    def run_on(self, seconds: int) -> None:
        """Let the device run on."""
        hands_of(self.home).write_text(str(int(hands_of(self.home).read_text()) + seconds))


@pytest.fixture
def desk(chromium: Chromium, online: Bench) -> Iterator[Desk]:
    """A signed-in person without JavaScript, in front of a device whose clock the test moves."""
    set_password(online.home, PASSWORD)
    hands_of(online.home).write_text("0")
    with served(online.home, MOVED) as port:
        context = chromium.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.set_default_timeout(10_000)
        desk = Desk(page, f"http://127.0.0.1:{port}", online.home, online)
        desk.open("/")
        page.get_by_label("Password").fill(PASSWORD)
        desk.press("Sign in")
        yield desk
        context.close()


class TestJourneys:
    def test_a_license_added_by_file_is_seen_at_work_only_after_the_reset(self, desk: Desk) -> None:
        desk.add(item("Channels", quantity=8, ret=False))
        desk.told("installed")
        assert desk.state_of("Channels") == "installed"
        desk.page.get_by_role("navigation", name="Device").get_by_role(
            "link", name="General (Gateway)"
        ).click()
        assert desk.counter("Channels") == ["0", "0", "–"]
        desk.press("Reset now")
        desk.told("in-effect")
        assert desk.counter("Channels") == ["8", "0", "–"]
        desk.open("/")
        assert desk.state_of("Channels") == "in-effect"

    def test_licenses_are_fetched_and_invalidated_online(self, desk: Desk, portal: FakePortal) -> None:
        books = portal.books = Books(desk.bench.issuer, HARDWARE_ID)
        books.assign(item("Port", quantity=6), item("Fax", quantity=2), item("Channels", ret=False))
        desk.press("Fetch")
        desk.told("installed")
        desk.press("Reset now")
        desk.page.get_by_role("checkbox", name="6 x Port 14").check()
        desk.press("Invalidate chosen")
        expect(desk.page.get_by_role("heading", level=1)).to_have_text("Invalidate licenses")
        assert desk.page.locator("tr.changes").inner_text().split() == ["Port", "14", "6", "0"]
        assert books.balance == {}
        desk.press("Invalidate at the portal")
        desk.told("receipt")
        assert books.balance == {"Port": 6}
        desk.press("Invalidate everything")
        desk.press("Invalidate at the portal")
        desk.told("receipt")
        assert books.balance == {"Port": 6, "Fax": 2}
        assert desk.state_of("Channels") == "in-effect"

    def test_what_is_deleted_leaves_at_the_reset_and_comes_back_by_a_fetch(
        self, desk: Desk, portal: FakePortal
    ) -> None:
        portal.books = Books(desk.bench.issuer, HARDWARE_ID)
        portal.books.assign(item("Port", quantity=6), item("Fax", quantity=2))
        desk.press("Fetch")
        desk.press("Reset now")
        desk.page.get_by_role("checkbox", name="2 x Fax 14").check()
        desk.press("Delete chosen")
        expect(desk.page.get_by_text("Nothing changes at the portal")).to_be_visible()
        desk.press("Delete at the next reset")
        desk.told("deleted")
        expect(desk.page.get_by_text("in effect until the reset")).to_have_count(1)
        desk.press("Reset now")
        expect(desk.page.get_by_role("rowheader", name="Fax")).to_have_count(0)
        desk.press("Fetch")
        desk.press("Reset now")
        assert desk.state_of("Fax") == "in-effect"
        assert portal.books.balance == {}

    def test_test_mode_lasts_eight_hours_and_ends_with_a_reset(self, desk: Desk) -> None:
        desk.add(item("Channels", quantity=8, ret=False))
        desk.press("Reset now")
        desk.press("Switch test mode on")
        desk.told("done")
        desk.bench.device().want({"Channels": 30})
        desk.open("/gateway")
        assert desk.counter("Channels") == ["no limit", "30", "–"]
        expect(desk.page.get_by_role("heading", name="Test mode is on")).to_be_visible()
        desk.run_on(8 * HOUR - 120)
        desk.open("/gateway")
        expect(desk.page.get_by_text(re.compile(r"In 0:0[12] h it switches itself off"))).to_be_visible()
        assert desk.counter("Channels") == ["no limit", "30", "–"]
        desk.run_on(120)
        desk.open("/gateway")
        expect(desk.page.get_by_role("heading", name="Test mode is on")).to_have_count(0)
        assert desk.counter("Channels") == ["8", "0", "–"]
        desk.open("/")
        assert desk.page.locator("dt", has_text="Resets").locator("+ dd").inner_text() == "2"

    def test_seven_licenses_for_ten_users_leave_the_same_three_without(self, desk: Desk) -> None:
        desk.add(item("Fax", quantity=7))
        desk.press("Reset now")
        desk.open("/pbx/templates")
        desk.page.get_by_label("Name").fill("Office")
        desk.press("Add")
        desk.page.get_by_role("link", name="Office", exact=True).click()
        desk.page.get_by_role("checkbox", name="Fax").check()
        desk.press("Save")
        desk.open("/pbx/objects")
        for number in range(10):
            desk.page.get_by_label("Name").fill(f"User {number}")
            desk.page.get_by_label("Config template").select_option(label="Office")
            desk.press("Add")
            desk.told("done")
        without = [f"User {number}" for number in (7, 8, 9)]

        def unlicensed() -> list[str]:
            desk.open("/pbx/objects")
            return desk.page.locator("tr.short th").all_inner_texts()

        assert unlicensed() == without
        desk.open("/pbx")
        assert desk.counter("Fax") == ["7", "7", "3"]
        desk.open("/")
        desk.press("Reset the device")
        assert unlicensed() == without
        desk.page.get_by_role("link", name="User 9").click()
        expect(desk.page.locator('tr[data-feature="Fax"]')).to_have_attribute("data-state", "unlicensed")
        desk.open("/pbx/objects")
        desk.page.get_by_role("link", name="User 0").click()
        desk.page.get_by_role("link", name="General", exact=True).last.click()
        desk.page.get_by_label("Config template").select_option(label="none")
        desk.press("Save")
        assert unlicensed() == without[1:]

    def test_the_check_up_finds_each_of_five_planted_faults(self, desk: Desk) -> None:
        def faults() -> set[str | None]:
            desk.open("/check-up")
            found = desk.page.locator('[data-good="no"]')
            return {found.nth(at).get_attribute("data-step") for at in range(found.count())}

        lent = {**item("UC"), "class": "test", "ret": False, "exp": NOW - HOUR}
        port, old = item("Port", quantity=2), item("Video", version=13)
        desk.add(port)
        desk.press("Reset now")
        assert faults() == set()
        desk.bench.device().want({"Port": 3})
        assert faults() == {Step.PBX}
        desk.bench.device().change_objects(lambda objects: objects.with_new_user("Ada"))
        desk.open("/pbx/objects")
        desk.page.get_by_role("link", name="Ada").click()
        desk.page.get_by_role("checkbox", name="Voicemail").check()
        desk.press("Save marks")
        assert faults() == {Step.PBX, Step.USERS}
        desk.add(port, lent, old, seq=2)
        assert faults() == {Step.PBX, Step.USERS, Step.RESET, Step.VERSION, Step.TEST_LICENSE}
        desk.press("Reset now")
        assert faults() == {Step.USERS, Step.VERSION, Step.TEST_LICENSE}
        desk.page.get_by_role("link", name="To the License tab").click()
        desk.page.get_by_role("checkbox", name="Voicemail").uncheck()
        desk.press("Save marks")
        assert faults() == {Step.VERSION, Step.TEST_LICENSE}


PAGES = (
    "/",
    "/certificate",
    "/gateway",
    "/pbx",
    "/pbx/objects",
    "/pbx/objects/2",
    "/pbx/objects/2/license",
    "/pbx/templates",
    "/pbx/templates/1",
    "/check-up",
    "/delete?all=1",
    "/return?all=1",
)


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1280, True)], ids=["phone", "dark"])
class TestLooks:
    def test_axe_finds_nothing_on_any_page_and_nothing_sticks_out(
        self, chromium: Chromium, browser: Browser, online: Bench, width: int, dark: bool
    ) -> None:
        device = online.device()
        device.install(online.issuer.bundle(HARDWARE_ID, items=[item("Port"), item("Fax", quantity=1)]))
        device.begin_test_mode()
        device.change_objects(
            lambda objects: (
                objects.with_new_template("Office")
                .with_new_user("Ada Example", number="12", template=1)
                .with_new_user("Boris Example-With-A-Name-That-Does-Not-End")
            )
        )
        scheme = "dark" if dark else "light"
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        window = context.new_page()
        window.goto(f"http://127.0.0.1:{browser.port}/sign-in")
        found = {}

        def look(path: str) -> None:
            window.goto(f"http://127.0.0.1:{browser.port}{path}")
            results = Axe().run(window)
            found[path] = results.generate_report() if results.violations_count else ""
            assert fits(window), path

        look("/sign-in")
        window.get_by_label("Password").fill(PASSWORD)
        window.get_by_role("button", name="Sign in").click()
        for path in PAGES:
            look(path)
            assert window.url.endswith(path)
        context.close()
        assert {path: report for path, report in found.items() if report} == {}

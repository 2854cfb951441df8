import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from accounts.models import Company, User
from devices.models import Device
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.factories import NOW, PASSWORD

pytestmark = pytest.mark.browser

HARDWARE_ID = "00-90-33-01-0A-FF"
JTI = "AAECAwQFBgcICQoLDA0ODw"


@pytest.fixture
def company(catalogue: None, keyring: object) -> Company:
    """A company in which there is something of everything."""
    alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
    factories.make_user(name="Dora", email="dora@example.com", password=PASSWORD)
    company = factories.activated(factories.make_company(founder=alice), {"UC": 5, "ApplicationSharing": 3})
    project = factories.activated(factories.first_project(company), {"Port": 10, "Channels": 4})
    device = factories.make_device(project=project, hardware_id=HARDWARE_ID, name="Main building")
    factories.assigned(device, 3)
    factories.give_back(device, factories.assigned(device, 1), "A" * 22, key=JTI)
    factories.make_project(company=company, name="City hospital")
    return company


def findings(page: Page) -> str:
    results = Axe().run(page)
    return results.generate_report() if results.violations_count else ""


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.goto("/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1280, True)], ids=["phone", "dark"])
class TestPages:
    def test_axe_finds_nothing_on_any_page(
        self, width: int, dark: bool, open_window: OpenWindow, company: Company
    ) -> None:
        page = open_window(width=width, dark=dark).page
        page.goto("/")
        found = {"sign-in": findings(page)}
        sign_in(page, "alice@example.com")
        [default, other] = company.projects.order_by("pk")
        for address in (
            "/",
            "/activate",
            "/companies/new",
            f"/companies/{company.pk}",
            f"/companies/{company.pk}/projects/new",
            f"/companies/{company.pk}/transfer",
            f"/projects/{default.pk}",
            f"/projects/{other.pk}",
            f"/devices/{HARDWARE_ID}",
            f"/devices/{HARDWARE_ID}/returns/{JTI}",
            f"/projects/{default.pk}/claim",
            "/nowhere",
            "/problems/insufficient-licenses",
        ):
            page.goto(address)
            found[address] = findings(page)
            width_of_content = page.evaluate("document.documentElement.scrollWidth")
            assert width_of_content <= width, address
        assert {address: report for address, report in found.items() if report} == {}

    def test_axe_finds_nothing_where_something_was_refused_or_is_asked(
        self, width: int, dark: bool, open_window: OpenWindow, company: Company
    ) -> None:
        page = open_window(width=width, dark=dark).page
        sign_in(page, "alice@example.com", "wrong")
        found = {"sign-in": findings(page)}
        sign_in(page, "alice@example.com")
        page.goto("/activate")
        page.get_by_label("Activation key").fill(factories.make_key())
        page.get_by_role("button", name="Look what it holds").click()
        found["confirm"] = findings(page)
        page.get_by_role("button", name="Activate the key").click()
        found["activated"] = findings(page)
        page.goto(f"/companies/{company.pk}/transfer?from=company:{company.pk}")
        page.get_by_label("To", exact=True).select_option(label="Project DEFAULT")
        page.get_by_label("Quantity").fill("1")
        page.get_by_role("button", name="Look at the numbers").click()
        found["transfer"] = findings(page)
        page.goto(f"/devices/{HARDWARE_ID}")
        page.get_by_label("Quantity").fill("1000")
        page.get_by_role("button", name="Assign").click()
        found["assign"] = findings(page)
        page.get_by_text("Carry files by phone").click()
        page.get_by_label("or its text").fill("nonsense")
        page.get_by_role("button", name="Hand in the file").click()
        found["hand in"] = findings(page)
        assert {name: report for name, report in found.items() if report} == {}

    def test_axe_finds_nothing_where_a_device_is_taken_or_blocked(
        self, width: int, dark: bool, open_window: OpenWindow, company: Company
    ) -> None:
        dora = factories.make_company(founder=User.objects.get(forename="Dora"), name="Dora Systems")
        Device.objects.update(blocked_at=NOW, pinned_spki=b"\x07" * 32, pinned_at=NOW)
        page = open_window(width=width, dark=dark).page
        sign_in(page, "alice@example.com")
        page.goto(f"/devices/{HARDWARE_ID}")
        found = {"blocked": findings(page)}
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("button", name="Sign out").click()
        sign_in(page, "dora@example.com")
        page.goto(f"/projects/{factories.first_project(dora).pk}")
        page.get_by_label("Hardware ID").fill(HARDWARE_ID)
        page.get_by_role("button", name="Add the device").click()
        found["taken"] = findings(page)
        page.get_by_role("link", name="Claim this device").click()
        page.get_by_role("button", name="Make the code").click()
        found["code"] = findings(page)
        assert {name: report for name, report in found.items() if report} == {}

    def test_axe_finds_nothing_where_there_is_nothing_yet(
        self, width: int, dark: bool, open_window: OpenWindow, company: Company
    ) -> None:
        page = open_window(width=width, dark=dark).page
        sign_in(page, "dora@example.com")
        found = {"home": findings(page)}
        page.goto("/activate")
        found["activate"] = findings(page)
        assert {name: report for name, report in found.items() if report} == {}

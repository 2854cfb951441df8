"""Lists whose filters, pages and orders replace a part of the page; without JavaScript, and on paper."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Company
from accounts.permissions import Role
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.test_partner_pages import sign_in
from tests.factories import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def company(catalogue: None, keyring: object) -> Company:
    """A company of Alice's with sixty devices in its first project."""
    alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
    company = factories.make_company(founder=alice)
    project = factories.activated(factories.first_project(company), {"Port": 100})
    for number in range(60):
        factories.make_device(project=project, name=f"Branch {number:02}")
    return company


def walk_the_list(page: Page, project: str) -> None:
    """Second page, other order, narrowed, back: what the list shows and what stands in the address."""
    rows = page.locator("table.devices tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile(r"page=2"))
    expect(rows).to_have_count(10)
    page.get_by_role("link", name="Hardware ID").click()
    expect(page).to_have_url(re.compile(r"sort=-id"))
    expect(rows.first).to_contain_text("Branch 59")
    page.get_by_label("Part of a hardware ID or name").fill("Branch 0")
    page.get_by_label("Part of a hardware ID or name").press("Enter")
    expect(page).to_have_url(re.compile(r"find=Branch\+0"))
    expect(rows).to_have_count(10)
    expect(rows.first).to_contain_text("Branch 09")
    page.go_back()
    expect(rows).to_have_count(50)
    expect(rows.first).to_contain_text("Branch 59")
    assert project in page.url


class TestLists:
    def test_only_the_list_is_replaced_and_the_focus_and_the_page_stay_where_they_are(
        self, open_window: OpenWindow, company: Company
    ) -> None:
        visit = open_window(width=1280)
        page = visit.page
        sign_in(page)
        project = f"/projects/{factories.first_project(company).pk}"
        page.goto(project)
        page.wait_for_load_state()
        page.evaluate("window.stays = true")
        page.evaluate(
            "window.shift = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries())"
            " if (!entry.hadRecentInput) window.shift += entry.value; }).observe({ type: 'layout-shift' })"
        )
        walk_the_list(page, project)
        assert page.evaluate("window.stays") is True, "the page was never loaded anew"
        assert page.evaluate("window.shift") < 0.1
        find = page.get_by_label("Part of a hardware ID or name")
        find.fill("Branch 11")
        find.press("Enter")
        expect(page.locator("table.devices tbody tr")).to_have_count(1)
        expect(find).to_be_focused()
        expect(page.locator("time").first).not_to_contain_text("UTC")
        page.get_by_role("checkbox", name="Choose all").check()
        expect(page.locator("input[name=device]")).to_be_checked()
        page.reload()
        expect(page.locator("table.devices tbody tr")).to_have_count(1)
        assert (visit.complaints, visit.strangers) == ([], [])

    @pytest.mark.parametrize("java_script", [True, False], ids=["in place", "without JavaScript"])
    def test_lists_of_the_console_are_walked_through_alike(
        self, open_window: OpenWindow, catalogue: None, java_script: bool
    ) -> None:
        for number in range(60):
            factories.make_customer(number=f"C-{number:04}", postal_code="71063")
        sam = factories.make_user(name="Sam", email="sam@example.com", is_staff=True, roles=list(Role))
        page = open_window(width=1280, java_script=java_script, user=sam).page
        page.goto("/staff/customers")
        page.wait_for_load_state()
        if java_script:
            page.evaluate("window.stays = true")
        rows = page.locator("#list tbody tr")
        expect(rows).to_have_count(50)
        page.get_by_role("link", name="Next").click()
        expect(rows).to_have_count(10)
        page.get_by_label("Number, name or town").fill("C-0007")
        page.get_by_label("Number, name or town").press("Enter")
        expect(rows).to_have_count(1)
        expect(page).to_have_url(re.compile("q=C-0007"))
        if java_script:
            assert page.evaluate("window.stays") is True, "the page was never loaded anew"

    def test_all_of_it_works_without_javascript(self, open_window: OpenWindow, company: Company) -> None:
        page = open_window(width=360, java_script=False).page
        sign_in(page)
        project = f"/projects/{factories.first_project(company).pk}"
        page.goto(project)
        walk_the_list(page, project)

    def test_days_are_those_of_the_reader(self, open_window: OpenWindow, company: Company) -> None:
        page = open_window(width=1280).page
        sign_in(page)
        page.goto(f"/companies/{company.pk}/history")
        expect(page.get_by_text("Europe/Berlin")).to_be_visible()
        page.get_by_label("Since").fill("2026-11-25")
        page.get_by_role("button", name="Show").click()
        expect(page).to_have_url(re.compile("zone=Europe%2FBerlin"))
        expect(page.get_by_label("Since")).to_have_attribute("title", "2026-11-24 23:00:00 UTC")

    def test_on_paper_are_the_list_and_nothing_to_click(
        self, open_window: OpenWindow, company: Company
    ) -> None:
        page = open_window(width=1280, dark=True).page
        sign_in(page)
        page.goto(f"/projects/{factories.first_project(company).pk}")
        page.emulate_media(media="print", color_scheme="dark")
        expect(page.locator("table.devices")).to_be_visible()
        for gone in ("header.top", "footer", ".pages", ".filter", "td.choose", "#add"):
            expect(page.locator(gone).first).not_to_be_visible()
        colors = page.locator("table.devices td.of-id").first.evaluate(
            "cell => [getComputedStyle(cell).color, getComputedStyle(document.body).backgroundColor,"
            " getComputedStyle(cell.closest('table').tHead).display]"
        )
        assert colors == ["rgb(0, 0, 0)", "rgb(255, 255, 255)", "table-header-group"]

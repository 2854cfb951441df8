"""Whole ways through the portal: the first purchase in less than a minute, by keyboard alone, and looking
back and ahead."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import Company, User
from licenses import activation, delivery, trials
from portal.core import clock
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.factories import NOW, PASSWORD, caller
from tests.web.letters import letter, link_in

pytestmark = pytest.mark.browser

HARDWARE_ID = "00-90-33-01-0A-FF"
ADDRESS = "dora@example.com"
SHORT_PASSWORD = "kupferkessel-471"  # as short as people's are who type theirs
SECONDS_A_CLICK = 1.0
CHARACTERS_A_SECOND = 5
SECONDS_A_PAGE = 0.5
"""How long somebody takes who knows what to do: what counts is how much a page asks for, not how fast the
machine is that runs the test."""


@dataclass
class Hand:
    """Clicks and types, and counts both, and the pages that came of it."""

    page: Page
    clicks: int = 0
    characters: int = 0
    pages: int = 0

    def __post_init__(self) -> None:
        self.page.on("load", self._turned)

    def _turned(self, _page: Page) -> None:
        self.pages += 1

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def type(self, target: Locator, text: str) -> None:
        """A field has the focus already, is the next one by the key Tab, or is clicked into."""
        if not self._has_focus(target):
            self.page.keyboard.press("Tab")
            if self._has_focus(target):
                self.characters += 1
            else:
                self.clicks += 1
        target.fill(text)
        self.characters += len(text)

    @staticmethod
    def _has_focus(target: Locator) -> bool:
        return bool(target.evaluate("field => field === document.activeElement"))

    def choose(self, target: Locator, value: str) -> None:
        """Two clicks, open the list, take one; none, where it is chosen already."""
        if target.input_value() == value:
            return
        target.select_option(value)
        self.clicks += 2

    @property
    def seconds(self) -> float:
        """By the model above."""
        return (
            self.clicks * SECONDS_A_CLICK
            + self.characters / CHARACTERS_A_SECOND
            + self.pages * SECONDS_A_PAGE
        )


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


class TestFirstPurchase:
    def test_from_registering_to_a_licensed_device_it_is_less_than_a_minute(
        self, open_window: OpenWindow, catalogue: None, keyring: object
    ) -> None:
        code = factories.make_key(lines={"Port": 10, "UC": 5})
        visit = open_window(width=360)
        page, hand = visit.page, Hand(visit.page)
        page.goto("/")
        hand.click(page.get_by_role("link", name="Register"))
        hand.type(page.get_by_label("Forename"), "Dora")
        hand.type(page.get_by_label("Surname"), "Dietz")
        hand.type(page.get_by_label("E-mail address"), ADDRESS)
        hand.type(page.get_by_label("Password"), SHORT_PASSWORD)
        hand.click(page.get_by_label("I have read the terms"))
        hand.click(button(page, "Register"))
        expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
        page.goto(link_in(letter(ADDRESS)))
        hand.clicks += 2  # open the mail, click its link
        hand.click(button(page, "Accept the terms and activate"))
        hand.type(page.get_by_label("E-mail address"), ADDRESS)
        hand.type(page.get_by_label("Password"), SHORT_PASSWORD)
        hand.click(button(page, "Sign in"))
        hand.click(page.get_by_role("main").get_by_role("link", name="Create a company").first)
        hand.type(page.get_by_label("Name of the company"), "Dietz Telecom")
        hand.click(page.get_by_role("main").get_by_role("button").first)
        expect(page.get_by_role("heading", name="Dietz Telecom")).to_be_visible()
        project = factories.first_project(Company.objects.get(name="Dietz Telecom"))
        hand.click(page.get_by_role("link", name="Activate a key").first)
        hand.type(page.get_by_label("Activation key"), code.replace("-", ""))
        hand.choose(page.get_by_label("Put its licenses into"), f"project:{project.pk}")
        hand.click(button(page, "Look what it holds"))
        hand.click(button(page, "Activate the key"))
        hand.click(page.get_by_role("link", name="To the project"))
        hand.type(page.get_by_label("Hardware ID", exact=True), HARDWARE_ID.replace("-", ""))
        hand.click(button(page, "Add the device"))
        hand.choose(page.get_by_label("Product"), "Port/14")
        hand.type(page.get_by_label("Quantity"), "4")
        hand.click(button(page, "Assign"))
        expect(page.get_by_text("4 × Port 14 assigned.")).to_be_visible()
        with page.expect_download() as coming:
            hand.click(button(page, "Download the .lic file"))

        assert json.loads(coming.value.path().read_bytes())["bundle"] == "olp/1"
        assert hand.seconds < 60, hand
        # Nobody should have to do more than this; whoever adds a step explains it here.
        assert (hand.clicks, hand.pages) <= (40, 20), hand
        assert (visit.complaints, visit.strangers) == ([], [])


MOST_TABS = 80


@dataclass
class Keys:
    """Somebody without a mouse: goes from control to control, and sees which one has the focus."""

    page: Page

    def reach(self, target: Locator) -> None:
        """Tab on until the focus is there, and can be seen."""
        self.page.wait_for_load_state()
        for _ in range(MOST_TABS):
            if target.evaluate("one => one === document.activeElement"):
                break
            self.page.keyboard.press("Tab")
        else:
            raise AssertionError(f"{target} is not reached by keyboard")
        outline = target.evaluate("one => getComputedStyle(one).outlineStyle")
        assert outline != "none", f"the focus on {target} cannot be seen"

    def enter(self, target: Locator, text: str) -> None:
        self.reach(target)
        self.page.keyboard.type(text)

    def press(self, target: Locator) -> None:
        self.reach(target)
        self.page.keyboard.press("Enter")


class TestKeyboard:
    def test_it_leads_from_the_sign_in_to_a_licensed_device(
        self, open_window: OpenWindow, catalogue: None, keyring: object
    ) -> None:
        alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
        factories.make_company(founder=alice)
        code = factories.make_key(lines={"Port": 10})
        visit = open_window(width=1280)
        page, keys = visit.page, Keys(visit.page)
        page.goto("/")
        keys.enter(page.get_by_label("E-mail address"), "alice@example.com")
        keys.enter(page.get_by_label("Password"), PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        page.wait_for_load_state()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        keys.press(page.get_by_role("main").get_by_role("link", name="Activate a key").first)
        expect(page.get_by_role("heading", name="Activate a key")).to_be_visible()
        keys.enter(page.get_by_label("Activation key"), code)
        keys.enter(page.get_by_label("Put its licenses into"), "Project")
        keys.press(button(page, "Look what it holds"))
        expect(page.get_by_role("heading", name="Activate this key?")).to_be_visible()
        keys.press(button(page, "Activate the key"))
        expect(page.get_by_role("heading", name="The key is activated")).to_be_visible()
        keys.press(page.get_by_role("link", name="To the project"))
        expect(page.get_by_role("heading", name="DEFAULT")).to_be_visible()
        keys.enter(page.get_by_label("Hardware ID", exact=True), HARDWARE_ID)
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"The device {HARDWARE_ID} is in the project.")).to_be_visible()
        keys.enter(page.get_by_label("Product"), "Port")
        keys.enter(page.get_by_label("Quantity"), "4")
        page.keyboard.press("Enter")
        expect(page.get_by_text("4 × Port 14 assigned.")).to_be_visible()
        with page.expect_download():
            keys.press(button(page, "Download the .lic file"))
        assert (visit.complaints, visit.strangers) == ([], [])


class TestLookingBackAndAhead:
    def test_what_ends_next_and_what_was_free_last_month_are_two_clicks_away(
        self, open_window: OpenWindow, catalogue: None, keyring: object
    ) -> None:
        alice: User = factories.make_user(name="Alice", email="alice@example.com")
        company = factories.make_company(founder=alice)
        project = factories.first_project(company)
        earlier = NOW - timedelta(days=45)
        activation.activate_key(
            code=factories.make_key(lines={"Port": 10}), target=project, caller=caller(alice), now=earlier
        )
        factories.activated(project, {"Port": 5, "UC": 7})
        device = factories.make_device(project=project, hardware_id=HARDWARE_ID)
        now = clock.now()
        given: dict[str, Any] = {"device": device, "caller": caller(alice), "now": now - timedelta(days=10)}
        trials.create_test_license(**given, version=14, slave=True, quantity=None)
        delivery.download_test_license(**given)
        factories.make_token(
            "read", company=company, maker=alice, name="ERP", expires_at=now + timedelta(days=20)
        )
        visit = open_window(width=360, user=alice)
        page, hand = visit.page, Hand(visit.page)
        page.goto("/")
        hand.click(page.get_by_role("link", name="Endings"))
        lines = page.locator("main .balances li")
        expect(lines.first).to_contain_text("ERP")
        expect(lines.first).to_contain_text("in 20 days")
        hand.click(page.get_by_role("link", name=HARDWARE_ID))
        expect(page).to_have_url(re.compile(f"/devices/{HARDWARE_ID}$"))
        hand.click(page.get_by_role("navigation", name="Where you are").get_by_role("link", name="DEFAULT"))
        hand.click(page.get_by_role("link", name="At another moment"))
        hand.type(page.get_by_label("Moment"), "2026-10-24T14:00")
        hand.click(button(page, "Show"))
        rows = page.get_by_role("row")
        expect(rows).to_have_count(2)
        expect(rows.last).to_contain_text("10")
        # What was typed is of the reader's zone, which is summer time then.
        expect(page.locator("h2 time")).to_have_attribute("title", "2026-10-24 12:00:00 UTC")
        assert hand.seconds < 20, hand
        assert (visit.complaints, visit.strangers) == ([], [])

"""What every page must look like, asked of a real Chromium."""

from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Locator, Page

from accounts.models import User
from tests.factories import PASSWORD

AXE = Axe()
# What is right is of no interest, and there are no frames.
OPTIONS: dict[str, Any] = {"resultTypes": ["violations"], "iframes": False}


def findings(page: Page) -> str:
    """What axe-core finds on the page; "" if nothing."""
    results = AXE.run(page, options=OPTIONS)
    return results.generate_report() if results.violations_count else ""


def sign_in(page: Page, user: User) -> None:
    """The window goes on as this person, without the way through the form; from a page of the portal."""
    address = urlsplit(page.url)
    page.context.add_cookies([session_of(user, f"{address.scheme}://{address.netloc}")])
    page.goto("/")


def sign_in_by_form(page: Page, email: str, password: str = PASSWORD) -> None:
    """As people do it."""
    page.goto("/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def session_of(user: User, address: str) -> Any:
    """The cookie that a browser gets when this person signs in at an address."""
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    return {"name": cookie.key, "value": cookie.value, "url": address}


def follow(locator: Locator) -> None:
    """Clicks what leads to another page, and waits until that is there: a click alone does not wait."""
    with locator.page.expect_navigation():
        locator.click()


def fits(page: Page) -> bool:
    """Nothing sticks out to the right.

    Asked of the element, which Playwright waits for: right after a click the window may stand between two
    pages and have no document at all.
    """
    width = page.locator("html").evaluate("html => html.scrollWidth")
    return bool(width <= (page.viewport_size or {"width": 0})["width"])

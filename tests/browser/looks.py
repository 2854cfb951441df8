"""What every page must look like, asked of a real Chromium."""

from playwright.sync_api import Page


def fits(page: Page) -> bool:
    """Nothing sticks out to the right.

    Asked of the element, which Playwright waits for: right after a click the window may stand between two
    pages and have no document at all.
    """
    width = page.locator("html").evaluate("html => html.scrollWidth")
    return bool(width <= (page.viewport_size or {"width": 0})["width"])

"""A real Chromium that talks to the live server and to nobody else."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.browser.looks import session_of


@dataclass
class Visit:
    """A browser window, what its console complained of, and requests that left the house."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


OpenWindow = Callable[..., Visit]


@pytest.fixture
def open_window(chromium: Browser, live_server: LiveServer) -> Iterator[OpenWindow]:
    """A function that opens a window of a width in pixels, with or without JavaScript.

    `user` is signed in from the start. `host` is another name of this machine than its number, for what
    browsers grant to names only.
    """
    with ExitStack() as windows:

        def open_one(
            *,
            width: int = 1280,
            java_script: bool = True,
            dark: bool = False,
            language: str = "en",
            host: str = "",
            user: User | None = None,
        ) -> Visit:
            address = live_server.url.replace("127.0.0.1", host) if host else live_server.url
            context = chromium.new_context(
                viewport={"width": width, "height": 800},
                java_script_enabled=java_script,
                color_scheme="dark" if dark else "light",
                locale={"en": "en-GB", "de": "de-DE"}[language],
                timezone_id="Europe/Berlin",
                base_url=address,
                permissions=["clipboard-read", "clipboard-write"],
            )
            windows.callback(context.close)
            if user is not None:
                context.add_cookies([session_of(user, address)])
            visit = Visit(page=context.new_page())
            visit.page.set_default_timeout(10_000)
            visit.page.on(
                "console",
                lambda message: (
                    visit.complaints.append(message.text) if message.type in {"error", "warning"} else None
                ),
            )
            visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
            visit.page.on(
                "request",
                lambda request: (
                    None
                    if request.url.startswith((address, "data:"))
                    else visit.strangers.append(request.url)
                ),
            )
            return visit

        yield open_one

"""Every page of the rights table as somebody sees it who may: whoever adds a page need not add it here."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.architecture.rights_table import TABLE, World
from tests.architecture.test_rights_table import _counts, _patterns, ask, weakest, world
from tests.browser.conftest import OpenWindow
from tests.browser.looks import findings, fits

__all__ = ["_counts", "world"]  # fixtures made elsewhere

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.usefixtures("catalogue", "keyring", "today")]

# Whoever sees the most comes first; whoever sees the least stands behind, where both look.
MOST = ("admin", "staff", "invited", "stranger", "nobody")
# What the rights table leaves to the tests of accounts, as somebody sees it who has just signed in.
OF_AN_ACCOUNT = {
    "account_email",
    "account_change_password",
    "account_email_verification_sent",
    "account_inactive",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "accept-terms",
    "account-delete",
    "mfa_activate_totp",
    "mfa_add_webauthn",
}
PAGE = "text/html"


def is_page(response: Any) -> bool:
    """Something to look at, and neither a file nor the way to another page."""
    headers = response.headers
    return (
        response.status_code == 200
        and headers["Content-Type"].startswith(PAGE)
        and "Content-Disposition" not in headers
    )


def seen_by(world: World, key: str) -> Iterator[tuple[str, str]]:
    """Roles and the address at which they see a page, those that see the most of it first."""
    may = TABLE[key].may
    roles = [role for role in MOST if role in may][:1]
    for role in roles + [role for role in weakest(may) if "nobody" not in may and role not in roles]:
        response = ask(world, key, role)
        if not is_page(response):
            return
        yield role, response.request["PATH_INFO"]


def pages(world: World) -> list[tuple[str, str]]:
    """Roles and addresses of pages; those of a role stand together."""
    found = {("admin", f"/{one.pattern}") for one in _patterns() if one.name in OF_AN_ACCOUNT}
    for key in TABLE:
        if key.startswith("GET ") and (not key.startswith("GET api-") or key == "GET api-reference"):
            found |= set(seen_by(world, key))
    return sorted(found)


COMBINATIONS = [
    pytest.param(width, dark, language, id=f"{width}-{'dark' if dark else 'light'}-{language}")
    for width, dark, language in itertools.product((360, 1280), (False, True), ("en", "de"))
]


@pytest.mark.parametrize(("width", "dark", "language"), COMBINATIONS)
def test_axe_finds_nothing_and_nothing_sticks_out(
    width: int, dark: bool, language: str, open_window: OpenWindow, world: World
) -> None:
    all_of_them = pages(world)
    wrong = {}

    for role, found in itertools.groupby(all_of_them, key=lambda one: one[0]):
        user = world.people.get(role)
        page = open_window(width=width, dark=dark, language=language, user=user).page
        for _role, address in found:
            response = page.goto(address)
            if response is None or response.status != 200 or page.url.partition("?")[0].endswith("/sign-in"):
                wrong[role, address] = f"{response and response.status} at {page.url}"
            elif report := findings(page):
                wrong[role, address] = report
            elif not fits(page):
                wrong[role, address] = "something sticks out"

    assert wrong == {}
    assert len(all_of_them) > 80

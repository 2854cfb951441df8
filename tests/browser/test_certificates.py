"""From the vendor's order to the licenses in the partner's balance, by the code on the certificate."""

import json
import re
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.permissions import Role
from licenses import activation_code
from licenses.models import ActivationKey
from tests import factories
from tests.browser.conftest import OpenWindow, Visit
from tests.factories import PASSWORD
from tests.reading_codes import codes_on, pages_of
from tests.web.codes import code_of
from tests.web.letters import letter, link_in

pytestmark = pytest.mark.browser


@dataclass
class Wire:
    """Everything that a browser sends, and where a key was in it."""

    key: str
    carried: list[str] = field(default_factory=list)

    def listen(self, visit: Visit) -> None:
        visit.page.context.on("request", self._look)

    def _look(self, request: Request) -> None:
        if self._has_key(request.url) or any(self._has_key(value) for value in request.headers.values()):
            self.carried.append(f"address or head of {request.method} {request.url.partition('#')[0]}")
        if self._has_key(request.post_data or ""):
            self.carried.append(f"body of {request.method} {request.url}")

    def _has_key(self, text: str) -> bool:
        return activation_code.read(self.key) in unquote(text).replace("-", "").upper()


@pytest.fixture
def catalogue_of_the_portal(catalogue: None, live_server: LiveServer, settings: LazySettings) -> None:
    """The products; and certificates lead to the portal of this test."""
    settings.PORTAL_ORIGINS = [live_server.url]


@pytest.fixture
def sam(catalogue_of_the_portal: None) -> User:
    """Somebody in fulfilment."""
    return factories.make_user(
        name="Sam", email="sam@example.com", password=PASSWORD, is_staff=True, roles=[Role.FULFILMENT]
    )


def order_comes_in(origin: str, token: str) -> dict[str, Any]:
    """What the vendor's ERP sends, and the answer it gets."""
    body = {
        "number": "SO-2026/17",
        "reference": "Town hall",
        "customer": "Müller & Söhne GmbH",
        "lines": [
            {"product": "Port", "version": 14, "quantity": 10},
            {"product": "UC", "version": 14, "quantity": 5},
        ],
    }
    sent = urllib.request.Request(
        f"{origin}/api/v1/orders",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(sent, timeout=10) as answer:
        entered: dict[str, Any] = json.load(answer)
    return entered


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def made_in_the_console(visit: Visit, key: ActivationKey) -> bytes:
    """The PDF, as somebody in fulfilment downloads it."""
    page = visit.page
    page.goto(f"/staff/orders/{key.order_id}/certificate")
    sign_in(page, "sam@example.com")
    page.get_by_label("Language of the recipient").select_option(label="Deutsch")
    with page.expect_download() as download:
        page.get_by_role("button", name="Make the certificate").click()
    assert download.value.suggested_filename == "certificate-SO-2026-17.pdf"
    return Path(download.value.path()).read_bytes()


def add_an_app(page: Page) -> str:
    """A recovery code: an app's own code was just used, and is not taken twice."""
    page.goto("/account")
    page.get_by_role("link", name="Add an authenticator app").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    secret = page.get_by_text(re.compile("^[A-Z2-7]{32}$")).first.inner_text()
    page.get_by_label("Code", exact=True).fill(code_of(secret))
    page.get_by_role("button", name="Add the app").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    return page.locator(".codes li").first.inner_text()


def activate_what_is_filled_in(page: Page, code: str) -> None:
    expect(page).to_have_url(re.compile("/activate$"))
    expect(page.get_by_label("Activation key")).to_have_value(code)
    expect(page.get_by_role("button", name="Look what it holds")).to_be_focused()
    page.get_by_role("button", name="Look what it holds").click()
    expect(page.get_by_role("heading", name="Activate this key?")).to_be_visible()
    page.get_by_role("button", name="Activate the key").click()
    expect(page.get_by_role("heading", name="The key is activated")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


class TestFromOrderToBalance:
    def test_an_order_sent_twice_is_one_key_whose_printed_code_is_scanned_and_activated(
        self, open_window: OpenWindow, live_server: LiveServer, sam: User, tmp_path: Path
    ) -> None:
        token = str(factories.make_vendor_token(sam, "ERP").secret)
        first = order_comes_in(live_server.url, token)
        assert order_comes_in(live_server.url, token) == first
        key = ActivationKey.objects.get()
        [sheet] = pages_of(made_in_the_console(open_window(), key))
        scanned = codes_on(sheet, tmp_path)["QR-Code"]
        code = scanned.partition("#")[2]
        assert code == first["keys"][0]["code"]
        alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
        company = factories.make_company(founder=alice)
        telephone = open_window(width=360)
        page, wire = telephone.page, Wire(code)
        wire.listen(telephone)

        # The first time somebody signs in with the password alone, the second time with a second factor.
        page.goto(scanned)
        expect(page).to_have_url(re.compile(r"/sign-in\?next=/activate$"))
        sign_in(page, "alice@example.com")
        expect(page.get_by_label("Activation key")).to_have_value(code)
        recovery_code = add_an_app(page)
        page.get_by_role("button", name="Sign out").click()
        page.goto(scanned)
        sign_in(page, "alice@example.com")
        page.get_by_label("Code").fill(recovery_code)
        page.get_by_role("button", name="Sign in", exact=True).click()
        activate_what_is_filled_in(page, code)

        key.refresh_from_db()
        assert key.state == ActivationKey.State.ACTIVATED
        assert (factories.free(company, "Port"), factories.free(company, "UC")) == (10, 5)
        assert {line.partition("?")[0].rpartition("/")[2] for line in wire.carried} == {"activate"}
        assert all(line.startswith("body of POST ") for line in wire.carried)
        assert len(wire.carried) == 2  # to look at it, and to activate it
        assert telephone.complaints == []

    def test_the_key_waits_in_the_tab_while_somebody_registers_and_founds_a_company(
        self, open_window: OpenWindow, catalogue_of_the_portal: None
    ) -> None:
        code = factories.make_key()
        visit = open_window(width=360)
        page, wire = visit.page, Wire(code)
        wire.listen(visit)
        page.goto(f"/activate#{code}")
        page.get_by_role("link", name="Register").click()
        page.get_by_label("Forename").fill("Dora")
        page.get_by_label("Surname").fill("Dietz")
        page.get_by_label("E-mail address").fill("dora@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("I have read the terms").check()
        page.get_by_role("button", name="Register").click()
        expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
        page.goto(link_in(letter("dora@example.com")))
        page.get_by_role("button", name="Accept the terms and activate").click()
        page.goto("/companies/new")
        sign_in(page, "dora@example.com")
        expect(page.get_by_text("The key that you scanned waits in this tab.")).to_be_visible()
        page.get_by_label("Name of the company").fill("Dietz Telefonbau")
        page.get_by_role("button", name="Create the company").click()
        page.get_by_role("link", name="Activate it").click()
        activate_what_is_filled_in(page, code)
        expect(page.get_by_text("The key that you scanned waits in this tab.")).to_be_hidden()
        assert len(wire.carried) == 2
        assert all(line.startswith("body of POST ") for line in wire.carried)
        assert visit.complaints == []


class TestTheTab:
    def test_it_gives_the_key_to_nobody_who_comes_after(
        self, open_window: OpenWindow, catalogue_of_the_portal: None
    ) -> None:
        for name in ("alice", "bob"):
            user = factories.make_user(name=name.title(), email=f"{name}@example.com", password=PASSWORD)
            factories.make_company(founder=user, name=f"{name} Telecom")
        page = open_window().page
        page.goto("/")
        sign_in(page, "alice@example.com")
        # Not where keys are activated, so it waits; and another one takes its place without a new page.
        page.goto(f"/endings#{factories.make_key()}")
        expect(page).to_have_url(re.compile("/endings$"))
        page.evaluate("code => { location.hash = code }", factories.make_key())
        expect(page).to_have_url(re.compile("/endings$"))
        assert page.evaluate("sessionStorage.length") == 1

        page.get_by_role("button", name="Sign out").click()
        sign_in(page, "bob@example.com")
        page.goto("/activate")

        expect(page.get_by_label("Activation key")).to_have_value("")
        assert page.evaluate("sessionStorage.length") == 0

    def test_what_is_no_key_stays_in_the_address_and_without_scripts_the_key_is_typed(
        self, open_window: OpenWindow, catalogue_of_the_portal: None
    ) -> None:
        alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
        factories.make_company(founder=alice)
        page = open_window().page
        page.goto("/activate#main")
        expect(page).to_have_url(re.compile("#main$"))
        plain, code = open_window(java_script=False), factories.make_key()
        wire = Wire(code)
        wire.listen(plain)
        plain.page.goto(f"/activate#{code}")
        sign_in(plain.page, "alice@example.com")
        plain.page.get_by_label("Activation key").fill(code)
        plain.page.get_by_role("button", name="Look what it holds").click()
        expect(plain.page.get_by_role("heading", name="Activate this key?")).to_be_visible()
        assert len(wire.carried) == 1

"""A person's account in a real browser: from the registration to a lost telephone, and passkeys."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import CDPSession, Page, expect

from tests import factories
from tests.browser.conftest import OpenWindow, Visit
from tests.browser.looks import fits
from tests.factories import PASSWORD
from tests.web.codes import code_of
from tests.web.letters import letter, link_in

pytestmark = pytest.mark.browser

ADDRESS = "dora@example.com"


def complained_of_nothing(visit: Visit) -> None:
    """Neither the console nor the content security policy had anything to say, and nothing left the house."""
    assert visit.complaints == []
    assert visit.strangers == []


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(ADDRESS)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def expect_inside(page: Page) -> None:
    """Somebody is signed in."""
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def say_once_more(page: Page) -> None:
    """Answer the question that comes before changes of security."""
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def add_app(page: Page) -> str:
    """Add an authenticator app; the page then shows recovery codes. Returns the first of them."""
    page.goto("/account")
    page.get_by_role("link", name="Add an authenticator app").click()
    return add_app_after_question(page)


def add_app_after_question(page: Page) -> str:
    """The same, on the page that asks whether it is still the person."""
    say_once_more(page)
    assert fits(page)
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    secret = page.get_by_text(re.compile("^[A-Z2-7]{32}$")).first.inner_text()
    page.get_by_label("Code", exact=True).fill(code_of(secret))
    page.get_by_role("button", name="Add the app").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    codes = page.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    return codes[0]


@pytest.fixture
def dora(catalogue: None) -> None:
    """Somebody who can sign in with a password."""
    factories.make_user(name="Dora", email=ADDRESS, password=PASSWORD)


class TestRegistering:
    @pytest.mark.parametrize(
        ("width", "java_script"), [(360, True), (1280, True), (360, False)], ids=["phone", "desk", "plain"]
    )
    def test_the_mails_link_leads_to_a_first_sign_in(
        self, width: int, java_script: bool, open_window: OpenWindow, catalogue: None
    ) -> None:
        visit = open_window(width=width, java_script=java_script)
        page = visit.page
        page.goto("/")
        page.get_by_role("link", name="Register").click()
        page.get_by_label("Forename").fill("Dora")
        page.get_by_label("Surname").fill("Dietz")
        page.get_by_label("E-mail address").fill(ADDRESS)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("I have read the terms").check()
        assert fits(page)
        page.get_by_role("button", name="Register").click()
        expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
        page.goto(link_in(letter(ADDRESS)))
        expect(page.get_by_text("Dora Dietz")).to_be_visible()
        page.get_by_role("button", name="Accept the terms and activate").click()
        expect(page.get_by_text("You can sign in now.")).to_be_visible()
        sign_in(page)
        expect_inside(page)
        complained_of_nothing(visit)


class TestLostTelephone:
    def test_a_recovery_code_leads_back_and_the_lost_one_is_removed(
        self, open_window: OpenWindow, dora: None
    ) -> None:
        visit = open_window(width=360)
        page = visit.page
        sign_in(page)
        code = add_app(page)
        page.get_by_role("button", name="Sign out").click()
        sign_in(page)
        expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
        assert fits(page)
        page.get_by_label("Code", exact=True).fill("000000")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("alert").first).to_be_visible()
        page.get_by_label("Code", exact=True).fill(code)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect_inside(page)
        page.goto("/account")
        page.get_by_role("link", name="Remove the authenticator app").click()
        say_once_more(page)
        page.get_by_role("button", name="Remove the app").click()
        expect(page.get_by_text("The authenticator app is removed.")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        sign_in(page)
        expect(page).to_have_url(re.compile("/$"))
        assert [text for text in visit.complaints if "400" not in text] == []


class TestPasskeys:
    @pytest.fixture
    def visit(self, open_window: OpenWindow, dora: None) -> Iterator[Visit]:
        """A window with a virtual authenticator, at `localhost`: an IP address can have no passkeys."""
        visit = open_window(host="localhost")
        page = visit.page
        session: CDPSession = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        yield visit
        session.detach()

    def add_passkey(self, page: Page, *, alone: bool) -> None:
        page.goto("/account")
        page.get_by_role("link", name="Add a passkey").click()
        say_once_more(page)
        page.get_by_label("Name").fill("Telephone")
        page.get_by_label("Sign in with it alone").set_checked(alone)
        page.get_by_role("button", name="Add the passkey").click()
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()

    def test_one_is_enough_to_sign_in(self, visit: Visit) -> None:
        page = visit.page
        sign_in(page)
        self.add_passkey(page, alone=True)
        page.goto("/account")
        expect(page.get_by_text("Passkey, also without a password")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Use a passkey").click()
        expect_inside(page)
        complained_of_nothing(visit)

    def test_one_stands_behind_the_password(self, visit: Visit) -> None:
        page = visit.page
        sign_in(page)
        self.add_passkey(page, alone=False)
        page.goto("/account")
        page.get_by_role("button", name="Sign out").click()
        sign_in(page)
        expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
        page.get_by_role("button", name="Use a passkey").click()
        expect_inside(page)
        complained_of_nothing(visit)

    def test_one_answers_whether_it_is_still_the_person_and_can_be_renamed_and_removed(
        self, visit: Visit
    ) -> None:
        page = visit.page
        sign_in(page)
        self.add_passkey(page, alone=True)
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Use a passkey").click()
        expect_inside(page)
        page.goto("/account")
        page.get_by_role("link", name="Rename Telephone").click()
        page.get_by_role("link", name="a passkey").click()
        page.get_by_role("button", name="Use a passkey").click()
        page.get_by_label("Name").fill("Blue key")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("link", name="Remove Blue key").click()
        page.get_by_role("button", name="Remove the passkey").click()
        expect(page.get_by_text("The passkey is removed.")).to_be_visible()
        complained_of_nothing(visit)

    def test_a_refusal_of_the_browser_is_told(self, open_window: OpenWindow, dora: None) -> None:
        page = open_window().page  # at an address in numbers, where browsers use no passkeys
        page.goto("/sign-in")
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_text("The passkey was not used.")).to_be_visible()


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1280, True)], ids=["phone", "dark"])
class TestPages:
    def test_axe_finds_nothing_and_nothing_sticks_out(
        self, width: int, dark: bool, open_window: OpenWindow, dora: None
    ) -> None:
        page = open_window(width=width, dark=dark).page
        found: dict[str, str] = {}
        outside = ("/register", "/register/mail-sent", "/forgot-password", "/terms")
        inside = (
            "/account",
            "/account/profile",
            "/account/address",
            "/account/password",
            "/account/sessions",
            "/account/recovery-codes",
            "/account/passkeys/add",
            "/account/app/remove",
            "/account/delete",
        )
        for address in outside:
            self.look(page, address, found)
        sign_in(page)
        self.look(page, "/account/app/add", found)
        add_app_after_question(page)
        for address in inside:
            self.look(page, address, found)
        assert found == {}

    def look(self, page: Page, address: str, found: dict[str, str]) -> None:
        page.goto(address)
        results = Axe().run(page)
        if results.violations_count:
            found[address] = results.generate_report()
        assert fits(page), address

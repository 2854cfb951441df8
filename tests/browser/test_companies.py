"""From a new account to a company with a colleague, an end customer, and an accident taken in."""

import pytest
from playwright.sync_api import Page, expect

from accounts import queries
from accounts.models import Company, User
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.looks import sign_in_by_form
from tests.factories import PASSWORD
from tests.web.letters import letter, link_in

pytestmark = pytest.mark.browser


@pytest.fixture
def people(catalogue: None, keyring: object) -> dict[str, User]:
    return {
        name: factories.make_user(name=name, email=f"{name.lower()}@example.com", password=PASSWORD)
        for name in ("Alice", "Bob", "Erin", "Charlie")
    }


def create_company(page: Page, name: str) -> None:
    page.get_by_role("link", name="Create a company").first.click()
    page.get_by_label("Name of the company").fill(name)
    page.get_by_role("button", name="Create the company").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without"])
def test_a_company_grows(people: dict[str, User], open_window: OpenWindow, java_script: bool) -> None:
    alice = open_window(width=1280, java_script=java_script)
    page = alice.page
    sign_in_by_form(page, "alice@example.com")
    create_company(page, "Example Telecom")

    page.get_by_role("link", name="Invite and manage").click()
    page.get_by_label("E-mail address").fill("bob@example.com")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("status")).to_contain_text("on its way")

    bob = open_window(width=360, java_script=java_script).page
    bob.goto(link_in(letter("bob@example.com")))
    bob.get_by_role("link", name="Sign in").first.click()
    bob.get_by_label("E-mail address").fill("bob@example.com")
    bob.get_by_label("Password").fill(PASSWORD)
    bob.get_by_role("button", name="Sign in").click()
    bob.get_by_role("button", name="Accept").click()
    expect(bob.get_by_role("heading", level=1)).to_have_text("Example Telecom")

    page.get_by_role("link", name="Example Telecom").first.click()
    page.get_by_role("link", name="DEFAULT").first.click()
    page.get_by_role("link", name="People and rights").click()
    page.get_by_label("Member", exact=True).select_option(label="Bob Example (bob@example.com)")
    page.get_by_role("button", name="Give the right").click()
    expect(page.get_by_label("Right of Bob Example")).to_have_value("operate")
    page.get_by_label("E-mail address").fill("erin@example.com")
    page.get_by_role("button", name="Send the invitation").click()

    erin = open_window(width=360, java_script=java_script).page
    sign_in_by_form(erin, "erin@example.com")
    erin.get_by_role("button", name="Accept").click()
    expect(erin.get_by_role("heading", level=1)).to_have_text("DEFAULT")
    expect(erin.get_by_role("link", name="Example Telecom", exact=True)).to_have_count(0)

    charlie = open_window(width=1280, java_script=java_script).page
    sign_in_by_form(charlie, "charlie@example.com")
    create_company(charlie, "Example Telecom Berlin")
    company, accident = Company.objects.order_by("pk")
    page.goto(f"/companies/{company.pk}")
    page.get_by_role("link", name="Import a company made by accident").click()
    page.get_by_label("Number of the other company").fill(str(accident.pk))
    page.get_by_label("Name of the other company").fill("Example Telecom Berlin")
    page.get_by_role("button", name="Ask its admins").click()
    charlie.goto(link_in(letter("charlie@example.com")))
    expect(charlie.get_by_text("DEFAULT → DEFAULT (Example Telecom Berlin)")).to_be_visible()
    charlie.get_by_role("button", name="Import it").click()

    expect(charlie.get_by_role("heading", level=1)).to_have_text("Example Telecom")
    expect(charlie.get_by_role("link", name="DEFAULT (Example Telecom Berlin)", exact=True)).to_be_visible()
    assert {row.user for row in queries.members_of(company)} == {
        people[name] for name in ("Alice", "Bob", "Charlie")
    }
    assert (alice.complaints, alice.strangers) == ([], [])

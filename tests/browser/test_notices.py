"""The pages about what reaches people, and a mail, as a real browser shows them."""

from datetime import timedelta

import pytest

from accounts.models import Company, Mail, Membership
from licenses import reminders
from portal.core import clock
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.looks import findings, fits, sign_in_by_form
from tests.factories import PASSWORD
from tests.operations.testing import created, downloaded

pytestmark = pytest.mark.browser


@pytest.fixture
def company(catalogue: None, keyring: object) -> Company:
    """Two admins, a test license that ends in six days, a token that ends, and mails in every state."""
    alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
    company = factories.make_company(founder=alice)
    amir = factories.make_user(name="Amir", email="amir.with-a-rather-long-name@example.com")
    factories.join(user=amir, company=company, role=Membership.Role.ADMIN)
    factories.make_user(name="Sam", email="sam@example.com", password=PASSWORD, is_staff=True)
    now = clock.now()
    device = factories.make_device(project=factories.first_project(company))
    created(device)
    ends_at = downloaded(device, now=now - timedelta(days=84)).ends_at
    assert ends_at is not None
    reminders.remind(now=now)
    factories.make_token(
        company=company, maker=alice, name="Order system", expires_at=now + timedelta(days=40)
    )
    factories.activated(company, {"UC": 5})
    Mail.objects.filter(kind="api-token-created").update(
        state="failed",
        next_try_at=None,
        ended_at=now,
        attempts=3,
        last_error="SMTPRecipientsRefused: 550 no such user here",
    )
    Mail.objects.filter(kind="key-activated").update(state="sent", next_try_at=None, ended_at=now)
    Mail.objects.update(written_at=now)
    return company


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1280, True)], ids=["phone", "dark"])
def test_they_fit_and_axe_finds_nothing(
    width: int, dark: bool, open_window: OpenWindow, company: Company
) -> None:
    page = open_window(width=width, dark=dark).page
    found: dict[str, str] = {}

    def look(address: str) -> None:
        found[address] = findings(page)
        assert fits(page), address

    sign_in_by_form(page, "alice@example.com")
    for address in ("/endings", "/account", "/account/notices", f"/companies/{company.pk}/mails"):
        page.goto(address)
        look(address)
    page.goto("/account/calendar")
    page.get_by_role("button", name="Make an address").click()
    page.get_by_text("Your calendar address").wait_for()
    look("/account/calendar")
    page.get_by_role("button", name="Sign out").click()
    sign_in_by_form(page, "sam@example.com")
    page.goto("/staff/mails")
    page.get_by_text("550 no such user here").first.wait_for()
    look("/staff/mails")
    page = open_window(width=width, dark=dark).page  # of its own: a mail has no policy of ours
    page.set_content(Mail.objects.filter(kind="test-license-ending").earliest("pk").html)
    look("a mail")
    assert {address: report for address, report in found.items() if report} == {}

"""From a refusal to the reason for it, in a real browser."""

import re

import pytest

from accounts.models import Company, Project, User
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.looks import fits
from tests.factories import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def project(catalogue: None) -> Project:
    """Alice's project, with four licenses of which no device has one yet."""
    alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
    company: Company = factories.make_company(founder=alice)
    project = factories.activated(factories.first_project(company), {"Port": 4})
    factories.make_device(project=project, hardware_id="00-90-33-01-0A-FF")
    return project


@pytest.mark.parametrize(("width", "java_script"), [(360, True), (1280, False)])
@pytest.mark.parametrize(
    ("language", "button", "why", "headings"),
    [
        ("en", "Assign", "Why?", ["What happened", "Why", "What you can do"]),
        ("de", "Zuweisen", "Warum?", ["Was passiert ist", "Warum", "Was Sie tun können"]),
    ],
)
def test_the_alert_leads_to_why_and_what_was_typed_stays(
    language: str,
    button: str,
    why: str,
    headings: list[str],
    width: int,
    java_script: bool,
    project: Project,
    open_window: OpenWindow,
) -> None:
    User.objects.update(language=language)
    visit = open_window(width=width, java_script=java_script)
    page = visit.page
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    page.goto("/devices/00-90-33-01-0A-FF")
    page.locator("[name=quantity]").fill("5")
    page.get_by_role("button", name=button).click()
    alert = page.locator(".notice.bad")
    assert "insufficient-licenses" in alert.inner_text()
    with page.expect_popup() as opened:
        alert.get_by_role("link", name=why).click()

    help_page = opened.value
    help_page.wait_for_url(re.compile("/problems/insufficient-licenses$"))
    assert help_page.get_by_role("heading", level=2).all_inner_texts() == headings
    assert fits(help_page)
    # Where it was refused nothing is lost: going back to it would ask whether to send the form again.
    assert page.locator("[name=quantity]").input_value() == "5"
    assert visit.strangers == []

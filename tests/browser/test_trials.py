"""A test license in a real browser: created, changed, started behind a question, downloaded."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from accounts.models import Project
from devices.models import Device
from licenses import trial_queries
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.looks import fits
from tests.browser.test_from_key_to_file import sign_in
from tests.factories import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def device(catalogue: None, keyring: object) -> Device:
    """A device of a company of Alice's, who can sign in."""
    alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
    project: Project = factories.first_project(factories.make_company(founder=alice))
    return factories.make_device(project=project)


@pytest.mark.parametrize(
    ("width", "java_script"), [(360, True), (1280, True), (360, False)], ids=["phone", "desk", "plain"]
)
def test_a_partner_starts_one_knowing_what_it_means(
    width: int, java_script: bool, open_window: OpenWindow, device: Device, tmp_path: Path
) -> None:
    visit = open_window(width=width, java_script=java_script)
    page = visit.page
    sign_in(page, "alice@example.com")
    page.goto(f"/devices/{device.hardware_id}")
    page.get_by_role("link", name="Create a test license").click()
    assert fits(page)
    page.get_by_label("Number of each PBX license").fill("8")
    page.get_by_role("button", name="Create the test license").click()
    expect(page.get_by_text("8 of each PBX license")).to_be_visible()
    assert fits(page)

    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("Number of each PBX license").fill("9")
    page.get_by_role("button", name="Change the test license").click()
    expect(page.get_by_text("9 of each PBX license")).to_be_visible()
    page.get_by_text("What it will hold").click()
    expect(page.get_by_role("table", name="What the test license holds")).to_contain_text("UC")

    page.get_by_role("link", name="Start and download").click()
    expect(page.get_by_role("heading", name="Start the three months now?")).to_be_visible()
    assert fits(page)
    with page.expect_download() as without:
        page.get_by_role("button", name="Download without it").click()
    assert trial_queries.get_test_license(device).started_at is None
    with page.expect_download() as started:
        page.get_by_role("button", name="Start and download the .lic file").click()
    file = tmp_path / started.value.suggested_filename
    started.value.save_as(file)
    assert json.loads(file.read_bytes())["bundle"] == "olp/1"
    assert without.value.suggested_filename != file.name
    page.get_by_role("link", name="Back to the device").click()
    expect(page.get_by_text("stays with this hardware ID until its end")).to_be_visible()
    assert fits(page)
    assert (visit.complaints, visit.strangers) == ([], [])

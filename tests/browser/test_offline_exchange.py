"""Files carried between a real appliance without a network and the portal's pages, in a real Chromium."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from appliance.factory.authority import Authority, make_authority
from appliance.factory.devices import make_identity, write_identity
from devices.models import Device, TrustAnchor
from licenses import delivery, queries, verification
from tests import factories
from tests.browser.conftest import OpenWindow, Visit
from tests.browser.looks import fits
from tests.factories import PASSWORD
from tests.journeys.conftest import Appliance

pytestmark = pytest.mark.browser

HARDWARE_ID = "00-90-33-01-0A-FF"
NOBODY = "http://127.0.0.1:9"  # the device asks there in vain
PAGE = f"/devices/{HARDWARE_ID}"

# Moves a file into the page as a drop or a paste does: [how, name, text].
BRING = """([how, name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  if (how === "paste") {
    const pasted = { clipboardData: data, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new ClipboardEvent("paste", pasted));
    return true;
  }
  const send = (type) => !document.querySelector("main").dispatchEvent(
    new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  return send("dragover") && document.querySelector(".dropping") !== null && send("drop");
}"""


@dataclass(frozen=True, kw_only=True)
class Offline:
    """An appliance without a network, and the portal's side of it."""

    appliance: Appliance
    device: Device

    def grant(self, code: str) -> str:
        [found] = [grant for grant in queries.live_grants(self.device) if grant.product.code == code]
        return queries.grant_id(found)

    def writes(self, file: Path, *words: str) -> str:
        """Let the appliance write a file for people to carry; its text."""
        self.appliance.does(*words, "--file", str(file))
        return file.read_text()

    def in_effect(self) -> list[tuple[str, int]]:
        return sorted(
            (entry["product"], entry["quantity"])
            for entry in self.appliance.status()["licenses"]
            if entry["state"] == "in-effect"
        )


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The manufacturer, founded now: browsers and appliances run by the real clock."""
    return make_authority("Example Networks", now=datetime.now(UTC))


@pytest.fixture
def project(catalogue: None, keyring: object, live_server: LiveServer, settings: LazySettings) -> Project:
    """DEFAULT of Alice's company, with ten ports and four channels; she can sign in."""
    settings.PORTAL_ORIGINS = [live_server.url]
    alice = factories.make_user(name="Alice", email="alice@example.com", password=PASSWORD)
    project = factories.first_project(factories.make_company(founder=alice))
    return factories.activated(project, {"Port": 10, "Channels": 4})


@pytest.fixture
def offline(project: Project, authority: Authority, anchor: TrustAnchor, tmp_path: Path) -> Offline:
    """With six ports and four channels in effect, by a file that was carried to it."""
    printed = StringIO()
    call_command("keys", "roots", stdout=printed)
    (tmp_path / "roots.json").write_text(printed.getvalue())
    now = datetime.now(UTC)
    identity = write_identity(tmp_path, make_identity(authority, HARDWARE_ID, kind="P-256", now=now))
    made = Appliance(home=tmp_path / "home", hardware_id=HARDWARE_ID)
    made.does(
        "init", "--identity", str(identity), "--roots", str(tmp_path / "roots.json"), "--portal", NOBODY
    )
    device = factories.make_device(project=project, hardware_id=HARDWARE_ID, name="Main building")
    factories.assigned(device, 6)
    factories.assigned(device, 4, "Channels")
    carried = tmp_path / "first.lic"
    carried.write_bytes(delivery.download(device=device, caller=factories.caller(), now=now).content)
    made.does("install", str(carried))
    made.does("reset")
    return Offline(appliance=made, device=device)


def sign_in(page: Page, email: str = "alice@example.com", at: str = PAGE) -> None:
    page.goto(at)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def hand_in(page: Page, file: Path) -> None:
    page.get_by_label("File that the device wrote").set_input_files(file)
    page.get_by_role("button", name="Hand in the file").click()


def download(page: Page, target: Path) -> Path:
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download the .lic file").click()
    coming.value.save_as(target)
    return target


def complained_of_nothing(visit: Visit) -> None:
    assert visit.complaints == []
    assert visit.strangers == []


class TestAReturn:
    @pytest.mark.parametrize(
        ("width", "java_script"), [(360, True), (1280, True), (360, False)], ids=["phone", "desk", "plain"]
    )
    def test_it_goes_by_the_picker_and_its_receipt_comes_back_in_the_lic(
        self, width: int, java_script: bool, open_window: OpenWindow, offline: Offline, tmp_path: Path
    ) -> None:
        visit = open_window(width=width, java_script=java_script)
        page = visit.page
        sign_in(page)
        file = tmp_path / "return.jws"
        offline.writes(file, "return", offline.grant("Port"), offline.grant("Channels"))

        hand_in(page, file)

        expect(page.get_by_role("heading", name="Licenses were given back")).to_be_visible()
        expect(page.get_by_role("row", name="Port 14")).to_contain_text("Given back")
        expect(page.get_by_role("row", name="Channels 14")).to_contain_text("Stays on the device")
        assert fits(page)
        assert factories.free(offline.device.project) == 10

        offline.appliance.does("install", str(download(page, tmp_path / "second.lic")))
        offline.appliance.does("reset")
        assert offline.in_effect() == [("Channels", 4)]
        assert offline.appliance.status()["waiting_return"] is None
        page.get_by_role("link", name="Back to the device").click()
        offline.writes(tmp_path / "ack.jws", "acknowledge")
        hand_in(page, tmp_path / "ack.jws")
        expect(page.get_by_text("seq 3 installed, seq 3 in effect")).to_be_visible()
        assert fits(page)
        assert list(verification.violations()) == []
        complained_of_nothing(visit)

    @pytest.mark.parametrize("how", ["drop", "paste"])
    def test_its_file_may_be_dropped_or_pasted_anywhere_on_the_page(
        self, how: str, open_window: OpenWindow, offline: Offline, tmp_path: Path
    ) -> None:
        visit = open_window()
        page = visit.page
        sign_in(page)
        text = offline.writes(tmp_path / "return.jws", "return", offline.grant("Port"))

        assert page.evaluate(BRING, [how, "return.jws", text])

        picker = page.get_by_label("File that the device wrote")
        expect(picker).to_have_value("C:\\fakepath\\return.jws")
        expect(page.get_by_role("button", name="Hand in the file")).to_be_focused()
        assert page.locator(".dropping").count() == 0
        assert factories.free(offline.device.project) == 4  # nothing is handed in by itself
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Licenses were given back")).to_be_visible()
        complained_of_nothing(visit)

    def test_its_text_may_be_pasted_into_the_field(
        self, open_window: OpenWindow, offline: Offline, tmp_path: Path
    ) -> None:
        visit = open_window(width=360)
        page = visit.page
        sign_in(page)
        text = offline.writes(tmp_path / "return.jws", "return", offline.grant("Port"))
        page.evaluate("text => navigator.clipboard.writeText(text)", f"{text}\n")

        page.get_by_label("or its text").focus()
        page.keyboard.press("Control+V")
        assert fits(page)
        page.get_by_role("button", name="Hand in the file").click()

        expect(page.get_by_role("heading", name="Licenses were given back")).to_be_visible()
        complained_of_nothing(visit)

    def test_all_go_back_with_the_number_that_the_page_shows(
        self, open_window: OpenWindow, offline: Offline, tmp_path: Path
    ) -> None:
        page = open_window().page
        sign_in(page)
        page.get_by_role("button", name="Copy min_seq").click()
        number = page.evaluate("navigator.clipboard.readText()")

        offline.writes(tmp_path / "all.jws", "return", "--all", "--min-seq", number)
        hand_in(page, tmp_path / "all.jws")

        expect(page.get_by_role("row", name="Port 14")).to_contain_text("Given back")
        assert factories.free(offline.device.project) == 10


class TestAWrongFile:
    @pytest.mark.parametrize(
        ("name", "size", "words"),
        [
            ("device.lic", 10, "it goes to the device, not from it"),
            ("firmware.bin", 64 * 1024 + 1, "more than 64 KiB"),
        ],
        ids=["a .lic", "too large"],
    )
    def test_it_is_told_at_once_and_not_sent(
        self, name: str, size: int, words: str, open_window: OpenWindow, offline: Offline
    ) -> None:
        visit = open_window(width=360)
        page = visit.page
        sign_in(page)
        picker = page.get_by_label("File that the device wrote")
        wrong: Any = {"name": name, "mimeType": "application/octet-stream", "buffer": b"a" * size}

        picker.set_input_files(wrong)

        expect(page.get_by_role("alert")).to_contain_text(words)
        before = page.url
        page.get_by_role("button", name="Hand in the file").click()
        assert page.url == before
        assert not picker.evaluate("picker => picker.validity.valid")
        picker.set_input_files([])
        expect(page.get_by_role("alert")).to_have_count(0)
        assert picker.evaluate("picker => picker.validity.valid")
        complained_of_nothing(visit)

    def test_without_scripts_the_portal_tells_it(
        self, open_window: OpenWindow, offline: Offline, tmp_path: Path
    ) -> None:
        page = open_window(width=360, java_script=False).page
        sign_in(page)
        lic = download(page, tmp_path / "device.lic")

        hand_in(page, lic)

        expect(page.get_by_role("alert")).to_contain_text("it goes to the device, not from it")
        assert fits(page)


class TestThePhone:
    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    def test_it_gets_to_the_page_by_the_code(
        self, dark: bool, open_window: OpenWindow, offline: Offline, live_server: LiveServer, tmp_path: Path
    ) -> None:
        visit = open_window(dark=dark)
        sign_in(visit.page)
        visit.page.get_by_text("Carry files by phone").click()
        picture = tmp_path / "page.png"
        visit.page.screenshot(path=picture, full_page=True)

        read = subprocess.run(
            ["zbarimg", "--quiet", "--raw", "--set", "disable", "--set", "qrcode.enable", str(picture)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

        assert read == f"{live_server.url}{PAGE}"
        complained_of_nothing(visit)
        phone = open_window(width=360).page
        sign_in(phone, at=read)
        expect(phone.get_by_role("heading", name=HARDWARE_ID)).to_be_visible()


class TestAClaim:
    @pytest.fixture
    def charlie(self, db: None) -> User:
        user = factories.make_user(name="Charlie", email="charlie@example.com", password=PASSWORD)
        factories.make_company(founder=user, name="Charlie Networks")
        return user

    @pytest.mark.parametrize(
        ("width", "java_script"), [(1280, True), (360, False)], ids=["desk", "plain phone"]
    )
    def test_a_device_that_is_taken_comes_over_by_what_is_on_the_pages(
        self,
        width: int,
        java_script: bool,
        open_window: OpenWindow,
        offline: Offline,
        charlie: User,
        tmp_path: Path,
    ) -> None:
        factories.give_back(offline.device, offline.grant("Port"))
        visit = open_window(width=width, java_script=java_script)
        page = visit.page
        sign_in(
            page, "charlie@example.com", at=f"/projects/{charlie.memberships.get().company.projects.get().pk}"
        )
        page.get_by_label("Hardware ID").fill(HARDWARE_ID)
        page.get_by_role("button", name="Add the device").click()
        assert fits(page)
        page.get_by_role("link", name="Claim this device").click()
        assert fits(page)
        page.get_by_role("button", name="Make the code").click()
        code = page.locator(".claim-code .mono").inner_text()
        assert fits(page)
        offline.writes(tmp_path / "claim.jws", "claim", code)

        hand_in(page, tmp_path / "claim.jws")

        expect(page.get_by_role("heading", name=HARDWARE_ID)).to_be_visible()
        expect(page.get_by_text("came into this project by a claim")).to_be_visible()
        offline.device.refresh_from_db()
        assert offline.device.project.company.name == "Charlie Networks"
        assert visit.strangers == []

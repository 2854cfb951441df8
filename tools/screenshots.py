"""Pictures of the partner's pages: `python -m tools.screenshots [FOLDER]` takes every page at both widths and
in both themes, `--docs` the few that stand in docs/images.

They are taken of a demo of its own, in a folder that is gone afterwards, so that they can be taken again.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tools import processes
from tools.demo import story
from tools.demo.servers import Servers, free_port
from tools.demo.setting import Setting
from tools.demo.story import DemoData

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
PHONE, DESK = 360, 1280
HEIGHT = 800
DEVICES = [
    ("00-90-33-02-00-01", "Town hall"),
    ("00-90-33-02-00-02", "Fire brigade"),
    ("00-90-33-02-00-03", "Library"),
    ("00-90-33-02-00-04", "Swimming pool"),
    ("00-90-33-02-00-05", "School, Mill Street"),
    ("00-90-33-02-00-06", "School, Castle Square"),
    ("00-90-33-02-00-07", "Building yard"),
    ("00-90-33-02-00-08", "Waterworks"),
]
SHOWN = ("overview", "project", "device", "assign-to-many", "activate-a-key", "search")
"""What stands in docs/images: at the width of a desk, in the light theme, as much as a screen shows."""


class Scenes:
    """What the pictures show, each with the way there; made for the demo's project."""

    def __init__(self, demo: DemoData) -> None:
        self.demo = demo
        project, company = f"/projects/{demo.project}", "/companies/1"
        first = DEVICES[0][0]
        self.ways: dict[str, Callable[[Page], None]] = {
            "overview": _at("/"),
            "project": _at(project),
            "project-narrowed": _at(f"{project}?find=school"),
            "device": _at(f"/devices/{story.HARDWARE_ID}"),
            "device-fresh": _at(f"/devices/{first}"),
            "assign-to-many": self.assign_to_many,
            "add-many": _at(f"{project}/devices/many"),
            "activate-a-key": self.activate,
            "activate-several": _at("/activate/several"),
            "company": _at(company),
            "keys": _at(f"{company}/keys"),
            "history": _at(f"{company}/history"),
            "balance": _at(f"{project}/balance"),
            "transfer": _at(f"{company}/transfer"),
            "members": _at(f"{company}/members"),
            "endings": _at("/endings"),
            "background": _at("/background"),
            "account": _at("/account"),
            "search": self.search,
            "refusal": _at("/devices/00-90-33-FF-FF-FF"),
            "components": _at("/components"),
        }

    def furnish(self, page: Page) -> None:
        """Some devices with licenses, as a partner would add them."""
        page.goto(f"/projects/{self.demo.project}/devices/many")
        page.get_by_label("Devices").fill("\n".join(f"{number};{name}" for number, name in DEVICES))
        page.get_by_role("button", name="Check the list").click()
        page.locator("main .actions button").first.click()
        page.goto(f"/devices/{DEVICES[0][0]}")
        page.get_by_label("Quantity").fill("1")
        page.get_by_role("button", name="Assign", exact=True).click()

    def activate(self, page: Page) -> None:
        """What a key holds, before it is activated."""
        spare = [code for number, code in self.demo.keys.items() if code and number != story.ORDER]
        page.goto("/activate")
        page.get_by_label("Activation key").fill(spare[0])
        page.get_by_role("button", name="Look what it holds").click()

    def assign_to_many(self, page: Page) -> None:
        """The numbers before and after."""
        chosen = "&".join(f"device={number}" for number, _name in DEVICES[:6])
        page.goto(f"/projects/{self.demo.project}/assign?{chosen}")
        page.get_by_label("Quantity for each device").fill("1")
        page.get_by_role("button", name="Look at the numbers").click()

    def search(self, page: Page) -> None:
        """Results while somebody types."""
        page.goto("/")
        page.wait_for_load_state()
        page.get_by_role("searchbox").press_sequentially("school")
        page.get_by_role("search").get_by_role("link").first.wait_for()


def _at(path: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.goto(path)

    return go


def take(browser: Browser, setting: Setting, demo: DemoData, folder: Path, *, for_docs: bool) -> int:
    """Take the pictures; returns how many."""
    scenes, taken = Scenes(demo), 0
    looks = [(DESK, "light")] if for_docs else [(w, t) for w in (PHONE, DESK) for t in ("light", "dark")]
    folder.mkdir(parents=True, exist_ok=True)
    furnished = False
    for width, theme in looks:
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme="dark" if theme == "dark" else "light",
            locale="en-GB",
            timezone_id="Europe/Berlin",
            base_url=setting.portal_origin,
        )
        page = context.new_page()
        _sign_in(page, demo)
        if not furnished:
            scenes.furnish(page)
            furnished = True
        for name in SHOWN if for_docs else scenes.ways:
            scenes.ways[name](page)
            path = folder / (f"{name}.png" if for_docs else f"{name}-{width}-{theme}.png")
            page.screenshot(path=path, full_page=not for_docs, animations="disabled")
            taken += 1
        context.close()
    return taken


def _sign_in(page: Page, demo: DemoData) -> None:
    partner = next(iter(demo.people))
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(partner)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Overview").wait_for()


def main(arguments: Sequence[str]) -> int:
    """Start the demo, take the pictures, and say where they are."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "var" / "screenshots")
    parser.add_argument("--docs", action="store_true", help="the few of docs/images, into that folder")
    options = parser.parse_args(arguments)
    folder = ROOT / "docs" / "images" if options.docs else options.folder
    processes.unwind_on_signals()
    with tempfile.TemporaryDirectory(prefix="license-portal-shots-") as data, Servers() as servers:
        port = free_port(8100)
        setting = Setting(
            root=ROOT, data=Path(data), portal_port=port, appliance_port=free_port(8101, taken={port})
        )
        demo = setting.prepare(fresh_appliance=True)
        servers.start_portal(setting)
        story.tell(setting, demo)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            taken = take(browser, setting, demo, folder, for_docs=options.docs)
            browser.close()
    print(f"{taken} pictures in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

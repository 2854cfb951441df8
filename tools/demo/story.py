"""A license on its way, over HTTP only: from an activation key through a project to a device that runs it."""

import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.demo.setting import Setting

ORDER = "DEMO-1"
HARDWARE_ID = "00-90-33-01-0A-FF"
PRODUCT, VERSION, QUANTITY = "Port", 14, 10
TIMEOUT_SECONDS = 30


class StoryRefusal(Exception):
    """A step of the story was refused; the message holds the portal's own words."""


@dataclass(frozen=True, kw_only=True)
class DemoData:
    """What `manage.py load_demo` prints. A code is None once it is no longer kept."""

    password: str
    people: dict[str, str]
    project: int
    keys: dict[str, str | None]


def tell(setting: "Setting", demo: DemoData) -> None:
    """Take the license from the key to the device, as far as that has not happened yet, and say so.

    :raises StoryRefusal: the portal refused a step.
    """
    portal = Partner(setting.portal_origin)
    email = next(iter(demo.people))
    portal.sign_in(email, demo.password)
    print(f"Portal with demo data at {setting.portal_origin}, signed in as {email}.")
    known = portal.device(HARDWARE_ID)
    if known is None:
        _buy(portal, demo)
    else:
        print(f"Device {HARDWARE_ID} has its licenses from an earlier start.")
    print("The device fetches:", *setting.appliance("fetch").splitlines())
    if json.loads(setting.appliance("status", "--json"))["reset_required"]:
        print("Installed is not in effect before a reset:", *setting.appliance("reset").splitlines())
    print("\nOn the device now:")
    print(setting.appliance("status").rstrip())


def _buy(portal: "Partner", demo: DemoData) -> None:
    code = demo.keys[ORDER]
    if code is None:
        raise StoryRefusal("The demo's activation key is no longer kept. Start anew: remove the folder var.")
    held = portal.post("keys/look-up", {"code": code, "company": portal.company(demo.project)})
    lines = ", ".join(f"{line['quantity']} x {line['product']} {line['version']}" for line in held["lines"])
    print(f"Activation key {code} holds {lines}.")
    portal.post("keys/activate", {"code": code, "project": demo.project}, act="demo-activate")
    print("Activated into the project Town Hall.")
    portal.post(
        f"projects/{demo.project}/devices",
        {"hardware_id": HARDWARE_ID, "name": "Town hall PBX"},
        act="demo-device",
    )
    print(f"Device {HARDWARE_ID} added.")
    assignment = portal.post(
        f"devices/{HARDWARE_ID}/assignments",
        {"product": PRODUCT, "version": VERSION, "quantity": QUANTITY},
        act="demo-assign",
    )
    print(
        f"{QUANTITY} x {PRODUCT} {VERSION} assigned to it: license document seq "
        f"{assignment['document']['seq']}."
    )


class Partner:
    """A partner's program, with nothing but HTTP: a session, its CSRF token, JSON."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))

    def sign_in(self, email: str, password: str) -> None:
        """Sign in as a browser does, through the form."""
        page = self._open(urllib.request.Request(f"{self._origin}/sign-in")).decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if token is None:
            raise StoryRefusal("The sign-in page has no form.")
        form = {"csrfmiddlewaretoken": token[1], "username": email, "password": password}
        self._open(
            urllib.request.Request(f"{self._origin}/sign-in", data=urllib.parse.urlencode(form).encode())
        )

    def company(self, project: int) -> int:
        """The company a project belongs to."""
        found: int = json.loads(self._get(f"projects/{project}"))["company"]["id"]
        return found

    def device(self, hardware_id: str) -> dict[str, Any] | None:
        """The device with what it holds, if it is there and holds anything."""
        try:
            device: dict[str, Any] = json.loads(self._get(f"devices/{hardware_id}"))
        except StoryRefusal:
            return None
        return device if device["grants"] else None

    def post(self, path: str, body: dict[str, Any], *, act: str = "") -> dict[str, Any]:
        """One call of the REST interface; `act` makes a repetition harmless."""
        token = next(cookie.value for cookie in self._cookies if cookie.name == "csrftoken")
        headers = {"Content-Type": "application/json", "X-CSRFToken": token or "", "Referer": self._origin}
        if act:
            headers["Idempotency-Key"] = act
        request = urllib.request.Request(
            f"{self._origin}/api/v1/{path}", data=json.dumps(body).encode(), headers=headers
        )
        answer: dict[str, Any] = json.loads(self._open(request))
        return answer

    def _get(self, path: str) -> bytes:
        return self._open(urllib.request.Request(f"{self._origin}/api/v1/{path}"))

    def _open(self, request: urllib.request.Request) -> bytes:
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                content: bytes = answer.read()
        except urllib.error.HTTPError as error:
            raise StoryRefusal(f"{request.full_url}: {error.code} {error.read().decode()[:500]}") from error
        return content

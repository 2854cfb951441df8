"""A browser without JavaScript in front of a device's served page."""

import http.client
import re
import socket
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from appliance.access import set_password

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from tests.appliance.conftest import Bench

ROOT = Path(__file__).parents[2]
BOUNDARY = "form-data-of-the-test"
PASSWORD = "of the workbench"


@dataclass
class Page:
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def notices(self) -> list[str]:
        """The codes of the notices on the page."""
        return re.findall(r'data-code="([^"]*)"', self.text)


@dataclass
class Browser:
    """A browser with a cookie jar, following the redirect after a form, signed in when it is told to."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    password: str = PASSWORD

    def sign_in(self) -> Page:
        """Sign in, and open the first page."""
        body = urllib.parse.urlencode(
            {"csrfmiddlewaretoken": self.token("/sign-in"), "password": self.password}
        )
        return self._follow("/sign-in", body.encode(), "application/x-www-form-urlencoded")

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Page:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body, {"Cookie": cookies, **(headers or {})})
        answer = connection.getresponse()
        page = Page(answer.status, answer.headers, answer.read().decode())
        connection.close()
        for header in page.headers.get_all("Set-Cookie", []):
            name, _, value = header.partition(";")[0].partition("=")
            self.cookies[name] = value
        return page

    def open(self, path: str = "/") -> Page:
        return self.request("GET", path)

    def token(self, path: str = "/") -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.open(path).text)
        assert found is not None
        return found.group(1)

    def submit(self, path: str, **fields: str) -> Page:
        """Send a form of the page, and open what it leads to."""
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": self.token(), **fields}).encode()
        return self._follow(path, body, "application/x-www-form-urlencoded")

    def upload(self, content: bytes) -> Page:
        """Install a file through the form of the page."""
        token = f'name="csrfmiddlewaretoken"\r\n\r\n{self.token()}'.encode()
        file = b'name="file"; filename="device.lic"\r\nContent-Type: application/json\r\n\r\n' + content
        parts = b"".join(
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode() + part + b"\r\n"
            for part in (token, file)
        )
        return self._follow(
            "/install", parts + f"--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}"
        )

    def _follow(self, path: str, body: bytes, kind: str) -> Page:
        page = self.request("POST", path, body, {"Content-Type": kind})
        if page.status != http.client.FOUND:
            return page
        location = page.headers["Location"]
        assert location is not None
        return self.open(location)


def wait_for_port(port: int, server: subprocess.Popen[bytes]) -> None:
    pause = threading.Event()
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        pause.wait(0.05)
    pytest.fail("the server did not answer within 30 seconds")


def sign_in(context: "BrowserContext", browser: Browser) -> None:
    """Give a Chromium the session that `browser` has."""
    value, origin = browser.cookies["appliance_session"], f"http://127.0.0.1:{browser.port}"
    context.add_cookies([{"name": "appliance_session", "value": value, "url": origin}])


@contextmanager
def served(home: Path, command: Sequence[str] = ("-m", "appliance")) -> Iterator[int]:
    """Serve the device in `home`, and give the port of its page."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    words = [sys.executable, *command, "--home", str(home), "serve", "--port", str(port)]
    server = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=60)


@pytest.fixture
def browser(online: "Bench") -> Iterator[Browser]:
    """A browser in front of a served device, signed in."""
    set_password(online.home, PASSWORD)
    with served(online.home) as port:
        browser = Browser(port)
        browser.sign_in()
        yield browser

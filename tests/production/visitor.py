"""Somebody in front of a browser, as far as a production can tell: cookies, forms, and the mails they get."""

import re
import secrets
from collections.abc import Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from urllib.parse import urlencode, urlsplit

from tests.mail_server import MailServer
from tests.production.site import Site

PATIENCE = 60.0


class Letters(MailServer):
    """A mail server that keeps what it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[EmailMessage] = []

    def decide(self, message: bytes) -> bool:
        """Take every mail, and keep it."""
        letter = message_from_bytes(message, policy=default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return super().decide(message)

    def link_for(self, to: str, *, at: str) -> str:
        """The path of the link in the newest mail to an address, of those that lead to `at`; waits for it."""
        with self.lock:
            assert self.lock.wait_for(lambda: self._links(to, at), timeout=PATIENCE), f"no mail to {to}"
            return self._links(to, at)[-1]

    def _links(self, to: str, at: str) -> list[str]:
        texts = [
            body.get_content()
            for letter in self.letters
            if to in str(letter["To"]) and (body := letter.get_body(("plain",))) is not None
        ]
        links = [urlsplit(link).path for text in texts for link in re.findall(r"https?://\S+", text)]
        return [link for link in links if link.startswith(at)]


class Visitor:
    """One browser. Follows no redirect by itself: where it is led to is what it is asked."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.cookies: dict[str, str] = {}
        self._token = ""

    def get(self, path: str) -> str:
        """A page, or where it leads."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, form: Mapping[str, str]) -> str:
        """Send a form that stands on the page last seen; the page that answers, or where it leads."""
        whole = {"csrfmiddlewaretoken": self._token, "act_key": secrets.token_hex(16), **form}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"{self._site.origin}/"}
        return self._ask("POST", path, urlencode(whole).encode(), headers)

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> str:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        status, got, content = self._site.ask(method, path, body, {**headers, "Cookie": cookies})
        for name, value in re.findall(r"(csrftoken|sessionid|messages)=([^;]*)", got.get("set-cookie", "")):
            self.cookies[name] = value
        if 300 <= status < 400:
            return got["location"]
        text = content.decode()
        if found := re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text):
            self._token = found[1]
        return text

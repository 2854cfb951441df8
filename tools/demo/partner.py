"""A partner's program, with nothing but HTTP; the demo and the journeys of the suite walk with it."""

import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

TIMEOUT_SECONDS = 30

_HIDDEN_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class PortalRefusal(Exception):
    """The portal refused a request; the message holds its own words."""

    def __init__(self, address: str, status: int, body: str) -> None:
        super().__init__(f"{address}: {status} {body[:500]}")
        self.status = status
        self.body = body


class Partner:
    """A partner's program, with nothing but HTTP: a session, its CSRF token, JSON."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))

    def sign_in(self, email: str, password: str) -> None:
        """Sign in as a browser does, through the form."""
        page = self._open(urllib.request.Request(f"{self._origin}/sign-in")).decode()
        hidden = dict(_HIDDEN_FIELD.findall(page))
        form = hidden | {"email": email, "password": password}
        self._open(
            urllib.request.Request(f"{self._origin}/sign-in", data=urllib.parse.urlencode(form).encode())
        )

    def company(self, project: int) -> int:
        """The company a project belongs to."""
        found: int = self.get(f"projects/{project}")["company"]["id"]
        return found

    def get(self, path: str) -> dict[str, Any]:
        """One read of the REST interface."""
        answer: dict[str, Any] = json.loads(self.download(path))
        return answer

    def download(self, path: str) -> bytes:
        """One read of the REST interface, as the bytes that came."""
        return self._open(urllib.request.Request(f"{self._origin}/api/v1/{path}"))

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

    def _open(self, request: urllib.request.Request) -> bytes:
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                content: bytes = answer.read()
        except urllib.error.HTTPError as error:
            raise PortalRefusal(request.full_url, error.code, error.read().decode()) from error
        return content

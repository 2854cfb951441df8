"""HTTP to the portal's device API (trust.md 9), with the standard library, bounded in time and size."""

import http.client
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any, Final
from urllib.parse import urlsplit

from appliance import claims
from appliance.refusals import EXPLANATIONS, Refusal

TIMEOUT: Final = 20
"""Seconds of silence after which the portal counts as unreachable."""
MAX_ANSWER_BYTES: Final = 512 * 1024
"""Room for a bundle and, in the answer to a return, the receipt beside it."""
_MAX_PROBLEM_BYTES: Final = 16 * 1024
_SEPARATORS = re.compile(r"[/:#]")


@dataclass(frozen=True)
class Directory:
    """What the portal says about itself, unsigned: its identity and addresses; None for what it lacks."""

    nonce_url: str
    licenses_url: str
    portal: str
    returns_url: str | None = None
    acks_url: str | None = None
    claims_url: str | None = None


@dataclass(frozen=True)
class Answer:
    """An answer of the portal: its status, its body, and the nonce it brought for the next request."""

    status: int
    body: bytes
    nonce: str | None


class BadNonce(Exception):
    """The portal did not take the nonce; `fresh` is the one to use instead."""

    def __init__(self, fresh: str) -> None:
        super().__init__(fresh)
        self.fresh = fresh


class StaleReturn(Refusal):
    """The portal's document is not below the `min_seq` of a return of everything; `min_seq` would do."""

    def __init__(self, detail: str, min_seq: int | None) -> None:
        super().__init__("portal-stale-return", detail)
        self.min_seq = min_seq


class PortalClient:
    """The portal at `address`, called without cookies, redirects or proxies."""

    def __init__(self, address: str, *, timeout: float = TIMEOUT) -> None:
        self._address = address.rstrip("/")
        self._timeout = timeout
        # No proxy: a device speaks to its portal itself. No redirects: the signed `url` would not fit.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)

    def directory(self) -> Directory:
        """Ask the portal for its addresses.

        :raises Refusal: `portal-unreachable`, `portal-answer`.
        """
        answer = self._call("GET", f"{self._address}/device/v1/directory")
        if answer.status != http.client.OK:
            raise _refusal(answer)
        try:
            members = claims.parse(answer.body, max_bytes=MAX_ANSWER_BYTES)
            urls, secure = members.get("urls"), urlsplit(self._address).scheme == "https"
            if not isinstance(urls, dict):
                raise Refusal("malformed", "a directory without urls")
            return Directory(
                nonce_url=followed(claims.text(urls, "nonce"), secure=secure),
                licenses_url=followed(claims.text(urls, "licenses"), secure=secure),
                portal=claims.text(members, "portal"),
                returns_url=_optional(urls, "returns", secure=secure),
                acks_url=_optional(urls, "acks", secure=secure),
                claims_url=_optional(urls, "claims", secure=secure),
            )
        except Refusal as error:
            raise Refusal("portal-answer", error.detail) from error

    def new_nonce(self, directory: Directory) -> str:
        """Ask for a nonce.

        :raises Refusal: `portal-unreachable`, `portal-answer`, or what the portal refuses.
        """
        answer = self._call("HEAD", directory.nonce_url)
        if answer.status not in {http.client.OK, http.client.NO_CONTENT}:
            raise _refusal(answer)
        if answer.nonce is None:
            raise Refusal("portal-answer", "no nonce")
        return answer.nonce

    def post_statement(self, url: str, statement: bytes) -> Answer:
        """Send a signed statement, and return an answer of 200 or 204.

        :raises BadNonce: the portal wants another nonce and brought one.
        :raises Refusal: `portal-unreachable`, or what the portal refuses.
        """
        answer = self._call("POST", url, statement)
        if answer.status in {http.client.OK, http.client.NO_CONTENT}:
            return answer
        if answer.nonce is not None and _problem(answer.body).code == "bad-nonce":
            raise BadNonce(answer.nonce)
        raise _refusal(answer)

    def _call(self, method: str, url: str, body: bytes | None = None) -> Answer:
        # Only http and https come here: the address was checked when it was set, the others by followed().
        request = urllib.request.Request(url, data=body, method=method)  # noqa: S310
        request.add_header("Accept", "application/json, application/problem+json")
        if body is not None:
            request.add_header("Content-Type", "application/jose")
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return _answer(response.status, response.headers, response)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error)
        except (OSError, http.client.HTTPException) as error:
            raise Refusal("portal-unreachable", f"{self._address}, {_reason(error)}") from error


def followed(url: str, *, secure: bool) -> str:
    """Return an address out of the directory, if the device may go there.

    :param secure: the portal was called over TLS, so nothing unsigned may lead away from TLS.
    :raises Refusal: `malformed`.
    """
    parts = urlsplit(url)
    if parts.scheme not in ({"https"} if secure else {"http", "https"}) or not parts.hostname:
        raise Refusal("malformed", f"an address not to be followed: {url[:100]}")
    return url


def _optional(urls: dict[str, Any], name: str, *, secure: bool) -> str | None:
    return followed(claims.text(urls, name), secure=secure) if name in urls else None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Follow none: the answer is then an HTTPError with its 3xx status."""


def _answer(status: int, headers: Message, body: IO[bytes]) -> Answer:
    data = body.read(MAX_ANSWER_BYTES + 1)
    if len(data) > MAX_ANSWER_BYTES:
        raise Refusal("portal-answer", f"more than {MAX_ANSWER_BYTES} bytes")
    nonce = headers.get("Replay-Nonce")
    return Answer(status, data, str(nonce) if nonce else None)


def _reason(error: Exception) -> str:
    """Return the plain words in an error of the network, without the library's wrapping."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return str((cause.strerror if isinstance(cause, OSError) else None) or cause or type(error).__name__)


def _refusal(answer: Answer) -> Refusal:
    """Return the portal's refusal as ours: under the portal's own code where trust.md 9 knows it."""
    problem = _problem(answer.body)
    # A proxy in front of the portal may refuse a storm with its bare status.
    busy = answer.status == http.client.TOO_MANY_REQUESTS
    code = f"portal-{problem.code}" if not busy else "portal-rate-limited"
    if code == "portal-stale-return":
        return StaleReturn(problem.words, problem.min_seq)
    if code in EXPLANATIONS:
        return Refusal(code, problem.words)
    if problem.code:
        return Refusal("portal-refused", f"{problem.code}: {problem.words}".removesuffix(": "))
    return Refusal("portal-answer", f"status {answer.status}")


@dataclass(frozen=True)
class _Problem:
    """A problem document (RFC 9457): the last part of its type, its words, and the number a return needs."""

    code: str = ""
    words: str = ""
    min_seq: int | None = None


def _problem(body: bytes) -> _Problem:
    """Read a problem document; what is none has neither code nor words."""
    try:
        members = json.loads(body[:_MAX_PROBLEM_BYTES])
    except (ValueError, RecursionError):
        return _Problem()
    if not isinstance(members, dict) or not isinstance(members.get("type"), str):
        return _Problem()
    words = members.get("detail") or members.get("title") or ""
    number = members.get("min_seq")
    return _Problem(
        code=_SEPARATORS.split(members["type"].rstrip("/"))[-1][:40],
        words=str(words)[:300],
        min_seq=number if isinstance(number, int) and not isinstance(number, bool) else None,
    )

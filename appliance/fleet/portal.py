"""The portal as the fleet sees it: its directory, asked once, and its doors."""

import json
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from appliance.fleet.tally import Tally
from appliance.fleet.wire import Answer, TimeIsUp, Wire, WireError
from appliance.refusals import Refusal

DIRECTORY: Final = "/device/v1/directory"
_REFUSED_FROM: Final = 400
_CODE: Final = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, kw_only=True)
class Portal:
    """What the portal calls itself, and the addresses that statements are signed for."""

    identity: str
    nonce_url: str
    licenses_url: str
    returns_url: str
    acks_url: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """The way to the portal, where everything that is said is counted."""

    wire: Wire
    portal: Portal
    tally: Tally

    async def new_nonce(self) -> str | None:
        """A fresh nonce, or None if there is none to be had."""
        answer = await self._sent("nonce", frozenset({"204"}), "HEAD", self.portal.nonce_url)
        return None if answer is None else answer.headers.get("replay-nonce")

    async def post(self, act: str, url: str, statement: bytes, *, expects: frozenset[str]) -> Answer | None:
        """Send a statement, and return its answer, or None if there is none.

        :param act: what it is counted under.
        :param expects: the answers that are no surprise, as Tally names them.
        """
        return await self._sent(act, expects, "POST", url, statement)

    async def _sent(
        self, act: str, expects: frozenset[str], method: str, url: str, body: bytes | None = None
    ) -> Answer | None:
        try:
            # The portal may know itself by another address than the one it is called at here.
            answer = await self.wire.send(method, urlsplit(url).path, body)
        except WireError as error:
            self.tally.failed(act, str(error))
            return None
        except TimeIsUp:
            return None
        kind = kind_of(answer)
        self.tally.answered(act, kind, answer.seconds, expected=kind in expects)
        return answer


async def find_portal(wire: Wire) -> Portal:
    """Ask for the directory.

    :raises Refusal: `portal-unreachable`, `portal-answer`.
    """
    try:
        answer = await wire.send("GET", DIRECTORY)
    except WireError as error:
        raise Refusal("portal-unreachable", f"{wire.origin}, {error}") from error
    try:
        members = json.loads(answer.body)
        urls = members["urls"]
        return Portal(
            identity=str(members["portal"]),
            nonce_url=str(urls["nonce"]),
            licenses_url=str(urls["licenses"]),
            returns_url=str(urls["returns"]),
            acks_url=str(urls["acks"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal("portal-answer", f"status {answer.status}, no directory") from error


def kind_of(answer: Answer) -> str:
    """An answer in two words: its status, and the code of its problem document if it refuses."""
    if answer.status < _REFUSED_FROM:
        return str(answer.status)
    try:
        code = json.loads(answer.body)["type"].rstrip("/").rpartition("/")[2]
    except (ValueError, KeyError, TypeError, AttributeError):
        code = ""
    return f"{answer.status} {code}" if _CODE.fullmatch(code) else str(answer.status)

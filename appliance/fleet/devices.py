"""A light device: signs as trust.md 3 says, and remembers what it got until the run ends."""

import secrets
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Any, Final

from appliance import base64url, claims, strict_json
from appliance.bundle import MAX_BYTES, Bundle, bundle_of, read_bundle
from appliance.document import payload_of, read_document
from appliance.fleet.portal import Line
from appliance.fleet.wire import Answer
from appliance.identity import Identity
from appliance.refusals import Refusal
from appliance.statements import ACKNOWLEDGEMENT, FETCH, RETURN

FIRMWARE: Final = "14"
NONCE_SECONDS: Final = 540
"""A nonce is good for ten minutes; what is nearly that old is not used any more."""
FETCHED: Final = frozenset({"200", "204"})
_MAX_ANSWER: Final = 512 * 1024


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How often a device acknowledges what it installed, and gives a license back: from 0, never, to 1."""

    acknowledgements: float
    returns: float


@dataclass(kw_only=True)
class LightDevice:
    """One device, its part of the line to the portal, and what it holds."""

    identity: Identity
    line: Line
    habits: Habits
    dice: Random
    tag: str | None = None
    seq: int = 0
    keyset: int | None = None
    told: int = 0
    grants: list[str] = field(default_factory=list)
    """What it holds and could give back."""
    # The portal has seen the counter of earlier runs, and nothing of them is kept here.
    counter: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    _nonce: str | None = None
    _nonce_until: float = 0.0

    async def turn(self) -> None:
        """Fetch; then, as its habits are, acknowledge what is new, and give a license back."""
        answer = await self._say("fetch", FETCH, self.line.portal.licenses_url, self._held(), FETCHED)
        if answer is None or str(answer.status) not in FETCHED:
            return
        if answer.status == HTTPStatus.OK:
            self._install("fetch", answer)
        if self.told < self.seq and self.dice.random() < self.habits.acknowledgements:
            await self._acknowledge()
        if self.grants and self.dice.random() < self.habits.returns:
            await self._give_back(self.dice.choice(self.grants))

    async def statement(self, typ: str, url: str, said: dict[str, Any]) -> bytes | None:
        """A statement for one of the doors, or None if there is no nonce to be had."""
        nonce = await self._take_nonce()
        return None if nonce is None else self.sign(typ, url, said, nonce=nonce)

    def sign(self, typ: str, url: str, said: dict[str, Any], *, nonce: str) -> bytes:
        """A statement with this nonce, whatever it is worth."""
        return signed(
            self.identity,
            {"seq": self.seq, **said},
            typ=typ,
            aud=self.line.portal.identity,
            url=url,
            nonce=nonce,
        )

    def heard(self, answer: Answer) -> None:
        """Keep the nonce that an answer brings."""
        self._nonce = answer.headers.get("replay-nonce")
        self._nonce_until = time.monotonic() + NONCE_SECONDS

    async def _say(
        self, act: str, typ: str, url: str, said: dict[str, Any], expects: frozenset[str]
    ) -> Answer | None:
        statement = await self.statement(typ, url, said)
        if statement is None:
            return None
        answer = await self.line.post(act, url, statement, expects=expects)
        if answer is not None:
            self.heard(answer)
        return answer

    async def _take_nonce(self) -> str | None:
        if self._nonce is None or time.monotonic() > self._nonce_until:
            self._nonce = await self.line.new_nonce()
        taken, self._nonce = self._nonce, None
        return taken

    def _held(self) -> dict[str, Any]:
        held = {"have": self.tag, "ks": self.keyset}
        return {name: value for name, value in held.items() if value is not None}

    async def _acknowledge(self) -> None:
        said = {"ctr": self._count(), "installed_seq": self.seq, "effective_seq": self.seq}
        url = self.line.portal.acks_url
        answer = await self._say("acknowledgement", ACKNOWLEDGEMENT, url, said, frozenset({"204"}))
        if answer is not None and answer.status == HTTPStatus.NO_CONTENT:
            self.told = self.seq

    async def _give_back(self, grant: str) -> None:
        said = {"ctr": self._count(), "grants": [grant], "min_seq": self.seq}
        url = self.line.portal.returns_url
        answer = await self._say("return", RETURN, url, said, frozenset({"200"}))
        if answer is not None and answer.status == HTTPStatus.OK:
            self._install("return", answer)

    def _count(self) -> int:
        self.counter += 1
        return self.counter

    def _install(self, act: str, answer: Answer) -> None:
        try:
            self._take(_bundle(act, answer.body))
        except Refusal as refusal:
            self.line.tally.failed(act, f"cannot be read, {refusal.code}")

    def _take(self, bundle: Bundle) -> None:
        document = read_document(payload_of(bundle.license))
        if bundle.keyset is not None:
            keyset = claims.parse(payload_of(bundle.keyset), max_bytes=MAX_BYTES)
            self.keyset = claims.integer(keyset, "version", least=1)
        self.tag, self.seq = bundle.tag, document.seq
        self.grants = [item.id for item in document.items if item.returnable]


def signed(identity: Identity, said: dict[str, Any], *, typ: str, aud: str, url: str, nonce: str) -> bytes:
    """A statement of a light device for a door (trust.md 3), as a compact JWS.

    :param said: what this kind of statement says, with the `seq` that the device has seen.
    """
    payload = {
        "ver": 1,
        "iss": identity.hardware_id,
        "sub": identity.hardware_id,
        "aud": aud,
        "jti": base64url.encode(secrets.token_bytes(16)),
        "fw": FIRMWARE,
        **said,
    }
    return identity.sign_statement(strict_json.dumps(payload), typ=typ, online={"nonce": nonce, "url": url})


def _bundle(act: str, body: bytes) -> Bundle:
    if act == "fetch":
        return read_bundle(body)
    members = claims.parse(body, max_bytes=_MAX_ANSWER)
    if not isinstance(members.get("bundle"), dict):
        raise Refusal("malformed", "no bundle")
    return bundle_of(members["bundle"])

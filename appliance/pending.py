"""What the device has said, or is about to say, and must be able to say again in the same bytes."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from appliance import claims
from appliance.document import payload_of
from appliance.receipt import Receipt, read_receipt
from appliance.refusals import Refusal

ALL: Final = ("*",)
"""A return of everything that the portal's current document lists (trust.md 3)."""
_MAX_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class PendingReturn:
    """A return without its receipt: the very bytes that are signed until there is one (trust.md 5).

    `labels` says in words what the ids stand for, as far as the device knew. `reset_done` comes true when
    nothing given back is in effect any more; nothing is signed before (mission rule 16).
    """

    payload: bytes
    labels: dict[str, str] = field(default_factory=dict)
    reset_done: bool = False

    @cached_property
    def members(self) -> dict[str, Any]:
        """The payload, read."""
        return claims.parse(self.payload, max_bytes=_MAX_BYTES)

    @property
    def jti(self) -> str:
        """The id of the statement, which the receipt names."""
        return claims.random_id(self.members, "jti")

    @property
    def ctr(self) -> int:
        """The device's counter at this statement."""
        return claims.integer(self.members, "ctr")

    @property
    def audience(self) -> str:
        """The portal's identity it was made for."""
        return claims.text(self.members, "aud")

    @property
    def grants(self) -> tuple[str, ...]:
        """The ids given back, or ALL."""
        grants = self.members.get("grants")
        if grants == list(ALL):
            return ALL
        if not isinstance(grants, list) or not grants:
            raise Refusal("malformed", "a return that names nothing")
        return tuple(claims.random_id({"grants": name}, "grants") for name in grants)

    @property
    def min_seq(self) -> int:
        """The lowest document the device will still take."""
        return claims.integer(self.members, "min_seq")

    @property
    def sha256(self) -> str:
        """The hash by which the portal knows a repetition, in hexadecimal."""
        return hashlib.sha256(self.payload).hexdigest()

    def check(self) -> None:
        """Read every member that is needed later: what cannot be read is told when the vault is.

        :raises Refusal: `malformed`, `too-large`.
        """
        _ = (self.jti, self.ctr, self.audience, self.grants, self.min_seq)


@dataclass(frozen=True)
class ReceiptRecord:
    """The last receipt as it was signed, with what its ids stood for."""

    signed: dict[str, Any]
    labels: dict[str, str] = field(default_factory=dict)

    @cached_property
    def receipt(self) -> Receipt:
        """The receipt, read. It was verified when it was taken."""
        return read_receipt(payload_of(self.signed))


@dataclass(frozen=True)
class PendingClaim:
    """A claim that the portal has not answered: repeated, it is the same statement with the same `ctr`."""

    payload: bytes

    @cached_property
    def members(self) -> dict[str, Any]:
        """The payload, read."""
        return claims.parse(self.payload, max_bytes=_MAX_BYTES)

    @property
    def code(self) -> str:
        """The claim code that was typed in."""
        return claims.text(self.members, "code")

    @property
    def audience(self) -> str:
        """The portal's identity it was made for."""
        return claims.text(self.members, "aud")

    def check(self) -> None:
        """Read every member that is needed later.

        :raises Refusal: `malformed`, `too-large`.
        """
        _ = (self.code, self.audience)

"""Lines and leaves of the public log (trust.md 8): what an act says in public about the licenses it moved.

A leaf holds hashes of salted lines only. Who has a line and its salt can prove that it is in the log; who has
neither reads nothing from it. The rule for changes is that of `licenses.document`.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from devices import hardware_id
from portal.core import base64url, strict_json

SALT_BYTES = 16
HASH_BYTES = 32

_LINE_DOMAIN = b"olp-line-v1\x00"
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class LeafType(StrEnum):
    """What kind of act a leaf stands for (trust.md 8). Values are never renamed or reused."""

    ORDER = "order"
    ACTIVATION = "activation"
    ISSUE = "issue"
    BRIDGE = "bridge"
    TEST = "test"
    RETURN = "return"
    MOVE = "move"
    UNSIGNED_MOVE = "unsigned-move"
    REVOCATION = "revocation"
    CORRECTION = "correction"
    COMPANY_IMPORT = "company-import"
    HAND_OVER = "hand-over"
    KEY_SET = "key-set"


class MalformedLine(ValueError):
    """The values make no line or leaf of the log; the text names the member."""


@dataclass(frozen=True, slots=True)
class LineV1:
    """One transfer or grant of an act.

    :raises MalformedLine: if a value is out of range.
    """

    act: str
    """The act's id."""
    product: str
    version: int
    qty: int
    source: str | None
    """Random id of the holder it came from; all balances of one company are one holder."""
    destination: str | None
    """Random id of the holder it went to."""
    grant: str | None = None
    hardware_id: str | None = None
    expires_at: int | None = None
    """POSIX seconds, for test licenses and bridges."""

    def __post_init__(self) -> None:
        _require(_ID.fullmatch(self.act) is not None, "act")
        _require(self.product != "", "product")
        _require(self.version >= 1, "version")
        _require(self.qty >= 1, "qty")
        _require(self.source is None or _ID.fullmatch(self.source) is not None, "from")
        _require(self.destination is None or _ID.fullmatch(self.destination) is not None, "to")
        _require(self.grant is None or _ID.fullmatch(self.grant) is not None, "grant")
        _require(self.hardware_id is None or hardware_id.is_canonical(self.hardware_id), "hwid")
        _require(self.expires_at is None or self.expires_at >= 0, "exp")

    def to_bytes(self) -> bytes:
        """Return the bytes to store and to hash: always the same nine members, absent ones null."""
        return strict_json.dumps(
            {
                "act": self.act,
                "product": self.product,
                "version": self.version,
                "qty": self.qty,
                "from": self.source,
                "to": self.destination,
                "grant": self.grant,
                "hwid": self.hardware_id,
                "exp": self.expires_at,
            }
        )


@dataclass(frozen=True, slots=True)
class LeafV1:
    """What the log holds of one act.

    :raises MalformedLine: if a hash has another length than SHA-256's, or the time is negative.
    """

    type: LeafType
    timestamp: int
    """POSIX seconds."""
    document_sha256: bytes | None
    """SHA-256 of the payload of the document the act made, if it made one."""
    line_hashes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        _require(self.timestamp >= 0, "ts")
        _require(self.document_sha256 is None or len(self.document_sha256) == HASH_BYTES, "d")
        _require(all(len(line) == HASH_BYTES for line in self.line_hashes), "b")

    def to_bytes(self) -> bytes:
        """Return the bytes of the leaf; `d` is left out where there is no document."""
        members: dict[str, Any] = {"v": 1, "t": self.type.value, "ts": self.timestamp}
        if self.document_sha256 is not None:
            members["d"] = base64url.encode(self.document_sha256)
        members["b"] = [base64url.encode(line) for line in self.line_hashes]
        return strict_json.dumps(members)


def line_hash(salt: bytes, line: bytes) -> bytes:
    """Return the 32 bytes that stand for a line in its leaf: SHA-256 of a domain, the salt and the line.

    :param salt: 16 random bytes of this line's own; deleting them makes the hash say nothing.
    :raises ValueError: if the salt has another length: the hash would not say where it ends.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has 16 bytes")
    return hashlib.sha256(_LINE_DOMAIN + salt + line).digest()


def _require(condition: bool, member: str) -> None:
    if not condition:
        raise MalformedLine(member)

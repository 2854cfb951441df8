"""The license document: what a device installs (mission rule 13, trust.md 4).

One frozen dataclass per format version. The rule for changes: fields are never reordered, renamed or deleted;
a new field is added at the end of its class, with a default, and is written only when it differs from that
default, so that every payload ever signed is built again byte for byte. A change that cannot be made so is a
new class with its own `ver`. The golden files hold this.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Self

from devices import hardware_id
from portal.core import strict_json

TYP = "lic+jws"
CLASSES = ("bought", "test", "bridge")
MAX_ITEMS = 200
"""Live grants a device may hold (mission rule 13)."""
MAX_PAYLOAD_BYTES = 131072

_ID = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]")  # 16 bytes in canonical base64url
_MAX_TEXT = 512
_MEMBERS = {"ver", "iss", "sub", "jti", "iat", "seq", "items", "must"}
_ITEM_MEMBERS = {"id", "product", "version", "qty", "class", "ret", "exp"}


class MalformedDocument(ValueError):
    """The values make no license document, or the payload is none; the text names the member."""


@dataclass(frozen=True, slots=True)
class Item:
    """One live grant as the device sees it.

    :raises MalformedDocument: if a value is out of range.
    """

    id: str
    """The grant's id: 16 random bytes in base64url."""
    product: str
    version: int
    qty: int
    license_class: str
    """One of `CLASSES`; test licenses and bridges have an end, bought ones have none."""
    returnable: bool
    expires_at: int | None = None
    """POSIX seconds; from then on the item is not in effect."""

    def __post_init__(self) -> None:
        _require(_ID.fullmatch(self.id) is not None, "id")
        _require(0 < len(self.product) <= _MAX_TEXT, "product")
        _require(self.version >= 1, "version")
        _require(self.qty >= 1, "qty")
        _require(self.license_class in CLASSES, "class")
        _require((self.expires_at is None) == (self.license_class == "bought"), "exp")
        _require(self.expires_at is None or self.expires_at >= 0, "exp")

    def members(self) -> dict[str, Any]:
        """Return the item as the members of its JSON object, in their fixed order."""
        members = {
            "id": self.id,
            "product": self.product,
            "version": self.version,
            "qty": self.qty,
            "class": self.license_class,
            "ret": self.returnable,
        }
        return members if self.expires_at is None else members | {"exp": self.expires_at}

    @classmethod
    def from_members(cls, members: object) -> Self:
        """Return the item of a JSON object.

        :raises MalformedDocument: if a member is missing, of another type, or out of range.
        """
        if not isinstance(members, dict):
            raise MalformedDocument("items")
        _check_must(members, _ITEM_MEMBERS)
        return cls(
            id=_text(members, "id"),
            product=_text(members, "product"),
            version=_integer(members, "version"),
            qty=_integer(members, "qty"),
            license_class=_text(members, "class"),
            returnable=_flag(members, "ret"),
            expires_at=_integer(members, "exp") if "exp" in members else None,
        )


@dataclass(frozen=True, slots=True)
class LicenseDocumentV1:
    """All live grants of one device.

    :raises MalformedDocument: if a value is out of range, an item is there twice, or there are more than 200.
    """

    issuer: str
    """The portal's identity."""
    hardware_id: str
    jti: str
    """16 random bytes in base64url."""
    issued_at: int
    """POSIX seconds; a lower bound for the device's clock."""
    seq: int
    """Rises with every document of the device."""
    items: tuple[Item, ...] = field(default=())

    def __post_init__(self) -> None:
        _require(0 < len(self.issuer) <= _MAX_TEXT, "iss")
        _require(hardware_id.is_canonical(self.hardware_id), "sub")
        _require(_ID.fullmatch(self.jti) is not None, "jti")
        _require(self.issued_at >= 0, "iat")
        _require(self.seq >= 1, "seq")
        _require(len(self.items) <= MAX_ITEMS, "items")
        _require(len({item.id for item in self.items}) == len(self.items), "items")

    def to_payload(self) -> bytes:
        """Return the bytes to sign and keep: members in a fixed order, items in the order they have.

        :raises portal.core.strict_json.UnwritableJSON: if a text or number has no form in our JSON.
        """
        return strict_json.dumps(
            {
                "ver": 1,
                "iss": self.issuer,
                "sub": self.hardware_id,
                "jti": self.jti,
                "iat": self.issued_at,
                "seq": self.seq,
                "items": [item.members() for item in self.items],
            }
        )

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Return the document that a payload holds; unknown members are ignored unless `must` names them.

        :raises MalformedDocument: if it is no license document of version 1.
        """
        try:
            members = strict_json.loads(payload, max_bytes=MAX_PAYLOAD_BYTES)
        except strict_json.MalformedJSON as error:
            raise MalformedDocument(str(error)) from error
        _check_must(members, _MEMBERS)
        _require(_integer(members, "ver") == 1, "ver")
        _require(isinstance(members.get("items"), list), "items")
        return cls(
            issuer=_text(members, "iss"),
            hardware_id=_text(members, "sub"),
            jti=_text(members, "jti"),
            issued_at=_integer(members, "iat"),
            seq=_integer(members, "seq"),
            items=tuple(Item.from_members(item) for item in members["items"]),
        )


def _require(condition: bool, member: str) -> None:
    if not condition:
        raise MalformedDocument(member)


def _check_must(members: dict[str, Any], understood: set[str]) -> None:
    must = members.get("must", [])
    _require(isinstance(must, list) and all(isinstance(name, str) for name in must), "must")
    _require(understood.issuperset(must), "must")


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise MalformedDocument(name)
    return value


def _integer(members: dict[str, Any], name: str) -> int:
    value = members.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedDocument(name)
    return value


def _flag(members: dict[str, Any], name: str) -> bool:
    value = members.get(name)
    if not isinstance(value, bool):
        raise MalformedDocument(name)
    return value

"""The license document: its payload, and which signatures make it good (trust.md 4)."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from appliance import claims
from appliance.jose import SignedDocument, read_general, verified_signers
from appliance.keyset import KeySet
from appliance.refusals import Refusal

TYP: Final = "lic+jws"
MAX_BYTES: Final = 256 * 1024
_KNOWN: Final = frozenset({"ver", "iss", "sub", "jti", "iat", "seq", "items", "must"})
_CLASSES: Final = frozenset({"bought", "test", "bridge"})


@dataclass(frozen=True)
class Item:
    """A quantity of one product; `expires_at` is its end in POSIX seconds, if it has one."""

    id: str
    product: str
    version: int
    quantity: int
    license_class: str
    returnable: bool
    expires_at: int | None


@dataclass(frozen=True)
class LicenseDocument:
    """The payload of a license document, and the SHA-256 of its bytes, by which the device knows it again."""

    issuer: str
    hardware_id: str
    issued_at: int
    seq: int
    items: tuple[Item, ...]
    sha256: str


def verify_document(value: object, *, keyset: KeySet, require: Collection[str]) -> LicenseDocument:
    """Verify the signatures of a license document with `keyset`, and read it.

    Every signature with a known key must be good, and every algorithm in `require` must be among them, so
    that taking the stronger signature off helps nobody.

    :raises Refusal: `malformed`, `wrong-type`, `wrong-algorithm`, `bad-signature`, `compromised-key`,
        `unknown-key`, `stripped-signature`, `unknown-version`, `unknown-must`.
    """
    signed = read_general(value, typ=TYP)
    signers = verified_signers(signed, keyset.keys_for(TYP))
    missing = set(require) - {key.alg for key in signers}
    if missing:
        raise _missing(signed, keyset, missing)
    return read_document(signed.payload)


def read_document(payload: bytes) -> LicenseDocument:
    """Read the payload of a license document.

    :raises Refusal: `malformed`, `unknown-version`, `unknown-must`.
    """
    members = claims.read_payload(payload, known=_KNOWN, max_bytes=MAX_BYTES)
    claims.random_id(members, "jti")
    items = tuple(_item(item) for item in claims.objects(members, "items"))
    if len({item.id for item in items}) != len(items):
        raise Refusal("malformed", "an item twice")
    return LicenseDocument(
        issuer=claims.text(members, "iss"),
        hardware_id=claims.hardware_id(members, "sub"),
        issued_at=claims.integer(members, "iat"),
        seq=claims.integer(members, "seq", least=1),
        items=items,
        sha256=hashlib.sha256(payload).hexdigest(),
    )


def _missing(signed: SignedDocument, keyset: KeySet, missing: set[str]) -> Refusal:
    # Name what happened to the signature that is not there, since each case has a way out of its own.
    compromised = keyset.keys_for(TYP, compromised=True)
    known = keyset.keys_for(TYP)
    absent = ", ".join(sorted(missing))
    if any(signature.kid in compromised for signature in signed.signatures):
        return Refusal("compromised-key", absent)
    if any(signature.kid not in known and signature.alg in missing for signature in signed.signatures):
        return Refusal("unknown-key", absent)
    return Refusal("stripped-signature", absent)


def _item(members: dict[str, Any]) -> Item:
    license_class = claims.text(members, "class")
    if license_class not in _CLASSES:
        raise Refusal("malformed", f"an item of class {license_class[:20]}")
    ends = "exp" in members
    if not ends and license_class != "bought":
        raise Refusal("malformed", f"an item of class {license_class} without its end")
    return Item(
        id=claims.random_id(members, "id"),
        product=claims.text(members, "product", max_length=64),
        version=claims.integer(members, "version", least=1),
        quantity=claims.integer(members, "qty", least=1),
        license_class=license_class,
        returnable=claims.boolean(members, "ret"),
        expires_at=claims.integer(members, "exp") if ends else None,
    )

"""The receipt: what the portal says became of each license that a return named (trust.md 5)."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from appliance import base64url, claims
from appliance.document import verified_payload
from appliance.keyset import KeySet
from appliance.refusals import Refusal

TYP: Final = "lic-receipt+jws"
MAX_BYTES: Final = 256 * 1024
_KNOWN: Final = frozenset(
    {"ver", "iss", "sub", "jti", "iat", "ret_jti", "ret_sha256", "results", "next_seq", "must"}
)


class Fate(StrEnum):
    """What became of a license that was named."""

    RETURNED = "returned"
    ALREADY = "already"
    KEPT = "kept"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Receipt:
    """The payload of a receipt. `issued_at` is POSIX seconds; `results` names each license once."""

    issuer: str
    hardware_id: str
    issued_at: int
    return_jti: str
    return_sha256: str
    results: tuple[tuple[str, Fate], ...]
    next_seq: int

    def ids(self, *fates: Fate) -> tuple[str, ...]:
        """Return the licenses that one of `fates` befell."""
        return tuple(name for name, fate in self.results if fate in fates)


def verify_receipt(
    value: object, *, keyset: KeySet, require: Collection[str], hardware_id: str, payload: bytes
) -> Receipt:
    """Verify that `value` is the portal's receipt for the return with this `payload`.

    :raises Refusal: `wrong-issuer`, `wrong-device`, `wrong-receipt`, and what verifying a document raises.
    """
    receipt = read_receipt(verified_payload(value, typ=TYP, keyset=keyset, require=require))
    if receipt.issuer != keyset.issuer:
        raise Refusal("wrong-issuer", receipt.issuer)
    if receipt.hardware_id != hardware_id:
        raise Refusal("wrong-device", f"for {receipt.hardware_id}, this is {hardware_id}")
    if receipt.return_sha256 != hashlib.sha256(payload).hexdigest():
        raise Refusal("wrong-receipt")
    return receipt


def read_receipt(payload: bytes) -> Receipt:
    """Read the payload of a receipt; whether it is signed is another question.

    :raises Refusal: `malformed`, `unknown-version`, `unknown-must`.
    """
    members = claims.read_payload(payload, known=_KNOWN, max_bytes=MAX_BYTES)
    claims.random_id(members, "jti")
    results = tuple(_result(result) for result in claims.objects(members, "results"))
    if len({name for name, _fate in results}) != len(results):
        raise Refusal("malformed", "two results for one license")
    return Receipt(
        issuer=claims.text(members, "iss"),
        hardware_id=claims.hardware_id(members, "sub"),
        issued_at=claims.integer(members, "iat"),
        return_jti=claims.random_id(members, "ret_jti"),
        return_sha256=_sha256(members),
        results=results,
        next_seq=claims.integer(members, "next_seq"),
    )


def _result(members: dict[str, Any]) -> tuple[str, Fate]:
    fate = claims.text(members, "r")
    try:
        return claims.random_id(members, "id"), Fate(fate)
    except ValueError as error:
        raise Refusal("malformed", f"a result of {fate[:20]}") from error


def _sha256(members: dict[str, Any]) -> str:
    try:
        digest = base64url.decode(claims.text(members, "ret_sha256"))
    except base64url.NotBase64URL as error:
        raise Refusal("malformed", "ret_sha256 is not base64url") from error
    if len(digest) != hashlib.sha256().digest_size:
        raise Refusal("malformed", "ret_sha256 is not a SHA-256")
    return digest.hex()

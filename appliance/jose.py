"""JWS general JSON (RFC 7515) as the signed documents use it: protected headers only, each of them exact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from appliance import base64url, strict_json
from appliance.public_keys import PublicKey
from appliance.refusals import Refusal

MAX_SIGNATURES: Final = 8
_HEADER_MEMBERS: Final = {"alg", "kid", "typ"}
_MAX_HEADER_BYTES: Final = 1024


@dataclass(frozen=True)
class Signature:
    """One signature of a document, not yet verified."""

    alg: str
    kid: str
    signing_input: bytes
    value: bytes


@dataclass(frozen=True)
class SignedDocument:
    """A payload and the signatures that came with it, none of them verified yet."""

    payload: bytes
    signatures: tuple[Signature, ...]


def read_general(value: object, *, typ: str) -> SignedDocument:
    """Read a JWS in general JSON serialization from its parsed JSON.

    :raises Refusal: `malformed`; `wrong-type` if a header says another `typ` than `typ`.
    """
    if not isinstance(value, dict) or {"header", "protected", "signature"} & value.keys():
        raise Refusal("malformed", "not a JWS in general JSON serialization")
    payload_text, entries = value.get("payload"), value.get("signatures")
    if not isinstance(payload_text, str) or not isinstance(entries, list):
        raise Refusal("malformed", "a JWS without payload or signatures")
    if not 1 <= len(entries) <= MAX_SIGNATURES:
        raise Refusal("malformed", f"a JWS needs 1 to {MAX_SIGNATURES} signatures")
    payload = _decode(payload_text)
    signatures = tuple(_signature(entry, payload_text, typ) for entry in entries)
    if len({signature.kid for signature in signatures}) != len(signatures):
        raise Refusal("malformed", "two signatures with one key")
    return SignedDocument(payload, signatures)


def verified_signers(document: SignedDocument, keys: Mapping[str, PublicKey]) -> list[PublicKey]:
    """Return the keys of `keys` whose signature stands on `document`; every one that is there must be good.

    Signatures with other keys are passed over: it is for the caller to say who must have signed.

    :raises Refusal: `wrong-algorithm`, `bad-signature`.
    """
    signers = []
    for signature in document.signatures:
        key = keys.get(signature.kid)
        if key is None:
            continue
        # The algorithm follows from the key; the header has no say in it (trust.md 2).
        if signature.alg != key.alg:
            raise Refusal("wrong-algorithm", f"{signature.alg[:20]} for a key of {key.alg}")
        if not key.verifies(signature=signature.value, data=signature.signing_input):
            raise Refusal("bad-signature", key.alg)
        signers.append(key)
    return signers


def _signature(entry: object, payload_text: str, typ: str) -> Signature:
    if not isinstance(entry, dict) or "header" in entry:
        raise Refusal("malformed", "a signature may have protected headers only")
    protected, value = entry.get("protected"), entry.get("signature")
    if not isinstance(protected, str) or not isinstance(value, str):
        raise Refusal("malformed", "a signature without its header or value")
    header = _header(protected)
    if header["typ"] != typ:
        raise Refusal("wrong-type", f"{header['typ'][:40]} where {typ} belongs")
    return Signature(
        alg=header["alg"],
        kid=header["kid"],
        signing_input=f"{protected}.{payload_text}".encode("ascii"),
        value=_decode(value),
    )


def _header(protected: str) -> dict[str, str]:
    try:
        header: dict[str, Any] = strict_json.loads(_decode(protected), max_bytes=_MAX_HEADER_BYTES)
    except strict_json.NotStrictJSON as error:
        raise Refusal("malformed", f"a signature header with {error}") from error
    if header.keys() != _HEADER_MEMBERS or not all(isinstance(member, str) for member in header.values()):
        raise Refusal("malformed", "a signature header has exactly alg, kid and typ")
    return header


def _decode(text: str) -> bytes:
    try:
        return base64url.decode(text)
    except base64url.NotBase64URL as error:
        raise Refusal("malformed", "a part that is not base64url") from error

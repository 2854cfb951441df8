"""What devices sign: compact JWS with the device's certificate chain in the header (trust.md 2 and 3).

`parse` reads a token and checks its shape, `verify` its signature; devices/payloads.py reads what it says.
Whose certificate it is, and whether it is for this portal, door and moment, is for the caller.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from portal.core import base64url, strict_json

MAX_TOKEN_BYTES = 65536
MAX_CHAIN_LENGTH = 3
ALGORITHMS = ("Ed25519", "ES256", "ES384", "PS256", "RS256")
"""What the directory offers; `EdDSA`, the older name of `Ed25519`, is accepted too."""

_READABLE_ALGORITHMS = frozenset({*ALGORITHMS, "EdDSA"})
_MEMBERS_IN_FILE = frozenset({"alg", "typ", "x5c"})
_MEMBERS_ONLINE = _MEMBERS_IN_FILE | {"nonce", "url"}
_MAX_HEADER_TEXT = 2048
_WHITE_SPACE = b" \t\r\n"


class MalformedToken(ValueError):
    """The token is not shaped as trust.md 2 and 3 want it (`malformed`); `reason` says where."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadSignature(ValueError):
    """The token was not signed by the key, or names another algorithm than the key's (`bad-signature`)."""


@dataclass(frozen=True, slots=True)
class DeviceToken:
    """A compact JWS that has the right shape; nothing in it is proven before `verify`."""

    alg: str
    typ: str
    nonce: str | None
    url: str | None
    chain: tuple[bytes, ...]
    """DER certificates, the device's own first."""
    payload: dict[str, Any]
    payload_bytes: bytes
    compact: bytes


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A device's public key with the algorithms it verifies: by their names in a header, joserfc's names."""

    algorithms: Mapping[str, str]
    key: Key | None


def parse(token: bytes, *, typ: str, online: bool) -> DeviceToken:
    """Return the token's parts.

    :param typ: the `typ` this door takes; another one is refused.
    :param online: whether it came over REST (then with `nonce` and `url`) or in a file (then without, and
        white space around it is ignored).
    :raises MalformedToken: if anything about its shape differs from trust.md 2 and 3.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise MalformedToken("size")
    compact = token if online else token.strip(_WHITE_SPACE)
    segments = compact.split(b".", 3)
    if len(segments) != 3:
        raise MalformedToken("not a compact JWS")
    header = _object("header", _decoded("header", segments[0]))
    if header.keys() != (_MEMBERS_ONLINE if online else _MEMBERS_IN_FILE):
        raise MalformedToken("header members")
    if not isinstance(header["alg"], str) or header["alg"] not in _READABLE_ALGORITHMS:
        raise MalformedToken("alg")
    if header["typ"] != typ:
        raise MalformedToken("typ")
    payload_bytes = _decoded("payload", segments[1])
    if not _decoded("signature", segments[2]):
        raise MalformedToken("signature")
    return DeviceToken(
        alg=header["alg"],
        typ=typ,
        nonce=_header_text(header, "nonce") if online else None,
        url=_header_text(header, "url") if online else None,
        chain=_chain(header["x5c"]),
        payload=_object("payload", payload_bytes),
        payload_bytes=payload_bytes,
        compact=compact,
    )


def read_typ(token: bytes) -> str:
    """The `typ` that a token's header names, to choose by; `parse` then checks the whole of it.

    White space around it is ignored, as in files.

    :raises MalformedToken: there is no header to read it from.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise MalformedToken("size")
    typ = _object("header", _decoded("header", token.strip(_WHITE_SPACE).split(b".", 1)[0])).get("typ")
    if not isinstance(typ, str):
        raise MalformedToken("typ")
    return typ


def verification_key(public_key: object) -> VerificationKey:
    """What verifies signatures of `public_key`. Making it costs a third of a verification: keep it.

    The algorithm follows from the key and the header must name it: P-256 ES256, P-384 ES384, RSA RS256 or
    PS256, Ed25519 `Ed25519` (RFC 9864) or `EdDSA` (trust.md 2).

    :param public_key: a key object of `cryptography`, as a certificate gives it.
    """
    match public_key:
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return VerificationKey({"ES256": "ES256"}, ECKey(public_key, public_key))
        case ec.EllipticCurvePublicKey(curve=ec.SECP384R1()):
            return VerificationKey({"ES384": "ES384"}, ECKey(public_key, public_key))
        case rsa.RSAPublicKey():
            return VerificationKey({"RS256": "RS256", "PS256": "PS256"}, RSAKey(public_key, public_key))
        case ed25519.Ed25519PublicKey():
            names = {"Ed25519": "Ed25519", "EdDSA": "Ed25519"}
            return VerificationKey(names, OKPKey(public_key, public_key))
        case _:
            return VerificationKey({}, None)


def verify(token: DeviceToken, key: VerificationKey) -> None:
    """Return if the token was signed with the private key that belongs to `key`.

    :raises BadSignature: otherwise, also for keys of kinds that have no algorithm here.
    """
    if key.key is None:
        raise BadSignature("no algorithm for keys of this kind")
    algorithm = key.algorithms.get(token.alg)
    if algorithm is None:
        raise BadSignature("the header names another algorithm than the key's")
    header_segment, payload_segment, signature_segment = token.compact.split(b".")
    # The header was read strictly already. Only the algorithm is handed on, under its one name: joserfc warns
    # of `EdDSA`, and what it would read from the header again cannot differ from what was checked here.
    unverified = jws.CompactSignature({"alg": algorithm}, token.payload_bytes)
    unverified.segments.update(
        {"header": header_segment, "payload": payload_segment, "signature": signature_segment}
    )
    if not jws.validate_compact(unverified, key.key, registry=_REGISTRY):
        raise BadSignature("the signature does not match")


class _Registry(jws.JWSRegistry):
    # joserfc's own limit of 512 bytes leaves no room for x5c; the size of the whole token was checked before.
    max_header_length = MAX_TOKEN_BYTES


_REGISTRY = _Registry(algorithms=ALGORITHMS)


def _decoded(part: str, segment: bytes) -> bytes:
    try:
        return base64url.decode(segment.decode("ascii"))
    except (UnicodeDecodeError, base64url.NotBase64URL) as error:
        raise MalformedToken(f"{part} is not base64url") from error


def _object(part: str, data: bytes) -> dict[str, Any]:
    try:
        return strict_json.loads(data, max_bytes=MAX_TOKEN_BYTES)
    except strict_json.MalformedJSON as error:
        raise MalformedToken(f"{part}: {error}") from error


def _header_text(header: dict[str, Any], name: str) -> str:
    value = header[name]
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_HEADER_TEXT:
        raise MalformedToken(name)
    return value


def _chain(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_CHAIN_LENGTH:
        raise MalformedToken("x5c")
    return tuple(_certificate(text) for text in value)


def _certificate(text: object) -> bytes:
    # RFC 7515, 4.1.6: standard base64 with padding, not base64url. One form only, as everywhere.
    if not isinstance(text, str):
        raise MalformedToken("x5c")
    try:
        der = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedToken("x5c") from error
    if not der or base64.b64encode(der).decode("ascii") != text:
        raise MalformedToken("x5c")
    return der

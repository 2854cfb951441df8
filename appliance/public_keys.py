"""Public keys of documents, as JWK (RFC 8037, RFC 9964) and named by their thumbprint (RFC 7638)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

from appliance import base64url, strict_json

ED25519: Final = "Ed25519"
ML_DSA_65: Final = "ML-DSA-65"
ALGORITHMS: Final = (ED25519, ML_DSA_65)


class UnknownKind(ValueError):
    """The JWK is of a kind this firmware does not know; later kinds may stand beside known ones."""


class BadKey(ValueError):
    """The JWK is of a known kind and not well-formed."""


@dataclass(frozen=True)
class PublicKey:
    """A public key, its only algorithm and its thumbprint."""

    alg: str
    kid: str
    _verify: Callable[[bytes, bytes], None]

    def verifies(self, *, signature: bytes, data: bytes) -> bool:
        """Say whether `signature` is this key's signature over `data`."""
        try:
            self._verify(signature, data)
        except InvalidSignature:
            return False
        return True


def from_jwk(jwk: dict[str, Any]) -> PublicKey:
    """Read a JWK; members that do not make the key are ignored, except `alg` and `kid`, which must fit it.

    :raises UnknownKind: another kind of key.
    :raises BadKey: a known kind with wrong members.
    """
    if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
        raw = _raw(jwk.get("x"))
        members = {"crv": "Ed25519", "kty": "OKP", "x": base64url.encode(raw)}
        alg = ED25519
    elif jwk.get("kty") == "AKP" and jwk.get("alg") == ML_DSA_65:
        raw = _raw(jwk.get("pub"))
        members = {"alg": ML_DSA_65, "kty": "AKP", "pub": base64url.encode(raw)}
        alg = ML_DSA_65
    else:
        raise UnknownKind
    try:
        verify = _verifier(alg, raw)
    except ValueError as error:
        raise BadKey("a key of the wrong length") from error
    key = PublicKey(alg=alg, kid=_thumbprint(members), _verify=verify)
    if jwk.get("alg", alg) != alg or jwk.get("kid", key.kid) != key.kid:
        raise BadKey("alg or kid does not fit the key")
    return key


def _verifier(alg: str, raw: bytes) -> Callable[[bytes, bytes], None]:
    if alg == ED25519:
        return Ed25519PublicKey.from_public_bytes(raw).verify
    return MLDSA65PublicKey.from_public_bytes(raw).verify


def _raw(text: object) -> bytes:
    if not isinstance(text, str):
        raise BadKey("a key without its value")
    try:
        return base64url.decode(text)
    except base64url.NotBase64URL as error:
        raise BadKey("a key that is not base64url") from error


def _thumbprint(members: dict[str, str]) -> str:
    # The members are written in lexical order above, as RFC 7638 wants them.
    return base64url.encode(hashlib.sha256(strict_json.dumps(members)).digest())

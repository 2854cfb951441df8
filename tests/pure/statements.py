"""Makes signed device statements for tests: compact JWS, good or with any part of them changed."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from portal.core import base64url
from tests.pure.certificates import HARDWARE_ID, PrivateKey

PORTAL = "https://portal.example/"
URL = "https://portal.example/device/v1/licenses"
NONCE = "bm9uY2U"
JTI = "AAECAwQFBgcICQoLDA0ODw"


def payload(**changes: Any) -> dict[str, Any]:
    """The payload of a fetch; a member given as `...` is left out."""
    members = {
        "ver": 1,
        "iss": HARDWARE_ID,
        "sub": HARDWARE_ID,
        "aud": PORTAL,
        "jti": JTI,
        "seq": 0,
    } | changes
    return {name: value for name, value in members.items() if value is not ...}


def header(alg: str, chain: Sequence[bytes], **changes: Any) -> dict[str, Any]:
    """The header of a fetch over REST; a member given as `...` is left out."""
    x5c = [base64.b64encode(der).decode() for der in chain]
    members = {"alg": alg, "typ": "lic-fetch+jws", "x5c": x5c, "nonce": NONCE, "url": URL} | changes
    return {name: value for name, value in members.items() if value is not ...}


def compact(protected: object, claims: object, key: PrivateKey, alg: str) -> bytes:
    """The token with this header and payload, signed by `key` with `alg`, whatever the header says."""
    first = base64url.encode(protected if isinstance(protected, bytes) else json.dumps(protected).encode())
    second = base64url.encode(claims if isinstance(claims, bytes) else json.dumps(claims).encode())
    signing_input = f"{first}.{second}".encode()
    return signing_input + b"." + base64url.encode(signature(signing_input, key, alg)).encode()


def signature(data: bytes, key: PrivateKey, alg: str) -> bytes:
    match alg, key:
        case ("ES256", ec.EllipticCurvePrivateKey()):
            return _ecdsa(data, key, hashes.SHA256())
        case ("ES384", ec.EllipticCurvePrivateKey()):
            return _ecdsa(data, key, hashes.SHA384())
        case ("RS256", rsa.RSAPrivateKey()):
            return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        case ("PS256", rsa.RSAPrivateKey()):
            return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        case ("Ed25519" | "EdDSA", ed25519.Ed25519PrivateKey()):
            return key.sign(data)
    raise AssertionError(f"no way to sign {alg}")


def _ecdsa(data: bytes, key: ec.EllipticCurvePrivateKey, digest: hashes.HashAlgorithm) -> bytes:
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(digest, deterministic_signing=True)))
    length = (key.curve.key_size + 7) // 8
    return r.to_bytes(length, "big") + s.to_bytes(length, "big")

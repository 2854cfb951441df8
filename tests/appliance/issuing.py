"""The portal's hand in these tests: keys, key sets, documents and bundles, made without portal code."""

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

PORTAL_ID = "https://portal.test/"
NOW = 1_800_000_000
"""POSIX seconds at which everything is issued: 2027-01-15T08:00:00Z, after the firmware was built."""

Json = dict[str, Any]


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def random_id() -> str:
    return b64u(secrets.token_bytes(16))


@dataclass(frozen=True)
class SigningKey:
    private: Ed25519PrivateKey | MLDSA65PrivateKey

    @property
    def alg(self) -> str:
        return "Ed25519" if isinstance(self.private, Ed25519PrivateKey) else "ML-DSA-65"

    @property
    def members(self) -> Json:
        """The members a thumbprint is made of, in lexical order (RFC 7638)."""
        raw = b64u(self.private.public_key().public_bytes_raw())
        if self.alg == "Ed25519":
            return {"crv": "Ed25519", "kty": "OKP", "x": raw}
        return {"alg": "ML-DSA-65", "kty": "AKP", "pub": raw}

    @property
    def kid(self) -> str:
        return b64u(hashlib.sha256(compact(self.members)).digest())

    def jwk(self, **more: Any) -> Json:
        return {**self.members, "kid": self.kid, "alg": self.alg, **more}


def key_pair() -> tuple[SigningKey, SigningKey]:
    """One key of each algorithm."""
    return SigningKey(Ed25519PrivateKey.generate()), SigningKey(MLDSA65PrivateKey.generate())


def sign(payload: Json | bytes, typ: str, keys: Sequence[SigningKey], **header: Any) -> Json:
    """A JWS in general JSON serialization; `header` overrides or adds header members."""
    data = payload if isinstance(payload, bytes) else compact(payload)
    signatures = []
    for key in keys:
        protected = b64u(compact({"alg": key.alg, "kid": key.kid, "typ": typ, **header}))
        signature = key.private.sign(f"{protected}.{b64u(data)}".encode())
        signatures.append({"protected": protected, "signature": b64u(signature)})
    return {"payload": b64u(data), "signatures": signatures}


def item(product: str = "Port", *, quantity: int = 10, version: int = 14, **more: Any) -> Json:
    members = {"id": random_id(), "product": product, "version": version, "qty": quantity}
    return {**members, "class": "bought", "ret": True, **more}


def bridge(product: str = "Port", *, exp: int, **more: Any) -> Json:
    return item(product, **{"class": "bridge", "ret": False, "exp": exp, **more})


@dataclass
class Issuer:
    """A portal with two roots and two document keys."""

    portal_id: str = PORTAL_ID
    roots: tuple[SigningKey, SigningKey] = field(default_factory=key_pair)
    keys: tuple[SigningKey, SigningKey] = field(default_factory=key_pair)

    def roots_file(self) -> Json:
        return {"roots": [root.jwk() for root in self.roots], "threshold": 2}

    def keyset_payload(
        self, *, version: int = 1, roots: Sequence[SigningKey] | None = None, **more: Any
    ) -> Json:
        keys = [key.jwk(use="sig", typ=["lic+jws", "lic-receipt+jws"], nbf=NOW) for key in self.keys]
        members = {"ver": 1, "iss": self.portal_id, "version": version, "iat": NOW, "keys": keys}
        own_roots = [root.jwk() for root in roots or self.roots]
        return {**members, "roots": own_roots, "threshold": 2, **more}

    def keyset(
        self, *, signed_by: Sequence[SigningKey] | None = None, typ: str = "jwk-set+jwt", **more: Any
    ) -> Json:
        return sign(self.keyset_payload(**more), typ, signed_by or self.roots)

    def document_payload(
        self, hardware_id: str, *, seq: int = 1, items: Sequence[Json] | None = None, **more: Any
    ) -> Json:
        members = {"ver": 1, "iss": self.portal_id, "sub": hardware_id, "jti": random_id(), "iat": NOW}
        return {**members, "seq": seq, "items": [item()] if items is None else list(items), **more}

    def document(
        self, hardware_id: str, *, signed_by: Sequence[SigningKey] | None = None, **more: Any
    ) -> Json:
        return sign(self.document_payload(hardware_id, **more), "lic+jws", signed_by or self.keys)

    def bundle(self, hardware_id: str, **more: Any) -> bytes:
        """The usual bundle for a device; `more` goes into its license document."""
        return bundle(self.document(hardware_id, **more), self.keyset())


def bundle(document: Json, keyset: Json | None = None, **more: Any) -> bytes:
    """A bundle as JSON; `more` overrides or adds members."""
    return compact({"bundle": "olp/1", "tag": random_id(), "license": document, "keyset": keyset, **more})

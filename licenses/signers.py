"""Keys that sign license documents, receipts and key sets: Ed25519 and ML-DSA-65 (trust.md 4, 6 and 10).

A signer is asked for a signature and never for its key, so that a hardware module fits behind the same
protocol.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from portal.core import base64url, strict_json

ED25519 = "Ed25519"
ML_DSA_65 = "ML-DSA-65"
ALGORITHMS = (ED25519, ML_DSA_65)
"""The JOSE names (RFC 9864, RFC 9964) of the two signatures every document carries."""

_RAW_LENGTHS = {ED25519: 32, ML_DSA_65: 1952}
_THUMBPRINT_MEMBERS = {"OKP": ("crv", "kty", "x"), "AKP": ("alg", "kty", "pub")}


class BadSignature(ValueError):
    """A signature does not match, or one that is needed is missing."""


class UnsupportedKey(ValueError):
    """The key is neither Ed25519 nor ML-DSA-65, or is not shaped as RFC 8037 and RFC 9964 want it."""


class UnreadableKeyFile(ValueError):
    """The file holds no private key that the passphrase opens."""


class Signer(Protocol):
    """What signs. `kid` is the RFC 7638 thumbprint of `public_jwk()`."""

    @property
    def alg(self) -> str: ...
    @property
    def kid(self) -> str: ...
    def public_jwk(self) -> dict[str, str]: ...
    def sign(self, data: bytes) -> bytes: ...


@dataclass(frozen=True)
class PublicKey:
    """A public key of one of our two algorithms.

    :raises UnsupportedKey: if `raw` is no public key of the algorithm `alg`.
    """

    alg: str
    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != _RAW_LENGTHS.get(self.alg):
            raise UnsupportedKey(f"not a public key of {self.alg}")

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, object]) -> Self:
        """Return the key of a JWK; members that say more than the key (`kid`, `use`, ...) are ignored.

        :raises UnsupportedKey: if it is no key of ours or its `alg` is another one than the key's.
        """
        match jwk:
            case {"kty": "OKP", "crv": "Ed25519", "x": str(text)}:
                alg = ED25519
            case {"kty": "AKP", "alg": "ML-DSA-65", "pub": str(text)}:
                alg = ML_DSA_65
            case _:
                raise UnsupportedKey("not an Ed25519 or ML-DSA-65 key")
        if jwk.get("alg", alg) != alg:
            raise UnsupportedKey("the alg is another one than the key's")
        try:
            return cls(alg, base64url.decode(text))
        except base64url.NotBase64URL as error:
            raise UnsupportedKey("the key is not base64url") from error

    def jwk(self) -> dict[str, str]:
        """Return the JWK with the members that make the key, and no others."""
        text = base64url.encode(self.raw)
        if self.alg == ED25519:
            return {"kty": "OKP", "crv": "Ed25519", "x": text}
        return {"kty": "AKP", "alg": ML_DSA_65, "pub": text}

    @cached_property
    def kid(self) -> str:
        """The RFC 7638 thumbprint."""
        return thumbprint(self.jwk())

    def verify(self, data: bytes, signature: bytes) -> None:
        """Return if `signature` was made over `data` with this key's private key.

        :raises BadSignature: otherwise.
        """
        try:
            self._key.verify(signature, data)
        except InvalidSignature as error:
            raise BadSignature(f"the {self.alg} signature does not match") from error

    @cached_property
    def _key(self) -> Ed25519PublicKey | MLDSA65PublicKey:
        if self.alg == ED25519:
            return Ed25519PublicKey.from_public_bytes(self.raw)
        return MLDSA65PublicKey.from_public_bytes(self.raw)


class _FileSigner:
    """A signer whose private key is in memory and comes from a file."""

    def __init__(self, private_key: Ed25519PrivateKey | MLDSA65PrivateKey, alg: str) -> None:
        self._private_key = private_key
        self.public_key = PublicKey(alg, private_key.public_key().public_bytes_raw())

    @property
    def alg(self) -> str:
        """The JOSE name of the algorithm."""
        return self.public_key.alg

    @property
    def kid(self) -> str:
        """The RFC 7638 thumbprint of the public key."""
        return self.public_key.kid

    def public_jwk(self) -> dict[str, str]:
        """Return the public key as a JWK."""
        return self.public_key.jwk()

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature over `data`: 64 bytes of Ed25519, 3309 of ML-DSA-65 (empty context)."""
        return self._private_key.sign(data)

    def to_pem(self, passphrase: bytes) -> bytes:
        """Return the private key as encrypted PKCS#8 PEM."""
        return self._private_key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
        )


class Ed25519Signer(_FileSigner):
    """Signs with Ed25519 (RFC 8032)."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        super().__init__(private_key, ED25519)

    @classmethod
    def generate(cls) -> Self:
        """Return a signer with a new random key."""
        return cls(Ed25519PrivateKey.generate())


class MLDSA65Signer(_FileSigner):
    """Signs with ML-DSA-65 (FIPS 204), hedged: two signatures over the same bytes differ."""

    def __init__(self, private_key: MLDSA65PrivateKey) -> None:
        super().__init__(private_key, ML_DSA_65)

    @classmethod
    def generate(cls) -> Self:
        """Return a signer with a new random key."""
        return cls(MLDSA65PrivateKey.generate())


FileSigner = Ed25519Signer | MLDSA65Signer


def from_pem(pem: bytes, passphrase: bytes) -> FileSigner:
    """Return the signer whose private key is in an encrypted PKCS#8 PEM.

    :raises UnreadableKeyFile: if it is no encrypted key, or the passphrase is another.
    :raises UnsupportedKey: if it is a key of another algorithm.
    """
    try:
        private_key = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # TypeError is the library's answer to a key that is not encrypted: ours always are (trust.md 10).
        raise UnreadableKeyFile("no private key that this passphrase opens") from error
    match private_key:
        case Ed25519PrivateKey():
            return Ed25519Signer(private_key)
        case MLDSA65PrivateKey():
            return MLDSA65Signer(private_key)
        case _:
            raise UnsupportedKey("not an Ed25519 or ML-DSA-65 key")


def write_key_file(path: Path, signer: FileSigner, passphrase: bytes) -> None:
    """Write the signer's private key to a new file: encrypted, mode 0600, whole or not at all (trust.md 10).

    :raises FileExistsError: if there is such a file; a key is never overwritten.
    """
    temporary = _written_beside(path, signer.to_pem(passphrase))
    try:
        os.link(temporary, path)  # unlike rename, it does not replace a file that is there
    finally:
        temporary.unlink()
    _keep_names(path.parent)


def replace_key_file(path: Path, signer: FileSigner, passphrase: bytes) -> None:
    """Write the same private key under another passphrase: at no time the file is missing or half written.

    :raises ValueError: the file is not named after this key.
    """
    if path.stem != signer.kid:
        raise ValueError("another key's file")
    _written_beside(path, signer.to_pem(passphrase)).replace(path)
    _keep_names(path.parent)


def _written_beside(path: Path, content: bytes) -> Path:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(temporary)


def _keep_names(folder: Path) -> None:
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read_key_file(path: Path, *passphrases: bytes) -> FileSigner:
    """Return the signer whose private key is in the file, opened by whichever passphrase does.

    :raises OSError: if it cannot be read.
    :raises UnreadableKeyFile: if it holds no encrypted key, or no passphrase opens it.
    :raises UnsupportedKey: if it holds a key of another algorithm.
    """
    pem = path.read_bytes()
    for passphrase in passphrases:
        with contextlib.suppress(UnreadableKeyFile):
            return from_pem(pem, passphrase)
    raise UnreadableKeyFile("no private key that a passphrase opens")


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the RFC 7638 thumbprint of a JWK: SHA-256 in base64url, our `kid`.

    :raises UnsupportedKey: if it is neither an OKP nor an AKP key.
    """
    names = _THUMBPRINT_MEMBERS.get(jwk.get("kty", ""))
    if names is None or not all(name in jwk for name in names):
        raise UnsupportedKey("no OKP or AKP key")
    canonical = strict_json.dumps({name: jwk[name] for name in names})
    return base64url.encode(hashlib.sha256(canonical).digest())

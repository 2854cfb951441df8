"""Signers with fixed keys for tests. Their seeds are public: nothing outside the tests may trust them."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from licenses.signers import Ed25519Signer, MLDSA65Signer, PublicKey


def ed25519(number: int) -> Ed25519Signer:
    return Ed25519Signer(Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big")))


def mldsa65(number: int) -> MLDSA65Signer:
    return MLDSA65Signer(MLDSA65PrivateKey.from_seed_bytes(number.to_bytes(32, "big")))


def by_kid(*signers: Ed25519Signer | MLDSA65Signer) -> dict[str, PublicKey]:
    return {signer.kid: signer.public_key for signer in signers}

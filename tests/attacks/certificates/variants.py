"""A certificate chain, what is wrong with it, and what must come of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from devices.pki import Anchor
from tests import factories
from tests.pure import certificates
from tests.pure.certificates import HARDWARE_ID, Made, PrivateKey, p256

NOW = factories.NOW
ACCEPTED = "accepted"

ROOT = certificates.root()
CA = certificates.device_ca(ROOT)
DEVICE = certificates.device(CA)
ANCHORS = (certificates.anchor(ROOT),)


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What is sent, and the verdict: `accepted`, or the reason for which it is rejected."""

    chain: Sequence[bytes]
    verdict: str
    key: PrivateKey = DEVICE.key
    """Of the device, or of whoever says to be it."""
    anchors: tuple[Anchor, ...] = ANCHORS
    now: datetime = NOW
    hardware_id: str = HARDWARE_ID
    """What the statement says; what the certificate says is part of the variant."""


Make = Callable[[], Variant]


def chain(leaf: Made | bytes, *above: Made | bytes, verdict: str, **options: object) -> Variant:
    """A chain to the one root; without `above` under the device CA. The device signs with the leaf's key."""
    whole = (leaf, *(above or (CA,)))
    key = leaf.key if isinstance(leaf, Made) else DEVICE.key
    return Variant(
        chain=[part.der if isinstance(part, Made) else part for part in whole],
        verdict=verdict,
        **({"key": key} | options),  # type: ignore[arg-type]
    )


def p384(number: int) -> ec.EllipticCurvePrivateKey:
    """The P-384 key with this private number."""
    return ec.derive_private_key(number, ec.SECP384R1())


def rsa_key(bits: int, exponent: int = 65537) -> rsa.RSAPrivateKey:
    """A new RSA key."""
    return rsa.generate_private_key(exponent, bits)


__all__ = [
    "ACCEPTED",
    "ANCHORS",
    "CA",
    "DEVICE",
    "HARDWARE_ID",
    "NOW",
    "ROOT",
    "Make",
    "Variant",
    "chain",
    "p256",
    "p384",
    "rsa_key",
]

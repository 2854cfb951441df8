"""Whom a certificate chain proves, by the trust anchors in the database (trust.md 1).

What was proven is remembered in the process: verifying a chain costs more than everything else a fetch does.
"""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from devices import jose, pki
from devices.models import TrustAnchor
from devices.standing import Anchors

MOST_PROVEN = 20_000
"""Chains remembered in a process; a kilobyte or two each."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Whom a chain proves, and what verifies that device's signatures."""

    identity: pki.DeviceIdentity
    key: jose.VerificationKey


_proven: dict[tuple[bytes, tuple[int, ...], Anchors], Proof] = {}


def forget() -> None:
    """Forget what this process remembers of anchors and chains: for tests, whose databases come and go."""
    trust_anchors.cache_clear()
    _proven.clear()


def proof_of(chain: tuple[bytes, ...], *, anchors: Anchors, now: datetime) -> Proof:
    """Whom the chain proves now. A chain seen before is not verified again while the anchors are the same
    and all its certificates are valid: the answer could not differ.

    :param anchors: those there are now.
    :raises pki.CertificateRejected: it proves nobody.
    """
    seen = (hashlib.sha256(b"".join(chain)).digest(), tuple(map(len, chain)), anchors)
    proof = _proven.get(seen)
    if proof is None or not proof.identity.valid_from <= now <= proof.identity.valid_until:
        identity = pki.verify_chain(chain, trust_anchors(anchors), now)
        proof = Proof(identity, jose.verification_key(identity.public_key))
        if len(_proven) >= MOST_PROVEN:
            _proven.clear()
        _proven[seen] = proof
    return proof


@functools.lru_cache(maxsize=2)
def trust_anchors(anchors: Anchors) -> Sequence[pki.Anchor]:
    """Every anchor that counts, read once a process as long as there are the same."""
    # Not beyond the last: what is kept under it must never hold an anchor that was added since.
    known = TrustAnchor.objects.filter(pk__lte=anchors.last or 0)
    return tuple(
        pki.Anchor(
            certificate=x509.load_der_x509_certificate(bytes(anchor.certificate)),
            prefixes=tuple(sorted(prefix.prefix for prefix in anchor.prefixes.all())),
            hardware_id_in="serialNumber" if anchor.hardware_id_in == "serialNumber" else "CN",
        )
        for anchor in known.prefetch_related("prefixes").order_by("pk")
    )

"""Whom a certificate chain proves, by the trust anchors in the database (trust.md 1).

What was proven is remembered in the process: verifying a chain costs more than everything else a fetch does.
"""

import functools
import hashlib
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from devices import pki
from devices.models import TrustAnchor
from devices.standing import Anchors

MOST_PROVEN = 20_000
"""Chains remembered in a process; some hundred bytes each."""

_proven: dict[tuple[bytes, tuple[int, ...], Anchors], pki.DeviceIdentity] = {}


def forget() -> None:
    """Forget what this process remembers of anchors and chains: for tests, whose databases come and go."""
    trust_anchors.cache_clear()
    _proven.clear()


def identity_of(chain: tuple[bytes, ...], *, anchors: Anchors, now: datetime) -> pki.DeviceIdentity:
    """Whom the chain proves now. A chain seen before is not verified again while the anchors are the same
    and all its certificates are valid: the answer could not differ.

    :param anchors: those there are now.
    :raises pki.CertificateRejected: it proves nobody.
    """
    seen = (hashlib.sha256(b"".join(chain)).digest(), tuple(map(len, chain)), anchors)
    identity = _proven.get(seen)
    if identity is None or not identity.valid_from <= now <= identity.valid_until:
        identity = pki.verify_chain(chain, trust_anchors(anchors), now)
        if len(_proven) >= MOST_PROVEN:
            _proven.clear()
        _proven[seen] = identity
    return identity


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

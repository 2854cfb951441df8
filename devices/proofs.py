"""Whom a certificate chain proves, by the trust anchors in the database (trust.md 1).

What was proven is remembered in the process: verifying a chain costs more than everything else a fetch does.
"""

import functools
import hashlib
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from django.db.models import Count, Max

from devices import pki
from devices.models import TrustAnchor

MOST_PROVEN = 20_000
"""Chains remembered in a process; some hundred bytes each."""

# Anchors are added and removed, never changed: their number and the last one say which there are.
_Stamp = tuple[int, int | None]

_proven: dict[tuple[bytes, tuple[int, ...], _Stamp], pki.DeviceIdentity] = {}


def trust_anchors() -> Sequence[pki.Anchor]:
    """Every anchor that counts now."""
    return _anchors(_anchors_stamp())


def forget() -> None:
    """Forget what this process remembers of anchors and chains: for tests, whose databases come and go."""
    _anchors.cache_clear()
    _proven.clear()


def identity_of(chain: tuple[bytes, ...], *, now: datetime) -> pki.DeviceIdentity:
    """Whom the chain proves now. A chain seen before is not verified again while the anchors are the same
    and all its certificates are valid: the answer could not differ.

    :raises pki.CertificateRejected: it proves nobody.
    """
    stamp = _anchors_stamp()
    seen = (hashlib.sha256(b"".join(chain)).digest(), tuple(map(len, chain)), stamp)
    identity = _proven.get(seen)
    if identity is None or not identity.valid_from <= now <= identity.valid_until:
        identity = pki.verify_chain(chain, _anchors(stamp), now)
        if len(_proven) >= MOST_PROVEN:
            _proven.clear()
        _proven[seen] = identity
    return identity


def _anchors_stamp() -> _Stamp:
    stamp = TrustAnchor.objects.aggregate(number=Count("pk"), last=Max("pk"))
    return stamp["number"], stamp["last"]


@functools.lru_cache(maxsize=2)
def _anchors(stamp: _Stamp) -> Sequence[pki.Anchor]:
    # Not beyond the stamp: what is kept under it must never hold an anchor that was added since.
    known = TrustAnchor.objects.filter(pk__lte=stamp[1] or 0)
    return tuple(
        pki.Anchor(
            certificate=x509.load_der_x509_certificate(bytes(anchor.certificate)),
            prefixes=tuple(sorted(prefix.prefix for prefix in anchor.prefixes.all())),
            hardware_id_in="serialNumber" if anchor.hardware_id_in == "serialNumber" else "CN",
        )
        for anchor in known.prefetch_related("prefixes").order_by("pk")
    )

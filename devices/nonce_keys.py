"""The keys behind nonces: every node has the same, and understands those of before (docs/rotation.md)."""

import functools

from django.conf import settings
from django.utils.crypto import salted_hmac


def known() -> list[bytes]:
    """The key that nonces are made with, and those of nodes and minutes that had another secret."""
    return [_of(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


@functools.cache
def _of(secret: str) -> bytes:
    return salted_hmac("devices.nonces", "v1", secret=secret, algorithm="sha256").digest()

"""Nonces for the device doors: stateless, made and checked with one key on every node (trust.md 9).

A nonce proves that a statement was signed recently; that it is used once is for the operation to record.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from portal.core import base64url

LIFETIME_SECONDS = 600
SKEW_SECONDS = 30  # how far the clocks of two nodes may be apart

_TIME_BYTES = 6
_RANDOM_BYTES = 12
_MAC_BYTES = 16
_TEXT_LENGTH = 46  # 34 bytes in base64url
_DOMAIN = b"olp-nonce-v1\x00"  # the key may have other uses: what is computed with it must differ


class BadNonce(ValueError):
    """The nonce was not made here, or is older than its lifetime; the answer is a fresh one (`bad-nonce`)."""


def make(key: bytes, now: int) -> str:
    """Return a fresh nonce.

    :param key: the secret all nodes share.
    :param now: POSIX seconds.
    """
    body = now.to_bytes(_TIME_BYTES, "big") + secrets.token_bytes(_RANDOM_BYTES)
    return base64url.encode(body + _mac(key, body))


def check(keys: Sequence[bytes], nonce: str, now: int) -> None:
    """Return if `nonce` was made with one of `keys` within the last 600 seconds.

    :param now: POSIX seconds.
    :raises BadNonce: otherwise.
    """
    if len(nonce) != _TEXT_LENGTH:
        raise BadNonce("not a nonce")
    try:
        data = base64url.decode(nonce)
    except base64url.NotBase64URL as error:
        raise BadNonce("not a nonce") from error
    body, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
    if not any(hmac.compare_digest(mac, _mac(key, body)) for key in keys):
        raise BadNonce("not made here")
    age = now - int.from_bytes(body[:_TIME_BYTES], "big")
    if not -SKEW_SECONDS <= age <= LIFETIME_SECONDS:
        raise BadNonce("expired")


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, _DOMAIN + body, hashlib.sha256)[:_MAC_BYTES]

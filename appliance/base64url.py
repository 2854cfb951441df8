"""Base64url without padding, read strictly: one text for one value of bytes (RFC 7515, section 2)."""

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*\Z")


class NotBase64URL(ValueError):
    """The text is not canonical base64url without padding."""


def encode(data: bytes) -> str:
    """Return `data` as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes `text` stands for.

    :raises NotBase64URL: foreign characters, padding, an impossible length, or trailing bits not zero.
    """
    if not _ALPHABET.match(text) or len(text) % 4 == 1:
        raise NotBase64URL
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise NotBase64URL
    return data

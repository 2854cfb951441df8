"""The text of a token that a program signs in with: a prefix and 32 random bytes in base64url.

By the prefix scanners for leaked secrets, and people, know one when they see it. Tables keep the hash alone,
and look-ups go by it: of 256 random bits no time that they take tells anything.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass

from portal.core import base64url

_RANDOM_PART = re.compile(r"[A-Za-z0-9_-]{43}")


class NotATokenSecret(Exception):
    """The text is not of the form that tokens have."""


@dataclass(frozen=True, kw_only=True)
class TokenSecret:
    """`text` is for whoever made the token, once; `sha256`, 32 bytes, and `last_four` are kept."""

    text: str
    sha256: bytes

    @property
    def last_four(self) -> str:
        """By which people tell tokens apart."""
        return self.text[-4:]


def make(prefix: str) -> TokenSecret:
    """A new one."""
    random = secrets.token_bytes(32)
    return TokenSecret(text=prefix + base64url.encode(random), sha256=hashlib.sha256(random).digest())


def sha256_of(text: str, *, prefix: str) -> bytes:
    """The hash by which the token of this text is found.

    :raises NotATokenSecret: it cannot be one.
    """
    if not text.startswith(prefix) or not _RANDOM_PART.fullmatch(text.removeprefix(prefix)):
        raise NotATokenSecret
    try:
        random = base64url.decode(text.removeprefix(prefix))
    except base64url.NotBase64URL as error:  # 43 characters hold two bits too many, which must be zero
        raise NotATokenSecret from error
    return hashlib.sha256(random).digest()

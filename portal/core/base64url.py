"""base64url without padding (RFC 4648, 5): the form of binary values in our documents (trust.md 2)."""

import base64
import binascii


class NotBase64URL(ValueError):
    """The text is not the one canonical base64url form of any bytes."""


def encode(data: bytes) -> str:
    """Return `data` as base64url text without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes that `text` stands for.

    Exactly one text stands for given bytes: padding, foreign characters, line breaks and non-zero trailing
    bits are refused, so that nobody can change a signed token's text without changing its bytes.

    :raises NotBase64URL: if `text` is anything but the canonical form.
    """
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise NotBase64URL("not base64url") from error
    # The standard decoder drops foreign characters and ignores trailing bits; writing the bytes again shows
    # both.
    if encode(data) != text:
        raise NotBase64URL("not canonical base64url")
    return data

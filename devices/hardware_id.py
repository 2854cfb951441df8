"""Hardware IDs: what licenses are bound to (mission rule 11), in their one form (trust.md 1)."""

import re

PATTERN = r"^([0-9A-F]{2}-){5}[0-9A-F]{2}$"
"""The canonical form, as trust.md 1 prints it; for database constraints and the API's schema."""

_CANONICAL = re.compile(r"([0-9A-F]{2}-){5}[0-9A-F]{2}")
_DIGITS = re.compile(r"[0-9A-F]{12}")
_UPPER = str.maketrans("abcdef", "ABCDEF")
_MAX_TYPED_LENGTH = 64  # twelve digits with any sensible separators, and room for pasted blanks


class NotAHardwareID(ValueError):
    """The text is no hardware ID: twelve hexadecimal digits, with `-`, `:`, `.`, blanks or nothing."""


def is_canonical(text: str) -> bool:
    """Return whether `text` is a hardware ID in canonical form, `00-90-33-01-0A-FF`."""
    return _CANONICAL.fullmatch(text) is not None


def parse(text: str) -> str:
    """Return the canonical form of the hardware ID that a person typed or a label shows.

    :raises NotAHardwareID: if the text has other characters, or more or fewer than twelve digits (an EUI-64,
        a serial number).
    """
    if len(text) > _MAX_TYPED_LENGTH:
        raise NotAHardwareID("too long for a hardware ID")
    # Only ASCII letters are turned to upper case: str.upper() and int() would let other scripts' digits pass.
    digits = re.sub(r"[-:.\s]", "", text).translate(_UPPER)
    if not _DIGITS.fullmatch(digits):
        raise NotAHardwareID("a hardware ID is twelve hexadecimal digits")
    return "-".join(digits[index : index + 2] for index in range(0, 12, 2))

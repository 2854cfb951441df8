"""Activation codes: the alphanumeric code of an activation key (mission rule 8).

25 characters in five groups: 24 random ones (120 bits) of Crockford's base32 alphabet and a Luhn mod 32 check
character, which finds every mistyped character and nearly every swap of two neighbors.
"""

import hashlib
import hmac
import secrets
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 25
GROUP_LENGTH = 5

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_MAX_TYPED_LENGTH = 200
# Only ASCII letters are folded: str.upper() would let a dotless i of another alphabet pass as 1.
_FOLD = str.maketrans("abcdefghijklmnopqrstuvwxyzILO", "ABCDEFGH1JK1MN0PQRSTUVWXYZ110")


class NotAnActivationCode(ValueError):
    """The text is no activation code; `reason` is `length`, `characters` or `check` (a mistyped one)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def generate() -> str:
    """Return a new random code as people read it, `XXXXX-XXXXX-XXXXX-XXXXX-XXXXX`."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return format_code(body + _check_character(body))


def read(text: str) -> str:
    """Return the canonical 25 characters, without dashes, of a code that a person typed or scanned.

    Case, blanks, dashes, and `O` for `0`, `I` or `L` for `1` do not matter (mission rule 8).

    :raises NotAnActivationCode: for foreign characters, another length, or a wrong check character.
    """
    if len(text) > _MAX_TYPED_LENGTH:
        raise NotAnActivationCode("length")
    # Any dash counts as one: printed or mailed certificates come back with typographic ones.
    code = "".join(c for c in text if not (c.isspace() or unicodedata.category(c) == "Pd")).translate(_FOLD)
    if not all(character in _VALUES for character in code):
        raise NotAnActivationCode("characters")
    if len(code) != LENGTH:
        raise NotAnActivationCode("length")
    if code[-1] != _check_character(code[:-1]):
        raise NotAnActivationCode("check")
    return code


def format_code(code: str) -> str:
    """Return a canonical code in five groups of five, as it is printed."""
    return "-".join(code[start : start + GROUP_LENGTH] for start in range(0, len(code), GROUP_LENGTH))


def fingerprint(code: str, pepper: bytes) -> bytes:
    """Return the keyed hash under which a code is stored: HMAC-SHA256, 32 bytes.

    :param code: the canonical form; any other would be stored where no look-up finds it.
    :param pepper: the secret from the settings, at least 16 bytes.
    :raises ValueError: if the code is not canonical or the pepper too short.
    """
    if len(code) != LENGTH or not all(character in _VALUES for character in code):
        raise ValueError("not a canonical activation code")
    if len(pepper) < 16:
        raise ValueError("the pepper has fewer than 16 bytes")
    return hmac.digest(pepper, b"olp-activation-code-v1\x00" + code.encode("ascii"), hashlib.sha256)


def _check_character(body: str) -> str:
    # Luhn mod N: from the right, every second value is doubled and its digits (in base N) are added.
    base = len(ALPHABET)
    total = 0
    for position, character in enumerate(reversed(body)):
        value = _VALUES[character] * (2 if position % 2 == 0 else 1)
        total += value // base + value % base
    return ALPHABET[-total % base]

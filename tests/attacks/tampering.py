"""What can be done to a signed token by somebody who has one but no key, and to JSON by somebody who has.

Changes are small and keep most of a token right, so that every layer of its reading is reached.
"""

import functools
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from portal.core import base64url
from tests.attacks.certificates import der

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]


@functools.cache
def _below(number: int) -> st.SearchStrategy[int]:
    """Kept: making a strategy costs more than drawing from it."""
    return st.sampled_from(range(number))


class Choose(Protocol):
    """Makes the decisions: Hypothesis, which can shrink them, or a seeded generator, which is quick."""

    def below(self, number: int) -> int:
        """An integer from 0 to `number` - 1."""
        ...

    def one_of(self, values: Sequence[T]) -> T:
        """One of the values."""
        ...


@dataclass(frozen=True)
class Drawn:
    """By Hypothesis."""

    draw: Draw

    def below(self, number: int) -> int:
        chosen: int = self.draw(_below(number))
        return chosen

    def one_of(self, values: Sequence[T]) -> T:
        return values[self.below(len(values))]


def often(number: int) -> settings:
    """So many examples, without a time limit for each and without a memory of earlier runs."""
    return settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True)
class Seeded:
    """By a generator that starts from the same seed every time."""

    generator: random.Random

    def below(self, number: int) -> int:
        return self.generator.randrange(number)

    def one_of(self, values: Sequence[T]) -> T:
        return self.generator.choice(values)


P256_ORDER = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
MEMBERS = ["alg", "typ", "x5c", "nonce", "url", "ver", "iss", "sub", "aud", "jti", "seq", "ctr", "grants"]
MEMBERS += ["min_seq", "installed_seq", "effective_seq", "code", "iat", "fw", "must", "have", "ks"]
MEMBERS += [
    "jwk",
    "jku",
    "x5u",
    "crit",
    "b64",
    "zip",
    "kid",
    "",
    "ver\x00",
    "\ud800",
    "__proto__",
    "x" * 3000,
]
VALUES: list[Any] = [None, True, False, 0, 1, -1, -0.0, 1.5, 1e308, 2**31, 2**53 - 1, 2**53, 2**64, 10**400]
VALUES += ["", " ", "*", "0", "none", "HS256", "ES256", "EdDSA", "\x00", "\ud800", "\udfff", "é", "x" * 129]
VALUES += ["x" * 2049, "A" * 22, "00-90-33-01-0A-FF", "00-90-33-01-0a-ff", "lic-return+jws", "lic-ack+jws"]
VALUES += [[], {}, ["*"], ["*", "*"], ["A" * 22] * 2, [None], [["*"]], {"a": {}}, ["x"] * 1001, [0] * 3]
# What `json.dumps` does not write, put where a value stands.
RAW = ["NaN", "-Infinity", "1e400", "01", "+1", "1.", "0x10", "'x'", '"\\ud800\\u0020"', '"\\x41"', "tru", ""]
RAW += ["9" * 5000, "-" + "9" * 17, "[" * 9 + "]" * 9, '{"a":' * 9 + "1" + "}" * 9, "[" * 5000, '"\t"', "1,2"]
BYTES = [b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xc3\xa9", *(bytes([n]) for n in b' \n=.-+/{"')]
MARK = "\x01raw\x01"


def tampered(choose: Choose, bases: Sequence[bytes]) -> bytes:
    """One of the tokens with one to three changes, as somebody without its key can make them."""
    token = choose.one_of(bases)
    for _ in range(1 + choose.below(3)):
        token = choose.one_of(CHANGES)(choose, token, bases)
    return token


def twisted_json(choose: Choose, text: bytes) -> bytes:
    """A JSON object with one thing about it changed; what is no JSON object loses or gains a byte."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):  # this reader has no bounds
        members = None
    if not isinstance(members, dict):
        return bytes_changed(choose, text)
    name = choose.one_of([*members, *MEMBERS])
    kind = choose.below(8)
    match kind:
        case 0:
            members.pop(name, None)
        case 1 | 2:
            members[name] = choose.one_of(VALUES)
        case 3:
            members[name] = MARK
        case 4:
            return _named_twice(choose, members, name)
        case 5:
            members = dict(sorted(members.items(), reverse=bool(choose.below(2))))
        case 6:
            return bytes_changed(choose, json.dumps(members, indent=choose.below(2) or None).encode())
        case 7:
            members[name] = _inside(choose, members.get(name))
    written = json.dumps(members)
    return written.replace(json.dumps(MARK), choose.one_of(RAW) if kind == 3 else "0").encode()


def _inside(choose: Choose, value: Any) -> Any:
    if isinstance(value, list) and value:
        index = choose.below(len(value))
        return [*value[:index], choose.one_of(VALUES), *value[index + choose.below(2) :]]
    if isinstance(value, str) and value:
        index = choose.below(len(value))
        return value[:index] + choose.one_of("AQaz09-_=+/. \x00é\ud800") + value[index + 1 :]
    if isinstance(value, int):
        return value + choose.one_of([-1, 1, 2**53, 1_000_001])
    return [value]


def _named_twice(choose: Choose, members: dict[str, Any], name: str) -> bytes:
    written = json.dumps(members)
    value = json.dumps(choose.one_of([members.get(name), *VALUES]))
    member = f"{json.dumps(name)}:{value}"
    return ("{" + member + "," + written[1:] if choose.below(2) else written[:-1] + f",{member}}}").encode()


def bytes_changed(choose: Choose, data: bytes) -> bytes:
    """The bytes with one cut, put in, left out, repeated or turned over."""
    place = choose.below(len(data) + 1)
    match choose.below(5):
        case 0:
            return data[:place]
        case 1:
            return data[:place] + choose.one_of(BYTES) + data[place:]
        case 2:
            return data[:place] + data[place + 1 :]
        case 3:
            return data[:place] + data[place : place + 40] * choose.one_of([2, 3, 2000]) + data[place:]
    flipped = bytearray(data or b"\x00")
    flipped[place % len(flipped)] ^= 1 << choose.below(8)
    return bytes(flipped)


def _raw(choose: Choose, token: bytes, bases: Sequence[bytes]) -> bytes:
    return bytes_changed(choose, token)


def _segments_of_others(choose: Choose, token: bytes, bases: Sequence[bytes]) -> bytes:
    parts, others = token.split(b"."), choose.one_of(bases).split(b".")
    place = choose.below(len(parts))
    parts[place] = others[choose.below(len(others))]
    return b".".join(parts)


def _segments_moved(choose: Choose, token: bytes, bases: Sequence[bytes]) -> bytes:
    parts = token.split(b".")
    match choose.below(4):
        case 0:
            parts = parts[::-1]
        case 1:
            del parts[choose.below(len(parts))]
        case 2:
            parts.insert(choose.below(len(parts) + 1), choose.one_of([b"", *parts]))
        case 3:
            parts[choose.below(len(parts))] = b""
    return b".".join(parts)


def _base64_variant(choose: Choose, token: bytes, bases: Sequence[bytes]) -> bytes:
    parts = token.split(b".")
    place = choose.below(len(parts))
    part = parts[place]
    match choose.below(6):
        case 0:
            part += b"=" * (1 + choose.below(3))
        case 1:
            part = part.replace(b"-", b"+").replace(b"_", b"/")
        case 2:
            part = part[:-1] + bytes([part[-1] ^ 1]) if part else b"A"
        case 3:
            part = b"\n".join(part[i : i + 76] for i in range(0, len(part), 76))
        case 4:
            part = part.swapcase()
        case 5:
            part = part.replace(b"A", b"%41").replace(b"_", "＿".encode())
    parts[place] = part
    return b".".join(parts)


def _part_changed(choose: Choose, token: bytes, bases: Sequence[bytes]) -> bytes:
    """What a segment encodes is changed, and encoded again as it should be."""
    parts = token.split(b".")
    place = choose.below(len(parts))
    parts[place] = _encoded(bytes_changed(choose, _decoded(parts[place])))
    return b".".join(parts)


def _json_changed(choose: Choose, token: bytes, bases: Sequence[bytes]) -> bytes:
    parts = token.split(b".")
    place = choose.below(min(2, len(parts)))
    parts[place] = _encoded(twisted_json(choose, _decoded(parts[place])))
    return b".".join(parts)


def _certificate_changed(choose: Choose, token: bytes, bases: Sequence[bytes]) -> bytes:
    head, *rest = token.split(b".")
    try:
        header = json.loads(_decoded(head))
        chain = [base64url.decode(_as_url(text)) for text in header["x5c"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return bytes_changed(choose, token)
    if not chain:
        return token
    place = choose.below(len(chain))
    match choose.below(5):
        case 0:
            chain.reverse()
        case 1:
            chain.append(choose.one_of(chain))
        case 2:
            del chain[place]
        case _:
            chain[place] = bytes_changed(choose, chain[place])
    header["x5c"] = [_standard(data) for data in chain]
    return b".".join([_encoded(json.dumps(header).encode()), *rest])


def _signature_changed(choose: Choose, token: bytes, bases: Sequence[bytes]) -> bytes:
    *signed, last = token.split(b".")
    signature = _decoded(last)
    half = len(signature) // 2
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    match choose.below(5):
        case 0:  # the second valid form: what was signed stays what was signed
            signature = signature[:half] + ((P256_ORDER - s) % P256_ORDER).to_bytes(max(half, 32), "big")
        case 1:
            signature = bytes(len(signature))
        case 2:
            numbers = (n.to_bytes(n.bit_length() // 8 + 1, "big") for n in (r, s))
            signature = der.sequence(*(der.Node(der.INTEGER, data) for data in numbers)).write()
        case 3:
            signature = signature[half:] + signature[:half]
        case 4:
            signature = (r + P256_ORDER).to_bytes(max(half, 32) + 2, "big") + signature[half:]
    return b".".join([*signed, _encoded(signature)])


CHANGES = (
    _raw,
    _segments_of_others,
    _segments_moved,
    _base64_variant,
    _part_changed,
    _json_changed,
    _json_changed,
    _certificate_changed,
    _certificate_changed,
    _signature_changed,
)


def _decoded(segment: bytes) -> bytes:
    try:
        return base64url.decode(segment.decode("ascii"))
    except ValueError:
        return segment


def _encoded(data: bytes) -> bytes:
    return base64url.encode(data).encode()


def _as_url(text: str) -> str:
    return text.rstrip("=").replace("+", "-").replace("/", "_")


def _standard(data: bytes) -> str:
    text = base64url.encode(data).replace("-", "+").replace("_", "/")
    return text + "=" * (-len(text) % 4)

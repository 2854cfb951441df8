"""The one reading and writing of JSON for signed documents (trust.md 2).

What two readers could understand differently is refused: duplicate names, floats, huge integers, NUL, lone
surrogates, deep nesting. Size is looked at before anything is parsed.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

MAX_DEPTH = 8
MAX_INTEGER = 2**53 - 1  # what every JSON reader holds exactly
_MAX_INTEGER_DIGITS = 16
_SURROGATES = re.compile("[\ud800-\udfff]")

# Strings are matched whole, an unterminated one to the end of the data, and possessively: each byte is looked
# at once, whatever an attacker sends.
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)


class MalformedJSON(ValueError):
    """The bytes are not JSON as trust.md 2 wants it; the text says which rule they break."""


class UnwritableJSON(ValueError):
    """The value has no form in the JSON of trust.md 2: a float, a name that is no text, a huge number."""


def loads(data: bytes, *, max_bytes: int) -> dict[str, Any]:
    """Return the object that `data` holds.

    :param max_bytes: the size above which the data is not looked at.
    :raises MalformedJSON: if the data breaks one of the rules of trust.md 2.
    """
    if len(data) > max_bytes:
        raise MalformedJSON(f"larger than {max_bytes} bytes")
    _check_depth(data)
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedJSON("not UTF-8") from error
    except json.JSONDecodeError as error:
        raise MalformedJSON(f"not JSON: {error.msg} at character {error.pos}") from error
    if not isinstance(value, dict):
        raise MalformedJSON("the top level is not an object")
    # Raw NUL is refused by the decoder and raw surrogates are no UTF-8: only an escape can bring either in.
    if b"\\u" in data:
        for text in _texts(value):
            _check_text(text, MalformedJSON)
    return value


def dumps(value: object) -> bytes:
    """Return `value` as compact UTF-8 JSON, members in the order they have.

    :raises UnwritableJSON: if `loads` would not read the value back as it is.
    """
    _check_writable(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def _check_depth(data: bytes) -> None:
    # Few brackets cannot nest deeply. Device statements end here; only larger documents are scanned.
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(data):
        first = data[match.start() : match.start() + 1]
        if first in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise MalformedJSON(f"nested deeper than {MAX_DEPTH}")
        elif first != b'"':
            depth -= 1


def _unique_members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) != len(members):
        raise MalformedJSON("a name occurs twice in one object")
    return value


def _integer(text: str) -> int:
    # Length first: converting an integer of many thousand digits takes time that grows with its square.
    if len(text.lstrip("-")) > _MAX_INTEGER_DIGITS or abs(value := int(text)) > MAX_INTEGER:
        raise MalformedJSON("an integer of 2^53 or more")
    return value


def _no_float(_text: str) -> NoReturn:
    raise MalformedJSON("a number that is not an integer")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_members, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float
)


def _texts(value: object) -> Iterable[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case dict() as members:
                yield from members
                waiting.extend(members.values())
            case list() as items:
                waiting.extend(items)
            case _:
                pass


def _check_text(text: str, error: type[ValueError]) -> None:
    if "\x00" in text:
        raise error("a NUL character")
    if _SURROGATES.search(text):
        raise error("a lone surrogate")


def _check_writable(value: object, depth: int = 0) -> None:
    # Recursion is bounded by the depth check, which comes before the step down.
    match value:
        case None | bool():
            pass
        case int():
            if abs(value) > MAX_INTEGER:
                raise UnwritableJSON("an integer of 2^53 or more")
        case str():
            _check_text(value, UnwritableJSON)
        case dict():
            for name in value:
                if not isinstance(name, str):
                    raise UnwritableJSON("a name that is no text")
                _check_text(name, UnwritableJSON)
            _check_items(value.values(), depth)
        case list() | tuple():
            _check_items(value, depth)
        case _:
            raise UnwritableJSON(f"a value of type {type(value).__name__}")


def _check_items(items: Iterable[object], depth: int) -> None:
    if depth == MAX_DEPTH:
        raise UnwritableJSON(f"nested deeper than {MAX_DEPTH}")
    for item in items:
        _check_writable(item, depth + 1)

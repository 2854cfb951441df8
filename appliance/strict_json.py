"""JSON as the signed formats have it (trust.md 2): one reading for everybody, or none."""

import json
import re
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 8
MAX_INTEGER: Final = 2**53 - 1
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotStrictJSON(ValueError):
    """The bytes break a rule for JSON; the message names the rule."""


class TooLarge(NotStrictJSON):
    """There are more bytes than allowed; they were not parsed."""


def loads(data: bytes, *, max_bytes: int) -> dict[str, Any]:
    """Read a JSON object of at most `max_bytes` bytes.

    :raises TooLarge: more bytes than `max_bytes`.
    :raises NotStrictJSON: anything trust.md 2 forbids: not UTF-8, no object on top, a name twice, a float, an
        integer of 2^53 or more, NUL, a lone surrogate, more than eight levels.
    """
    if len(data) > max_bytes:
        raise TooLarge(f"more than {max_bytes} bytes")
    _check_depth(data)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_no_float,
            parse_int=_integer,
            parse_constant=_no_float,
        )
    except UnicodeDecodeError as error:
        raise NotStrictJSON("not UTF-8") from error
    except json.JSONDecodeError as error:
        raise NotStrictJSON("not JSON") from error
    if not isinstance(value, dict):
        raise NotStrictJSON("not an object")
    _check_strings(value)
    return value


def dumps(value: dict[str, Any]) -> bytes:
    """Return `value` as compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


def _check_depth(data: bytes) -> None:
    # Before parsing, so that a thousand brackets never reach the recursive parser.
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(data):
        first = token.group()[:1]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise NotStrictJSON(f"more than {MAX_DEPTH} levels")
        elif first in b"]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJSON("a name twice in one object")
    return members


def _no_float(text: str) -> NoReturn:
    raise NotStrictJSON(f"a number that is not an integer: {text[:20]}")


def _integer(text: str) -> int:
    # 2^53 has 16 digits; longer text is refused before int() works on it.
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise NotStrictJSON("an integer of 2^53 or more")
    return int(text)


def _check_strings(value: object) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise NotStrictJSON("a NUL character")
        if _SURROGATE.search(value):
            raise NotStrictJSON("a lone surrogate")
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_strings(name)
            _check_strings(member)
    elif isinstance(value, list):
        for element in value:
            _check_strings(element)

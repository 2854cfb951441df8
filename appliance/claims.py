"""Members of a signed payload: strict about the known ones, blind to others unless `must` names them."""

import re
from collections.abc import Collection
from typing import Any

from appliance import base64url, strict_json
from appliance.refusals import Refusal


def read_payload(payload: bytes, *, known: Collection[str], max_bytes: int) -> dict[str, Any]:
    """Read a payload of version 1.

    :param known: every member name this firmware understands.
    :raises Refusal: `malformed`, `too-large`, `unknown-version`, `unknown-must`.
    """
    members = parse(payload, max_bytes=max_bytes)
    if integer(members, "ver") != 1:
        raise Refusal("unknown-version", f"ver {members['ver']}")
    check_must(members, known=known)
    return members


def parse(data: bytes, *, max_bytes: int) -> dict[str, Any]:
    """Read a strict JSON object.

    :raises Refusal: `malformed`, `too-large`.
    """
    try:
        return strict_json.loads(data, max_bytes=max_bytes)
    except strict_json.TooLarge as error:
        raise Refusal("too-large") from error
    except strict_json.NotStrictJSON as error:
        raise Refusal("malformed", str(error)) from error


def check_must(members: dict[str, Any], *, known: Collection[str]) -> None:
    """Refuse what demands to be understood and is not (trust.md 2).

    :raises Refusal: `unknown-must`, `malformed`.
    """
    for name in _list(members.get("must", []), "must"):
        if not isinstance(name, str):
            raise Refusal("malformed", "must names members by text")
        if name not in known:
            raise Refusal("unknown-must", name[:40])


def text(members: dict[str, Any], name: str, *, max_length: int = 255) -> str:
    """Return a member that is a text of 1 to `max_length` characters.

    :raises Refusal: `malformed`.
    """
    value = members.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= max_length:
        raise Refusal("malformed", f"{name} is not a text of 1 to {max_length} characters")
    return value


def integer(members: dict[str, Any], name: str, *, least: int = 0) -> int:
    """Return a member that is an integer of at least `least`.

    :raises Refusal: `malformed`.
    """
    value = members.get(name)
    # JSON's true is a bool, and in Python a bool is an int.
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise Refusal("malformed", f"{name} is not an integer of at least {least}")
    return value


def boolean(members: dict[str, Any], name: str) -> bool:
    """Return a member that is true or false.

    :raises Refusal: `malformed`.
    """
    value = members.get(name)
    if not isinstance(value, bool):
        raise Refusal("malformed", f"{name} is not true or false")
    return value


def objects(members: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a member that is a list of objects.

    :raises Refusal: `malformed`.
    """
    values = _list(members.get(name), name)
    if not all(isinstance(value, dict) for value in values):
        raise Refusal("malformed", f"{name} is not a list of objects")
    return values


def random_id(members: dict[str, Any], name: str) -> str:
    """Return a member that is a 128-bit id: 16 bytes as 22 characters of base64url.

    :raises Refusal: `malformed`.
    """
    value = text(members, name, max_length=22)
    try:
        if len(base64url.decode(value)) == 16:
            return value
    except base64url.NotBase64URL as error:
        raise Refusal("malformed", f"{name} is not base64url") from error
    raise Refusal("malformed", f"{name} is not an id of 128 bits")


def hardware_id(members: dict[str, Any], name: str) -> str:
    """Return a member that is a hardware ID in canonical form (trust.md 1).

    :raises Refusal: `malformed`.
    """
    value = text(members, name)
    if not HARDWARE_ID.fullmatch(value):
        raise Refusal("malformed", f"{name} is not a hardware ID")
    return value


HARDWARE_ID = re.compile(r"(?:[0-9A-F]{2}-){5}[0-9A-F]{2}")


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise Refusal("malformed", f"{name} is not a list")
    return value

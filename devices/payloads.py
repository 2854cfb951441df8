"""What devices say, as typed values: the payloads of fetch, return, acknowledgement and claim (trust.md 3).

Unknown members are ignored unless `must` names them (trust.md 2). Everything has a bound.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from devices import hardware_id
from devices.jose import DeviceToken, MalformedToken

FETCH_TYP = "lic-fetch+jws"
RETURN_TYP = "lic-return+jws"
ACK_TYP = "lic-ack+jws"
CLAIM_TYP = "lic-claim+jws"

ALL: Literal["*"] = "*"
"""A return of everything that the portal's current document lists."""
MOST_GRANTS = 1000
"""Grants one return may name; a device holds at most 200, and may name others that ended before."""

_COMMON = frozenset({"ver", "iss", "sub", "aud", "jti", "seq", "iat", "fw", "must"})
_ID = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]")  # 16 bytes in canonical base64url
_MAX_TEXT = 128
_MAX_AUDIENCE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What every statement says. Times are POSIX seconds by the device's clock, which may be wrong."""

    hardware_id: str
    aud: str
    jti: str
    seq: int
    """The highest license document the device ever installed."""
    iat: int | None = None
    fw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch(Statement):
    """`lic-fetch+jws`: give me my licenses."""

    have: str | None = None
    """The tag of the bundle the device holds."""
    ks: int | None = None
    """The highest key-set version it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(Statement):
    """`lic-return+jws`: I give these back."""

    ctr: int
    grants: tuple[str, ...] | Literal["*"]
    min_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement(Statement):
    """`lic-ack+jws`: this is installed, this is in effect."""

    ctr: int
    installed_seq: int
    effective_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Statement):
    """`lic-claim+jws`: whoever got this code from you has me in their hands."""

    ctr: int
    code: str


def parse_fetch(token: DeviceToken) -> Fetch:
    """:raises MalformedToken: a member is missing, of another type, or out of range."""
    payload = _payload(token, FETCH_TYP, {"have", "ks"})
    return Fetch(
        **_statement(payload),
        have=_text(payload, "have", _is_short) if "have" in payload else None,
        ks=_count(payload, "ks") if "ks" in payload else None,
    )


def parse_return(token: DeviceToken) -> Return:
    """:raises MalformedToken: a member is missing, of another type, or out of range."""
    payload = _payload(token, RETURN_TYP, {"ctr", "grants", "min_seq"})
    return Return(
        **_statement(payload),
        ctr=_count(payload, "ctr"),
        grants=_grants(payload),
        min_seq=_count(payload, "min_seq"),
    )


def parse_acknowledgement(token: DeviceToken) -> Acknowledgement:
    """:raises MalformedToken: a member is missing, of another type, or out of range."""
    payload = _payload(token, ACK_TYP, {"ctr", "installed_seq", "effective_seq"})
    return Acknowledgement(
        **_statement(payload),
        ctr=_count(payload, "ctr"),
        installed_seq=_count(payload, "installed_seq"),
        effective_seq=_count(payload, "effective_seq"),
    )


def parse_claim(token: DeviceToken) -> Claim:
    """:raises MalformedToken: a member is missing, of another type, or out of range."""
    payload = _payload(token, CLAIM_TYP, {"ctr", "code"})
    return Claim(**_statement(payload), ctr=_count(payload, "ctr"), code=_text(payload, "code", _is_short))


def _payload(token: DeviceToken, typ: str, members: set[str]) -> dict[str, Any]:
    if token.typ != typ:
        raise MalformedToken("typ")
    must = token.payload.get("must", [])
    if not isinstance(must, list) or not all(isinstance(name, str) for name in must):
        raise MalformedToken("must")
    if not (_COMMON | members).issuperset(must):
        raise MalformedToken("must names a member that is not understood")
    return token.payload


def _statement(payload: dict[str, Any]) -> dict[str, Any]:
    if payload.get("ver") != 1 or payload["ver"] is True:
        raise MalformedToken("ver")
    subject = _text(payload, "sub", hardware_id.is_canonical)
    if payload.get("iss") != subject:
        raise MalformedToken("iss")
    return {
        "hardware_id": subject,
        "aud": _text(payload, "aud", lambda text: 0 < len(text) <= _MAX_AUDIENCE),
        "jti": _text(payload, "jti", _is_id),
        "seq": _count(payload, "seq"),
        "iat": _count(payload, "iat") if "iat" in payload else None,
        "fw": _text(payload, "fw", _is_short) if "fw" in payload else None,
    }


def _grants(payload: dict[str, Any]) -> tuple[str, ...] | Literal["*"]:
    named = payload.get("grants")
    if named == [ALL]:
        return ALL
    if not isinstance(named, list) or not 1 <= len(named) <= MOST_GRANTS:
        raise MalformedToken("grants")
    if not all(isinstance(grant, str) and _is_id(grant) for grant in named) or len(set(named)) != len(named):
        raise MalformedToken("grants")
    return tuple(named)


def _is_short(text: str) -> bool:
    return 0 < len(text) <= _MAX_TEXT


def _is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def _text(payload: dict[str, Any], name: str, accept: Callable[[str], bool]) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not accept(value):
        raise MalformedToken(name)
    return value


def _count(payload: dict[str, Any], name: str) -> int:
    value = payload.get(name)
    # bool is an int to Python, not to JSON. The upper bound, 2^53 - 1, is held by the reading of JSON.
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MalformedToken(name)
    return value

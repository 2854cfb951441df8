"""Requests to the device doors as nobody should send them: bodies, methods and headers, from a seed."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.core import base64url
from tests.attacks.tampering import CHANGES, Choose, twisted_json
from tests.device_api.devices import ORIGIN, Signer
from tests.pure import statements

DOORS = ("directory", "new-nonce", "licenses", "returns", "acks", "claims")
SAID: dict[str, tuple[str, dict[str, Any]]] = {
    "licenses": ("lic-fetch+jws", {"have": "x", "ks": 1}),
    "returns": ("lic-return+jws", {"ctr": 1, "grants": ["A" * 22], "min_seq": 0}),
    "acks": ("lic-ack+jws", {"ctr": 2, "installed_seq": 0, "effective_seq": 0}),
    "claims": ("lic-claim+jws", {"ctr": 3, "code": "0000-0000-0000-0000"}),
}
LIMIT = 65536

METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "post", "X", "PROPFIND"]
MEDIA_TYPES = ["", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
MEDIA_TYPES += [
    "application/jose+json",
    "application/jose; charset=utf-16",
    "text/plain",
    "é",
    "application/",
]
MEDIA_TYPES += ["application/jose;;;=", "x" * 5000]
LENGTHS = [
    "",
    "0",
    "-1",
    "+1",
    " 5",
    "1e3",
    "0x10",
    "5,5",
    "65536",
    "65537",
    "9" * 30,
    "9" * 5000,
    "٣",
    "00000",
]
HEADERS: list[dict[str, str]] = [
    {"HTTP_HOST": "attacker.example"},
    {"HTTP_HOST": "attacker.example:99999"},
    {"HTTP_HOST": "é..,"},
    {"HTTP_HOST": ""},
    {"HTTP_X_FORWARDED_FOR": "not an address, ::1"},
    {"HTTP_X_FORWARDED_HOST": "attacker.example", "HTTP_X_FORWARDED_PROTO": "https"},
    {"HTTP_X_REQUEST_ID": "\x00" * 100},
    {"HTTP_ACCEPT_LANGUAGE": "x" * 5000},
    {"HTTP_ACCEPT_LANGUAGE": "de;q=x,,*"},
    {"HTTP_ACCEPT": "image/png"},
    {"HTTP_COOKIE": "sessionid=\xff; csrftoken=;=;"},
    {"HTTP_AUTHORIZATION": "Bearer x"},
    {"HTTP_CONTENT_ENCODING": "gzip"},
    {"HTTP_EXPECT": "100-continue"},
    {"HTTP_RANGE": "bytes=0-1"},
    {"HTTP_IF_MODIFIED_SINCE": "never", "HTTP_IF_NONE_MATCH": "*"},
    {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"},
    {"QUERY_STRING": "a=%00&b=%ff&c[]=%"},
    {"REMOTE_ADDR": ""},
]


class CutOff(io.BytesIO):
    """A body of which the connection broke before it was there, as servers tell it."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise ConnectionResetError("connection reset by peer")


@dataclass(frozen=True)
class Attempt:
    """One request."""

    method: str
    body: bytes
    media_type: str
    environ: dict[str, Any]


def attempt(choose: Choose, door: str, signer: Signer, nonce: str, known: Sequence[bytes]) -> Attempt:
    """A request to a door of which something is wrong: the body mostly, else what stands around it.

    :param nonce: a fresh one, so that a token's other faults are reached.
    :param known: tokens that the device signed before, for other doors too.
    """
    body = _body(choose, door, signer, nonce, known)
    environ: dict[str, Any] = dict(choose.one_of(HEADERS)) if not choose.below(4) else {}
    match choose.below(16):
        case 0:
            environ["CONTENT_LENGTH"] = choose.one_of(LENGTHS)
            environ["wsgi.input"] = io.BytesIO(body)
        case 1:  # chunked: the server hands no length on
            environ |= {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
        case 2:
            environ["CONTENT_LENGTH"] = str(max(0, len(body) + choose.one_of([-1, 1, 1000])))
            environ["wsgi.input"] = io.BytesIO(body)
        case 3:
            environ["wsgi.input"] = CutOff()
    # The two doors that are read are tried with bodies too.
    usual = "POST" if door in SAID or choose.below(2) else "GET"
    return Attempt(
        method=usual if choose.below(8) else choose.one_of(METHODS),
        body=body,
        media_type="application/jose" if choose.below(12) else choose.one_of(MEDIA_TYPES),
        environ=environ,
    )


def signed_for(door: str, signer: Signer, nonce: str, **more: Any) -> bytes:
    """A good token for a door; doors that take none get a fetch."""
    typ, said = SAID.get(door, SAID["licenses"])
    header = statements.header(
        signer.alg, signer.chain, typ=typ, nonce=nonce, url=f"{ORIGIN}/device/v1/{door}"
    )
    return signer.sign(header=header, claims=signer.claims(**(said | more)))


def _body(choose: Choose, door: str, signer: Signer, nonce: str, known: Sequence[bytes]) -> bytes:
    match choose.below(10):
        case 0:
            return _noise(choose)
        case 1:
            return b".".join(base64url.encode(_noise(choose)).encode() for _ in range(1 + choose.below(4)))
        case 2:
            return choose.one_of([b"", b"{}", b"null", b"..", b"\x00", b"x" * LIMIT, b"x" * (LIMIT + 1)])
        case 3:
            return choose.one_of(known)
        case 4 | 5 | 6:
            fresh = signed_for(door, signer, nonce, jti=_jti(choose)).split(b".")
            parts = [base64url.decode(part.decode()) for part in fresh[:2]]
            place = choose.one_of([0, 1, 1])
            parts[place] = twisted_json(choose, parts[place])
            return signer.sign(header=parts[0], claims=parts[1])
        case 7:
            return json.dumps({"statement": choose.one_of(known).decode()}).encode()
    token = signed_for(door, signer, nonce, jti=_jti(choose))
    for _ in range(1 + choose.below(2)):
        token = choose.one_of(CHANGES)(choose, token, known)
    return token


def _jti(choose: Choose) -> str:
    return "".join(choose.one_of("0123456789") for _ in range(21)) + "A"


def _noise(choose: Choose) -> bytes:
    return bytes(choose.below(256) for _ in range(choose.one_of([1, 2, 10, 100, 400])))

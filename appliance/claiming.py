"""Claiming: the device signs a code of the portal, and so proves in whose hands it is (mission rule 7)."""

from enum import StrEnum
from typing import Final

from appliance import claims
from appliance.device import Device
from appliance.refusals import Refusal
from appliance.session import open_session
from appliance.statements import CLAIM, audience_for_a_file

_MAX_CODE: Final = 128
_MAX_ANSWER: Final = 16 * 1024


class ClaimResult(StrEnum):
    """What the portal answers to a claim (trust.md 9)."""

    CHANGED = "changed"
    WITH_SUPPORT = "with-support"


def claim(device: Device, code: str) -> ClaimResult:
    """Sign `code`, the portal's claim code, and send it.

    :raises Refusal: `bad-claim-code`, what the portal refuses, and what stands in the way to it.
    """
    typed = _read_code(code)
    session = open_session(device)
    pending = device.begin_claim(typed, audience=session.audience(device.state()))
    answer = session.post(session.directory.claims_url, CLAIM, pending.payload)
    try:
        result = ClaimResult(claims.text(claims.parse(answer.body, max_bytes=_MAX_ANSWER), "result"))
    except (Refusal, ValueError) as error:
        raise Refusal("portal-answer", "a claim without its result") from error
    device.end_claim(pending)
    return result


def claim_file(device: Device, code: str) -> bytes:
    """Return `code`, signed, as a file to be carried to the portal.

    :raises Refusal: `bad-claim-code`, `portal-unknown`.
    """
    pending = device.begin_claim(_read_code(code), audience=audience_for_a_file(device.state()))
    return device.home.identity.sign_statement(pending.payload, typ=CLAIM, online={})


def _read_code(code: str) -> str:
    typed = code.strip()
    # Which letters stand for which, the portal knows; here only what fits into a statement counts.
    if not 1 <= len(typed) <= _MAX_CODE or not typed.isascii() or not typed.isprintable():
        raise Refusal("bad-claim-code")
    return typed

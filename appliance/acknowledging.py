"""Telling the portal what is installed and in effect (trust.md 3): at once, or when it can be reached."""

from dataclasses import replace
from typing import Final

from appliance.device import Device
from appliance.refusals import Refusal
from appliance.result import Result
from appliance.session import Session, open_session
from appliance.statements import ACKNOWLEDGEMENT, audience_for_a_file

IMPATIENT: Final = 5
"""Seconds a reset waits for a portal that is silent: nothing on the device depends on its answer."""


def acknowledge(device: Device, session: Session | None = None) -> None:
    """Tell the portal now.

    :raises Refusal: `nothing-installed`, what the portal refuses, and what stands in the way to it.
    """
    session = session or open_session(device)
    payload, seqs = device.begin_acknowledgement(audience=session.audience(device.state()))
    session.post(session.directory.acks_url, ACKNOWLEDGEMENT, payload)
    device.end_acknowledgement(seqs)


def tell(device: Device, session: Session, result: Result) -> Result:
    """Tell the portal if it does not know yet, and return `result` with the reason if it cannot be told.

    What it was told last is written down, so that the next fetch or reset tries again.
    """
    if session.directory.acks_url is None or not device.state().acknowledgement_due:
        return result
    try:
        acknowledge(device, session)
    except Refusal as refusal:
        return replace(result, untold=refusal)
    return result


def reset(device: Device) -> Result:
    """Restart the device, and tell the portal what is in effect then if it can be reached.

    :raises Refusal: `nothing-installed`.
    """
    return _tell_if_due(device, Result(device.reset()))


def end_test_mode(device: Device) -> Result:
    """End test mode before its time, which resets the device, and tell the portal if it can be reached.

    :raises Refusal: `test-mode-off`.
    """
    return _tell_if_due(device, Result(device.end_test_mode()))


def _tell_if_due(device: Device, result: Result) -> Result:
    if not device.state().acknowledgement_due:
        return result
    try:
        session = open_session(device, timeout=IMPATIENT)
    except Refusal as refusal:
        return replace(result, untold=refusal)
    return tell(device, session, result)


def acknowledgement_file(device: Device) -> bytes:
    """Return an acknowledgement to be carried to the portal. What it says stays to be told online as well.

    :raises Refusal: `nothing-installed`, `portal-unknown`.
    """
    payload, _seqs = device.begin_acknowledgement(audience=audience_for_a_file(device.state()))
    return device.home.identity.sign_statement(payload, typ=ACKNOWLEDGEMENT, online={})

"""Giving back: the statement is signed and sent, or carried, until its receipt is there (trust.md 5)."""

from typing import Final

from appliance import claims
from appliance.acknowledging import tell
from appliance.bundle import bundle_of
from appliance.device import Device
from appliance.pending import ALL, PendingReturn
from appliance.portal_client import StaleReturn
from appliance.refusals import Refusal
from appliance.result import Result
from appliance.session import Session, open_session
from appliance.state import State
from appliance.statements import RETURN, audience_for_a_file

_MAX_ANSWER: Final = 512 * 1024


class ReturnWaits(Exception):
    """The return is noted and in effect on the device; it was not answered, and can be sent or carried later.

    `reason` is what stood in the way.
    """

    def __init__(self, reason: Refusal) -> None:
        super().__init__(str(reason))
        self.reason = reason


def give_back(device: Device, grants: tuple[str, ...], *, min_seq: int | None = None) -> Result:
    """Give licenses back online: out of effect first, then signed and sent, until the receipt is there.

    :param grants: as read_grants returns them.
    :param min_seq: see plan_return.
    :raises Refusal: nothing was changed: the portal cannot be reached or takes no returns, or what
        Device.begin_return raises.
    :raises ReturnWaits: the portal did not answer, or refused.
    """
    session = open_session(device)
    if session.directory.returns_url is None:
        raise Refusal("portal-lacks-door", RETURN)
    audience = session.audience(device.state())
    device.begin_return(grants, audience=audience, min_seq=min_seq)
    return _send(device, session)


def send_return(device: Device) -> Result:
    """Send the return that waits, in the same bytes as before.

    :raises Refusal: `nothing-to-return`.
    :raises ReturnWaits: the portal cannot be reached, did not answer, or refused.
    """
    if device.state().vault.pending_return is None:
        raise Refusal("nothing-to-return")
    try:
        session = open_session(device)
    except Refusal as refusal:
        raise ReturnWaits(refusal) from refusal
    return _send(device, session)


def begin_return_file(device: Device, grants: tuple[str, ...], *, min_seq: int | None = None) -> None:
    """Take what is given back out of effect, for return_file.

    :raises Refusal: `portal-unknown`, and what Device.begin_return raises.
    """
    device.begin_return(grants, audience=audience_for_a_file(device.state()), min_seq=min_seq)


def return_file(device: Device) -> bytes:
    """Return the return that waits as a file to be carried to the portal; its payload is always the same.

    :raises Refusal: `nothing-to-return`.
    """
    pending = device.state().vault.pending_return
    if pending is None:
        raise Refusal("nothing-to-return")
    return device.home.identity.sign_statement(pending.payload, typ=RETURN, online={})


def _send(device: Device, session: Session) -> Result:
    state = device.state()
    pending = state.vault.pending_return
    if pending is None:
        # Another process has brought the receipt home in the meantime.
        raise Refusal("nothing-to-return")
    try:
        try:
            result = _exchange(device, session, state, pending)
        except Refusal as refusal:
            _say_anew(device, session, state, pending, refusal)
            again = device.state()
            result = _exchange(device, session, again, again.vault.pending_return or pending)
    except Refusal as refusal:
        raise ReturnWaits(refusal) from refusal
    return tell(device, session, result)


def _exchange(device: Device, session: Session, state: State, pending: PendingReturn) -> Result:
    answer = session.post(session.directory.returns_url, RETURN, pending.payload)
    try:
        members = claims.parse(answer.body, max_bytes=_MAX_ANSWER)
        if not isinstance(members.get("bundle"), dict) or not isinstance(members.get("receipt"), dict):
            raise Refusal("malformed", "no receipt, or no bundle")
        # The receipt goes the way it would go inside a carried file.
        bundle = bundle_of({**members["bundle"], "receipt": members["receipt"]})
    except Refusal as error:
        raise Refusal("portal-answer", error.detail) from error
    result = device.take(bundle, portal=session.first_contact(state))
    if result.receipt is None and device.state().vault.pending_return == pending:
        raise result.refused[0] if result.refused else Refusal("wrong-receipt")
    return result


def _say_anew(
    device: Device, session: Session, state: State, pending: PendingReturn, refusal: Refusal
) -> None:
    """Sign another statement where the portal has refused this one for good; else raise `refusal` again."""
    audience = session.audience(state)
    if isinstance(refusal, StaleReturn) and pending.grants == ALL and refusal.min_seq is not None:
        # The device did not know how far the portal is (trust.md 3); now it does.
        device.renew_return(pending, audience=audience, min_seq=refusal.min_seq)
    elif refusal.code == "portal-wrong-audience" and audience != pending.audience:
        # It was made for the identity that an unsigned directory gave, before a key set was held.
        device.renew_return(pending, audience=audience, min_seq=pending.min_seq)
    elif refusal.code == "portal-jti-conflict":
        # Its name was used for another statement, so this one is never answered: it needs a name of its own.
        device.renew_return(pending, audience=audience, min_seq=pending.min_seq)
    else:
        raise refusal

"""Statements that people carry from a device to the portal as `.jws` files (mission rule 16, trust.md 3).

Above the operations: what a file does is decided by the `typ` that the device signed, and it does the same
as if the device had sent it.
"""

from dataclasses import dataclass
from datetime import datetime

from devices import statements
from licenses import acknowledgement, claims, returns
from licenses.models import Acknowledged
from portal.core.acts import Caller


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """What came of a file. One of the three is there: a return, an acknowledgement or a claim."""

    returned: returns.Accepted | None = None
    acknowledged: Acknowledged | None = None
    claimed: claims.Result | None = None


def take_file(*, token: bytes, hardware_id: str, carrier: Caller, now: datetime) -> Uploaded:
    """Do what the device's statement says.

    :param hardware_id: the device whose statement it must be.
    :param carrier: the person who uploads it. The act is the device's: it is named by the statement.
    :raises NotAStatementFile: it holds no return, acknowledgement or claim.
    :raises StatementOfAnotherDevice: it is of another device.
    :raises Malformed, CertificateRejected, BadSignature, WrongAudience, UnknownDevice, DeviceBlocked,
        KeyNotPinned: it does not prove what it says (devices.statements).
    :raises StaleReturn, JTIConflict, ClaimCodeUnknown: it holds, but cannot be done.
    """
    typ = statements.typ_of_file(token)
    if typ == statements.RETURN.typ:
        return _return(token, hardware_id=hardware_id, carrier=carrier, now=now)
    if typ == statements.ACKNOWLEDGEMENT.typ:
        return _acknowledge(token, hardware_id=hardware_id, carrier=carrier, now=now)
    return take_claim(token=token, hardware_id=hardware_id, carrier=carrier, now=now)


def take_claim(*, token: bytes, hardware_id: str, carrier: Caller, now: datetime) -> Uploaded:
    """Do what the device's claim says; nothing but a claim is taken.

    For whoever has no right in the project that the device is in: a claim is what such a person may carry.

    :raises NotAStatementFile: it holds no claim.
    :raises: the others as for `take_file`.
    """
    if statements.typ_of_file(token) != statements.CLAIM.typ:
        raise statements.NotAStatementFile
    received = statements.receive_file(
        token, statements.CLAIM, hardware_id=hardware_id, carrier=carrier, now=now
    )
    result = claims.claim_device(
        device=received.device,
        statement=received.statement,
        payload_sha256=received.payload_sha256,
        caller=received.caller,
        now=now,
    )
    return Uploaded(claimed=result)


def _return(token: bytes, *, hardware_id: str, carrier: Caller, now: datetime) -> Uploaded:
    received = statements.receive_file(
        token, statements.RETURN, hardware_id=hardware_id, carrier=carrier, now=now
    )
    accepted = returns.take_carried_return(
        device=received.device,
        statement=received.statement,
        payload_sha256=received.payload_sha256,
        caller=received.caller,
        now=now,
    )
    return Uploaded(returned=accepted)


def _acknowledge(token: bytes, *, hardware_id: str, carrier: Caller, now: datetime) -> Uploaded:
    received = statements.receive_file(
        token, statements.ACKNOWLEDGEMENT, hardware_id=hardware_id, carrier=carrier, now=now
    )
    known = acknowledgement.acknowledge(
        device=received.device,
        statement=received.statement,
        payload_sha256=received.payload_sha256,
        caller=received.caller,
        now=now,
    )
    return Uploaded(acknowledged=known)

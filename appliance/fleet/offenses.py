"""Devices that misbehave, each in one way, and the refusal that each must get."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from appliance import base64url
from appliance.factory.authority import Authority, make_authority
from appliance.factory.devices import make_identity
from appliance.fleet.devices import LightDevice
from appliance.identity import Identity
from appliance.statements import FETCH

_NONCE_BYTES: Final = 34


class Offense(StrEnum):
    """What a device does wrong at each of its turns."""

    STALE_NONCE = "stale-nonce"
    """It signs with a nonce that this portal never gave."""
    WRONG_SIGNATURE = "wrong-signature"
    """It signs with another key than that of its certificate."""
    UNKNOWN_DEVICE = "unknown-device"
    """It has a good certificate, and is in no project."""
    FOREIGN_CERTIFICATE = "foreign-certificate"
    """Its certificate comes from a manufacturer that the portal does not know."""


REFUSALS: Final = {
    Offense.STALE_NONCE: "400 bad-nonce",
    Offense.WRONG_SIGNATURE: "401 bad-signature",
    Offense.UNKNOWN_DEVICE: "404 unknown-device",
    Offense.FOREIGN_CERTIFICATE: "401 certificate-rejected",
}


@dataclass(kw_only=True)
class Offender:
    """A device that asks for licenses, and does it wrong."""

    offense: Offense
    device: LightDevice

    async def turn(self) -> None:
        """Ask once. Any other answer than the refusal of this offense is unexpected."""
        device, url = self.device, self.device.line.portal.licenses_url
        if self.offense is Offense.STALE_NONCE:
            nonce = base64url.encode(secrets.token_bytes(_NONCE_BYTES))
            statement: bytes | None = device.sign(FETCH, url, {}, nonce=nonce)
        else:
            statement = await device.statement(FETCH, url, {})
        if statement is None:
            return
        expects = frozenset({REFUSALS[self.offense]})
        answer = await device.line.post(self.offense, url, statement, expects=expects)
        if answer is not None:
            device.heard(answer)


def make_offender(
    offense: Offense, device: LightDevice, *, authority: Authority | None, now: datetime
) -> Offender:
    """Turn a device into one that misbehaves, with what it needs to do so.

    :param authority: who certifies what is in no project; needed for `unknown-device` only.
    """
    identity = device.identity
    match offense:
        case Offense.WRONG_SIGNATURE:
            identity = Identity(ec.generate_private_key(ec.SECP256R1()), identity.chain[:])
        case Offense.UNKNOWN_DEVICE if authority is not None:
            identity = _certified(authority, _stranger(identity.hardware_id), now)
        case Offense.FOREIGN_CERTIFICATE:
            foreign = make_authority("Elsewhere Networks", now=now)
            identity = _certified(foreign, identity.hardware_id, now)
        case _:
            pass
    return Offender(offense=offense, device=replace(device, identity=identity))


def _certified(authority: Authority, hardware_id: str, now: datetime) -> Identity:
    made = make_identity(authority, hardware_id, kind="P-256", now=now)
    return Identity(made.key, made.chain)


def _stranger(hardware_id: str) -> str:
    """A hardware ID far from the ones that a factory counts up from below, under the same three octets."""
    return f"{hardware_id[:8]}-FF-{secrets.token_hex(1)}-{secrets.token_hex(1)}".upper()

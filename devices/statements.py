"""What a device says, taken at its word only after all of trust.md 1 to 3 holds.

The checks go from cheap to dear and from outside to inside: shape, nonce, address, certificate, signature,
contents, device, key. The first that fails answers, and nothing was changed. What is left of a statement that
holds and then cannot be done: docs/decisions/0012.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from devices import enrollment, jose, nonce_keys, nonces, payloads, pki, proofs
from devices.hardware_id import is_canonical
from devices.models import BlockedKey, Device
from devices.standing import Standing, standing_of
from portal.core import clock
from portal.core.acts import Caller
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated

Said = TypeVar("Said", bound=payloads.Statement)


class Malformed(Invalid):
    code = "malformed"
    title = _("The statement cannot be read: %(reason)s.")
    why = _(
        "A statement can give licenses away, so it must have one meaning only. Whatever two programs could "
        "read in two ways is not accepted."
    )
    way_out = _("Build it as the device guide says, with exactly the header members named there.")
    source = "trust.md 2"


class BadNonce(Invalid):
    code = "bad-nonce"
    title = _("The nonce is unknown or older than ten minutes.")
    why = _(
        "The nonce proves that the statement was signed just now. Without it, somebody who recorded an old "
        "one could send it again in the device's name."
    )
    way_out = _("Sign the statement again with the nonce of this answer's Replay-Nonce header.")
    source = "trust.md 9"


class WrongURL(Invalid):
    code = "wrong-url"
    title = _("The statement was signed for another address.")
    why = _(
        "A statement says for which address it is meant. So nobody can take it from one door of the portal "
        "and hand it in at another."
    )
    way_out = _("Sign it for the address in the directory, and send it there.")
    source = "trust.md 3"


class WrongAudience(Invalid):
    code = "wrong-audience"
    title = _("The statement is meant for another portal.")
    why = _(
        "A statement names the portal it is for. So nobody can take it from another installation, a test "
        "system for example, and have it take effect here."
    )
    way_out = _("Use the portal identity of the key set as audience.")
    source = "trust.md 3"


class CertificateRejected(Unauthenticated):
    code = "certificate-rejected"
    title = _("The device certificate was rejected: %(reason)s.")
    why = _(
        "The certificate is how a device proves which hardware it is. If the portal took one that it cannot "
        "check, anybody could pose as your device and give its licenses away."
    )
    way_out = _("Use the certificate the device got in the factory. If it is that one, ask the manufacturer.")
    source = "trust.md 1"


class BadSignature(Unauthenticated):
    code = "bad-signature"
    title = _("The signature does not belong to the statement and its certificate.")
    why = _(
        "Only the device has its private key. A signature that does not fit means that somebody else wrote "
        "the statement, or that it was changed on the way."
    )
    way_out = _("Sign with the private key of the certificate, by the algorithm that belongs to that key.")
    source = "trust.md 3"


class UnknownDevice(NotFound):
    code = "unknown-device"
    title = _("No project has a device with this hardware ID.")
    why = _(
        "Licenses go from a project to its devices. A device that is in no project has none, and the portal "
        "keeps nothing about hardware that nobody has added."
    )
    way_out = _("Add the device to a project in the portal; then it can fetch its licenses.")
    source = "mission rule 7"


class DeviceBlocked(Forbidden):
    code = "device-blocked"
    title = _("The device %(hardware_id)s is blocked.")
    why = _(
        "Support blocks a device when somebody else may have its key, or when it was reported stolen, for "
        "example. Until that is cleared up, nobody can move its licenses in its name."
    )
    way_out = _("Ask support why; they can unblock it.")
    source = "trust.md 1"


class NotAStatementFile(Invalid):
    code = "not-a-statement-file"
    title = _("This is not a statement that a device signed.")
    why = _(
        "Only what a device signed itself can give its licenses back. Its signature is in the file; any "
        "other file proves nothing."
    )
    way_out = _(
        "Take the .jws file that the device wrote, or its whole text. A .lic file goes the other way, to the "
        "device."
    )
    source = "mission rule 16"


class StatementOfAnotherDevice(Conflict):
    """Says nothing about the other one."""

    code = "statement-of-another-device"
    title = _("The statement was not signed by the device %(hardware_id)s.")
    why = _(
        "A device can speak only for itself. Handed in here, the file of another one could return licenses "
        "that you did not mean."
    )
    way_out = _("Take the file that this device wrote, or upload this one for the device it is of.")
    source = "mission rule 16"


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[Said]):
    """One kind of statement: its `typ`, how its payload reads, and whether its nonce is good once only.

    A fetch may be repeated as long as its nonce is young; whatever changes something spends it (trust.md 9).
    """

    typ: str
    parse: Callable[[jose.DeviceToken], Said]
    spends_nonce: bool = True


FETCH = Kind(typ=payloads.FETCH_TYP, parse=payloads.parse_fetch, spends_nonce=False)
RETURN = Kind(typ=payloads.RETURN_TYP, parse=payloads.parse_return)
ACKNOWLEDGEMENT = Kind(typ=payloads.ACK_TYP, parse=payloads.parse_acknowledgement)
CLAIM = Kind(typ=payloads.CLAIM_TYP, parse=payloads.parse_claim)


@dataclass(frozen=True, kw_only=True)
class Received(Generic[Said]):
    """A statement that holds: who said it, what it says, its payload's hash, and the caller it makes."""

    device: Device
    statement: Said
    payload_sha256: bytes
    caller: Caller


def receive_online(
    token: bytes, kind: Kind[Said], *, url: str, address: str | None, now: datetime
) -> Received[Said]:
    """Verify a statement that came over REST.

    :param url: the path of this door; the statement must be signed for it at one of our origins.
    :raises Malformed, BadNonce, WrongURL, CertificateRejected, BadSignature, WrongAudience, UnknownDevice,
        DeviceBlocked, KeyNotPinned: the check of that name failed.
    """
    parsed = _parse(token, kind, online=True)
    nonce = parsed.nonce or ""
    _check_nonce(nonce, now)
    if parsed.url not in {origin + url for origin in settings.PORTAL_ORIGINS}:
        raise WrongURL
    received = _verify(parsed, kind, now=now)
    if kind.spends_nonce:
        _spend_nonce(nonce)
    caller = _caller(received, name=f"device {received.device.hardware_id}", address=address)
    _note_word(received, kind, caller=caller, now=now)
    _note_contact(received, firmware=received.statement.fw or "", now=now)
    return received.said_by(caller)


def typ_of_file(token: bytes) -> str:
    """Which kind of statement a file holds, by its header; nothing in it is proven yet.

    :raises NotAStatementFile: it is none that devices give people to carry.
    """
    try:
        typ = jose.read_typ(token)
    except jose.MalformedToken as error:
        raise NotAStatementFile from error
    if typ not in {RETURN.typ, ACKNOWLEDGEMENT.typ, CLAIM.typ}:
        raise NotAStatementFile
    return typ


def receive_file(
    token: bytes, kind: Kind[Said], *, hardware_id: str, carrier: Caller, now: datetime
) -> Received[Said]:
    """Verify a statement that somebody carried here as a `.jws` file (trust.md 3, "As a file").

    :param hardware_id: the device it must be of: the one whose page it is uploaded on.
    :param carrier: the person who uploads it; in histories the device speaks and this person carries.
    :raises StatementOfAnotherDevice: it is of another device.
    :raises Malformed, CertificateRejected, BadSignature, WrongAudience, UnknownDevice, DeviceBlocked,
        KeyNotPinned: the check of that name failed.
    """
    parsed = _parse(token, kind, online=False)
    # Before anything is looked up: who may speak for one device learns nothing of another one.
    if parsed.payload.get("sub") != hardware_id:
        raise StatementOfAnotherDevice(hardware_id=hardware_id)
    received = _verify(parsed, kind, now=now)
    caller = _caller(received, name=carrier.name, address=carrier.address, user_id=carrier.user_id)
    _note_word(received, kind, caller=caller, now=now)
    return received.said_by(caller)


@dataclass(frozen=True, kw_only=True)
class _Verified(Generic[Said]):
    device: Device
    statement: Said
    payload_sha256: bytes
    identity: pki.DeviceIdentity
    standing: Standing

    def said_by(self, caller: Caller) -> Received[Said]:
        return Received(
            device=self.device,
            statement=self.statement,
            payload_sha256=self.payload_sha256,
            caller=caller,
        )


def _parse(token: bytes, kind: Kind[Said], *, online: bool) -> jose.DeviceToken:
    try:
        return jose.parse(token, typ=kind.typ, online=online)
    except jose.MalformedToken as error:
        raise Malformed(reason=error.reason) from error


def _verify(parsed: jose.DeviceToken, kind: Kind[Said], *, now: datetime) -> _Verified[Said]:
    claimed = parsed.payload.get("sub")
    # Looked up before it is proven, since the same statement says which anchors count; told to nobody before
    # it is.
    standing = standing_of(
        claimed if isinstance(claimed, str) and is_canonical(claimed) else "",
        heard_since=now - enrollment.CONTACT_WRITTEN_AT_MOST_EVERY,
    )
    try:
        proof = proofs.proof_of(parsed.chain, anchors=standing.anchors, now=now)
    except pki.CertificateRejected as error:
        raise CertificateRejected(reason=error.reason) from error
    identity = proof.identity
    try:
        jose.verify(parsed, proof.key)
        statement = kind.parse(parsed)
    except jose.BadSignature as error:
        raise BadSignature from error
    except jose.MalformedToken as error:
        raise Malformed(reason=error.reason) from error
    if statement.hardware_id != identity.hardware_id:
        raise CertificateRejected(reason="hardware-id")
    if statement.aud not in {settings.PORTAL_ID, *settings.PORTAL_ID_ALSO}:
        raise WrongAudience
    device = standing.device
    if device is None:
        raise UnknownDevice
    if standing.blocked:
        raise DeviceBlocked(hardware_id=device.hardware_id)
    if _is_blocked(identity, standing):
        raise CertificateRejected(reason="blocked")
    if device.pinned_spki is not None:
        enrollment.hold_to_pin(device=device, identity=identity, now=now)
    return _Verified(
        device=device,
        statement=statement,
        payload_sha256=hashlib.sha256(parsed.payload_bytes).digest(),
        identity=identity,
        standing=standing,
    )


def _is_blocked(identity: pki.DeviceIdentity, standing: Standing) -> bool:
    pinned = standing.device.pinned_spki if standing.device else None
    if pinned is not None and bytes(pinned) == identity.spki_sha256:
        return standing.pinned_key_blocked
    return BlockedKey.objects.filter(spki_sha256=identity.spki_sha256).exists()


def _caller(
    received: _Verified[Said], *, name: str, address: str | None, user_id: int | None = None
) -> Caller:
    return Caller(
        scope=f"device:{received.device.hardware_id}",
        key=received.statement.jti,
        name=name,
        user_id=user_id,
        address=address,
    )


def new_nonce(*, now: datetime) -> str:
    """A nonce that is good for ten minutes."""
    return nonces.make(nonce_keys.known()[0], clock.posix(now))


def _note_word(received: _Verified[Said], kind: Kind[Said], *, caller: Caller, now: datetime) -> None:
    if received.device.pinned_spki is None:
        enrollment.pin_key(device=received.device, identity=received.identity, caller=caller, now=now)
    # A claim says in which project the device is wanted, not in which one it is (mission rule 22).
    if not received.standing.spoke_here and kind.typ != CLAIM.typ:
        enrollment.record_first_word(device=received.device, now=now)


def _note_contact(received: _Verified[Said], *, firmware: str, now: datetime) -> None:
    if not received.standing.heard_lately or received.standing.firmware != firmware:
        enrollment.record_contact(device=received.device, firmware=firmware, now=now)


def _check_nonce(nonce: str, now: datetime) -> None:
    try:
        nonces.check(nonce_keys.known(), nonce, clock.posix(now))
    except nonces.BadNonce as error:
        raise BadNonce from error


def _spend_nonce(nonce: str) -> None:
    """Good once: the shared cache refuses to add what is there, also between two nodes."""
    if not cache.add(f"nonce:{nonce}", 1, timeout=nonces.LIFETIME_SECONDS + nonces.SKEW_SECONDS):
        raise BadNonce

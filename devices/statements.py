"""What a device says, taken at its word only after all of trust.md 1 to 3 holds.

The checks go from cheap to dear and from outside to inside: shape, nonce, address, certificate, signature,
contents, device, key. The first that fails answers, and nothing was changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from cryptography import x509
from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from devices import enrollment, jose, nonces, pki, queries
from devices.models import Device, TrustAnchor
from portal.core import clock
from portal.core.acts import Caller
from portal.core.errors import Invalid, NotFound, Unauthenticated


class Malformed(Invalid):
    code = "malformed"
    title = _("The statement cannot be read: %(reason)s.")
    way_out = _("Build it as the device guide says, with exactly the header members named there.")


class BadNonce(Invalid):
    code = "bad-nonce"
    title = _("The nonce is unknown or older than ten minutes.")
    way_out = _("Sign the statement again with the nonce of this answer's Replay-Nonce header.")


class WrongURL(Invalid):
    code = "wrong-url"
    title = _("The statement was signed for another address.")
    way_out = _("Sign it for the address in the directory, and send it there.")


class WrongAudience(Invalid):
    code = "wrong-audience"
    title = _("The statement is meant for another portal.")
    way_out = _("Use the portal identity of the key set as audience.")


class CertificateRejected(Unauthenticated):
    code = "certificate-rejected"
    title = _("The device certificate was rejected: %(reason)s.")
    way_out = _("Use the certificate the device got in the factory. If it is that one, ask the manufacturer.")


class BadSignature(Unauthenticated):
    code = "bad-signature"
    title = _("The signature does not belong to the statement and its certificate.")
    way_out = _("Sign with the private key of the certificate, by the algorithm that belongs to that key.")


class UnknownDevice(NotFound):
    code = "unknown-device"
    title = _("No project has a device with this hardware ID.")
    way_out = _("Add the device to a project in the portal; then it can fetch its licenses.")


@dataclass(frozen=True, kw_only=True)
class Received:
    """A statement that holds: who said it, what it says, and the caller it makes."""

    device: Device
    statement: jose.Statement
    caller: Caller


def receive_fetch(token: bytes, *, url: str, address: str | None, now: datetime) -> Received:
    """Verify a `lic-fetch+jws` that came over REST, pin the key of a first word, note the contact.

    :param url: the path of this door; the statement must be signed for it at one of our origins.
    :raises Malformed, BadNonce, WrongURL, CertificateRejected, BadSignature, WrongAudience, UnknownDevice,
        KeyNotPinned: the check of that name failed.
    """
    try:
        parsed = jose.parse(token, typ=jose.FETCH_TYP, online=True)
    except jose.MalformedToken as error:
        raise Malformed(reason=error.reason) from error
    _check_nonce(parsed.nonce or "", now)
    if parsed.url not in {origin + url for origin in settings.PORTAL_ORIGINS}:
        raise WrongURL
    try:
        identity = pki.verify_chain(parsed.chain, trust_anchors(), now)
    except pki.CertificateRejected as error:
        raise CertificateRejected(reason=error.reason) from error
    try:
        jose.verify(parsed, identity.public_key)
        statement = jose.parse_statement(parsed)
    except jose.BadSignature as error:
        raise BadSignature from error
    except jose.MalformedToken as error:
        raise Malformed(reason=error.reason) from error
    if not statement.iss == statement.sub == identity.hardware_id:
        raise CertificateRejected(reason="hardware-id")
    if statement.aud not in {settings.PORTAL_ID, *settings.PORTAL_ID_ALSO}:
        raise WrongAudience
    device = queries.device_by_hardware_id(identity.hardware_id)
    if device is None:
        raise UnknownDevice
    caller = Caller(
        scope=f"device:{device.hardware_id}",
        key=statement.jti,
        name=f"device {device.hardware_id}",
        address=address,
    )
    _note_contact(device, identity, statement, caller, now)
    return Received(device=device, statement=statement, caller=caller)


def new_nonce(*, now: datetime) -> str:
    """A nonce that is good for ten minutes."""
    return nonces.make(_nonce_key(), clock.posix(now))


def trust_anchors() -> Sequence[pki.Anchor]:
    """Every anchor that counts now."""
    return [
        pki.Anchor(
            certificate=_certificate(bytes(anchor.certificate)),
            prefixes=tuple(sorted(prefix.prefix for prefix in anchor.prefixes.all())),
            hardware_id_in="serialNumber" if anchor.hardware_id_in == "serialNumber" else "CN",
        )
        for anchor in TrustAnchor.objects.prefetch_related("prefixes").order_by("pk")
    ]


def _note_contact(
    device: Device, identity: pki.DeviceIdentity, statement: jose.Statement, caller: Caller, now: datetime
) -> None:
    if device.pinned_spki is None:
        enrollment.pin_key(device=device, identity=identity, caller=caller, now=now)
    enrollment.require_pinned(device=device, identity=identity)
    contact = getattr(device, "contact", None)
    firmware = statement.fw or ""
    if (
        contact is None
        or contact.firmware != firmware
        or now - contact.last_at >= enrollment.CONTACT_WRITTEN_AT_MOST_EVERY
    ):
        enrollment.record_contact(device=device, firmware=firmware, now=now)


def _check_nonce(nonce: str, now: datetime) -> None:
    try:
        nonces.check(_nonce_key(), nonce, clock.posix(now))
    except nonces.BadNonce as error:
        raise BadNonce from error


@cache
def _nonce_key() -> bytes:
    return salted_hmac("devices.nonces", "v1", algorithm="sha256").digest()


@cache
def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)

"""Device certificates: from the chain in a signed statement to the hardware ID it may speak for (trust.md 1).

Everything that touches the verification API of `cryptography` is here, since that API may change. Revocation
is not: the portal keeps a block list of its own, which the caller looks at.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from devices import hardware_id

MAX_CHAIN_LENGTH = 3
MIN_RSA_BITS = 2048
MIN_PREFIX_OCTETS = 3

Place = Literal["serialNumber", "CN"]
"""The subject attribute in which a manufacturer's certificates carry the hardware ID."""

LeafKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

# What `cryptography` raises for certificates it cannot read; TypeError for a bit string in a name.
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

_PLACES = {"serialNumber": NameOID.SERIAL_NUMBER, "CN": NameOID.COMMON_NAME}


class CertificateRejected(ValueError):
    """The chain proves no hardware ID (`certificate-rejected`); `reason` is a stable code.

    Reasons: `chain-length`, `not-a-certificate`, `chain-order`, `root-included`, `ca-certificate`,
    `key-usage`, `extended-key-usage`, `key-type`, `key-size`, `issuer`, `expired`, `not-yet-valid`,
    `not-trusted`, `hardware-id`, `prefix`.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class UnusableAnchor(ValueError):
    """The certificate or its configuration cannot be a trust anchor; `reason` is a stable code.

    Reasons: `not-a-certificate`, `not-an-authority`, `place`, `no-prefix`, `prefix`, `twice`.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True)
class Anchor:
    """A manufacturer's CA certificate, root or issuing CA, and what it may speak for.

    :raises UnusableAnchor: if the certificate is no CA's or its key neither P-256 nor P-384, if a prefix has
        fewer than three octets or is not canonical, or if there is none.
    """

    certificate: x509.Certificate
    prefixes: tuple[str, ...]
    """Hardware-ID prefixes of whole octets, `00-90-33` (at least three)."""
    hardware_id_in: Place

    def __post_init__(self) -> None:
        if not _is_authority(self.certificate):
            raise UnusableAnchor("not-an-authority", "not the certificate of a CA with a P-256 or P-384 key")
        if self.hardware_id_in not in _PLACES:
            raise UnusableAnchor("place", "the hardware ID is in serialNumber or CN")
        if not self.prefixes:
            raise UnusableAnchor("no-prefix", "an anchor without prefixes speaks for nothing")
        for prefix in self.prefixes:
            octets = prefix.split("-")
            filled = octets + ["00"] * (6 - len(octets))
            if len(octets) < MIN_PREFIX_OCTETS or not hardware_id.is_canonical("-".join(filled)):
                raise UnusableAnchor("prefix", f"not a prefix of three to six octets: {prefix}")

    def speaks_for(self, canonical_id: str) -> bool:
        """Return whether a hardware ID, in canonical form, is under one of the prefixes."""
        return any(f"{canonical_id}-".startswith(f"{prefix}-") for prefix in self.prefixes)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What people compare before they trust a certificate."""

    subject: str
    """As RFC 4514 writes a distinguished name."""
    sha256: bytes
    valid_until: datetime | None
    """None for the 99991231235959Z of a certificate without an end (RFC 5280, 4.1.2.5)."""


def read_pem(data: bytes) -> x509.Certificate:
    """Return the first certificate of a PEM file.

    :raises UnusableAnchor: there is none that can be read.
    """
    try:
        return x509.load_pem_x509_certificate(data)
    except _UNREADABLE as error:
        raise UnusableAnchor("not-a-certificate", str(error)) from error


def facts_of(certificate: x509.Certificate) -> CertificateFacts:
    """Return what people compare of a certificate."""
    end = certificate.not_valid_after_utc
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        sha256=certificate.fingerprint(hashes.SHA256()),
        valid_until=None if end.year == MAXYEAR else end,
    )


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """Who signed: proven by a chain to one of the anchors."""

    hardware_id: str
    public_key: LeafKey
    spki_sha256: bytes
    """SHA-256 of the DER SubjectPublicKeyInfo, what is pinned for the hardware ID (trust.md 1)."""
    certificate_sha256: bytes
    """SHA-256 of the certificate as it was sent: for the record only. Its signature can be written in more
    than one way (ECDSA has a second valid form), so a block list goes by `spki_sha256` or `hardware_id`."""
    valid_from: datetime
    valid_until: datetime
    """When all certificates of the path are valid: within it, the proof holds at other times as well."""


def verify_chain(chain: Sequence[bytes], anchors: Sequence[Anchor], now: datetime) -> DeviceIdentity:
    """Return whom the chain proves at the time `now`.

    :param chain: DER certificates, the device's own first, each certified by the next, root left out.
    :param now: an aware datetime.
    :raises CertificateRejected: if it breaks one of the rules of trust.md 1.
    """
    certificates = _certificates(chain)
    leaf = certificates[0]
    public_key = _check_leaf(leaf)
    if not all(_is_authority(certificate) for certificate in certificates[1:]):
        raise CertificateRejected("issuer", "not a CA with a P-256 or P-384 key")
    for certificate in certificates:
        _check_validity(certificate, now)
    anchor = _verify_path(certificates, tuple(anchors), now)
    identity = _hardware_id(leaf, anchor.hardware_id_in)
    if not anchor.speaks_for(identity):
        raise CertificateRejected("prefix", f"the anchor does not speak for {identity}")
    spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    path = [*certificates, anchor.certificate]
    return DeviceIdentity(
        hardware_id=identity,
        public_key=public_key,
        spki_sha256=hashlib.sha256(spki).digest(),
        certificate_sha256=hashlib.sha256(chain[0]).digest(),
        valid_from=max(certificate.not_valid_before_utc for certificate in path),
        valid_until=min(certificate.not_valid_after_utc for certificate in path),
    )


def _certificates(chain: Sequence[bytes]) -> list[x509.Certificate]:
    if not 1 <= len(chain) <= MAX_CHAIN_LENGTH:
        raise CertificateRejected("chain-length", f"{len(chain)} certificates")
    try:
        certificates = [x509.load_der_x509_certificate(der) for der in chain]
        names = [(certificate.subject, certificate.issuer) for certificate in certificates]
        # Times are read when they are asked for: X.509 knows a year 0, Python does not.
        for certificate in certificates:
            _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except _UNREADABLE as error:
        raise CertificateRejected("not-a-certificate", str(error)) from error
    if any(subject == issuer for subject, issuer in names):
        raise CertificateRejected("root-included", "x5c leaves the root out")
    for (_, issuer), (subject, _) in pairwise(names):
        if issuer != subject:
            raise CertificateRejected("chain-order", "each certificate is certified by the next")
    return certificates


def _check_leaf(leaf: x509.Certificate) -> LeafKey:
    # The verifier does not look at any of this for a leaf without SAN (the rules of the web do not fit
    # devices).
    try:
        extensions = {type(extension.value): extension.value for extension in leaf.extensions}
    except _UNREADABLE as error:
        raise CertificateRejected("not-a-certificate", str(error)) from error
    match extensions.get(x509.BasicConstraints):
        case x509.BasicConstraints(ca=True):
            raise CertificateRejected("ca-certificate", "a CA's certificate is no device's")
    match extensions.get(x509.KeyUsage):
        case x509.KeyUsage(digital_signature=True, key_cert_sign=False, crl_sign=False):
            pass
        case _:
            raise CertificateRejected("key-usage", "digitalSignature, and no CA's usage, is needed")
    match extensions.get(x509.ExtendedKeyUsage):
        # None is needed. Where the manufacturer restricts the key, it must be for clients: the device is one.
        # The wildcard anyExtendedKeyUsage is not taken for it.
        case x509.ExtendedKeyUsage() as usages if ExtendedKeyUsageOID.CLIENT_AUTH not in usages:
            raise CertificateRejected("extended-key-usage", "clientAuth is not among the usages")
    try:
        public_key = leaf.public_key()
    except _UNREADABLE as error:
        raise CertificateRejected("key-type", str(error)) from error
    match public_key:
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1() | ec.SECP384R1()) | ed25519.Ed25519PublicKey():
            return public_key
        case rsa.RSAPublicKey():
            if public_key.key_size < MIN_RSA_BITS:
                raise CertificateRejected("key-size", f"RSA with {public_key.key_size} bits")
            return public_key
        case _:
            raise CertificateRejected("key-type", "P-256, P-384, RSA or Ed25519 is needed")


def _is_authority(certificate: x509.Certificate) -> bool:
    # trust.md 1: CA keys are P-256 or P-384. The verifier would take RSA and others; all else is its work.
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        public_key = certificate.public_key()
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return False
    match public_key:
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1() | ec.SECP384R1()):
            return constraints.ca
        case _:
            return False


def _check_validity(certificate: x509.Certificate, now: datetime) -> None:
    # The verifier checks this too, but its refusal cannot be told from a foreign CA's.
    if now > certificate.not_valid_after_utc:
        raise CertificateRejected("expired", f"valid until {certificate.not_valid_after_utc}")
    if now < certificate.not_valid_before_utc:
        raise CertificateRejected("not-yet-valid", f"valid from {certificate.not_valid_before_utc}")


# Any extension the verifier does not know is refused when critical. SAN may be there and is not looked at.
_LEAF_POLICY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.KeyUsage, Criticality.CRITICAL, None)
    .require_present(x509.AuthorityKeyIdentifier, Criticality.NON_CRITICAL, None)
)
_AUTHORITY_POLICY = ExtensionPolicy.webpki_defaults_ca()


@lru_cache(maxsize=16)
def _policy(anchors: tuple[Anchor, ...]) -> tuple[PolicyBuilder, dict[x509.Certificate, Anchor]]:
    by_certificate = {anchor.certificate: anchor for anchor in anchors}
    if len(by_certificate) < len(anchors):
        raise UnusableAnchor("twice", "one certificate is in two anchors")
    builder = (
        PolicyBuilder()
        .store(Store(list(by_certificate)))
        .max_chain_depth(MAX_CHAIN_LENGTH - 1)
        .extension_policies(ca_policy=_AUTHORITY_POLICY, ee_policy=_LEAF_POLICY)
    )
    return builder, by_certificate


def _verify_path(
    certificates: Sequence[x509.Certificate], anchors: tuple[Anchor, ...], now: datetime
) -> Anchor:
    if not anchors:
        raise CertificateRejected("not-trusted", "there is no trust anchor")
    builder, by_certificate = _policy(anchors)
    verifier = builder.time(now).build_client_verifier()
    try:
        path = verifier.verify(certificates[0], list(certificates[1:])).chain
    except (VerificationError, *_UNREADABLE) as error:
        raise CertificateRejected("not-trusted", str(error)) from error
    # Where the root and its issuing CA are both anchors, the nearer one ends the path, and its prefixes
    # count.
    return by_certificate[path[-1]]


def _hardware_id(leaf: x509.Certificate, place: Place) -> str:
    values = [attribute.value for attribute in leaf.subject.get_attributes_for_oid(_PLACES[place])]
    if len(values) != 1 or not isinstance(values[0], str):
        raise CertificateRejected("hardware-id", f"{len(values)} {place} attributes in the subject")
    if not hardware_id.is_canonical(values[0]):
        raise CertificateRejected("hardware-id", f"{place} holds no canonical hardware ID")
    # The other attribute may be a model name; a second hardware ID would leave open which one is meant.
    for attribute in leaf.subject:
        other = attribute.value
        if isinstance(other, str) and other != values[0] and hardware_id.is_canonical(other):
            raise CertificateRejected("hardware-id", "the subject names two hardware IDs")
    return values[0]

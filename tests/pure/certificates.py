"""Makes certificate chains for tests, good ones and, by changing one thing, bad ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from devices.pki import Anchor

HARDWARE_ID = "00-90-33-01-0A-FF"
PREFIXES = ("00-90-33",)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Subject = Sequence[tuple[x509.ObjectIdentifier, str]]


def p256(number: int) -> ec.EllipticCurvePrivateKey:
    """The P-256 key with this private number: no randomness, so that what is made with it is made again."""
    return ec.derive_private_key(number, ec.SECP256R1())


def usage(*, digital_signature: bool = False, cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=cert_sign,
        crl_sign=cert_sign,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(frozen=True)
class Made:
    """A certificate to be, described; `replace` changes one thing about it."""

    subject: Subject
    key: PrivateKey
    issuer: "Made | None" = None
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    not_before: datetime = BEGIN
    not_after: datetime = END
    authority_key_id: bool = True
    signed_by: PrivateKey | None = None

    @cached_property
    def certificate(self) -> x509.Certificate:
        issuer = self.issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(self.subject))
            .issuer_name(_name(issuer.subject))
            .public_key(self.key.public_key())
            .serial_number(4711)
            .not_valid_before(self.not_before)
            .not_valid_after(self.not_after)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
        )
        if self.authority_key_id:
            identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
            builder = builder.add_extension(identifier, critical=False)
        for extension, critical in self.extensions:
            builder = builder.add_extension(extension, critical=critical)
        signing_key = self.signed_by or issuer.key
        if isinstance(signing_key, ec.EllipticCurvePrivateKey):
            return builder.sign(signing_key, hashes.SHA256(), ecdsa_deterministic=True)
        digest = hashes.SHA256() if isinstance(signing_key, rsa.RSAPrivateKey) else None
        return builder.sign(signing_key, digest)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def with_extensions(self, *extensions: tuple[x509.ExtensionType, bool]) -> "Made":
        """The same with these extensions in place of those of the same kind."""
        kinds = {type(extension) for extension, _ in extensions}
        kept = tuple(pair for pair in self.extensions if type(pair[0]) not in kinds)
        return replace(self, extensions=kept + extensions)

    def without(self, kind: type[x509.ExtensionType]) -> "Made":
        return replace(self, extensions=tuple(p for p in self.extensions if not isinstance(p[0], kind)))


def root(name: str = "Example Root", number: int = 101) -> Made:
    return Made(subject=((NameOID.COMMON_NAME, name),), key=p256(number), extensions=_authority(None))


def device_ca(
    issuer: Made, name: str = "Example Device CA", *, key: PrivateKey | None = None, path_length: int = 0
) -> Made:
    return Made(
        subject=((NameOID.COMMON_NAME, name),),
        key=key or p256(102),
        issuer=issuer,
        extensions=_authority(path_length),
    )


def device(issuer: Made, hardware_id: str = HARDWARE_ID, *, key: PrivateKey | None = None) -> Made:
    """A device certificate as trust.md 1 wants it."""
    return Made(
        subject=((NameOID.COMMON_NAME, hardware_id), (NameOID.SERIAL_NUMBER, hardware_id)),
        key=key or p256(103),
        issuer=issuer,
        extensions=(
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (usage(digital_signature=True), True),
        ),
    )


def anchor(made: Made, *, prefixes: tuple[str, ...] = PREFIXES) -> Anchor:
    return Anchor(made.certificate, prefixes, "serialNumber")


def _authority(path_length: int | None) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    return (
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (usage(cert_sign=True), True),
    )


def _name(subject: Subject) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])

"""The manufacturer's authorities: a root, and below it the device CA that signs devices (trust.md 1)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from appliance.factory.files import private_pem, write_secret

NO_EXPIRY: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""IEEE 802.1AR 8.7 and RFC 5280 4.1.2.5: the notAfter of what is meant to last as long as the hardware."""
CLOCK_TOLERANCE: Final = timedelta(hours=1)
"""How far notBefore lies back, so that a portal whose clock is a little late takes a new device."""


@dataclass(frozen=True)
class Authority:
    """A root and its device CA, with their keys."""

    root: x509.Certificate
    root_key: ec.EllipticCurvePrivateKey
    device_ca: x509.Certificate
    device_ca_key: ec.EllipticCurvePrivateKey


def make_authority(manufacturer: str, *, now: datetime) -> Authority:
    """Make a root and a device CA with new P-256 keys, valid as long as the hardware."""
    root_key, device_ca_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = _name(manufacturer, "Device Root CA")
    root = _ca_certificate(
        root_name, root_key.public_key(), issuer=root_name, issuer_key=root_key, below=1, now=now
    )
    device_ca = _ca_certificate(
        _name(manufacturer, "Device CA 1"),
        device_ca_key.public_key(),
        issuer=root_name,
        issuer_key=root_key,
        below=0,
        now=now,
    )
    return Authority(root, root_key, device_ca, device_ca_key)


def write_authority(folder: Path, authority: Authority) -> None:
    """Write `root.pem`, `device-ca.pem` and their keys, the keys with mode 0600.

    :raises FileExistsError: there is a file already; authorities are never replaced.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(folder / "root.key.pem", private_pem(authority.root_key))
    write_secret(folder / "device-ca.key.pem", private_pem(authority.device_ca_key))
    for name, certificate in (("root.pem", authority.root), ("device-ca.pem", authority.device_ca)):
        with (folder / name).open("xb") as file:
            file.write(pem(certificate))


def read_authority(folder: Path) -> Authority:
    """Read what write_authority wrote.

    :raises OSError: a file is missing.
    :raises ValueError: a file holds something else.
    """
    return Authority(
        root=x509.load_pem_x509_certificate((folder / "root.pem").read_bytes()),
        root_key=_read_key(folder / "root.key.pem"),
        device_ca=x509.load_pem_x509_certificate((folder / "device-ca.pem").read_bytes()),
        device_ca_key=_read_key(folder / "device-ca.key.pem"),
    )


def authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Return the AKI of certificates below `issuer`: its SKI, as RFC 5280 4.2.1.1 wants it."""
    ski = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski)


def key_usage(*, signs_documents: bool, signs_certificates: bool) -> x509.KeyUsage:
    """Return a key usage with digitalSignature, or with keyCertSign and cRLSign."""
    return x509.KeyUsage(
        digital_signature=signs_documents,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM)


def _ca_certificate(
    subject: x509.Name,
    public_key: CertificatePublicKeyTypes,
    *,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    below: int,
    now: datetime,
) -> x509.Certificate:
    issuer_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    usage = key_usage(signs_documents=False, signs_certificates=True)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_TOLERANCE)
        .not_valid_after(NO_EXPIRY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(issuer_identifier, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _name(manufacturer: str, role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, manufacturer),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{manufacturer} {role}"),
        ]
    )


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds no elliptic curve key")
    return key

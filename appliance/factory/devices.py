"""Device identities: a key and a certificate that names the hardware ID (trust.md 1)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from appliance.claims import HARDWARE_ID
from appliance.factory.authority import (
    CLOCK_TOLERANCE,
    NO_EXPIRY,
    Authority,
    authority_key_identifier,
    key_usage,
    pem,
)
from appliance.factory.files import private_pem, write_secret
from appliance.identity import CHAIN_FILE, KEY_FILE, DeviceKey

KEY_KINDS: Final = ("P-256", "P-384", "RSA-2048", "Ed25519")
_OCTETS: Final = 6
_PREFIX: Final = re.compile(r"[0-9A-F]{2}(-[0-9A-F]{2}){2,4}")


@dataclass(frozen=True)
class FactoryIdentity:
    """What a device gets at the factory: key and chain, leaf first, root left out."""

    hardware_id: str
    key: DeviceKey
    chain: tuple[x509.Certificate, ...]


def hardware_ids(*, prefix: str, count: int, first: str | None = None) -> Iterator[str]:
    """Return `count` hardware IDs under `prefix`, rising from `first` or from the second of the prefix on.

    :raises ValueError: a prefix of fewer than three octets, a `first` outside of it, or too few IDs left.
    """
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("a prefix has three to five octets, like 00-90-33")
    free_octets = _OCTETS - prefix.count("-") - 1
    # The ID of all zeros behind the prefix is left out: people take it for a placeholder.
    start = 1
    if first is not None:
        if not HARDWARE_ID.fullmatch(first) or not first.startswith(prefix + "-"):
            raise ValueError(f"{first} is no hardware ID under {prefix}")
        start = int(first[len(prefix) :].replace("-", ""), 16)
    if count < 1 or start + count > 256**free_octets:
        raise ValueError(f"{count} hardware IDs from {start:X} on do not fit under {prefix}")
    return (
        f"{prefix}-{number.to_bytes(free_octets).hex('-').upper()}" for number in range(start, start + count)
    )


def make_identity(authority: Authority, hardware_id: str, *, kind: str, now: datetime) -> FactoryIdentity:
    """Make a key of one of KEY_KINDS, and its certificate by the device CA, valid as long as the hardware."""
    key = _make_key(kind)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, hardware_id),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, hardware_id),
        ]
    )
    usage = key_usage(signs_documents=True, signs_certificates=False)
    leaf = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.device_ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_TOLERANCE)
        .not_valid_after(NO_EXPIRY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority_key_identifier(authority.device_ca), critical=False)
        .sign(authority.device_ca_key, hashes.SHA256())
    )
    return FactoryIdentity(hardware_id, key, (leaf, authority.device_ca))


def write_identity(out: Path, identity: FactoryIdentity) -> Path:
    """Write key (mode 0600) and chain into a folder named by the hardware ID, and return the folder.

    :raises FileExistsError: there is an identity for this hardware ID; a second one would be refused by the
        portal, which remembers the first.
    """
    folder = out / identity.hardware_id
    folder.mkdir(mode=0o700, parents=True)
    write_secret(folder / KEY_FILE, private_pem(identity.key))
    (folder / CHAIN_FILE).write_bytes(b"".join(pem(certificate) for certificate in identity.chain))
    return folder


def _make_key(kind: str) -> DeviceKey:
    if kind == "P-256":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "P-384":
        return ec.generate_private_key(ec.SECP384R1())
    if kind == "RSA-2048":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    raise ValueError(f"choose a key from {', '.join(KEY_KINDS)}")

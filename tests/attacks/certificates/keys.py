"""Which keys and which signatures: too weak, of other kinds, or by other rules than the certificate says."""

from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, x25519

from tests.attacks.certificates import der
from tests.attacks.certificates.subjects import cut
from tests.attacks.certificates.variants import (
    ACCEPTED,
    DEVICE,
    ROOT,
    Make,
    Variant,
    chain,
    p256,
    p384,
    rsa_key,
)
from tests.pure import certificates


def of_device(verdict: str, key: object) -> Variant:
    """A device certificate of this key. Keys that cannot sign as trust.md 2 wants it sign with another."""
    made = certificates.device(certificates.device_ca(ROOT), key=key)  # type: ignore[arg-type]
    return chain(made, verdict=verdict)


def of_ca(verdict: str, key: object) -> Variant:
    """A device CA with this key."""
    ca = certificates.device_ca(ROOT, key=key)  # type: ignore[arg-type]
    return chain(certificates.device(ca), ca, verdict=verdict)


def with_key(verdict: str, spki: bytes) -> Make:
    """A device certificate whose SubjectPublicKeyInfo is these bytes."""

    def change(opened: der.Opened) -> None:
        opened.tbs.parts[6] = der.read(spki)

    return cut(verdict, change)


def point(data: bytes, curve: bytes = bytes.fromhex("2a8648ce3d030107")) -> bytes:
    """The SubjectPublicKeyInfo of a point on a curve, P-256 unless given, or of a point that is none."""
    ec_public_key = bytes.fromhex("2a8648ce3d0201")
    algorithm = der.sequence(der.Node(der.OID, ec_public_key), der.Node(der.OID, curve))
    return der.sequence(algorithm, der.Node(der.BIT_STRING, b"\x00" + data)).write()


def rsa_numbers(modulus: int, exponent: int) -> bytes:
    """The SubjectPublicKeyInfo of an RSA key of these numbers."""
    key = der.sequence(
        *(der.Node(der.INTEGER, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in (modulus, exponent))
    ).write()
    algorithm = der.sequence(der.Node(der.OID, bytes.fromhex("2a864886f70d010101")), der.Node(der.NULL))
    return der.sequence(algorithm, der.Node(der.BIT_STRING, b"\x00" + key)).write()


def _sha1() -> Variant:
    def change(opened: der.Opened) -> None:
        opened.algorithm.parts[0].data = der.ECDSA_SHA1

    leaf = der.operated(DEVICE, change, digest=hashes.SHA1(), algorithm=der.ECDSA_SHA1)  # noqa: S303
    return chain(leaf, verdict="not-trusted")


def _sha1_of_the_ca() -> Variant:
    def change(opened: der.Opened) -> None:
        opened.algorithm.parts[0].data = der.ECDSA_SHA1

    ca = certificates.device_ca(ROOT)
    forged = der.operated(ca, change, digest=hashes.SHA1(), algorithm=der.ECDSA_SHA1)  # noqa: S303
    return chain(DEVICE, forged, verdict="not-trusted")


def _signature(change: bytes) -> Variant:
    cert = der.read(DEVICE.der)
    cert.parts[2] = der.Node(der.BIT_STRING, change)
    return chain(cert.write(), verdict="not-trusted")


def _second_form() -> Variant:
    """ECDSA has a second valid signature for each: same certificate, other bytes."""
    order = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
    cert = der.read(DEVICE.der)
    numbers = der.read(cert.parts[2].data[1:])
    s = order - int.from_bytes(numbers.parts[1].data, "big")
    numbers.parts[1].data = s.to_bytes(s.bit_length() // 8 + 1, "big")
    cert.parts[2].data = b"\x00" + numbers.write()
    assert cert.write() != DEVICE.der, "another form"
    return chain(cert.write(), verdict=ACCEPTED)


POINT = DEVICE.certificate.public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
)
SQUARED = POINT[:33] + bytes(32)
COMPRESSED = bytes([2 + POINT[-1] % 2]) + POINT[1:33]

VARIANTS: dict[str, Make] = {
    "device with P-384": lambda: of_device(ACCEPTED, p384(5)),
    "device with Ed25519": lambda: of_device(ACCEPTED, ed25519.Ed25519PrivateKey.generate()),
    "device with RSA-2048": lambda: of_device(ACCEPTED, rsa_key(2048)),
    "device with RSA-3072": lambda: of_device(ACCEPTED, rsa_key(3072)),
    "device with RSA-1024": lambda: of_device("key-size", rsa_key(1024)),
    "device with RSA-2047": lambda: of_device("key-size", rsa_key(2047)),
    "device with RSA and exponent 1": with_key("key-type", rsa_numbers((1 << 2047) + 1, 1)),
    "device with RSA and an even exponent": with_key("key-type", rsa_numbers((1 << 2047) + 1, 65536)),
    "device with P-521": lambda: of_device("key-type", ec.generate_private_key(ec.SECP521R1())),
    "device with P-224": lambda: of_device("key-type", ec.generate_private_key(ec.SECP224R1())),
    "device with secp256k1": lambda: of_device("key-type", ec.generate_private_key(ec.SECP256K1())),
    "device with Brainpool": lambda: of_device("key-type", ec.generate_private_key(ec.BrainpoolP256R1())),
    "device with Ed448": lambda: of_device("key-type", ed448.Ed448PrivateKey.generate()),
    "device with X25519": lambda: of_device("key-type", x25519.X25519PrivateKey.generate()),
    "device with DSA": lambda: of_device("key-type", dsa.generate_private_key(2048)),
    "device with ML-DSA-65": lambda: of_device("key-type", mldsa.MLDSA65PrivateKey.generate()),
    "device with a point beside the curve": with_key("key-type", point(SQUARED)),
    "device with the point at infinity": with_key("key-type", point(b"\x00")),
    "device with half a point": with_key("key-type", point(POINT[:33])),
    "device with a compressed point": with_key(ACCEPTED, point(COMPRESSED)),
    "device with a curve nobody knows": with_key("key-type", point(POINT, bytes.fromhex("2a0304"))),
    "CA with P-384": lambda: of_ca(ACCEPTED, p384(6)),
    "CA with P-521": lambda: of_ca("issuer", ec.generate_private_key(ec.SECP521R1())),
    "CA with Ed25519": lambda: of_ca("issuer", ed25519.Ed25519PrivateKey.generate()),
    "CA with RSA-2048": lambda: of_ca("issuer", rsa_key(2048)),
    "CA with ML-DSA-65": lambda: of_ca("issuer", mldsa.MLDSA65PrivateKey.generate()),
    "device certified with SHA-1": _sha1,
    "CA certified with SHA-1": _sha1_of_the_ca,
    "an algorithm inside, another one outside": lambda: chain(
        der.operated(DEVICE, lambda _: None, algorithm=der.ECDSA_SHA1), verdict="not-trusted"
    ),
    "signed by somebody else": lambda: chain(replace(DEVICE, signed_by=p256(666)), verdict="not-trusted"),
    "signed by the device itself": lambda: chain(
        replace(DEVICE, signed_by=DEVICE.key), verdict="not-trusted"
    ),
    "signed with zeros": lambda: _signature(bytes.fromhex("003006020100020100")),
    "signed with ones": lambda: _signature(bytes.fromhex("003006020101020101")),
    "signed with nothing": lambda: _signature(b"\x00"),
    "signed with noise": lambda: _signature(b"\x00" + b"noise" * 14),
    "signed in the second form": _second_form,
    "another key than the CA's in its identifier": lambda: chain(_with_identifier(p256(8)), verdict=ACCEPTED),
    "no identifier of the issuer's key": lambda: chain(
        replace(DEVICE, authority_key_id=False), verdict="not-trusted"
    ),
}


def _with_identifier(key: ec.EllipticCurvePrivateKey) -> certificates.Made:
    """It is a hint for finding the issuer and proves nothing (RFC 5280, 4.2.1.1): the signature does."""
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return replace(DEVICE, authority_key_id=False).with_extensions((identifier, False))

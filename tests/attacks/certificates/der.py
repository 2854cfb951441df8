"""Certificates cut open: DER as a tree to be changed anywhere, and signed again by whoever likes to.

The builder of `cryptography` makes no certificate that its authors think wrong; an attacker's tools do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.pure.certificates import Made, PrivateKey

INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x02, 0x03, 0x04, 0x05, 0x06
UTF8, NUMERIC, PRINTABLE, TELETEX, IA5, VISIBLE, UNIVERSAL, BMP = (
    0x0C,
    0x12,
    0x13,
    0x14,
    0x16,
    0x1A,
    0x1C,
    0x1E,
)
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET, VERSION, EXTENSIONS = 0x30, 0x31, 0xA0, 0xA3

COMMON_NAME, SERIAL_NUMBER = bytes.fromhex("550403"), bytes.fromhex("550405")
ECDSA_SHA1 = bytes.fromhex("2a8648ce3d0401")
ECDSA_SHA256 = bytes.fromhex("2a8648ce3d040302")


@dataclass
class Node:
    """A value: its tag, and either its bytes or, if it is constructed, the values in it."""

    tag: int
    data: bytes = b""
    parts: list["Node"] = field(default_factory=list)

    def write(self) -> bytes:
        content = b"".join(part.write() for part in self.parts) if self.tag & 0x20 else self.data
        return bytes([self.tag]) + length(len(content)) + content


def read(data: bytes) -> Node:
    """The tree of one value that fills `data`."""
    [node] = _read_all(data)
    return node


def length(number: int) -> bytes:
    """A length in its one form of DER."""
    if number < 0x80:
        return bytes([number])
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def sequence(*parts: Node) -> Node:
    return Node(SEQUENCE, parts=list(parts))


def name(*attributes: tuple[bytes, int, bytes]) -> Node:
    """A subject: an attribute's type, the tag of its value and the value's bytes, one after the other."""
    return sequence(
        *(Node(SET, parts=[sequence(Node(OID, kind), Node(tag, value))]) for kind, tag, value in attributes)
    )


@dataclass
class Opened:
    """The signed part of a certificate, by the names of RFC 5280."""

    tbs: Node

    @property
    def serial(self) -> Node:
        return self.tbs.parts[1]

    @property
    def algorithm(self) -> Node:
        return self.tbs.parts[2]

    @property
    def validity(self) -> Node:
        return self.tbs.parts[4]

    @property
    def subject(self) -> Node:
        return self.tbs.parts[5]

    @subject.setter
    def subject(self, value: Node) -> None:
        self.tbs.parts[5] = value

    @property
    def key(self) -> Node:
        return self.tbs.parts[6]

    @property
    def extensions(self) -> list[Node]:
        return self.tbs.parts[7].parts[0].parts


def operated(
    made: Made,
    change: Callable[[Opened], object],
    *,
    digest: hashes.HashAlgorithm | None = None,
    algorithm: bytes = ECDSA_SHA256,
) -> bytes:
    """The certificate with its signed part changed and then signed by its issuer, as if it were right.

    :param digest: what the signature is made over; SHA-256 unless given.
    :param algorithm: what the certificate says outside of the signed part.
    """
    opened = Opened(read(made.certificate.tbs_certificate_bytes))
    change(opened)
    signer: PrivateKey = (made.issuer or made).key
    assert isinstance(signer, ec.EllipticCurvePrivateKey), "certificates here are signed on a curve"
    tbs = opened.tbs.write()
    signature = signer.sign(tbs, ec.ECDSA(digest or hashes.SHA256()))
    return sequence(opened.tbs, sequence(Node(OID, algorithm)), Node(BIT_STRING, b"\x00" + signature)).write()


def _read_all(data: bytes) -> list[Node]:
    nodes = []
    while data:
        tag, first = data[0], data[1]
        octets = first & 0x7F if first & 0x80 else 0
        size = int.from_bytes(data[2 : 2 + octets], "big") if octets else first
        start = 2 + octets
        content, data = data[start : start + size], data[start + size :]
        nodes.append(Node(tag, parts=_read_all(content)) if tag & 0x20 else Node(tag, content))
    return nodes

"""The factory identity of the device: its key, its certificate chain and the signature only it can make."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from appliance import base64url, strict_json
from appliance.claims import HARDWARE_ID
from appliance.refusals import Refusal

KEY_FILE: Final = "key.pem"
CHAIN_FILE: Final = "chain.pem"
MAX_CHAIN: Final = 3
MAX_STATEMENT_BYTES: Final = 64 * 1024
"""What the portal reads of a statement at most (trust.md 2)."""
_ROOM: Final = 2 * 1024
"""More than a signature, a nonce and an address take."""

DeviceKey = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey


@dataclass(frozen=True)
class Identity:
    """A device key with its certificates, leaf first, root left out (trust.md 1)."""

    key: DeviceKey
    chain: tuple[x509.Certificate, ...]

    @property
    def hardware_id(self) -> str:
        """The hardware ID the leaf certificate was made for."""
        return _hardware_id(self.chain[0])

    def sign_statement(self, payload: bytes, *, typ: str, online: dict[str, str]) -> bytes:
        """Return `payload` as compact JWS of the device (trust.md 3).

        :param online: `nonce` and `url` for a statement that goes over the network, nothing for a file.
        :raises Refusal: `statement-too-large`; only certificates far larger than usual come to that.
        """
        signing_input = self._signing_input(payload, typ=typ, online=online)
        statement = signing_input + b"." + base64url.encode(_sign(self.key, signing_input)).encode()
        if len(statement) > MAX_STATEMENT_BYTES:
            raise Refusal("statement-too-large", f"{len(statement)} bytes")
        return statement

    def require_room(self, payload: bytes, *, typ: str) -> None:
        """Say before anything is done for it that a statement could not be signed, online or for a file.

        :raises Refusal: `statement-too-large`.
        """
        size = len(self._signing_input(payload, typ=typ, online={})) + _ROOM
        if size > MAX_STATEMENT_BYTES:
            raise Refusal("statement-too-large", f"{size} bytes")

    def _signing_input(self, payload: bytes, *, typ: str, online: dict[str, str]) -> bytes:
        header = {"alg": _algorithm(self.key), "typ": typ, "x5c": self._x5c(), **online}
        return ".".join(base64url.encode(part) for part in (strict_json.dumps(header), payload)).encode()

    def _x5c(self) -> list[str]:
        # RFC 7515 4.1.6: standard base64 with padding, unlike everything else in a JWS.
        return [
            base64.b64encode(certificate.public_bytes(Encoding.DER)).decode() for certificate in self.chain
        ]


def read_identity(folder: Path) -> Identity:
    """Read `key.pem` and `chain.pem` of a folder.

    :raises Refusal: `damaged-identity` if a file is missing or unreadable, or both are no pair.
    """
    try:
        key = load_pem_private_key((folder / KEY_FILE).read_bytes(), password=None)
        chain = tuple(x509.load_pem_x509_certificates((folder / CHAIN_FILE).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise Refusal("damaged-identity", str(folder)) from error
    if not isinstance(key, DeviceKey):
        raise Refusal("damaged-identity", "a key of a kind devices do not have")
    _algorithm(key)
    if not 1 <= len(chain) <= MAX_CHAIN:
        raise Refusal("damaged-identity", f"a chain of {len(chain)} certificates")
    if chain[0].public_key() != key.public_key():
        raise Refusal("damaged-identity", "the certificate belongs to another key")
    _hardware_id(chain[0])
    return Identity(key, chain)


def _hardware_id(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    if len(names) != 1 or not HARDWARE_ID.fullmatch(str(names[0].value)):
        raise Refusal("damaged-identity", "the certificate names no hardware ID")
    return str(names[0].value)


def _algorithm(key: DeviceKey) -> str:
    """Return the JOSE name of the only algorithm a key signs with."""
    if isinstance(key, RSAPrivateKey):
        return "PS256"
    if isinstance(key, Ed25519PrivateKey):
        return "Ed25519"
    if isinstance(key.curve, SECP256R1):
        return "ES256"
    if isinstance(key.curve, SECP384R1):
        return "ES384"
    raise Refusal("damaged-identity", f"a key on the curve {key.curve.name}")


def _sign(key: DeviceKey, data: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(data)
    if isinstance(key, RSAPrivateKey):
        # RFC 7518 3.5: the salt is as long as the digest.
        digest = hashes.SHA256()
        return key.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    # RFC 7518 3.4: both numbers at full length, one after the other, instead of ASN.1.
    hash_algorithm = hashes.SHA256() if isinstance(key.curve, SECP256R1) else hashes.SHA384()
    length = (key.curve.key_size + 7) // 8
    numbers = decode_dss_signature(key.sign(data, ECDSA(hash_algorithm)))
    return b"".join(number.to_bytes(length, "big") for number in numbers)

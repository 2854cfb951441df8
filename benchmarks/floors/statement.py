"""The signed statement of the verification floor; the client signs it, the server knows the key."""

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import ECKey

_PRIVATE = ec.derive_private_key(0x5EED, ec.SECP256R1())  # no secret: it guards nothing
KEY = ECKey(_PRIVATE.public_key(), _PRIVATE.public_key())


def make() -> bytes:
    """A compact JWS by ES256, with a payload as long as that of a device's fetch."""
    signing = ECKey(_PRIVATE, _PRIVATE)
    return jws.serialize_compact({"alg": "ES256"}, b"x" * 300, signing, algorithms=["ES256"]).encode()


def verify(token: bytes) -> bytes:
    """The payload.

    :raises BadSignatureError: the signature does not match.
    """
    payload: bytes = jws.deserialize_compact(token, KEY, algorithms=["ES256"]).payload
    return payload

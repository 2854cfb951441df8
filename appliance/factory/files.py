"""Files with private keys: readable by their owner alone, and never written over."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def write_secret(path: Path, data: bytes) -> None:
    """Write a new file with mode 0600.

    :raises FileExistsError: there is such a file already.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def private_pem(key: PrivateKeyTypes) -> bytes:
    """Return a private key as unencrypted PKCS#8 PEM: a device starts with nobody to type a passphrase."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

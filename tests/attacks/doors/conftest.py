"""The device at the portal's doors, as tests/device_api has it."""

from typing import Any

from tests.device_api.conftest import clock, device, made, signer
from tests.device_api.devices import Signer
from tests.pure import statements

# `cryptography` warns of what a later release refuses, and of names that are longer than they should be. The
# suite makes errors of warnings; the portal does not.
WARNINGS = (
    "ignore:Parsed a serial number",
    "ignore:The parsed certificate",
    "ignore:Attribute's length must be",
)

__all__ = ["WARNINGS", "clock", "device", "file_of", "made", "signer"]


def file_of(signer: Signer, typ: str, **said: Any) -> bytes:
    """A statement that the device writes as a file."""
    header = statements.header(signer.alg, signer.chain, typ=typ, nonce=..., url=...)
    return signer.sign(header=header, claims=signer.claims(**said))

"""A device on the workbench, as tests/appliance has it: its clock and its portal in the attacker's hands."""

from tests.appliance.conftest import (
    bench,
    identity_folder,
    issuer,
    make_bench,
    online,
    other_issuer,
    portal,
    roots_file,
)

__all__ = [
    "bench",
    "identity_folder",
    "issuer",
    "make_bench",
    "online",
    "other_issuer",
    "portal",
    "roots_file",
]

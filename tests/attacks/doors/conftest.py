"""The device at the portal's doors, as tests/device_api has it, and the attackers' own tools."""

from tests.device_api.conftest import clock, device, made, signer

__all__ = ["clock", "device", "made", "signer"]

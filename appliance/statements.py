"""What every statement of the device says (trust.md 3)."""

import secrets
from typing import Any, Final

from appliance import base64url
from appliance.refusals import Refusal
from appliance.state import State

FETCH: Final = "lic-fetch+jws"
RETURN: Final = "lic-return+jws"
ACKNOWLEDGEMENT: Final = "lic-ack+jws"
CLAIM: Final = "lic-claim+jws"


def common_members(
    state: State, *, hardware_id: str, firmware: int, audience: str, now: int
) -> dict[str, Any]:
    """Return the members that every statement has, with a `jti` of its own.

    :param audience: the portal's identity.
    :param now: the device's time in POSIX seconds.
    """
    return {
        "ver": 1,
        "iss": hardware_id,
        "sub": hardware_id,
        "aud": audience,
        "jti": base64url.encode(secrets.token_bytes(16)),
        "seq": state.vault.highest_seq,
        "iat": now,
        "fw": str(firmware),
    }


def audience_for_a_file(state: State) -> str:
    """Return the portal's identity for a statement that is carried: there is no directory to ask.

    :raises Refusal: `portal-unknown` if the device holds no key set yet.
    """
    keyset = state.vault.held_keyset()
    if keyset is None:
        raise Refusal("portal-unknown")
    return keyset.issuer

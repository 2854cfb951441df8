"""Fetching the license document from the portal (trust.md 3 and 9), once a nonce is at hand."""

import secrets
from dataclasses import dataclass
from typing import Any, Final

from appliance import base64url, strict_json
from appliance.device import Device
from appliance.installation import Outcome
from appliance.portal_client import Answer, BadNonce, Directory, PortalClient
from appliance.refusals import Refusal
from appliance.state import State

TYP: Final = "lic-fetch+jws"
_NO_CONTENT: Final = 204


@dataclass(frozen=True)
class _Request:
    payload: bytes
    tells_have: bool


def fetch(device: Device, portal: PortalClient | None = None) -> Outcome:
    """Fetch what the portal has for this device, and install it.

    The audience of the request comes from the key set held, never from the address that is called. A device
    that holds none yet takes the portal's identity from the unsigned directory for its first request, and
    installs the answer only if the key set, signed by the pinned roots, names the same identity.

    :raises Refusal: what the portal refuses, what stands in the way to it, and what Device.install raises.
    """
    client = portal or PortalClient(device.home.manufacture.portal)
    directory = client.directory()
    state = device.state()
    keyset = state.vault.held_keyset()
    audience = keyset.issuer if keyset else directory.portal
    request = _statement(device, state, audience)
    answer = _post(device, client, directory, request.payload)
    if answer.status == _NO_CONTENT:
        if not request.tells_have:
            raise Refusal("portal-answer", "nothing new, though nothing is installed")
        return Outcome.UNCHANGED
    return device.install(answer.body, portal=None if keyset else directory.portal)


def _statement(device: Device, state: State, audience: str) -> _Request:
    hardware_id, keyset = device.home.identity.hardware_id, state.vault.held_keyset()
    members: dict[str, Any] = {
        "ver": 1,
        "iss": hardware_id,
        "sub": hardware_id,
        "aud": audience,
        "jti": base64url.encode(secrets.token_bytes(16)),
        "seq": state.vault.min_seq,
        "iat": device.now(state),
        "fw": str(device.home.manufacture.firmware),
    }
    bundle = state.configuration.installed
    # What the device holds counts only if it is the highest ever installed; else it must come again.
    has_highest = state.installed is not None and state.installed.seq == state.vault.min_seq
    if bundle is not None and has_highest:
        members["have"] = bundle.tag
    if keyset is not None:
        members["ks"] = keyset.version
    return _Request(strict_json.dumps(members), tells_have="have" in members)


def _post(device: Device, client: PortalClient, directory: Directory, payload: bytes) -> Answer:
    nonce = client.new_nonce(directory)
    try:
        return client.post_statement(directory.licenses_url, _signed(device, directory, payload, nonce))
    except BadNonce as error:
        # Once: a nonce may have aged on the way. A second refusal is no accident.
        fresh = error.fresh
    try:
        return client.post_statement(directory.licenses_url, _signed(device, directory, payload, fresh))
    except BadNonce as error:
        raise Refusal("portal-refused", "bad-nonce") from error


def _signed(device: Device, directory: Directory, payload: bytes, nonce: str) -> bytes:
    online = {"nonce": nonce, "url": directory.licenses_url}
    return device.home.identity.sign_statement(payload, typ=TYP, online=online)

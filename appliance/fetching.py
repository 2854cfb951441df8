"""Fetching the license document from the portal (trust.md 3 and 9)."""

import http.client
from typing import Any

from appliance import strict_json
from appliance.acknowledging import tell
from appliance.bundle import read_bundle
from appliance.device import Device
from appliance.installation import Outcome
from appliance.refusals import Refusal
from appliance.result import Result
from appliance.session import Session, open_session
from appliance.state import State
from appliance.statements import FETCH


def fetch(device: Device) -> Result:
    """Fetch what the portal has for this device, install it, and tell the portal so.

    :raises Refusal: what the portal refuses, what stands in the way to it, and what Device.take raises.
    """
    session = open_session(device)
    return tell(device, session, _fetch(device, session))


def _fetch(device: Device, session: Session) -> Result:
    state = device.state()
    request = _request(device, session, state)
    answer = session.post(session.directory.licenses_url, FETCH, strict_json.dumps(request))
    if answer.status == http.client.NO_CONTENT:
        if "have" not in request:
            raise Refusal("portal-answer", "nothing new, though nothing is installed")
        return Result(Outcome.UNCHANGED)
    return device.take(read_bundle(answer.body), portal=session.first_contact(state))


def _request(device: Device, session: Session, state: State) -> dict[str, Any]:
    members = device.statement(state, session.audience(state))
    bundle, keyset = state.configuration.installed, state.vault.held_keyset()
    # What the device holds counts only if it is the highest ever installed; else it must come again.
    has_highest = state.installed is not None and state.installed.seq == state.vault.highest_seq
    # What was deleted comes back with the document, so the device asks for it as if it had none.
    if bundle is not None and has_highest and not state.configuration.deleted:
        members["have"] = bundle.tag
    if keyset is not None:
        members["ks"] = keyset.version
    return members

"""One talk with the portal: its directory, then statements, each signed for its address with a nonce."""

from dataclasses import dataclass

from appliance.device import Device
from appliance.identity import Identity
from appliance.portal_client import TIMEOUT, Answer, BadNonce, Directory, PortalClient
from appliance.refusals import Refusal
from appliance.state import State


@dataclass(frozen=True)
class Session:
    """A portal that answers, and the identity that signs."""

    client: PortalClient
    directory: Directory
    identity: Identity

    def audience(self, state: State) -> str:
        """Return the portal's identity: that of the key set held, never of the address that is called.

        A device that holds none yet has to take it from the unsigned directory. Whatever comes back then
        counts only if its key set, signed by the pinned roots, names the same identity: see first_contact.
        """
        keyset = state.vault.held_keyset()
        return keyset.issuer if keyset else self.directory.portal

    def first_contact(self, state: State) -> str | None:
        """Return the identity the portal still has to prove, or None if a key set is held."""
        return None if state.vault.keyset else self.directory.portal

    def post(self, url: str | None, typ: str, payload: bytes) -> Answer:
        """Sign a statement for `url` and send it.

        :param url: an address of the directory; None where the portal has none for it.
        :raises Refusal: `portal-lacks-door`, what the portal refuses, and what stands in the way to it.
        """
        if url is None:
            raise Refusal("portal-lacks-door", typ)
        nonce = self.client.new_nonce(self.directory)
        try:
            return self._send(url, typ, payload, nonce)
        except BadNonce as error:
            # Once: a nonce may have aged on the way. A second refusal is no accident.
            fresh = error.fresh
        try:
            return self._send(url, typ, payload, fresh)
        except BadNonce as error:
            raise Refusal("portal-refused", "bad-nonce") from error

    def _send(self, url: str, typ: str, payload: bytes, nonce: str) -> Answer:
        statement = self.identity.sign_statement(payload, typ=typ, online={"nonce": nonce, "url": url})
        return self.client.post_statement(url, statement)


def open_session(device: Device, *, timeout: float = TIMEOUT) -> Session:
    """Ask the device's portal for its directory.

    :param timeout: seconds of silence after which the portal counts as unreachable.
    :raises Refusal: `portal-unreachable`, `portal-answer`.
    """
    client = PortalClient(device.home.manufacture.portal, timeout=timeout)
    return Session(client, client.directory(), device.home.identity)

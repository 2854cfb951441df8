"""The devices of a run, as their manufacturer made them, and the signed requests they send (trust.md 3)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from appliance.bundle import read_bundle
from appliance.document import payload_of, read_document
from appliance.factory.authority import make_authority, pem
from appliance.factory.devices import hardware_ids, make_identity
from appliance.fleet.devices import signed
from appliance.identity import Identity
from appliance.statements import FETCH, RETURN
from benchmarks.wire import Request, exchange

PREFIX = "00-90-33"
BEHIND_PROXY = {
    "Host": "portal.invalid",
    "X-Forwarded-For": "192.0.2.17",
    "X-Forwarded-Proto": "https",
    "X-Request-Id": "benchmark-request",
}
"""What nginx adds to every request."""


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Devices with P-256 keys under one manufacturer, whose root the portal trusts."""

    anchor: str
    identities: Sequence[Identity]

    @property
    def hardware_ids(self) -> list[str]:
        """The hardware IDs, in the order of the devices."""
        return [identity.hardware_id for identity in self.identities]


@dataclass(frozen=True, kw_only=True)
class Portal:
    """What a device knows of the portal: where its pool listens, what it calls itself and its door."""

    port: int
    identity: str
    fetch_url: str
    returns_url: str


def make_fleet(count: int) -> Fleet:
    """Make a manufacturer and `count` devices; a tenth of a second for a hundred."""
    now = datetime.now(tz=UTC)
    authority = make_authority("Example Networks", now=now)
    made = (
        make_identity(authority, hardware_id, kind="P-256", now=now)
        for hardware_id in hardware_ids(prefix=PREFIX, count=count)
    )
    return Fleet(
        anchor=pem(authority.root).decode(),
        identities=[Identity(identity.key, identity.chain) for identity in made],
    )


def find_portal(port: int) -> Portal:
    """Ask the device doors for their directory (trust.md 9)."""
    [answer] = exchange(port, [Request(method="GET", path="/device/v1/directory", headers=BEHIND_PROXY)])
    directory = json.loads(answer.body)
    urls = directory["urls"]
    return Portal(
        port=port,
        identity=directory["portal"],
        fetch_url=urls["licenses"],
        returns_url=urls["returns"],
    )


def nonce_request() -> Request:
    """A device asks for a nonce."""
    return Request(method="GET", path="/device/v1/new-nonce", expects=204, headers=BEHIND_PROXY)


def fetch_requests(
    fleet: Fleet, portal: Portal, tags: Sequence[str | None], *, expects: int
) -> list[Request]:
    """One signed fetch for each device, with a nonce of its own, good for ten minutes from now.

    :param tags: of the bundle that each device holds, None for one that holds none.
    """
    nonces = exchange(portal.port, [nonce_request()] * len(fleet.identities))
    return [
        _fetch(identity, portal, answer.headers["Replay-Nonce"], tag, expects)
        for identity, answer, tag in zip(fleet.identities, nonces, tags, strict=True)
    ]


def first_fetches(fleet: Fleet, portal: Portal) -> list[str]:
    """Let every device fetch for the first time, and return the tags of their bundles.

    This pins their keys, signs their documents and marks them as handed out, as in life.
    """
    requests = fetch_requests(fleet, portal, [None] * len(fleet.identities), expects=200)
    return [json.loads(answer.body)["tag"] for answer in exchange(portal.port, requests)]


def other_fetches(fleet: Fleet, portal: Portal, *, expects: int) -> list[Request]:
    """A signed fetch for each device that holds another bundle than its current one, and the key set."""
    return fetch_requests(fleet, portal, ["A" * 22] * len(fleet.identities), expects=expects)


def return_requests(fleet: Fleet, portal: Portal) -> list[Request]:
    """A signed return of one license for each device, whose document is fetched for it. Each is good once."""
    fetches = fetch_requests(fleet, portal, [None] * len(fleet.identities), expects=200)
    documents = [
        read_document(payload_of(read_bundle(answer.body).license))
        for answer in exchange(portal.port, fetches)
    ]
    nonces = exchange(portal.port, [nonce_request()] * len(fleet.identities))
    return [
        _statement(
            identity,
            portal,
            {"seq": document.seq, "ctr": 1, "grants": [document.items[0].id], "min_seq": document.seq},
            typ=RETURN,
            url=portal.returns_url,
            nonce=answer.headers["Replay-Nonce"],
            expects=200,
        )
        for identity, answer, document in zip(fleet.identities, nonces, documents, strict=True)
    ]


def _fetch(identity: Identity, portal: Portal, nonce: str, tag: str | None, expects: int) -> Request:
    held = {"seq": 0} if tag is None else {"seq": 1, "have": tag, "ks": 1}
    return _statement(identity, portal, held, typ=FETCH, url=portal.fetch_url, nonce=nonce, expects=expects)


def _statement(
    identity: Identity,
    portal: Portal,
    said: dict[str, Any],
    *,
    typ: str,
    url: str,
    nonce: str,
    expects: int,
) -> Request:
    return Request(
        method="POST",
        path=urlsplit(url).path,
        expects=expects,
        headers={**BEHIND_PROXY, "Content-Type": "application/jose"},
        body=signed(identity, said, typ=typ, aud=portal.identity, url=url, nonce=nonce),
    )

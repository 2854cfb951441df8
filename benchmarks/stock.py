"""What the requests of a run are made of, and the requests themselves, ready to be sent."""

import itertools
import json
import random
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks import fleet as fleets
from benchmarks.fleet import BEHIND_PROXY, Fleet, Portal
from benchmarks.floors import statement
from benchmarks.house import HOST, ORIGIN, House
from benchmarks.wire import Request

SIGNED_AGAIN_AFTER_SECONDS = 240  # nonces are good for 600
PRODUCT, VERSION = "Port", 14


class Stock:
    """Devices, projects, keys and codes. Each key and each code is given out once.

    Half of the devices only fetch, a quarter only gets assignments, an eighth test licenses, an eighth gives
    back: whatever changes the document gives a fetch something to bring.
    """

    def __init__(self, house: House, fleet: Fleet, loaded: Mapping[str, Any]) -> None:
        half = len(fleet.identities) // 2
        self.house = house
        self.fleet = fleet
        self._fetching = Fleet(anchor=fleet.anchor, identities=fleet.identities[:half])
        # Dealt out so that neighbors are of different projects: partners do not all work on one balance.
        quarter, eighth = half + half // 2, half + half // 2 + half // 4
        self._assigned = random.Random(1).sample(loaded["devices"][half:quarter], quarter - half)
        self._trying: Iterator[Mapping[str, Any]] = iter(loaded["devices"][quarter:eighth])
        self._returning = Fleet(anchor=fleet.anchor, identities=fleet.identities[eighth:])
        self._returns: Iterator[Request] | None = None
        self._staff: Mapping[str, Any] = loaded["staff"]
        self._projects: Sequence[Mapping[str, Any]] = loaded["projects"]
        self._large: Mapping[str, Any] = loaded["large"]
        self._keys: Iterator[str] = iter(loaded["keys"])
        self._codes: Iterator[str] = iter(loaded["codes"])
        self._portal: Portal | None = None
        self._tags: list[str] = []
        self._signed: list[Request] = []
        self._signed_at = 0.0

    # --- Floors ---

    def pages(self) -> Iterator[Request]:
        """A page that needs nothing."""
        return itertools.repeat(Request(method="GET", path="/page", headers=BEHIND_PROXY))

    def selects(self) -> Iterator[Request]:
        """One row by a unique index, a different one each time."""
        requests = [
            Request(method="GET", path=f"/select/{hardware_id}", headers=BEHIND_PROXY)
            for hardware_id in self._fetching.hardware_ids
        ]
        return itertools.cycle(requests)

    def verifications(self) -> Iterator[Request]:
        """The same with a signed body."""
        token = statement.make()
        requests = [
            Request(method="POST", path=f"/verify/{hardware_id}", headers=BEHIND_PROXY, body=token)
            for hardware_id in self._fetching.hardware_ids
        ]
        return itertools.cycle(requests)

    def redemptions(self) -> Iterator[Request]:
        """A code each, into the balances in turn."""
        for code, place in zip(self._codes, itertools.count(1), strict=False):
            path = f"/redeem/{1 + place % len(self._projects)}"
            yield Request(method="POST", path=path, expects=204, headers=BEHIND_PROXY, body=code.encode())

    # --- Pages of the large company, for its admin's browser ---

    def list_pages(self) -> Iterator[Request]:
        """The floor: a list of fifty of its devices."""
        return self.pages_of_company("/floor/{id}")

    def pages_of_company(self, path: str) -> Iterator[Request]:
        """One page over and over; `path` names the project `{id}`, the `{company}` or a `{device}`."""
        headers = {**BEHIND_PROXY, "Host": HOST, "Cookie": f"sessionid={self._large['session']}"}
        return itertools.repeat(Request(method="GET", path=path.format(**self._large), headers=headers))

    # --- Devices ---

    def nonces(self) -> Iterator[Request]:
        """What a device asks for before it signs."""
        return itertools.repeat(fleets.nonce_request())

    def fetches(self) -> Iterator[Request]:
        """A signed fetch by each of the devices that hold their current bundle, over and over.

        A fetch checks its nonce and records nothing, so the same one does the same work again.
        """
        if self._portal is None:
            self._portal = fleets.find_portal(self.house.port("devices"))
            self._tags = fleets.first_fetches(self._fetching, self._portal)
        if not self._signed or time.monotonic() - self._signed_at > SIGNED_AGAIN_AFTER_SECONDS:
            self._signed = fleets.fetch_requests(self._fetching, self._portal, self._tags, expects=204)
            self._signed_at = time.monotonic()
        return itertools.cycle(self._signed)

    def changed_fetches(self) -> Iterator[Request]:
        """The same, by devices that hold another bundle: the answer brings the current one, signed before."""
        self.fetches()
        assert self._portal is not None, "it was just found"
        return itertools.cycle(fleets.other_fetches(self._fetching, self._portal, expects=200))

    def returns(self) -> Iterator[Request]:
        """A signed return each, by devices that have one license to give back. Each is good once."""
        if self._returns is None:
            portal = fleets.find_portal(self.house.port("devices"))
            self._returns = iter(fleets.return_requests(self._returning, portal))
        return self._returns

    def statements(self) -> Iterator[Request]:
        """The same signed fetches, at the floors' view that only verifies them."""
        self.fetches()
        return itertools.cycle([replace(request, path="/statement") for request in self._signed])

    # --- Partners: over REST, and the operations alone ---

    def activations(self) -> Iterator[Request]:
        """A key each, into the projects in turn, each by its company's admin."""
        for key, project in zip(self._keys, itertools.cycle(self._projects), strict=False):
            members = {"code": key, "project": project["id"]}
            yield _signed_in(project, "/api/v1/keys/activate", members, expects=200)

    def assignments(self) -> Iterator[Request]:
        """One unit more for each of the devices, in turn."""
        projects = {project["id"]: project for project in self._projects}
        members = {"product": PRODUCT, "version": VERSION, "quantity": 1}
        for device in itertools.cycle(self._assigned):
            path = f"/api/v1/devices/{device['hardware_id']}/assignments"
            yield _signed_in(projects[device["project"]], path, members, expects=201)

    def key_look_ups(self) -> Iterator[Request]:
        """What a key holds, of one key that nobody activates."""
        key = next(self._keys)
        for project in itertools.cycle(self._projects):
            members = {"code": key, "company": project["company"]}
            yield _signed_in(project, "/api/v1/keys/look-up", members, expects=200)

    def test_licenses(self) -> Iterator[Request]:
        """A test license for each of the devices that never had one."""
        projects = {project["id"]: project for project in self._projects}
        for device in self._trying:
            path = f"/api/v1/devices/{device['hardware_id']}/test-license"
            members = {"version": VERSION, "quantity": 5}
            yield _signed_in(projects[device["project"]], path, members, expects=201)

    def searches(self) -> Iterator[Request]:
        """The console's search by the last digits of a hardware ID, of all devices in turn."""
        headers = {**BEHIND_PROXY, "Host": HOST, "Cookie": f"sessionid={self._staff['session']}"}
        for device in itertools.cycle(self._assigned):
            digits = device["hardware_id"].replace("-", "")[-6:]
            yield Request(method="GET", path="/staff/", query=f"q={digits}", headers=headers)

    def bare_activations(self) -> Iterator[Request]:
        """The same as `activations`, at the floors' view."""
        for key, project in zip(self._keys, itertools.cycle(self._projects), strict=False):
            path = f"/activate/{project['id']}"
            yield Request(method="POST", path=path, expects=204, headers=BEHIND_PROXY, body=key.encode())

    def bare_assignments(self) -> Iterator[Request]:
        """The same as `assignments`, at the floors' view."""
        body = json.dumps({"product": PRODUCT, "version": VERSION, "quantity": 1}).encode()
        for device in itertools.cycle(self._assigned):
            path = f"/assign/{device['hardware_id']}"
            yield Request(method="POST", path=path, expects=204, headers=BEHIND_PROXY, body=body)


def _signed_in(project: Mapping[str, Any], path: str, members: Mapping[str, Any], *, expects: int) -> Request:
    """A request by the admin of the project's company, as a browser's script or a program would send it."""
    token = project["csrf_token"]
    return Request(
        method="POST",
        path=path,
        expects=expects,
        headers={
            **BEHIND_PROXY,
            "Host": HOST,
            "Referer": f"{ORIGIN}/",
            "Content-Type": "application/json",
            "Cookie": f"sessionid={project['session']}; csrftoken={token}",
            "X-CSRFToken": token,
            "Idempotency-Key": secrets.token_hex(16),
        },
        body=json.dumps(members).encode(),
    )

"""Devices for whole histories: the real appliance in a folder, and a wire to the portal that can be cut.

A device is started anew for each act, as a process is. It can lose power before any of the steps that reach
its disk; the wire can lose a request or an answer, and the portal can die over a request. The folder can be
copied with everything in it, which is a clone.
"""

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from django.test import Client

from appliance import strict_json
from appliance.clock import Clock
from appliance.device import Device
from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity, write_identity
from appliance.home import CONFIGURATION, VAULT, Manufacture, make_home
from appliance.portal_client import Answer, PortalClient
from appliance.public_keys import ALGORITHMS
from appliance.refusals import Refusal
from appliance.state import State
from appliance.state_files import configuration_from_json, vault_from_json
from appliance.store import MAX_BYTES
from licenses import documents, handout
from portal.core import base64url
from tests.factories import NOW
from tests.properties.crashing import POINTS, Crash, Point

EXCHANGE_POINTS = (
    *POINTS,
    *(
        Point(module, function, after)
        for module, function in (
            (documents, "sign"),
            (documents, "note_seq_seen"),
            (handout, "hand_out"),
            (handout, "_mark_handed_out"),
            (handout, "assemble"),
        )
        for after in (False, True)
    ),
)
_MEMORY = Path("/dev/shm")


class PowerLoss(BaseException):
    """The device is dark. No Exception: nothing in the appliance may catch it."""


@dataclass(frozen=True)
class Trouble:
    """What happens to one act: a request or its answer is lost (the `number`-th statement sent), the power
    of the device goes (before the `number`-th step that reaches its disk), or the portal dies at `point`."""

    kind: Literal["request", "answer", "power", "portal"]
    number: int = 1
    point: Point | None = None

    def __repr__(self) -> str:
        return f"{self.kind} {self.point or self.number}"


TROUBLES = (
    *(Trouble("request", number) for number in (1, 2)),
    *(Trouble("answer", number) for number in (1, 2)),
    *(Trouble("power", number) for number in range(1, 40, 2)),
    *(Trouble("portal", point=point) for point in EXCHANGE_POINTS),
)


@dataclass(frozen=True)
class Heard:
    """A statement that the portal accepted: whose, with which payload, and what was answered."""

    hardware_id: str
    payload: bytes
    answer: bytes

    @property
    def sha256(self) -> bytes:
        """By which the portal knows a repetition."""
        return hashlib.sha256(self.payload).digest()

    @property
    def ctr(self) -> int:
        """The device's counter in it."""
        ctr: int = json.loads(self.payload)["ctr"]
        return ctr

    @property
    def receipt(self) -> dict[str, Any] | None:
        """The receipt as signed, if it was a return."""
        receipt: dict[str, Any] | None = json.loads(self.answer or b"{}").get("receipt")
        return receipt


def payload_of(signed: dict[str, Any]) -> dict[str, Any]:
    """What a signed document of the portal says."""
    payload: dict[str, Any] = json.loads(base64url.decode(signed["payload"]))
    return payload


def heard(statement: bytes, answer: bytes) -> Heard:
    """What was accepted, by the statement as it was signed."""
    payload = base64url.decode(statement.split(b".")[1].decode())
    return Heard(json.loads(payload)["sub"], payload, answer)


@dataclass
class Wire:
    """Between devices and portal, in this process."""

    accepted: list[Heard] = field(default_factory=list)
    client: Client = field(default_factory=Client)
    trouble: Trouble | None = None
    sent: int = 0

    @contextmanager
    def troubled(self, trouble: Trouble | None) -> Iterator[None]:
        """Let this happen to what is said inside."""
        self.trouble, self.sent = trouble, 0
        try:
            if trouble is not None and trouble.point is not None:
                with trouble.point.armed():
                    yield
            else:
                yield
        finally:
            self.trouble = None

    def call(self, method: str, url: str, body: bytes | None) -> Answer:
        """What the portal answers.

        :raises Refusal: `portal-unreachable`: the device cannot tell what became of its request.
        """
        self.sent += body is not None
        lost = body is not None and self.trouble is not None and self.trouble.number == self.sent
        if lost and self.trouble is not None and self.trouble.kind == "request":
            raise Refusal("portal-unreachable")
        path = urlsplit(url).path
        try:
            response = self.client.generic(method, path, body or b"", content_type="application/jose")
        except Crash as crash:
            raise Refusal("portal-unreachable") from crash
        if body is not None and response.status_code < 300 and not path.endswith("/licenses"):
            self.accepted.append(heard(body, response.content))
        if lost and self.trouble is not None and self.trouble.kind == "answer":
            raise Refusal("portal-unreachable")
        return Answer(response.status_code, response.content, response.headers.get("Replay-Nonce"))


class WiredClient(PortalClient):
    """The appliance's client, on a wire instead of a socket."""

    def __init__(self, wire: Wire, address: str, *, timeout: float) -> None:
        super().__init__(address, timeout=timeout)
        self._wire = wire

    def _call(self, method: str, url: str, body: bytes | None = None) -> Answer:
        return self._wire.call(method, url, body)


@dataclass
class Box:
    """A piece of hardware, or a clone of one: its folder, and what was seen of it so far."""

    home: Path
    hardware_id: str
    alive: bool = True
    highest: tuple[int, int, int] = (0, 0, 0)
    """`min_seq`, `highest_seq` and `ctr` of the vault when it was last looked at: they only rise."""
    _seen: tuple[list[bytes], State] | None = None

    def start(self, trouble: Trouble | None = None) -> Device:
        """The device as a newly started process finds it."""
        left = trouble.number if trouble is not None and trouble.kind == "power" else 0

        def before_step(_step: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise PowerLoss

        return Device(self.home, clock=Clock(time.time, time.time, "a run"), before_step=before_step)

    def state(self) -> State:
        """What stands in its files: what it runs, also before it had a chance to clear up after a crash."""
        paths = [self.home / name for name in (VAULT, CONFIGURATION)]
        files = [path.read_bytes() if path.exists() else b"" for path in paths]
        if self._seen is None or self._seen[0] != files:  # reading it takes longer than most acts
            vault, configuration = (_read(data) if data else None for data in files)
            state = State(vault_from_json(vault), configuration_from_json(configuration))
            self._seen = files, state
        return self._seen[1]

    def in_effect(self) -> dict[str, tuple[str, int]]:
        """Product and quantity of each license in effect, by its id."""
        document = self.state().in_effect
        return {item.id: (item.product, item.quantity) for item in document.items} if document else {}

    def reset_to_factory(self) -> None:
        """The administrator's button: the configuration goes, what lies outside of it stays."""
        (self.home / CONFIGURATION).unlink(missing_ok=True)

    def cloned(self) -> "Box":
        """Another device with the same key and memory."""
        copy = self.home.with_name(f"{self.home.name}-clone")
        shutil.copytree(self.home, copy)
        return Box(copy, self.hardware_id, highest=self.highest)


@dataclass
class Factory:
    """Makes the same few devices for every history: new in their memory, the same in their keys."""

    folder: Path
    hardware_ids: tuple[str, ...]

    @classmethod
    @contextmanager
    def opened(
        cls, authority: Authority, *, roots: dict[str, Any], hardware_ids: tuple[str, ...]
    ) -> "Iterator[Factory]":
        """In memory if there is room: a history writes some hundred files, each durably."""
        with tempfile.TemporaryDirectory(
            prefix="license-portal-devices-", dir=_MEMORY if _MEMORY.is_dir() else None
        ) as folder:
            factory = cls(Path(folder), hardware_ids)
            roots_file = factory.folder / "roots.json"
            roots_file.write_text(json.dumps(roots))
            manufacture = Manufacture("http://localhost:8000", 14, frozenset(ALGORITHMS))
            for hardware_id in hardware_ids:
                identity = write_identity(
                    factory.folder / "identities",
                    make_identity(authority, hardware_id, kind="P-256", now=NOW),
                )
                make_home(
                    factory.folder / "new" / hardware_id,
                    identity=identity,
                    roots=roots_file,
                    manufacture=manufacture,
                    fresh=False,
                )
            yield factory

    def deliver(self) -> list[Box]:
        """All devices, as new."""
        homes = self.folder / "homes"
        shutil.rmtree(homes, ignore_errors=True)
        shutil.copytree(self.folder / "new", homes)
        return [Box(homes / hardware_id, hardware_id) for hardware_id in self.hardware_ids]


def _read(data: bytes) -> dict[str, Any]:
    return strict_json.loads(data, max_bytes=MAX_BYTES)

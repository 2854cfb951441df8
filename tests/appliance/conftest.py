"""A device made by the factory, its portal's keys, and a home made for every test that asks for one."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.clock import Clock
from appliance.device import Device
from appliance.factory.authority import make_authority
from appliance.factory.devices import make_identity, write_identity
from appliance.home import Manufacture, make_home
from appliance.public_keys import ALGORITHMS
from appliance.refusals import Refusal
from tests.appliance.browsing import browser
from tests.appliance.fake_portal import FakePortal, serving
from tests.appliance.issuing import NOW, Issuer

__all__ = ["browser"]  # a fixture made elsewhere

HARDWARE_ID = "00-90-33-01-0A-FF"
OTHER_HARDWARE_ID = "00-90-33-01-0B-00"


@dataclass
class SetClock:
    """A clock whose hands the test moves: wall clock, running time, name of the run."""

    wall: float = NOW
    running: float = 1000.0
    boot: str = "first run"

    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.running, self.boot)

    def run(self, seconds: float) -> None:
        """Let the device run on."""
        self.wall += seconds
        self.running += seconds


@dataclass
class Bench:
    """A device on the workbench: its home, its portal's keys, and its clock."""

    home: Path
    issuer: Issuer
    hands: SetClock = field(default_factory=SetClock)
    hardware_id: str = HARDWARE_ID

    def device(self, before_step: Callable[[str], None] | None = None) -> Device:
        """The device as a newly started process finds it."""
        return Device(self.home, clock=self.hands.clock(), before_step=before_step)

    def files(self) -> dict[str, bytes]:
        """All of its state, to show that nothing was changed."""
        return {path.name: path.read_bytes() for path in self.home.glob("*.json")}

    def refuse(self, data: bytes, code: str) -> Refusal:
        """Install `data`, see it refused under `code`, and see that the device is as it was."""
        device = self.device()
        device.status()
        before = self.files()
        with pytest.raises(Refusal) as refused:
            device.install(data)
        assert refused.value.code == code, refused.value
        assert self.files() == before
        return refused.value


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="session")
def other_issuer() -> Issuer:
    """Another portal with keys and roots of its own."""
    return Issuer(portal_id="https://other.test/")


@pytest.fixture(scope="session")
def identity_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    now = datetime.fromtimestamp(NOW, UTC)
    authority = make_authority("Test Networks", now=now)
    identity = make_identity(authority, HARDWARE_ID, kind="P-256", now=now)
    return write_identity(tmp_path_factory.mktemp("identities"), identity)


@pytest.fixture(scope="session")
def roots_file(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("roots") / "roots.json"
    path.write_text(json.dumps(issuer.roots_file()))
    return path


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench(tmp_path: Path, issuer: Issuer, identity_folder: Path, roots_file: Path) -> MakeBench:
    def make(
        *,
        name: str = "home",
        portal: str = "http://127.0.0.1:1",
        require: tuple[str, ...] = ALGORITHMS,
        roots: Path = roots_file,
    ) -> Bench:
        home = tmp_path / name
        manufacture = Manufacture(portal, 14, frozenset(require))
        make_home(home, identity=identity_folder, roots=roots, manufacture=manufacture, fresh=False)
        return Bench(home, issuer)

    return make


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench()


@pytest.fixture
def portal() -> Iterator[FakePortal]:
    with serving() as portal:
        yield portal


@pytest.fixture
def online(make_bench: MakeBench, portal: FakePortal) -> Bench:
    """A device whose portal is the one on loopback."""
    return make_bench(portal=portal.address)

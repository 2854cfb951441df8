"""Power is lost at random points of whatever a device does, over and over on the same device.

test_crashes.py and test_return_crashes.py go through every step of single commands; here crashes meet what
earlier crashes have left. After each of them the device is read, never runs what the portal has back, never
takes an older document, and comes to agree with the portal again.
"""

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance.device import Device
from appliance.fetching import fetch
from appliance.refusals import Refusal
from appliance.returning import ReturnWaits, send_return
from tests.appliance.books import Books
from tests.appliance.conftest import HARDWARE_ID, Bench
from tests.appliance.crashing import KILLED, crash
from tests.appliance.fake_portal import FakePortal
from tests.appliance.issuing import item

UNITS = 100
PRODUCTS = ("Port", "Fax", "UC")
DEEPEST = 24
"""More durable steps than any command takes."""


@dataclass
class Workshop:
    """One device, its portal, and somebody who pulls the plug."""

    home: Path
    books: Books
    file: Path
    backup: Path
    chance: random.Random
    highest: int = 0
    resets: int = 0
    earlier: dict[int, bytes] = field(default_factory=dict)

    def device(self) -> Device:
        return Device(self.home)

    def sell(self) -> None:
        """Assign a few units out of the balance to the device."""
        product = self.chance.choice(PRODUCTS)
        count = min(self.chance.randint(1, 9), self.books.balance[product])
        if count:
            self.books.balance[product] -= count
            self.books.assign(item(product, quantity=count))
        self.earlier[self.books.seq] = self.books.bundle()

    def words(self) -> list[str]:
        """A command that a person might give now."""
        held = [entry.id for entry in self.device().status().licenses]
        chosen = [self.chance.choice(held)] if held and self.chance.random() < 0.7 else ["--all"]
        commands = [
            ["fetch"],
            ["install", str(self.file)],
            ["reset"],
            ["return", *chosen],
            ["return"],
            ["delete", *chosen],
            ["test-mode", "on"],
            ["test-mode", "off"],
            ["traffic", "Port=2"],
            ["restore", str(self.backup)],
            ["acknowledge"],
        ]
        return self.chance.choice(commands)

    def crash(self) -> bool:
        """Do something and lose power in the middle of it; False if the end came first."""
        if self.chance.random() < 0.4:
            self.sell()
        self.file.write_bytes(self.books.bundle())
        if not self.backup.exists() or self.chance.random() < 0.1:
            self.backup.write_bytes(self.device().exported_configuration())
        # Most commands take few steps: the points are where something happens.
        die_at = min(self.chance.randint(1, DEEPEST), self.chance.randint(1, DEEPEST))
        code = crash(["--home", str(self.home), *self.words()], die_at=die_at)
        assert code in {KILLED, 0, 1, 5}
        self.look()
        return code == KILLED

    def look(self) -> None:
        """See that nothing is corrupted, lost or doubled."""
        status = self.device().status()
        assert status.seq_highest >= self.highest
        assert status.resets >= self.resets
        self.highest, self.resets = status.seq_highest, status.resets
        state = self.device().state()
        assert not state.operation.resetting
        assert not self.books.forked
        running = {entry.id: entry for entry in status.licenses if entry.state == "in-effect"}
        assert not running.keys() & self.books.ended
        for product in PRODUCTS:
            assert self.books.units(product) == UNITS
            here = sum(entry.quantity for entry in running.values() if entry.product == product)
            assert here + self.books.balance[product] <= UNITS
        older = [seq for seq in self.earlier if seq < self.highest]
        if older:
            with pytest.raises(Refusal) as refused:
                self.device().install(self.earlier[self.chance.choice(older)])
            assert refused.value.code == "older-document"

    def agree(self) -> None:
        """Bring the device and its portal together: it then runs exactly what is live there."""
        if self.device().state().vault.pending_return is not None:
            try:
                send_return(self.device())
            except ReturnWaits as waits:
                pytest.fail(f"the return was not taken: {waits}")
        fetch(self.device())
        self.device().reset()
        running = {entry.id: entry.quantity for entry in self.device().status().licenses}
        assert running == {name: entry["qty"] for name, entry in self.books.live.items()}
        self.look()


@pytest.fixture
def workshop(online: Bench, portal: FakePortal, tmp_path: Path) -> Workshop:
    books = Books(online.issuer, HARDWARE_ID, balance=dict.fromkeys(PRODUCTS, UNITS))
    books.keyset = online.issuer.keyset()
    portal.books = books
    # Made by its number alone, so that a failure can be looked at again.
    chance = random.Random(random.SystemRandom().randrange(10**6))
    workshop = Workshop(online.home, books, tmp_path / "now.lic", tmp_path / "backup.json", chance)
    workshop.sell()
    workshop.sell()
    return workshop


def lose_power(workshop: Workshop, *, times: int) -> None:
    crashes = 0
    while crashes < times:
        crashes += workshop.crash()
        if workshop.chance.random() < 0.15:
            workshop.agree()
    workshop.agree()


class TestRandomCrashes:
    def test_forty_leave_a_device_that_agrees_with_its_portal(self, workshop: Workshop) -> None:
        lose_power(workshop, times=40)

    @pytest.mark.long
    def test_two_hundred_leave_a_device_that_agrees_with_its_portal(self, workshop: Workshop) -> None:
        lose_power(workshop, times=200)

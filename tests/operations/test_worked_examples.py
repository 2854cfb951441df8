"""Worked examples, to be read by whoever sells licenses and not only by whoever programs.

Each step is one act of one person; under it stands what everybody holds afterwards. Columns of the tables are
holders, rows are products, and each row adds up to what was ordered: nothing is ever created or lost.
"""

from dataclasses import dataclass

import pytest

from accounts.models import Company, Project, User
from devices.models import Device
from licenses import activation, assignment, balances, delivery, verification
from licenses.activation import KeyAlreadyActivated
from licenses.assignment import AssignmentCarried
from licenses.ledger import InsufficientLicenses
from licenses.models import ActivationKey, Grant, Holding
from tests.factories import NOW, caller, find_key, get_product, give_back, make_device, make_key, make_project
from tests.operations.bookkeeping import latest

pytestmark = pytest.mark.usefixtures("catalogue", "keyring")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Alice's company with a project for the customer in Berlin, whose gateway is `device`."""

    alice: User
    company: Company
    berlin: Project
    device: Device
    spare: Device
    code: str

    @property
    def key(self) -> ActivationKey:
        return find_key(self.code)

    def holds(self, table: str) -> None:
        """Compare the books with a table: a line of holders, then one line of numbers for each product."""
        header, *rows = [line.split() for line in table.strip().splitlines()]
        places: dict[str, dict[str, object]] = {
            "key": {"activation_key": self.key},
            "company": {"company": self.company},
            "project": {"project": self.berlin},
            "device": {"device": self.device},
            "spare": {"device": self.spare},
        }
        for code, *numbers in rows:
            for place, number in zip(header, numbers, strict=True):
                of = {f"holder__{name}": owner for name, owner in places[place].items()}
                holding = Holding.objects.filter(**of, product=get_product(code)).first()
                assert (holding.balance if holding else 0) == int(number), f"{code} with the {place}"
        assert list(verification.violations()) == []

    def activate(self) -> None:
        activation.activate_key(code=self.code, target=self.company, caller=caller(self.alice), now=NOW)

    def transfer(self, code: str, quantity: int) -> None:
        balances.transfer_licenses(
            source=self.company,
            destination=self.berlin,
            product=get_product(code),
            quantity=quantity,
            caller=caller(self.alice),
            now=NOW,
        )

    def assign(self, code: str, quantity: int, device: Device | None = None) -> Grant:
        return assignment.assign(
            device=device or self.device,
            product=get_product(code),
            quantity=quantity,
            caller=caller(self.alice),
            now=NOW,
        ).grant

    def undo(self, grant: Grant) -> None:
        assignment.undo_assignment(grant=grant, caller=caller(self.alice), now=NOW)

    def download(self) -> int:
        return delivery.download(device=self.device, caller=caller(self.alice), now=NOW).seq

    def give_back(self, *grants: Grant) -> None:
        give_back(self.device, *grants)


@pytest.fixture
def scene(alice: User, company: Company, keyring: object) -> Scene:
    berlin = make_project(company=company, name="Berlin")
    return Scene(
        alice=alice,
        company=company,
        berlin=berlin,
        device=make_device(project=berlin, name="Gateway Berlin"),
        spare=make_device(project=berlin, name="Spare"),
        code=make_key(lines={"Port": 10, "UC": 5}),
    )


class TestFromAnOrderToADeviceAndBack:
    """An order of 10 Port and 5 UC: activate, transfer, assign, undo, return."""

    def test_the_numbers_after_each_step(self, scene: Scene) -> None:
        # The order is entered. Its activation key holds all of it.
        scene.holds(
            """
                    key  company  project  device
            Port     10        0        0       0
            UC        5        0        0       0
            """
        )

        # Alice activates the key into her company's balance. A key works once, for all its lines.
        scene.activate()
        scene.holds(
            """
                    key  company  project  device
            Port      0       10        0       0
            UC        0        5        0       0
            """
        )
        with pytest.raises(KeyAlreadyActivated):
            scene.activate()

        # Berlin is to have 8 Port and 5 UC.
        scene.transfer("Port", 8)
        scene.transfer("UC", 5)
        scene.holds(
            """
                    key  company  project  device
            Port      0        2        8       0
            UC        0        0        5       0
            """
        )

        # 6 Port and 2 UC for the gateway. Its document is at seq 2: one for each change.
        ports = scene.assign("Port", 6)
        features = scene.assign("UC", 2)
        scene.holds(
            """
                    key  company  project  device
            Port      0        2        2       6
            UC        0        0        3       2
            """
        )
        assert latest(scene.device).seq == 2

        # Three more Port than the project has: refused, and nothing moves.
        with pytest.raises(InsufficientLicenses) as refusal:
            scene.assign("Port", 3)
        assert refusal.value.facts == {"product": "Port 14", "wanted": 3, "available": 2}

        # The 2 UC were a mistake. No document has left the house yet, so Alice undoes it.
        scene.undo(features)
        scene.holds(
            """
                    key  company  project  device
            Port      0        2        2       6
            UC        0        0        5       0
            """
        )
        assert latest(scene.device).seq == 3

        # The document is downloaded. From here on, only the device's signature brings the licenses back.
        assert scene.download() == 3
        with pytest.raises(AssignmentCarried):
            scene.undo(ports)

        # 5 UC, as a second grant, in the next document.
        features = scene.assign("UC", 5)
        assert scene.download() == 4
        scene.holds(
            """
                    key  company  project  device
            Port      0        2        2       6
            UC        0        0        0       5
            """
        )

        # The device returns the ports. They go to the balance of its project, not to the company's.
        scene.give_back(ports)
        scene.holds(
            """
                    key  company  project  device
            Port      0        2        8       0
            UC        0        0        0       5
            """
        )
        [item] = latest(scene.device).items
        assert (latest(scene.device).seq, item.product, item.qty) == (5, "UC", 5)

        # Returned again, nothing more comes back; the receipt that says so has a document to come with.
        scene.give_back(ports)
        scene.holds(
            """
                    key  company  project  device
            Port      0        2        8       0
            UC        0        0        0       5
            """
        )
        [item] = latest(scene.device).items
        assert (latest(scene.device).seq, item.product, item.qty) == (6, "UC", 5)

    def test_licenses_that_came_back_go_to_the_next_device(self, scene: Scene) -> None:
        scene.activate()
        scene.transfer("Port", 10)
        ports = scene.assign("Port", 10)
        scene.download()
        with pytest.raises(InsufficientLicenses):
            scene.assign("Port", 1, scene.spare)

        scene.give_back(ports)
        scene.assign("Port", 10, scene.spare)

        scene.holds(
            """
                    key  company  project  device  spare
            Port      0        0        0       0     10
            UC        0        5        0       0      0
            """
        )
        assert (latest(scene.device).items, latest(scene.device).seq) == ((), 2)
        assert [item.qty for item in latest(scene.spare).items] == [10]


class TestKeepingAPart:
    def test_a_grant_goes_back_whole_so_the_part_to_keep_is_a_grant_of_its_own(self, scene: Scene) -> None:
        """A device with a grant of 6 Port is to give back 2: assign 4 first, then return the 6."""
        scene.activate()
        scene.transfer("Port", 10)
        six = scene.assign("Port", 6)
        scene.download()

        four = scene.assign("Port", 4)
        scene.give_back(six)

        scene.holds(
            """
                    key  company  project  device
            Port      0        0        6       4
            UC        0        5        0       0
            """
        )
        four.refresh_from_db()
        assert four.state == Grant.State.LIVE
        assert [item.qty for item in latest(scene.device).items] == [4]

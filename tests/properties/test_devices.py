"""Whole histories of devices and those who look after them, chosen by Hypothesis (trust.md 5 and 12).

Real appliances fetch, install, give back, back up and restore, lose power, die and are cloned; administrators
undo, and carry files late, twice and out of order; answers get lost, the portal dies, keys change. After each
step the books must be right, and nothing may be in effect on an honest device that the portal does not count
as being there. At the end of a history everybody talks to the portal a few times more: then no return waits,
every device has exactly what it holds, and `ledger verify` is silent.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
import time_machine
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management import call_command
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from appliance import acknowledging, fetching, returning, session
from appliance.device import Device as Appliance
from appliance.factory.authority import make_authority
from appliance.pending import ALL
from appliance.refusals import Refusal
from licenses import assignment, key_ceremony, ledger, queries
from licenses.returns import StaleReturn
from tests import factories
from tests.conftest import Keys
from tests.factories import NOW
from tests.properties.crashing import POINTS, Crash, Point
from tests.properties.device_history import HARDWARE_IDS, DeviceHistory, device_of, document_in, pick
from tests.properties.hardware import TROUBLES, Box, Factory, Trouble, Wire, WiredClient
from tests.properties.model import RETURNABLE

codes = st.sampled_from(sorted(RETURNABLE))
# All alike: of plain integers Hypothesis prefers the small ones, and would use the first of everything.
which = st.sampled_from(range(120))
some = st.lists(which, min_size=1, max_size=3)
crashes = st.sampled_from((*[None] * len(POINTS), *POINTS))
troubles = st.sampled_from((*[None] * 2 * len(TROUBLES), *TROUBLES))
# How many of them there are says how often something else happens than what devices are for.
events = st.sampled_from(
    [
        "time",
        "time",
        "keys",
        "back up",
        "back up",
        "restore",
        "restore",
        "factory reset",
        "death",
        "clone",
        "clone",
    ]
)


class Histories(DeviceHistory):
    """Few rules, of which each does something nearly always: long histories of refusals show little."""

    # --- Administrators in the portal ---

    @rule(box=which, code=codes, quantity=which, crash=crashes)
    def assign(self, box: int, code: str, quantity: int, crash: Point | None) -> None:
        """To any device, a dead one as well: nobody knows yet."""
        free = factories.free(self.project, code)
        if free:
            done = self.act(
                assignment.assign,
                crash,
                device=device_of(pick(self.boxes, box)),
                product=factories.get_product(code),
                quantity=1 + quantity % min(free, 3),
            )
            self.grants.append(done.grant)

    @rule(grant=which, crash=crashes)
    def undo(self, grant: int, crash: Point | None) -> None:
        """Mostly of the last ones: what was handed out stays until the device gives it back."""
        chosen = pick(self.grants[-3:] if grant % 4 else self.grants, grant // 4)
        with suppress(assignment.AssignmentCarried, ledger.GrantAlreadyEnded):
            self.act(assignment.undo_assignment, crash, grant=chosen)

    # --- Devices on the network ---

    @rule(box=which, then_reset=st.booleans(), trouble=troubles)
    def fetch(self, box: int, then_reset: bool, trouble: Trouble | None) -> None:
        by = self.alive(box)
        stopped = self.do(by, fetching.fetch, trouble)
        if trouble is None and by.hardware_id not in self.cloned and stopped is not None:
            assert by.state().vault.pending_return is not None, stopped
            assert isinstance(stopped, Refusal), stopped
            assert stopped.code == "older-document"
        if then_reset:
            self.do(by, acknowledging.reset, None)

    @rule(box=which, grants=some, everything=which, trouble=troubles)
    def give_back(self, box: int, grants: list[int], everything: int, trouble: Trouble | None) -> None:
        """Some of what it holds, now and then all; first what waits already, if something does."""
        by = self.alive(box)
        if by.state().vault.pending_return is not None:
            self.do(by, returning.send_return, trouble)
        else:
            ids = self.named(by, grants) if everything % 4 else ALL
            self.do(by, partial(returning.give_back, grants=ids), trouble)

    # --- Devices without a network ---

    @rule(box=which, old=which, then_reset=st.booleans(), trouble=troubles)
    def carry_licenses(self, box: int, old: int, then_reset: bool, trouble: Trouble | None) -> None:
        """A new `.lic` file for the device, of which one in four stays in a pocket; or any that was made
        before, for it or for another one.
        """
        by = self.alive(box)
        fresh = not self.licenses or old % 3
        if fresh:
            self.licenses.append(self.downloaded(by))
            if old % 4 == 1:
                return
        data = self.licenses[-1] if fresh else pick(self.licenses, old // 3)
        before = by.state().vault
        stopped = self.do(by, partial(Appliance.install, data=data), trouble)
        after = by.state().vault
        if trouble is None and after.highest_seq != before.highest_seq:
            assert stopped is None
            assert document_in(data)["seq"] == after.highest_seq >= before.min_seq
            assert document_in(data)["sub"] == by.hardware_id
        if then_reset:
            self.do(by, Appliance.reset, None)

    @rule(box=which, grants=some, everything=which, arrives=st.booleans(), trouble=troubles)
    def carry_a_return(
        self, box: int, grants: list[int], everything: int, arrives: bool, trouble: Trouble | None
    ) -> None:
        """Written on the device, for some licenses or for all, and carried at once or whenever there is time.

        For all, mostly with the number that the portal's page says, or with one above it.
        """
        by = self.alive(box)
        if by.state().vault.pending_return is None or everything % 4 == 0:
            wanted = partial(returning.begin_return_file, grants=self.named(by, grants))
            if everything % 4 == 0:
                number = queries.next_seq(device_of(by)) + grants[0] % 3 if grants[0] % 4 else None
                wanted = partial(returning.begin_return_file, grants=ALL, min_seq=number)
            self.do(by, wanted, trouble)
        if self.write(by, returning.return_file) and arrives:
            self.upload(-1, None)

    @rule(box=which, arrives=st.booleans())
    def carry_an_acknowledgement(self, box: int, arrives: bool) -> None:
        if self.write(self.alive(box), acknowledging.acknowledgement_file) and arrives:
            self.upload(-1, None)

    @precondition(lambda self: self.statements)
    @rule(statement=which, crash=crashes)
    def upload(self, statement: int, crash: Point | None) -> None:
        """A `.jws` file, once more or for the first time, old or new; nobody looks whether it worked."""
        hardware_id, token = pick(self.statements, statement)
        with crash.armed() if crash else nullcontext(), suppress(Crash, StaleReturn):
            self.carried(hardware_id, token)

    # --- What happens ---

    @rule(event=events, box=which, number=which)
    def it_happens(self, event: str, box: int, number: int) -> None:
        by = self.alive(box)
        match event:
            case "time":  # resets come due, contacts are written again
                self.now.shift(timedelta(hours=1 + number % 30))
            case "keys":
                self.act(key_ceremony.rotate_keys, None, roots=self.keys.roots)
            case "back up":
                self.backups.append(by.start().exported_configuration())
            case "restore" if self.backups:  # any, however old, and of whichever device
                self.do(by, partial(Appliance.restore, data=pick(self.backups, number)), None)
                self.do(by, Appliance.reset, None)
            case "factory reset":
                by.reset_to_factory()
            case "death" if sum(one.alive for one in self.boxes) > 2:
                by.alive = False
            case "clone" if not self.cloned:
                self.clone(by)

    def clone(self, box: Box) -> None:
        self.cloned.add(box.hardware_id)
        self.boxes.append(box.cloned())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("catalogue")
class TestDevices:
    @pytest.fixture
    def wire(self, monkeypatch: pytest.MonkeyPatch) -> Wire:
        wire = Wire()
        monkeypatch.setattr(session, "PortalClient", partial(WiredClient, wire))
        return wire

    @pytest.fixture
    def histories(self, wire: Wire, keyring: Keys) -> Iterator[Callable[[], Histories]]:
        authority = make_authority("Example Networks", now=NOW)
        printed = StringIO()
        call_command("keys", "roots", stdout=printed)
        with (
            time_machine.travel(NOW, tick=False) as now,
            Factory.opened(
                authority, roots=json.loads(printed.getvalue()), hardware_ids=HARDWARE_IDS
            ) as factory,
        ):
            anchor = authority.root.public_bytes(Encoding.PEM)
            yield partial(Histories, factory, wire, keyring, anchor, now)

    def test_nothing_is_doubled_and_nobody_waits(self, histories: Callable[[], Histories]) -> None:
        go(histories, examples=10, steps=30)

    def test_a_device_without_a_key_set_finishes_by_file_what_it_began_online(
        self, histories: Callable[[], Histories]
    ) -> None:
        """It was found by chance, and rarely: the answer that names the number to use was lost."""
        history = histories()
        history.begin()
        for box in range(len(history.boxes)):
            history.give_back(box=box, grants=[1], everything=0, trouble=Trouble("answer", 1))

        history.nobody_waits_for_ever()

    @pytest.mark.long
    def test_nothing_is_doubled_and_nobody_waits_in_many_long_histories(
        self, histories: Callable[[], Histories]
    ) -> None:
        go(histories, examples=200, steps=60)


def go(histories: Callable[[], Histories], *, examples: int, steps: int) -> None:
    run(
        histories,  # type: ignore[arg-type]  # whatever makes a machine will do
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

"""What every history of devices starts from, what holds after each of its steps, and how it ends."""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from appliance import acknowledging, fetching, returning
from appliance.device import Device as Appliance
from appliance.pending import ALL
from appliance.refusals import Refusal
from appliance.returning import ReturnWaits
from devices import trust_anchors
from devices.models import Alert, Device, StatementCounter
from licenses import delivery, keyring, queries, uploading, verification
from licenses.models import Grant, Holding, KeySetVersion, Product, Return
from licenses.returns import StaleReturn
from portal.core import clock
from tests import factories
from tests.conftest import Keys
from tests.factories import NOW, caller
from tests.properties.crashing import Crash, Point
from tests.properties.hardware import Box, Factory, PowerLoss, Trouble, Wire, heard, payload_of
from tests.properties.model import empty_tables

BOUGHT = {"Port": 30, "UC": 20, "Channels": 12}
HARDWARE_IDS = tuple(f"00-90-33-DE-00-0{number}" for number in range(1, 4))

Licenses = dict[str, tuple[str, int]]
"""Product and quantity by the license's id."""


class DeviceHistory(RuleBasedStateMachine):
    """One project with licenses and three devices; clones join them.

    Two of the devices have their licenses in effect, the third was only added. What happens to them then, the
    rules of a subclass say.
    """

    def __init__(self, factory: Factory, wire: Wire, keys: Keys, anchor: bytes, now: Any) -> None:
        super().__init__()
        self.factory, self.wire, self.keys, self.anchor, self.now = factory, wire, keys, anchor, now

    @initialize()
    def begin(self) -> None:
        empty_tables(but=(Product,))
        first = self.keys.key_set
        KeySetVersion.objects.create(version=1, signed=first.signed, made_at=first.made_at)
        keyring._load.cache_clear()
        self.now.move_to(NOW)
        self.wire.accepted.clear()
        trust_anchors.add_trust_anchor(
            certificate=self.anchor,
            manufacturer="Example Networks",
            prefixes=["00-90-33"],
            hardware_id_in="serialNumber",
            caller=caller(),
            now=NOW,
        )
        company = factories.make_company(founder=factories.make_user())
        self.project = factories.activated(factories.first_project(company), BOUGHT)
        self.boxes = self.factory.deliver()
        self.cloned: set[str] = set()
        self.grants: list[Grant] = []
        self.licenses: list[bytes] = []
        self.statements: list[tuple[str, bytes]] = []
        self.backups: list[bytes] = []
        self.receipts: dict[bytes, dict[int, dict[str, Any]]] = defaultdict(dict)
        self.looked_at = 0
        for hardware_id in HARDWARE_IDS:
            device = factories.make_device(project=self.project, hardware_id=hardware_id)
            self.grants += [factories.assigned(device, 4), factories.assigned(device, 2, "Channels")]
        for box in self.boxes[:-1]:
            self.exchange_online(box)

    # --- What holds ---

    @invariant()
    def it_holds(self) -> None:
        live = self.counted()
        free = Counter({code: factories.free(self.project, code) for code in BOUGHT})
        self.nothing_is_created_or_lost(live, free)
        self.honest_devices_run_only_what_the_portal_counts_there(live, free)
        for box in self.boxes:
            self.a_device_moves_on(box)
        self.two_payloads_with_one_number_alert_and_nothing_else_does()
        self.a_return_has_one_receipt_and_a_license_comes_back_once()

    def nothing_is_created_or_lost(self, live: dict[str, Licenses], free: Counter[str]) -> None:
        held = Holding.objects.filter(holder__device__isnull=False, balance__gt=0)
        by_device: dict[str, Counter[str]] = {hardware_id: Counter() for hardware_id in HARDWARE_IDS}
        for row in held.select_related("holder__device", "product"):
            assert row.holder.device is not None, "the query asks for no others"
            by_device[row.holder.device.hardware_id][row.product.code] = row.balance
        assert by_device == {hardware_id: units_of(licenses) for hardware_id, licenses in live.items()}
        assert sum(by_device.values(), start=free) == Counter(BOUGHT)

    def honest_devices_run_only_what_the_portal_counts_there(
        self, live: dict[str, Licenses], free: Counter[str]
    ) -> None:
        """So that with what is free it is never more than was bought; what was given back is not in it."""
        running = Counter(free)
        for box in self.boxes:
            in_effect = box.in_effect()
            if box.hardware_id in self.cloned:
                # Whoever copies a device has it twice until the copies talk to the portal: see the alert.
                ever = [grant for grant in self.grants if grant.device.hardware_id == box.hardware_id]
                assert in_effect.keys() <= set(map(queries.grant_id, ever))
            else:
                assert in_effect.items() <= live[box.hardware_id].items()
                running += units_of(in_effect)
        assert all(running[code] <= BOUGHT[code] for code in BOUGHT)

    def a_device_moves_on(self, box: Box) -> None:
        """Its numbers only rise, and what it is giving back is out of effect."""
        vault = box.state().vault
        now = (vault.min_seq, vault.highest_seq, vault.ctr)
        assert all(one <= other for one, other in zip(box.highest, now, strict=True))
        box.highest = now
        if vault.pending_return is not None:
            assert not box.in_effect().keys() & set(vault.pending_return.grants)

    def two_payloads_with_one_number_alert_and_nothing_else_does(self) -> None:
        counted: dict[tuple[str, int], set[bytes]] = defaultdict(set)
        for row in StatementCounter.objects.select_related("device"):
            counted[row.device.hardware_id, row.ctr].add(bytes(row.payload_sha256))
        for said in self.wire.accepted:
            assert said.sha256 in counted[said.hardware_id, said.ctr]
        alerted = {(one.about, one.kind, one.facts["ctr"]) for one in Alert.objects.select_related("device")}
        forked = {place for place, payloads in counted.items() if len(payloads) > 1}
        assert alerted == {(hardware_id, "counter-fork", ctr) for hardware_id, ctr in forked}
        assert {hardware_id for hardware_id, _ctr in forked} <= self.cloned

    def a_return_has_one_receipt_and_a_license_comes_back_once(self) -> None:
        for said in self.wire.accepted[self.looked_at :]:
            if said.receipt is not None:
                known = self.receipts[said.sha256]
                # The same bytes as long as keys stay; the same payload for ever.
                assert known.setdefault(keyring.current_version(), said.receipt) == said.receipt
                assert {receipt["payload"] for receipt in known.values()} == {said.receipt["payload"]}
        self.looked_at = len(self.wire.accepted)
        came_back = Counter(
            result["id"]
            for receipts in self.receipts.values()
            for result in payload_of(next(iter(receipts.values())))["results"]
            if result["r"] == "returned"
        )
        assert all(times == 1 for times in came_back.values())
        assert Return.objects.count() == Return.objects.values("payload_sha256").distinct().count()

    # --- The end ---

    def teardown(self) -> None:
        if sys.exc_info()[0] is None and hasattr(self, "boxes"):
            self.nobody_waits_for_ever()
            assert list(verification.violations()) == []

    def nobody_waits_for_ever(self) -> None:
        """Two exchanges are enough; copies of one device take each other's, so that they need a third."""
        alive = [box for box in self.boxes if box.alive]
        for box in alive:
            # By file, where there is no network: of clones nobody knows which one a file is from.
            if box.hardware_id in self.cloned or HARDWARE_IDS.index(box.hardware_id) % 2:
                self.exchange_online(box)
            else:
                self.exchange_by_file(box)
        for box in [box for box in alive if box.hardware_id in self.cloned] * 2:
            self.exchange_online(box)
        live = self.counted()
        for box in alive:
            assert box.state().vault.pending_return is None
            assert box.in_effect() == live[box.hardware_id]
        self.it_holds()

    def exchange_online(self, box: Box) -> None:
        if box.state().vault.pending_return is not None:
            returning.send_return(box.start())
        fetching.fetch(box.start())
        acknowledging.reset(box.start())

    def exchange_by_file(self, box: Box) -> None:
        if box.state().vault.pending_return is not None:
            try:
                self.carried(box.hardware_id, returning.return_file(box.start()))
            except StaleReturn:
                # Begun online, on a device that never got a key set: for a file it first wants one.
                if box.state().vault.held_keyset() is None:
                    box.start().install(self.downloaded(box))
                min_seq = queries.next_seq(device_of(box))  # as the portal's page of the device shows it
                returning.begin_return_file(box.start(), ALL, min_seq=min_seq)
                self.carried(box.hardware_id, returning.return_file(box.start()))
        box.start().install(self.downloaded(box))
        box.start().reset()
        self.carried(box.hardware_id, acknowledging.acknowledgement_file(box.start()))

    # --- How things are done ---

    def alive(self, number: int) -> Box:
        living = [box for box in self.boxes if box.alive]
        return living[number % len(living)]

    def counted(self) -> dict[str, Licenses]:
        """What the portal counts on each device."""
        live: dict[str, Licenses] = {hardware_id: {} for hardware_id in HARDWARE_IDS}
        grants = Grant.objects.filter(state=Grant.State.LIVE).select_related("device", "product")
        for one in grants:
            live[one.device.hardware_id][queries.grant_id(one)] = (one.product.code, one.quantity)
        return live

    def named(self, box: Box, numbers: list[int]) -> tuple[str, ...]:
        """Mostly what the device holds; now and then any license there ever was, here or elsewhere."""
        known = [queries.grant_id(grant) for grant in self.grants]
        items = box.state().held_items()
        held = [grant_id for grant_id in known if grant_id in items]
        return tuple(
            dict.fromkeys(pick(held if held and number % 4 else known, number // 4) for number in numbers)
        )

    def do(self, box: Box, work: Callable[[Appliance], Any], trouble: Trouble | None) -> BaseException | None:
        """Let the device do something; returns what stopped it."""
        with self.wire.troubled(trouble):
            try:
                work(box.start(trouble))
            except (Refusal, ReturnWaits, PowerLoss) as stopped:
                return stopped
        return None

    def write(self, box: Box, file_of: Callable[[Appliance], bytes]) -> bool:
        """Add a file to the pile; False if there is nothing to write."""
        try:
            self.statements.append((box.hardware_id, file_of(box.start())))
        except Refusal:
            return False
        return True

    def act(self, operation: Callable[..., Any], crash: Point | None, **given: Any) -> Any:
        """Do it in the portal; what dies on the way is tried again."""
        by = caller()
        if crash is not None:
            with crash.armed(), suppress(Crash):
                operation(**given, caller=by, now=clock.now())
        return operation(**given, caller=by, now=clock.now())

    def downloaded(self, box: Box) -> bytes:
        return delivery.download(device=device_of(box), caller=caller(), now=clock.now()).content

    def carried(self, hardware_id: str, token: bytes) -> None:
        uploading.take_file(token=token, hardware_id=hardware_id, carrier=caller(), now=clock.now())
        # Whoever carries it gets the result in words; the receipt comes to the device in the next file.
        self.wire.accepted.append(heard(token, b""))


def pick(items: list[Any], number: int) -> Any:
    return items[number % len(items)]


def device_of(box: Box) -> Device:
    return Device.objects.select_related("project__company").get(hardware_id=box.hardware_id)


def units_of(licenses: Licenses) -> Counter[str]:
    units: Counter[str] = Counter()
    for code, quantity in licenses.values():
        units[code] += quantity
    return units


def document_in(license_file: bytes) -> dict[str, Any]:
    return payload_of(json.loads(license_file)["license"])

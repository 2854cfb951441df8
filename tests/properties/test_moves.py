"""Whole histories of moves, chosen by Hypothesis (mission rules 24 to 29).

Devices break and are replaced, come back, sign late; partners ask, change their mind and withdraw; support
approves, refuses, gives bridges, sees to hardware; devices fetch or are silent for weeks; jobs run or do not.
After each step: not more is live than was bought, a bridge counted against its move; no cap is exceeded
without a second person's name; no license has two bridges without a staff name; no bridge is in effect 42
days after its request.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import User
from accounts.staff import SecondPersonNeeded
from devices.models import Device
from licenses import assignment, move_queries, moves, verification
from licenses.document import LicenseDocumentV1
from licenses.models import Bridge, Grant, Holding, LicenseDocument, Move
from licenses.models.moves import OPEN_FOR
from licenses.queries import grant_id
from portal.core.errors import DomainError
from portal.core.models import OutboxJob
from tests import factories
from tests.factories import NOW
from tests.operations import moving
from tests.properties.model import empty_tables

CAP = 2
BOUGHT = {"Port": 12, "UC": 6, "Channels": 6}

which = st.sampled_from(range(120))
codes = st.sampled_from(sorted(BOUGHT))
days = st.sampled_from([1, 3, 7, 7, 10, 14, 28, 42, 181])


class Histories(RuleBasedStateMachine):
    """Six devices of one company in two projects, three with licenses; three people in support."""

    @initialize()
    def begin(self) -> None:
        empty_tables()
        self.now: datetime = NOW
        company = factories.make_company(founder=factories.make_user())
        first = factories.first_project(company)
        second = factories.make_project(company=company)
        self.projects = [first, second]
        for project in self.projects:
            factories.activated(project, {code: quantity // 2 for code, quantity in BOUGHT.items()})
        self.devices = [factories.make_device(project=project) for project in self.projects * 3]
        self.staff: list[User] = [
            factories.make_user(name=name, is_staff=True) for name in ("Sam", "Olga", "Pat")
        ]
        self.tags: dict[int, str | None] = {}
        for device in self.devices[:3]:
            self.assign(self.devices.index(device), "Port", 1)
            self.assign(self.devices.index(device), "Channels", 0)

    # --- Partners ---

    @rule(device=which, code=codes, quantity=which)
    def assign(self, device: int, code: str, quantity: int) -> None:
        onto = self.device(device)
        available = factories.free(onto.project, code)
        if available:
            with suppress(DomainError):
                assignment.assign(
                    device=onto,
                    product=factories.get_product(code),
                    quantity=1 + quantity % min(2, available),
                    caller=factories.caller(),
                    now=self.now,  # a document of the past would lack what has ended since
                )

    @rule(device=which, replacement=which)
    def ask(self, device: int, replacement: int) -> None:
        """One in six times nobody knows yet which device it will be."""
        broken, target = self.device(device), self.device(replacement)
        with suppress(DomainError):
            moving.asked(broken, None if broken == target else target, now=self.now)

    @precondition(lambda self: self.open())
    @rule(move=which, device=which)
    def name(self, move: int, device: int) -> None:
        with suppress(DomainError):
            moving.named(pick(self.open(), move), self.device(device), now=self.now)

    @precondition(lambda self: self.open())
    @rule(move=which)
    def withdraw(self, move: int) -> None:
        with suppress(DomainError):
            moving.withdrawn(pick(self.open(), move), now=self.now)

    # --- Support ---

    @precondition(lambda self: self.open())
    @rule(move=which, by=which)
    def approve(self, move: int, by: int) -> None:
        with suppress(DomainError):
            moving.approved(pick(self.open(), move), pick(self.staff, by), now=self.now)

    @precondition(lambda self: self.open())
    @rule(move=which, by=which, refuse=st.booleans())
    def decide_otherwise(self, move: int, by: int, refuse: bool) -> None:
        decide = moving.refused_by if refuse else moving.bridged_by
        with suppress(DomainError):
            decide(pick(self.open(), move), pick(self.staff, by), now=self.now)

    @precondition(lambda self: self.outstanding())
    @rule(move=which, by=which, back=st.booleans())
    def see_to_hardware(self, move: int, by: int, back: bool) -> None:
        see_to = moving.booked_in if back else moving.written_off
        with suppress(SecondPersonNeeded):
            see_to(pick(self.outstanding(), move), pick(self.staff, by), now=self.now)

    # --- Devices and time ---

    @rule(device=which)
    def fetch(self, device: int) -> None:
        """Whichever it is: one that was thought dead as well."""
        by = self.device(device)
        got = moving.fetched(by, have=self.tags.get(by.pk), now=self.now)
        self.tags[by.pk] = got or self.tags[by.pk]
        # What it holds from here on is what the portal says it holds.
        document = LicenseDocument.objects.filter(device=by).latest("seq")
        ends = {
            item.id: item.expires_at for item in LicenseDocumentV1.from_payload(bytes(document.payload)).items
        }
        assert ends == {
            grant_id(grant): None if grant.expires_at is None else int(grant.expires_at.timestamp())
            for grant in self.in_effect().filter(device=by)
        }

    @rule(device=which, grants=which)
    def give_back(self, device: int, grants: int) -> None:
        """Some of what is on the device, by its signature."""
        by = self.device(device)
        # Not by primary key, which is drawn at random: the same choices must give the same history.
        order = ("first_seq", "license_class", "product", "quantity")
        on_it = list(self.in_effect().filter(device=by).order_by(*order))
        if on_it:
            factories.give_back(by, *on_it[: 1 + grants % len(on_it)], now=self.now)

    @rule(later=days)
    def wait(self, later: int) -> None:
        self.now += timedelta(days=later)

    @rule()
    def run_jobs(self) -> None:
        """Those of moves, however late; what else waits is no matter here."""
        for job in OutboxJob.objects.filter(handler="tidy-move", due_at__lte=self.now):
            moves.tidy_move(move_id=job.arguments["move_id"], now=self.now)

    # --- What must hold ---

    @invariant()
    def not_more_is_live_than_was_bought(self) -> None:
        """Bought licenses by the books; a bridge stands for what its move holds, once."""
        held: Counter[str] = Counter()
        for code, balance in Holding.objects.exclude(holder__kind="key").values_list(
            "product__code", "balance"
        ):
            held[code] += balance
        assert +held == Counter(BOUGHT)
        on_devices: Counter[str] = Counter()
        live = self.in_effect().select_related("product", "bridge_of", "bridge__move")
        bridged: Counter[Any] = Counter()
        for grant in live:
            if grant.license_class == "bought":
                on_devices[grant.product.code] += grant.quantity
                continue
            source, move = grant.bridge_of, grant.bridge.move
            assert source is not None
            assert (source.state, source.quantity) == ("live", grant.quantity)
            assert (move.state, move.broken_id) == ("open", source.device_id)
            assert move.replacement_id == grant.device_id
            bridged[source.pk] += 1
        assert not bridged or max(bridged.values()) == 1
        in_books: Counter[str] = Counter()
        on_them = Holding.objects.filter(holder__kind="device")
        for code, balance in on_them.values_list("product__code", "balance"):
            in_books[code] += balance
        assert +in_books == on_devices

    @invariant()
    def no_cap_is_exceeded_without_a_second_name(self) -> None:
        counted = 0
        for move in Move.objects.filter(project__company=self.projects[0].company):
            alone = move.bridges.filter(given_by__isnull=True).exists()
            open_now = move.state == "open" and move.open_until > self.now
            approved_by_one = move.state == "approved" and not move.hardware and not move.first_approved_by_id
            counted += (open_now and alone) or approved_by_one
        assert counted <= CAP

    @invariant()
    def no_license_has_two_bridges_without_a_staff_name(self) -> None:
        sources = list(Bridge.objects.filter(given_by__isnull=True).values_list("source", flat=True))
        assert len(sources) == len(set(sources))

    @invariant()
    def no_bridge_is_in_effect_42_days_after_its_request(self) -> None:
        requested = {
            grant_id(bridge.grant): bridge.move.requested_at
            for bridge in Bridge.objects.select_related("grant", "move")
        }
        newest = LicenseDocument.objects.order_by("device_id", "-seq")
        for document in {row.device_id: row for row in reversed(newest)}.values():
            for item in LicenseDocumentV1.from_payload(bytes(document.payload)).items:
                if item.license_class == "bridge":
                    assert item.expires_at is not None
                    assert item.expires_at <= (requested[item.id] + OPEN_FOR).timestamp()

    def teardown(self) -> None:
        assert list(verification.violations()) == []

    # --- Looking up ---

    def device(self, number: int) -> Device:
        chosen = pick(self.devices, number)
        return Device.objects.select_related("project__company").get(pk=chosen.pk)

    def open(self) -> list[Move]:
        found = move_queries.open_moves(now=self.now).select_related(
            "broken", "replacement", "project__company"
        )
        return list(found.order_by("pk"))

    def outstanding(self) -> list[Move]:
        return list(Move.objects.filter(state="approved", hardware="").order_by("pk"))

    def in_effect(self) -> Any:
        live = Grant.objects.filter(state="live")
        return live.exclude(expires_at__lte=self.now)


def pick(things: Any, number: int) -> Any:
    return things[number % len(things)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("catalogue", "keyring")
class TestMoves:
    @pytest.fixture(autouse=True)
    def _limits(self, settings: LazySettings) -> None:
        settings.MOVES_WITHOUT_HARDWARE = CAP
        settings.MOVE_WEIGHT_LIMIT = 6

    def test_nothing_is_live_twice(self) -> None:
        go(Histories, examples=10, steps=30)

    @pytest.mark.long
    def test_nothing_is_live_twice_in_many_long_histories(self) -> None:
        go(Histories, examples=300, steps=60)


def go(histories: Callable[[], Histories], *, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        histories,  # type: ignore[arg-type]
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

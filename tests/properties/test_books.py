"""Whole histories, chosen by Hypothesis: whatever people, programs and crashes do, the books are right.

Acts are drawn in any order, with quantities around what is free, sometimes dying on the way and tried again,
sometimes repeated long afterwards. After each step the database must say what a model of plain dictionaries
says; at the end of a history `ledger verify` must be silent. Everything commits for real: a deferred trigger
shows only at a real commit. So each history begins by emptying the tables.
"""

import itertools
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

from accounts.models import Company, Project
from devices.models import Device
from licenses import (
    activation,
    assignment,
    balances,
    corrections,
    delivery,
    fulfilment,
    queries,
    verification,
)
from licenses.activation import KeyAlreadyActivated
from licenses.assignment import AssignmentCarried
from licenses.issuing import OrderLine, OrderNumberTaken
from licenses.ledger import GrantAlreadyEnded, InsufficientLicenses
from licenses.models import Order
from portal.core.acts import Caller, IdempotencyKeyReused
from portal.core.errors import DomainError
from tests.factories import (
    NOW,
    caller,
    first_project,
    get_product,
    make_company,
    make_device,
    make_project,
    make_user,
)
from tests.properties.crashing import POINTS, Crash, Point
from tests.properties.model import (
    RETURNABLE,
    Balance,
    Model,
    ModelKey,
    Operation,
    Request,
    empty_tables,
    traces,
)
from tests.properties.returning import return_grants

codes = st.sampled_from(sorted(RETURNABLE))
quantities = st.integers(min_value=1, max_value=5)
# All alike: of plain integers Hypothesis prefers the small ones, and would use the first of everything.
which = st.sampled_from(range(120))
crashes = st.one_of(st.none(), st.sampled_from(POINTS))
_orders = itertools.count(1)


class Histories(RuleBasedStateMachine):
    """Two companies, three projects with licenses, three devices with grants, one of another company."""

    @initialize()
    def begin(self) -> None:
        empty_tables()
        first, second = (make_company(founder=make_user(name=name)) for name in ("Alice", "Charlie"))
        projects = [first_project(first), make_project(company=first), first_project(second)]
        devices = [make_device(project=project) for project in (projects[0], projects[0], projects[2])]
        self.model = Model(companies=[first, second], projects=projects, devices=devices)
        self.requests: list[Request] = []
        # Something to work with at once: most histories that start empty are histories of refusals.
        for project in projects:
            self.issue({"Port": 8, "UC": 3, "Channels": 4}, None)
            self.activate(self.model.keys[-1], project, None)
        for device in devices:
            self.bind(device, "Port", 2, None)
            self.bind(device, "Channels", 1, None)

    # --- Acts ---

    @rule(
        lines=st.dictionaries(codes, quantities, min_size=1), balance=which, use=st.booleans(), crash=crashes
    )
    def sell(self, lines: dict[str, int], balance: int, use: bool, crash: Point | None) -> None:
        """An order; its key is used at once, or left for later."""
        self.issue(lines, crash)
        if use:
            self.activate(self.model.keys[-1], pick(self.model.balances, balance), crash)

    @precondition(lambda self: len(self.model.keys) > len(self.model.projects))
    @rule(key=which, balance=which, crash=crashes)
    def use_a_key(self, key: int, balance: int, crash: Point | None) -> None:
        """Mostly one that was not used, if there is one."""
        unused = [one for one in self.model.keys if not one.used]
        chosen = pick(self.model.keys if key % 4 == 0 or not unused else unused, key // 4)
        self.activate(chosen, pick(self.model.balances, balance), crash)

    @rule(source=which, destination=which, code=codes, quantity=which, crash=crashes)
    def transfer(self, source: int, destination: int, code: str, quantity: int, crash: Point | None) -> None:
        """Up to one more than is there; now and then to somewhere it may not go."""
        full = [balance for balance in self.model.balances if self.model.held[balance, code]]
        origin = pick(full or self.model.balances, source)
        allowed = [
            balance
            for balance in self.model.balances
            if balance != origin and company_of(balance) == company_of(origin)
        ]
        target = pick(self.model.balances if destination % 4 == 0 else allowed, destination // 4)
        wanted = 1 + quantity % (self.model.held[origin, code] + 1)
        given = {"source": origin, "destination": target, "product": get_product(code), "quantity": wanted}
        if company_of(origin) != company_of(target):
            self.refuse(balances.OtherCompany, balances.transfer_licenses, given)
        elif origin == target:
            self.refuse(balances.SameBalance, balances.transfer_licenses, given)
        elif wanted > self.model.held[origin, code]:
            self.refuse(InsufficientLicenses, balances.transfer_licenses, given)
        else:
            other = given | {"quantity": wanted + 1}
            self.perform(balances.transfer_licenses, given, other, crash=crash)
            self.model.move(origin, target, code, wanted)

    @rule(device=which, code=codes, quantity=which, crash=crashes)
    def assign(self, device: int, code: str, quantity: int, crash: Point | None) -> None:
        """Up to one more than is there."""
        onto = pick(self.model.devices, device)
        available = self.model.held[self.model.project_of(onto), code]
        self.bind(onto, code, 1 + quantity % (available + 1), crash)

    @precondition(lambda self: self.model.grants)
    @rule(grant=which, crash=crashes)
    def undo(self, grant: int, crash: Point | None) -> None:
        """Mostly a live grant, whether handed out or not."""
        live = [one for one in self.model.grants if one.fate == "live"]
        chosen = pick(self.model.grants if grant % 4 == 0 or not live else live, grant // 4)
        given = {"grant": chosen.grant}
        if chosen.fate != "live":
            self.refuse(GrantAlreadyEnded, assignment.undo_assignment, given)
        elif not self.model.can_be_undone(chosen):
            self.refuse(AssignmentCarried, assignment.undo_assignment, given)
        else:
            other = {"grant": pick(self.model.grants, grant + 1).grant}
            self.perform(assignment.undo_assignment, given, other, crash=crash)
            self.model.end([chosen], "revoked")

    @precondition(lambda self: self.model.grants)
    @rule(grants=st.lists(which, min_size=1, max_size=3), crash=crashes)
    def give_back(self, grants: list[int], crash: Point | None) -> None:
        """Any grants, live or not, by the device of the first; the others may be another's."""
        chosen = [pick(self.model.grants, number) for number in grants]
        by, named = chosen[0].device, {one.grant.pk: one for one in chosen}
        grants_named = [one.grant for one in named.values()]
        given = {"device": by, "grants": grants_named}
        other = {"device": by, "grants": [*grants_named, *grants_named]}
        ended = [
            one for one in named.values() if one.device == by and one.fate == "live" and RETURNABLE[one.code]
        ]
        done = self.perform(return_grants, given, other, crash=crash)
        assert {name for name, result in done if result == "returned"} == {
            queries.grant_id(one.grant) for one in ended
        }
        self.model.take_back(by, ended)

    @rule(device=which, by_hand=st.booleans())
    def hand_out(self, device: int, by_hand: bool) -> None:
        to = pick(self.model.devices, device)
        if by_hand:
            delivery.download(device=to, caller=caller(), now=NOW)
        else:
            delivery.fetch(device=to, seq_seen=0, have=None, key_set_held=1, caller=caller(), now=NOW)
        self.model.hand_out(to)

    @precondition(lambda self: any(key.used and not key.taken_back for key in self.model.keys))
    @rule(key=which, crash=crashes)
    def take_back(self, key: int, crash: Point | None) -> None:
        """An order whose key was activated: whole, if all of it is still free where it went."""
        chosen = pick([one for one in self.model.keys if one.used and not one.taken_back], key)
        order = Order.objects.get(number=chosen.number)
        if any(quantity > self.model.held[chosen.target, code] for code, quantity in chosen.lines.items()):
            self.refuse(corrections.LicensesInUse, corrections.correct_order, {"order": order})
            return
        others = [one for one in self.model.keys if one is not chosen]
        other = {"order": Order.objects.get(number=pick(others, key).number)}
        self.perform(corrections.correct_order, {"order": order}, other, crash=crash)
        self.model.correct(chosen)

    # --- Repetitions ---

    @precondition(lambda self: self.requests)
    @rule(request=which)
    def repeat(self, request: int) -> None:
        """The same request again, however long ago: the same answer, and nothing is done twice."""
        chosen = pick(self.requests, request)
        before = traces()
        assert chosen.operation(**chosen.given, caller=chosen.by, now=NOW) == chosen.answer
        assert traces() == before

    @precondition(lambda self: self.requests)
    @rule(request=which)
    def reuse(self, request: int) -> None:
        """Another request under the name of an earlier one."""
        chosen = pick(self.requests, request)
        if chosen.other != chosen.given:
            # An order is named by its number, not by its caller.
            is_order = chosen.operation is fulfilment.issue_key
            refusal = OrderNumberTaken if is_order else IdempotencyKeyReused
            self.refuse(refusal, chosen.operation, chosen.other, by=chosen.by)

    # --- What holds ---

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        if hasattr(self, "model"):
            self.model.check()

    def teardown(self) -> None:
        assert list(verification.violations()) == []

    # --- How acts are made ---

    def issue(self, lines: dict[str, int], crash: Point | None) -> None:
        number = f"H-{next(_orders)}"

        def given(extra: int) -> dict[str, Any]:
            order = [OrderLine(code=code, version=14, quantity=lines[code] + extra) for code in lines]
            return {"number": number, "reference": "", "customer": "Example Telecom", "lines": order}

        issued = self.perform(fulfilment.issue_key, given(0), given(1), crash=crash)
        self.model.issue(issued.code, lines, number)

    def activate(self, key: ModelKey, target: Balance, crash: Point | None) -> None:
        given = {"code": key.code, "target": target}
        if key.used:
            self.refuse(KeyAlreadyActivated, activation.activate_key, given)
            return
        other = next(balance for balance in self.model.balances if balance != target)
        self.perform(activation.activate_key, given, given | {"target": other}, crash=crash)
        self.model.activate(key, target)

    def bind(self, device: Device, code: str, quantity: int, crash: Point | None) -> None:
        given = {"device": device, "product": get_product(code), "quantity": quantity}
        if quantity > self.model.held[self.model.project_of(device), code]:
            self.refuse(InsufficientLicenses, assignment.assign, given)
            return
        done = self.perform(assignment.assign, given, given | {"quantity": quantity + 1}, crash=crash)
        self.model.assign(done.grant, device, code)

    def perform(
        self, operation: Operation, given: dict[str, Any], other: dict[str, Any], *, crash: Point | None
    ) -> Any:
        """Do it, and remember it; if it is to crash, let it die on the way first."""
        by = caller(reason="It was a mistake.")
        if crash is not None:
            before = traces()
            with crash.armed():
                try:
                    operation(**given, caller=by, now=NOW)
                except Crash:
                    assert traces() == before
                else:  # it does not pass there, and is done: what follows is a repetition
                    pass
        answer = operation(**given, caller=by, now=NOW)
        self.requests.append(Request(operation, given, other, by, answer))
        return answer

    def refuse(
        self,
        refusal: type[DomainError],
        operation: Operation,
        given: dict[str, Any],
        *,
        by: Caller | None = None,
    ) -> None:
        before = traces()
        with pytest.raises(refusal):
            operation(**given, caller=by or caller(reason="It was a mistake."), now=NOW)
        assert traces() == before


def pick(items: list[Any], number: int) -> Any:
    return items[number % len(items)]


def company_of(balance: Company | Project) -> Company:
    return balance if isinstance(balance, Company) else balance.company


def run(*, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("catalogue", "keyring")
class TestBooks:
    @pytest.fixture(autouse=True)
    def _as_often_as_wanted(self, settings: LazySettings) -> None:
        settings.KEY_LOOKUPS_PER_HOUR = 1_000_000

    def test_they_are_right_after_every_history(self) -> None:
        run(examples=24, steps=30)

    @pytest.mark.long
    def test_they_are_right_after_many_long_histories(self) -> None:
        run(examples=1500, steps=60)

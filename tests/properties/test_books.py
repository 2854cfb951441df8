"""Whole histories, chosen by Hypothesis: whatever people, programs and crashes do, the books are right.

Acts are drawn in any order, with quantities around what is free, sometimes dying on the way and tried again,
sometimes repeated long afterwards. After each step the database must say what a model of plain dictionaries
says; at the end of a history `ledger verify` must be silent. Everything commits for real: a deferred trigger
shows only at a real commit. So each history begins by emptying the tables.
"""

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.management.color import no_style
from django.db import connection
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
from devices import payloads
from devices.accepting import JTIConflict
from devices.models import Device
from licenses import activation, assignment, balances, delivery, fulfilment, queries, returns, verification
from licenses.activation import KeyAlreadyActivated
from licenses.assignment import AssignmentCarried
from licenses.fulfilment import OrderLine
from licenses.ledger import GrantAlreadyEnded, InsufficientLicenses
from licenses.models import Grant, KeySetVersion, Product
from licenses.receipt import Outcome, ReceiptV1
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
from tests.properties.model import RETURNABLE, Model, traces
from tests.rows import APPS

Operation = Callable[..., Any]
codes = st.sampled_from(sorted(RETURNABLE))
quantities = st.integers(min_value=1, max_value=5)
which = st.integers(min_value=0, max_value=1000)
crashes = st.one_of(st.none(), st.sampled_from(POINTS))
_orders = itertools.count(1)


@dataclass(frozen=True)
class Request:
    """A request that was accepted: to be made again, or under its name with other input."""

    operation: Operation
    given: dict[str, Any]
    other: dict[str, Any]
    by: Caller
    answer: Any


class Histories(RuleBasedStateMachine):
    """Two companies, three projects with licenses, three devices, one of them with the other company."""

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
            self.issue(port=4, others={"UC": 3, "Channels": 2}, crash=None)
            self.activate(key=-1, balance=self.model.balances.index(project), crash=None)

    # --- Acts ---

    @rule(port=quantities, others=st.dictionaries(codes, quantities, max_size=2), crash=crashes)
    def issue(self, port: int, others: dict[str, int], crash: Point | None) -> None:
        number = f"H-{next(_orders)}"
        lines = {"Port": port} | others

        def given(extra: int) -> dict[str, Any]:
            order = [OrderLine(code=code, version=14, quantity=lines[code] + extra) for code in lines]
            return {"number": number, "reference": "", "customer": "Example Telecom", "lines": order}

        issued = self.perform(fulfilment.issue_key, given(0), given(1), crash=crash)
        self.model.issue(issued.code, lines)

    @precondition(lambda self: self.model.keys)
    @rule(key=which, balance=which, crash=crashes)
    def activate(self, key: int, balance: int, crash: Point | None) -> None:
        chosen, into = pick(self.model.keys, key), pick(self.model.balances, balance)
        given = {"code": chosen.code, "target": into}
        other = {"code": chosen.code, "target": pick(self.model.balances, balance + 1)}
        if chosen.used:
            self.refuse(KeyAlreadyActivated, activation.activate_key, given)
            return
        self.perform(activation.activate_key, given, other, crash=crash)
        self.model.activate(chosen, into)

    @rule(source=which, destination=which, code=codes, quantity=quantities, crash=crashes)
    def transfer(self, source: int, destination: int, code: str, quantity: int, crash: Point | None) -> None:
        origin, target = pick(self.model.balances, source), pick(self.model.balances, destination)
        given = {"source": origin, "destination": target, "product": get_product(code), "quantity": quantity}
        if company_of(origin) != company_of(target):
            self.refuse(balances.OtherCompany, balances.transfer_licenses, given)
        elif origin == target:
            self.refuse(balances.SameBalance, balances.transfer_licenses, given)
        elif quantity > self.model.held[origin, code]:
            self.refuse(InsufficientLicenses, balances.transfer_licenses, given)
        else:
            other = given | {"quantity": quantity + 1}
            self.perform(balances.transfer_licenses, given, other, crash=crash)
            self.model.move(origin, target, code, quantity)

    @rule(device=which, code=codes, quantity=quantities, crash=crashes)
    def assign(self, device: int, code: str, quantity: int, crash: Point | None) -> None:
        onto = pick(self.model.devices, device)
        given = {"device": onto, "product": get_product(code), "quantity": quantity}
        if quantity > self.model.held[self.model.project_of(onto), code]:
            self.refuse(InsufficientLicenses, assignment.assign, given)
            return
        done = self.perform(assignment.assign, given, given | {"quantity": quantity + 1}, crash=crash)
        self.model.assign(done.grant, onto, code)

    @precondition(lambda self: self.model.grants)
    @rule(grant=which, crash=crashes)
    def undo(self, grant: int, crash: Point | None) -> None:
        chosen = pick(self.model.grants, grant)
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
    @rule(device=which, grants=st.lists(which, min_size=1, max_size=3), crash=crashes)
    def give_back(self, device: int, grants: list[int], crash: Point | None) -> None:
        by = pick(self.model.devices, device)
        named = {one.grant.pk: one for one in (pick(self.model.grants, number) for number in grants)}
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
            self.refuse(IdempotencyKeyReused, chosen.operation, chosen.other, by=chosen.by)

    # --- What holds ---

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        if hasattr(self, "model"):
            self.model.check()

    def teardown(self) -> None:
        assert list(verification.violations()) == []

    # --- How acts are made ---

    def perform(
        self, operation: Operation, given: dict[str, Any], other: dict[str, Any], *, crash: Point | None
    ) -> Any:
        """Do it, and remember it; if it is to crash, let it die on the way first."""
        by = caller()
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
            operation(**given, caller=by or caller(), now=NOW)
        assert traces() == before


def return_grants(
    *, device: Device, grants: list[Grant], caller: Caller, now: datetime
) -> list[tuple[str, Outcome]]:
    """The transaction of a return, without signing and handing out, which come after it."""
    jti = caller.key[:22]
    ids = tuple(queries.grant_id(grant) for grant in grants)
    statement = payloads.Return(
        hardware_id=device.hardware_id, aud="", jti=jti, seq=0, ctr=device.pk, grants=ids, min_seq=0
    )
    try:
        accepted = returns._accept(
            device=device,
            statement=statement,
            payload_sha256=hashlib.sha256(repr((jti, ids)).encode()).digest(),
            caller=caller,
            now=now,
        )
    except JTIConflict as error:
        raise IdempotencyKeyReused from error
    return ReceiptV1.results_of(bytes(accepted.receipt_payload))


def empty_tables() -> None:
    """Forget earlier histories; the catalogue and the key set stay."""
    stay = {Product._meta.db_table, KeySetVersion._meta.db_table}
    tables = [
        model._meta.db_table
        for model in apps.get_models()
        if model._meta.app_label in APPS and model._meta.db_table not in stay
    ]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables, allow_cascade=True))


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
        run(examples=50, steps=30)

    @pytest.mark.long
    def test_they_are_right_after_many_long_histories(self) -> None:
        run(examples=1500, steps=60)

"""Transfers that cross each other: all go through, in whichever order, and nobody waits in a circle."""

import threading
from functools import partial

import pytest
from django.db import connection, transaction

from accounts.models import Company, Project
from licenses import balances, ledger, verification
from licenses.catalogue import CATALOGUE
from licenses.models import Holder
from portal.core import acts
from tests.factories import NOW, activated, caller, free, get_product, make_project
from tests.races.pool import PATIENCE, SIZE, Pool, often

pytestmark = pytest.mark.usefixtures("catalogue")
CODES = [entry.code for entry in CATALOGUE]


def transfer(
    source: Company | Project, destination: Company | Project
) -> "partial[balances.BalanceTransfer]":
    return partial(
        balances.transfer_licenses,
        source=source,
        destination=destination,
        product=get_product(),
        quantity=1,
        caller=caller(),
        now=NOW,
    )


def transfer_all(source: Holder, destination: Holder, codes: list[str]) -> None:
    """Many products in one act, as a company import or a correction will do it."""
    lines = [
        ledger.Line(product=get_product(code), quantity=1, source=source, destination=destination)
        for code in codes
    ]
    with transaction.atomic(durable=True):
        act = acts.begin(operation="test", caller=caller(), given={}, now=NOW)
        ledger.transfer(act=act, lines=lines)
        acts.finish(act, outcome={})


class TestTransfers:
    def test_they_cross_between_two_projects(self, pool: Pool, company: Company, project: Project) -> None:
        other = make_project(company=company)
        activated(project, {"Port": 500})
        activated(other, {"Port": 500})
        for _ in range(often(50)):
            outcomes = pool.race([transfer(project, other), transfer(other, project)] * (SIZE // 2))
            assert outcomes.refused == {}
            assert (free(project), free(other)) == (500, 500)
        assert list(verification.violations()) == []

    def test_many_products_cross_in_whichever_order_they_are_named(
        self, pool: Pool, company: Company, project: Project
    ) -> None:
        other = make_project(company=company)
        for owner in (project, other):
            activated(owner, dict.fromkeys(CODES, 100))
        here, there = ledger.project_holder(project), ledger.project_holder(other)
        for _ in range(often(50)):
            pool.race(
                [
                    partial(transfer_all, here, there, CODES),
                    partial(transfer_all, there, here, CODES),
                    partial(transfer_all, here, there, CODES[::-1]),
                    partial(transfer_all, there, here, CODES[::-1]),
                ]
            )
        assert {(free(project, code), free(other, code)) for code in CODES} == {(100, 100)}

    def test_many_products_come_for_the_first_time_from_both_sides(
        self, pool: Pool, company: Company
    ) -> None:
        """Holdings that are not there yet cannot be locked; they are made in the same order."""
        activated(company, dict.fromkeys(CODES, 1000))
        source = ledger.company_holder(company)
        for _ in range(often(50)):
            first, second = (ledger.project_holder(make_project(company=company)) for _ in range(2))
            pool.race(
                [
                    partial(transfer_all, source, first, CODES),
                    partial(transfer_all, source, second, CODES[::-1]),
                    partial(transfer_all, source, first, CODES[::-1]),
                    partial(transfer_all, source, second, CODES),
                ]
            )
        assert list(verification.violations()) == []

    def test_between_balances_that_never_held_anything_all_are_refused(
        self, pool: Pool, company: Company
    ) -> None:
        activated(company)  # else all would queue for the making of the company's own holder, in good order
        for _ in range(often(50)):
            first, second = make_project(company=company), make_project(company=company)
            outcomes = pool.race([transfer(first, second), transfer(second, first)] * 2)
            assert outcomes.refused == {"insufficient-licenses": 4}

    def test_no_more_goes_out_than_is_there(self, pool: Pool, company: Company) -> None:
        targets = [make_project(company=company) for _ in range(8)]
        for _ in range(often(50)):
            activated(company, {"Port": 5})
            outcomes = pool.race([transfer(company, target) for target in targets])
            assert outcomes.refused == {"insufficient-licenses": 3}
            assert free(company) == 0

    def test_new_holders_are_made_in_one_order_whichever_way_the_licenses_go(
        self, pool: Pool, company: Company
    ) -> None:
        activated(company)
        first, second = make_project(company=company), make_project(company=company)
        waiting = threading.Event()

        def makes_first_then_second() -> None:
            with transaction.atomic():
                ledger.project_holder(first)
                waiting.set()
                wait_until_somebody_waits_for_a_lock()
                ledger.project_holder(second)

        def transfers_back() -> None:
            waiting.wait(PATIENCE)
            transfer(second, first)()

        outcomes = pool.race([makes_first_then_second, transfers_back])
        assert outcomes.refused == {"insufficient-licenses": 1}


def wait_until_somebody_waits_for_a_lock() -> None:
    """Until then the other one could still overtake; afterwards it is clear who waits for whom."""
    with connection.cursor() as cursor:
        for _ in range(10_000):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody ever waited")

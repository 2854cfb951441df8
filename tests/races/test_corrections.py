"""An order is taken back while its licenses are assigned, transferred and activated."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts.models import Company, Project
from licenses import activation, assignment, balances, corrections, key_blocking, verification
from licenses.models import Order, Transfer
from tests.factories import NOW, caller, find_key, free, get_product, make_device, make_key, make_project
from tests.races.pool import Pool, often

pytestmark = pytest.mark.usefixtures("catalogue")


def an_order(number: str, project: Project) -> Order:
    code = make_key(lines={"Port": 3}, number=number)
    activation.activate_key(code=code, target=project, caller=caller(), now=NOW)
    return Order.objects.get(number=number)


def taken_back(order: Order) -> "partial[Order]":
    who = caller(reason="Wrong customer.")
    return partial(corrections.correct_order, order=order, caller=who, now=NOW)


def retirements() -> int:
    return Transfer.objects.filter(destination__kind="retired").count()


def test_against_assignment_and_transfer_it_takes_all_or_nothing(pool: Pool, company: Company) -> None:
    for number in range(often(20)):
        project, other = make_project(company=company), make_project(company=company)
        order, device = an_order(f"SO-{number}", project), make_device(project=project)
        given: dict[str, Any] = {"product": get_product(), "quantity": 1, "now": NOW}
        racers: list[Callable[[], Any]] = [
            taken_back(order),
            partial(assignment.assign, device=device, caller=caller(), **given),
            partial(balances.transfer_licenses, source=project, destination=other, caller=caller(), **given),
        ]

        outcomes = pool.race(racers[number % 3 :] + racers[: number % 3])

        order.refresh_from_db()
        if order.canceled_by_id is not None:
            assert (outcomes.refused, free(project)) == ({"insufficient-licenses": 2}, 0)
        else:
            assert (outcomes.refused, free(project)) == ({"licenses-in-use": 1}, 1)
    assert list(verification.violations()) == []


def test_two_at_once_take_it_back_once(pool: Pool, project: Project) -> None:
    for number in range(often(10)):
        order = an_order(f"SO-{number}", project)
        already = retirements()

        outcomes = pool.race([taken_back(order) for _ in range(6)])

        assert outcomes.refused == {}
        assert retirements() == already + 1
        assert free(project) == 0


def test_a_key_is_blocked_or_activated(pool: Pool, project: Project) -> None:
    for _ in range(often(20)):
        code = make_key(lines={"Port": 3})
        who = caller(reason="Stolen.")
        racers: list[Callable[[], Any]] = [
            partial(key_blocking.block_activation_key, key=find_key(code), caller=who, now=NOW),
            partial(activation.activate_key, code=code, target=project, caller=caller(), now=NOW),
        ]

        outcomes = pool.race(racers)

        blocked = find_key(code).state == "blocked"
        assert outcomes.refused == ({"key-blocked": 1} if blocked else {"key-not-issued": 1})
    assert list(verification.violations()) == []

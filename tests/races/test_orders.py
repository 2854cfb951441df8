"""One order, however many enter, cancel, activate or replace at once (mission rules 8 and 10)."""

from functools import partial
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Project
from accounts.permissions import Role
from licenses import activation, fulfilment, issuing, key_replacement, verification
from licenses.issuing import OrderLine, WantedOrder
from licenses.models import ActivationKey, Order
from orders import order_sheet, upload_checks, uploads
from orders.models import OrderUpload
from tests.factories import NOW, caller, free, make_user
from tests.races.pool import SIZE, Pool

pytestmark = pytest.mark.usefixtures("catalogue")


def order(number: str, *, quantity: int = 5) -> WantedOrder:
    lines = (
        OrderLine(code="Port", version=14, quantity=quantity),
        OrderLine(code="UC", version=14, quantity=1),
    )
    return WantedOrder(number=number, customer="Example Telecom", lines=lines, keys_per="line")


def enter(wanted: WantedOrder) -> Any:
    return partial(fulfilment.place_order, order=wanted, caller=caller(), now=NOW)


def reasoned(operation: Any, **about: Any) -> Any:
    return partial(operation, caller=caller(reason="It was a mistake."), now=NOW, **about)


class TestEntering:
    def test_an_order_posted_thirty_two_times_at_once_is_one_order_with_the_same_codes(
        self, pool: Pool
    ) -> None:
        for number in range(1, 31):
            outcomes = pool.race([enter(order(f"SO-{number}"))] * SIZE)
            assert outcomes.refused == {}
            assert len({tuple(key.code for key in answer.keys) for answer in outcomes.answers}) == 1
            assert sum(answer.is_new for answer in outcomes.answers) == 1
            assert ActivationKey.objects.count() == 2 * number
        assert list(verification.violations()) == []

    def test_of_two_contents_of_one_number_one_is_the_order(self, pool: Pool) -> None:
        for number in range(30):
            racers = [enter(order(f"SO-{number}", quantity=1 + racer % 2)) for racer in range(8)]
            outcomes = pool.race(racers)
            assert len(outcomes.answers) == 4
            assert outcomes.refused == {"order-number-taken": 4}
        assert Order.objects.count() == 30

    def test_lists_of_the_same_orders_never_wait_for_each_other_in_a_circle(self, pool: Pool) -> None:
        numbers = [f"SO-{number}" for number in range(40)]
        for repetition in range(10):
            wanted = [order(f"{repetition}-{number}") for number in numbers]
            outcomes = pool.race([partial(_enter_all, wanted if at % 2 else wanted[::-1]) for at in range(8)])
            assert outcomes.refused == {}
            assert len(outcomes.answers) == 8
            assert Order.objects.count() == 40 * (repetition + 1)
        assert list(verification.violations()) == []


def _enter_all(wanted: list[WantedOrder]) -> int:
    with transaction.atomic(durable=True):
        return len(issuing.issue_all(wanted=wanted, caller=caller(), now=NOW))


class TestCanceling:
    def test_a_cancellation_and_an_activation_at_once_do_not_both_happen(
        self, pool: Pool, project: Project
    ) -> None:
        for number in range(60):
            placed, before = enter(order(f"SO-{number}"))(), free(project)
            racers = [
                partial(
                    activation.activate_key,
                    code=placed.keys[0].code,
                    target=project,
                    caller=caller(),
                    now=NOW,
                ),
                reasoned(fulfilment.cancel_order, order=placed.order),
            ]
            outcomes = pool.race(racers)
            assert len(outcomes.answers) == 1
            assert outcomes.refused in ({"key-blocked": 1}, {"order-activated": 1})
            assert free(project) - before == (0 if "key-blocked" in outcomes.refused else 5)
        assert list(verification.violations()) == []


class TestReplacing:
    def test_of_a_replacement_and_an_activation_and_a_cancellation_at_once_the_licenses_go_one_way(
        self, pool: Pool, project: Project
    ) -> None:
        for number in range(60):
            placed, before = enter(order(f"SO-{number}"))(), free(project)
            lost = placed.keys[0]
            activate = partial(
                activation.activate_key, code=lost.code, target=project, caller=caller(), now=NOW
            )
            pool.race(
                [
                    activate,
                    reasoned(key_replacement.replace_key, activation_key=lost.activation_key),
                    reasoned(key_replacement.replace_key, activation_key=lost.activation_key),
                    reasoned(fulfilment.cancel_order, order=placed.order),
                ]
            )
            now_it_is = ActivationKey.objects.get(pk=lost.activation_key.pk)
            assert free(project) - before == (5 if now_it_is.state == "activated" else 0)
            assert ActivationKey.objects.filter(replaces=now_it_is).count() <= 1
        assert list(verification.violations()) == []


class TestTidying:
    def test_a_list_that_is_confirmed_when_its_days_are_over_is_entered_or_gone(self, pool: Pool) -> None:
        clerk = make_user(name="Frank", is_staff=True, roles=[Role.FULFILMENT])
        for number in range(20):
            sheet = order_sheet.read(f"order;code;version;quantity\nB-{number};Port;14;1\n".encode())
            who = caller(clerk)
            upload = upload_checks.keep_upload(sheet=sheet, name="b", user=clerk, caller=who, now=NOW)
            over = NOW + upload_checks.UNCONFIRMED_KEPT

            outcomes = pool.race(
                [
                    partial(uploads.confirm_upload, upload=upload, caller=caller(clerk), now=over),
                    partial(upload_checks.tidy_uploads, now=over),
                ]
            )

            assert set(outcomes.refused) <= {"no-such-upload"}
            is_there = OrderUpload.objects.filter(pk=upload.pk).exists()
            assert Order.objects.filter(number=f"B-{number}").exists() == is_there == (not outcomes.refused)
        assert list(verification.violations()) == []

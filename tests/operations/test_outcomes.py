"""What became of what was sold, by product and month: summed once for months that are over (rule 38)."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

import pytest

from accounts.models import Project, User
from licenses import activation, assignment, fulfilment, issuing
from licenses.issuing import OrderLine
from licenses.models import Order
from orders import outcomes
from orders.models import MonthsSummed, ProductMonth
from orders.outcomes import KINDS
from tests import factories
from tests.factories import NOW, caller
from tests.operations import moving
from tests.operations.bookkeeping import unchanged

pytestmark = pytest.mark.usefixtures("catalogue", "keyring")

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
DECEMBER = datetime.fromisoformat("2026-12-05T09:00:00Z")


@pytest.fixture
def project(project: Project) -> Project:
    """One with which everything happened that is counted, in November, and a little in October."""
    october = NOW - timedelta(days=40)
    line = OrderLine(code="Port", version=14, quantity=7)
    early = fulfilment.issue_key(
        number="SO-0", reference="", customer="Example", lines=[line], caller=caller(), now=october
    )
    assert early.code is not None
    activation.activate_key(code=early.code, target=project, caller=caller(), now=october)
    factories.activated(project, {"Port": 20, "UC": 3})
    factories.make_key(number="SO-9", lines={"Port": 50})
    fulfilment.cancel_order(order=Order.objects.get(number="SO-9"), caller=caller(reason="twice"), now=NOW)
    broken, other = factories.make_device(project=project), factories.make_device(project=project)
    factories.assigned(broken, 9)
    factories.give_back(broken, factories.assigned(broken, 4))
    undone = factories.assigned(other, 2)
    assignment.undo_assignment(grant=undone, caller=caller(), now=NOW)
    moving.approved(moving.asked(broken, other), factories.make_user(name="Sam", is_staff=True))
    return project


def counted(*, code: str = "Port", now: datetime = NOW) -> dict[date, dict[str, int]]:
    """What is counted of a product: by month, the numbers that are not zero."""
    product = factories.get_product(code)
    found = outcomes.outcomes(months=outcomes.months_until(now, count=3), product=product)
    return {
        month: {kind: found.of_month(month)[kind] for kind in KINDS if found.of_month(month)[kind]}
        for month in found.months
        if any(found.of_month(month).units.values())
    }


EXPECTED = {
    OCTOBER: {"issued": 7, "activated": 7},
    NOVEMBER: {
        "issued": 70,
        "canceled": 50,
        "activated": 20,
        "assigned": 15,
        "undone": 2,
        "returned": 4,
        "moved": 9,
    },
}


def later_month(project: Project) -> None:
    """A transfer of December, written before the last one of November."""
    line = (OrderLine(code="Port", version=14, quantity=1),)
    for number, when in (("SO-D", DECEMBER - timedelta(days=4)), ("SO-N", NOW + timedelta(days=6))):
        order = issuing.WantedOrder(number=number, lines=line)
        fulfilment.place_order(order=order, caller=caller(), now=when)


class TestCounting:
    def test_each_way_is_counted_in_its_month(self, project: Project) -> None:
        assert counted() == EXPECTED
        assert counted(code="UC") == {NOVEMBER: {"issued": 3, "activated": 3}}

    def test_sums_of_months_that_are_over_say_the_same(self, project: Project) -> None:
        november = datetime.fromisoformat("2026-11-03T00:00:00Z")
        assert outcomes.sum_up_months(now=november) == 1  # Port in October
        assert counted() == EXPECTED

        assert outcomes.sum_up_months(now=DECEMBER) == 2

        assert counted() == EXPECTED
        assert ProductMonth.objects.count() == 3
        with unchanged():
            assert outcomes.sum_up_months(now=DECEMBER) == 0

    def test_a_month_is_summed_a_day_after_its_end(self, project: Project) -> None:
        end = datetime.fromisoformat("2026-12-01T23:59:00Z")

        outcomes.sum_up_months(now=end)
        assert MonthsSummed.objects.get().until == NOVEMBER
        outcomes.sum_up_months(now=end + timedelta(minutes=2))
        assert MonthsSummed.objects.latest("until").until == date(2026, 12, 1)

    def test_months_that_were_written_in_between_each_other_are_told_apart(self, project: Project) -> None:
        later_month(project)
        expected = {
            **EXPECTED,
            NOVEMBER: {**EXPECTED[NOVEMBER], "issued": 71},
            date(2026, 12, 1): {"issued": 1},
        }
        assert counted(now=DECEMBER) == expected

        outcomes.sum_up_months(now=DECEMBER)
        assert counted(now=DECEMBER) == expected

        outcomes.sum_up_months(now=DECEMBER + timedelta(days=31))
        assert counted(now=DECEMBER) == expected

    def test_nothing_was_sold_yet(self, db: None) -> None:
        assert outcomes.sum_up_months(now=NOW) == 0
        assert counted() == {}

    def test_it_takes_few_statements_however_much_there_is(
        self, project: Project, django_assert_num_queries: Callable[[int], object]
    ) -> None:
        look = partial(outcomes.outcomes, months=outcomes.months_until(NOW, count=24))
        with django_assert_num_queries(4):  # type: ignore[attr-defined]
            look()


class TestByOrder:
    def test_says_what_became_of_each_key(self, project: Project, alice: User) -> None:
        factories.make_key(number="SO-8")

        keys = outcomes.keys_by_order(since=NOW - timedelta(days=1))

        by_order = {key.order.number: key.ending or key.state for key in keys}
        assert by_order.pop("SO-8") == "issued"
        assert by_order.pop("SO-9") == "canceled"
        assert set(by_order.values()) == {"activated"}
        assert "SO-0" not in by_order

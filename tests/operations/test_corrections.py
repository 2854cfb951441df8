"""An order that was activated by mistake is taken back whole, or not at all (mission rules 10 and 12)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import pytest

from accounts.models import Company, Mail, Project, User
from accounts.permissions import Role
from accounts.staff import RoleMissing
from licenses import (
    activation,
    balances,
    company_import,
    correction_queries,
    corrections,
    fulfilment,
    verification,
)
from licenses.corrections import LicensesInUse, OrderNotActivated
from licenses.issuing import OrderLine, WantedOrder
from licenses.models import ActivationKey, Order, Transfer
from portal.core.acts import ReasonNeeded
from portal.core.models import AuditEntry
from tests.factories import (
    NOW,
    activated,
    assigned,
    caller,
    free,
    get_product,
    give_roles,
    make_company,
    make_device,
    make_key,
    make_project,
    make_user,
)
from tests.operations.bookkeeping import last_leaf, refused, unchanged

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def order(project: Project) -> Order:
    """10 Port and 2 UC, activated into the project."""
    code = make_key(lines={"Port": 10, "UC": 2}, number="SO-1")
    activation.activate_key(code=code, target=project, caller=caller(), now=NOW)
    return Order.objects.get(number="SO-1")


def correct(order: Order, by: User | None = None, *, key: str | None = None) -> Order:
    who = caller(by, key=key, reason="Wrong customer.")
    return corrections.correct_order(order=order, caller=who, now=NOW)


def retired(act_id: UUID | None) -> dict[str, int]:
    transfers = Transfer.objects.filter(act=act_id, destination__kind="retired").select_related("product")
    return {transfer.product.code: transfer.quantity for transfer in transfers}


class TestTakingBack:
    def test_retires_what_it_put_into_the_balance(self, order: Order, project: Project) -> None:
        activated(project, {"Port": 3})

        done = correct(order)

        assert (free(project), free(project, "UC")) == (3, 0)
        assert retired(done.canceled_by_id) == {"Port": 10, "UC": 2}
        leaf = last_leaf()
        assert (leaf.type, leaf.lines.count(), leaf.act_id) == ("correction", 2, done.canceled_by_id)

    def test_is_told_in_the_history_and_to_the_admins(
        self, order: Order, project: Project, alice: User, sam: User
    ) -> None:
        correct(order, sam)

        entry = AuditEntry.objects.get(event="order-corrected")
        assert (entry.actor, entry.project_id, entry.company_id) == (sam, project.pk, project.company_id)
        assert entry.facts == {"order": "SO-1", "quantity": 12, "reason": "Wrong customer."}
        mail = Mail.objects.get(kind="order-corrected")
        assert mail.to == alice.email
        assert "10 × Port 14" in mail.text
        assert "The reason given: Wrong customer." in mail.text

    def test_repeated_and_again_it_changes_nothing_more(self, order: Order, project: Project) -> None:
        for key in ("once", "once", "another"):
            correct(order, key=key)

        assert Transfer.objects.filter(destination__kind="retired").count() == 2

    def test_ends_keys_of_the_order_that_nobody_activated(self, project: Project) -> None:
        lines = tuple(OrderLine(code=code, version=14, quantity=4) for code in ("Port", "UC"))
        wanted = WantedOrder(number="SO-2", reference="", customer="X", lines=lines, keys_per="line")
        placed = fulfilment.place_order(order=wanted, caller=caller(), now=NOW)
        activation.activate_key(code=str(placed.keys[0].code), target=project, caller=caller(), now=NOW)

        done = correct(Order.objects.get(number="SO-2"))

        states = ActivationKey.objects.filter(order=done).order_by("pk").values_list("state", "ending")
        assert list(states) == [("activated", ""), ("blocked", "canceled")]
        assert retired(done.canceled_by_id) == {"Port": 4, "UC": 4}

    def test_follows_a_company_that_was_imported(self, company: Company, alice: User) -> None:
        dora = make_user(name="Dora")
        source = make_company(founder=dora, name="Dora Data")
        code = make_key(lines={"Port": 7}, number="SO-3")
        activation.activate_key(code=code, target=source, caller=caller(), now=NOW)
        wanted = company_import.ask_for_company(
            target=company, number=source.pk, name=source.name, asker=alice, caller=caller(alice), now=NOW
        )
        company_import.consent_to_import(wanted=wanted, caller=caller(dora), now=NOW)
        assert free(company) == 7

        correct(Order.objects.get(number="SO-3"))

        assert free(company) == 0


class TestInTheWay:
    def test_what_is_on_a_device_stays_there_and_nothing_is_done(
        self, order: Order, project: Project
    ) -> None:
        device = make_device(project=project)
        assigned(device, 4)

        with refused(LicensesInUse, product="Port 14", wanted=10, available=6), unchanged():
            correct(order)

        [obstacle] = correction_queries.in_the_way(correction_queries.corrections_of(order))
        assert obstacle.correction.missing == 4
        assert list(obstacle.devices) == [(device.hardware_id, "DEFAULT", 4)]

    def test_what_was_transferred_is_named_where_it_is(self, order: Order, project: Project) -> None:
        elsewhere = make_project(company=project.company, name="Town hall")
        balances.transfer_licenses(
            source=project, destination=elsewhere, product=get_product(), quantity=1, caller=caller(), now=NOW
        )

        with refused(LicensesInUse, product="Port 14", wanted=10, available=9):
            correct(order)
        [obstacle] = correction_queries.in_the_way(correction_queries.corrections_of(order))
        assert list(obstacle.balances) == [("Town hall", 1)]

    def test_licenses_of_another_order_fill_the_gap(self, order: Order, project: Project) -> None:
        activated(project, {"Port": 4})
        assigned(make_device(project=project), 4)

        correct(order)

        assert free(project) == 0

    def test_an_order_that_nobody_activated_is_canceled_instead(self, company: Company) -> None:
        make_key(number="SO-4")

        with refused(OrderNotActivated), unchanged():
            correct(Order.objects.get(number="SO-4"))


class TestWhoMay:
    def test_support_alone_may_not(self, order: Order, sam: User) -> None:
        give_roles(sam, Role.SUPPORT)

        with pytest.raises(RoleMissing), unchanged():
            correct(order, sam)

    def test_nobody_without_a_reason(self, order: Order) -> None:
        with refused(ReasonNeeded, longest=1000), unchanged():
            corrections.correct_order(order=order, caller=caller(), now=NOW)


def retire_a_part(done: Order) -> None:
    Transfer.objects.filter(act=done.canceled_by, product__code="UC").update(quantity=1)


FAULTS = {"canceled_orders_are_retired": (retire_a_part,)}


@pytest.mark.parametrize(
    ("check", "plant"), [(check, plant) for check, plants in FAULTS.items() for plant in plants]
)
def test_verify_finds_an_order_that_was_taken_back_in_part(
    check: str,
    plant: Callable[[Order], None],
    order: Order,
    project: Project,
    plants_faults: Callable[[], AbstractContextManager[None]],
) -> None:
    done = correct(order)
    with plants_faults():
        plant(done)

    found = {one.violations.__name__: list(one.violations()) for one in verification.CHECKS}
    assert any(f"order {done.pk} was canceled, and 1 of its 2" in sentence for sentence in found[check])

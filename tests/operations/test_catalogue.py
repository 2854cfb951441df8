"""Changing the catalogue: what may change when, and that what was sold is honored (rules 15, 17, 20)."""

from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from accounts.permissions import Role
from accounts.staff import RoleMissing
from licenses import activation, catalogue_changes, trial_queries, trials
from licenses.catalogue_changes import (
    Given,
    ProductExists,
    ProductMalformed,
    ReturnableByKind,
    SoldProductFixed,
    SuccessorMalformed,
    TestSetMalformed,
    given_of,
)
from licenses.catalogue_queries import ProductDiscontinued, ProductUnknown, get_product
from licenses.models import Product
from portal.core.acts import Caller, ReasonNeeded
from tests import factories
from tests.factories import NOW, caller
from tests.operations.bookkeeping import last_entry, refused, unchanged

pytestmark = pytest.mark.usefixtures("catalogue")

VIDEO_BRIDGE = Given(
    name="Video bridge",
    kind="app",
    returnable=True,
    user_assignable=False,
    unit="user",
    weight=2,
    in_test_set=True,
    test_quantity=None,
)


def by(key: str | None = None, **given: Any) -> Caller:
    return caller(key=key, reason="As decided.", **given)


def change(product: Product, *, who: Caller | None = None, **changes: Any) -> Product:
    given = replace(given_of(get_product(product.pk)), **changes)
    return catalogue_changes.change_product(product=product, given=given, caller=who or by(), now=NOW)


def add(code: str = "VideoBridge", version: int = 14, *, key: str | None = None, **changes: Any) -> Product:
    return catalogue_changes.add_product(
        code=code, version=version, given=replace(VIDEO_BRIDGE, **changes), caller=by(key), now=NOW
    )


class TestAdding:
    def test_a_new_product_can_be_ordered_and_is_recorded_with_its_reason(self) -> None:
        product = add()
        entry = last_entry()

        factories.make_key(lines={"VideoBridge": 3})

        assert given_of(get_product(product.pk)) == VIDEO_BRIDGE
        assert (entry.event, entry.facts["product"]) == ("product-added", "VideoBridge 14")
        assert entry.facts["reason"] == "As decided."
        assert entry.facts["after"]["weight"] == 2

    def test_sent_twice_it_is_added_once(self) -> None:
        product = add(key="once")

        with unchanged():
            assert add(key="once") == product

    @pytest.mark.parametrize(
        ("refusal", "changes"),
        [
            (ProductExists, {"code": "Port"}),
            (ProductMalformed, {"code": "Vidéo"}),
            (ProductMalformed, {"code": "Video Bridge"}),
            (ProductMalformed, {"code": "=1"}),
            (ProductMalformed, {"code": "x" * 41}),
            (ProductMalformed, {"version": 0}),
            (ProductMalformed, {"version": 1000}),
            (ProductMalformed, {"name": " "}),
            (ProductMalformed, {"unit": "u" * 21}),
            (ProductMalformed, {"weight": -1}),
            (ProductMalformed, {"kind": "magic"}),
            (ReturnableByKind, {"kind": "gateway", "test_quantity": 1}),
            (ReturnableByKind, {"returnable": False}),
            (TestSetMalformed, {"test_quantity": 5}),
            (TestSetMalformed, {"in_test_set": False, "test_quantity": 5}),
            (TestSetMalformed, {"kind": "gateway", "returnable": False}),
            (TestSetMalformed, {"kind": "warranty", "returnable": False}),
            (SuccessorMalformed, {"successor": 15}),
            (SuccessorMalformed, {"code": "Port", "version": 15, "successor": 14}),
        ],
    )
    def test_what_does_not_fit_is_refused(self, refusal: type[Any], changes: dict[str, Any]) -> None:
        with refused(refusal):
            add(**changes)

    def test_nobody_but_fulfilment_adds_one_and_never_without_a_reason(self) -> None:
        support = factories.make_user(is_staff=True)
        clerk = factories.make_user(is_staff=True, roles=[Role.FULFILMENT])
        given: dict[str, Any] = {"code": "X", "version": 14, "given": VIDEO_BRIDGE, "now": NOW}

        with refused(RoleMissing):
            catalogue_changes.add_product(**given, caller=by(user=support))
        with refused(ReasonNeeded):
            catalogue_changes.add_product(**given, caller=caller(clerk))
        catalogue_changes.add_product(**given, caller=by(user=clerk))


class TestChanging:
    def test_says_what_was_and_what_is(self) -> None:
        port = factories.get_product()

        change(port, name="Anschluss", weight=3)

        assert last_entry().facts["changes"] == {"name": ["Port", "Anschluss"], "weight": [2, 3]}
        assert factories.get_product().name == "Anschluss"

    def test_a_form_sent_twice_changes_once_and_nothing_new_leaves_no_entry(self) -> None:
        port = factories.get_product()
        change(port, who=by("once"), weight=3)

        with unchanged():
            change(port, who=by("once"), weight=3)
        before = last_entry()
        change(port)
        assert last_entry() == before

    @pytest.mark.parametrize(
        "changes", [{"unit": "line"}, {"kind": "warranty", "returnable": False}, {"kind": "service"}]
    )
    def test_what_was_sold_keeps_kind_unit_and_whether_it_comes_back(self, changes: dict[str, Any]) -> None:
        port = factories.get_product()
        change(port, **changes)
        change(port, kind="pbx", returnable=True, unit="port")
        factories.make_key(lines={"Port": 1})

        with refused(SoldProductFixed, product="Port 14"):
            change(port, **changes)
        change(port, name="Anschluss", weight=0, user_assignable=True, in_test_set=True)

    def test_it_leaves_and_joins_the_test_set(self) -> None:
        project = factories.first_project(factories.make_company(founder=factories.make_user()))
        device = factories.make_device(project=project)
        change(factories.get_product("DECT"), in_test_set=False, test_quantity=None)

        made = trials.create_test_license(
            device=device, version=14, slave=True, quantity=None, caller=caller(), now=NOW
        )

        assert made.version == 14
        contents = trial_queries.test_set(version=14, slave=True, quantity=None)
        assert "DECT 14" not in {str(content.product) for content in contents}

    def test_of_nothing_is_told(self) -> None:
        with refused(ProductUnknown):
            get_product(4711)


class TestDiscontinuing:
    def test_it_takes_no_new_orders_and_says_what_to_order(self) -> None:
        change(factories.get_product(version=13), for_sale=False, successor=14)

        with refused(ProductDiscontinued, product="Port 13", instead="Port 14"):
            factories.make_key(lines={"Port": 1}, version=13)

    def test_whatever_was_sold_is_activated_assigned_and_returned(self, keyring: object) -> None:
        code = factories.make_key(lines={"Port": 5}, number="SO-1")
        project = factories.first_project(factories.make_company(founder=factories.make_user()))
        change(factories.get_product(), for_sale=False)

        activation.activate_key(code=code, target=project, caller=caller(), now=NOW)
        device = factories.make_device(project=project)
        factories.give_back(device, factories.assigned(device, 5), everything=False)

        assert factories.free(project) == 5
        assert factories.make_key(lines={"Port": 5}, number="SO-1") == code  # sent again, it is no new order

    def test_it_can_be_offered_again(self) -> None:
        port = factories.get_product()
        change(port, for_sale=False)
        since = factories.get_product().discontinued_at
        change(port, weight=7, for_sale=False)
        assert factories.get_product().discontinued_at == since == NOW

        change(port, for_sale=True)

        factories.make_key(lines={"Port": 1})
        assert last_entry().event == "key-issued"


class TestAVersion:
    def test_comes_with_all_products_that_are_sold_each_as_the_successor(self) -> None:
        change(factories.get_product("Fax"), for_sale=False)
        here = add("Port", 15, name="Port of 15", successor=None)

        added = catalogue_changes.add_version(like=14, version=15, caller=by(), now=NOW)

        assert added == Product.objects.filter(version=14).count() - 2
        assert not Product.objects.filter(code="Fax", version=15).exists()
        assert factories.get_product().successor == here
        assert get_product(here.pk).name == "Port of 15"
        uc = given_of(factories.get_product("UC"))
        assert given_of(factories.get_product("UC", 15)) == replace(uc, successor=None)
        assert uc.successor == 15
        assert last_entry().facts["added"] == added

    @pytest.mark.parametrize(("like", "version"), [(14, 14), (14, 13), (15, 16), (14, 1000)])
    def test_is_above_one_that_has_products(self, like: int, version: int) -> None:
        with refused(ProductMalformed, wrong="version"):
            catalogue_changes.add_version(like=like, version=version, caller=by(), now=NOW)

    def test_sent_twice_it_is_added_once(self) -> None:
        added = catalogue_changes.add_version(like=14, version=15, caller=by("once"), now=NOW)

        with unchanged():
            again = catalogue_changes.add_version(like=14, version=15, caller=by("once"), now=NOW)
        assert again == added


class TestLoading:
    def test_it_adds_what_is_missing_and_says_what_differs(self) -> None:
        change(factories.get_product(), name="Anschluss", for_sale=False)
        Product.objects.filter(code="Fax", version=12).delete()
        told = StringIO()

        call_command("load_catalogue", stdout=told)

        assert told.getvalue().splitlines() == [
            "1 products added.",
            "Port 14: name is Anschluss, in the starting catalogue Port; left as it is.",
            "Port 14: discontinued; left as it is.",
        ]
        assert factories.get_product().name == "Anschluss"
        assert given_of(factories.get_product("Fax", 12)) == given_of(factories.get_product("Fax", 13))

"""A product is changed while it is sold: what was sold keeps the words it was sold under."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction

from licenses import catalogue_changes, fulfilment
from licenses.catalogue_queries import get_product
from licenses.fulfilment import OrderLine
from tests import factories
from tests.factories import NOW, caller
from tests.races.pool import PATIENCE, Pool

pytestmark = pytest.mark.usefixtures("catalogue")


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def test_a_change_waits_for_an_order_that_is_being_entered_and_is_refused_then(pool: Pool) -> None:
    product = factories.get_product()
    given = replace(catalogue_changes.given_of(product), kind="service")
    entered, changed = threading.Event(), threading.Event()

    def order() -> None:
        with transaction.atomic():
            issue: Any = fulfilment.issue_key
            issue.__wrapped__(  # as always, but for the transaction, which is still open here
                number="SO-1",
                reference="",
                customer="Example",
                lines=[OrderLine(code="Port", version=14, quantity=1)],
                caller=caller(scope="orders"),
                now=NOW,
            )
            entered.set()
            while not (changed.is_set() or somebody_waits()):
                pass

    def change() -> None:
        assert entered.wait(PATIENCE)
        try:
            catalogue_changes.change_product(
                product=product, given=given, caller=caller(reason="changed"), now=NOW
            )
        finally:
            changed.set()

    outcomes = pool.race([order, change])

    assert outcomes.refused == {"sold-product-fixed": 1}
    assert get_product(product.pk).kind == "pbx"

"""A product is changed by several at once: each starts from what the one before left, and says so."""

from dataclasses import replace
from functools import partial

import pytest

from licenses import catalogue_changes
from portal.core.models import AuditEntry
from tests import factories
from tests.factories import NOW, caller
from tests.races.pool import Pool

pytestmark = pytest.mark.usefixtures("catalogue")


def test_what_was_changed_is_told_without_gaps(pool: Pool) -> None:
    product = factories.get_product()
    given = catalogue_changes.given_of(product)

    outcomes = pool.race(
        [
            partial(
                catalogue_changes.change_product,
                product=product,
                given=replace(given, weight=100 + number),
                caller=caller(reason="as decided"),
                now=NOW,
            )
            for number in range(16)
        ]
    )

    assert outcomes.refused == {}
    changes = [
        entry.facts["changes"]["weight"]
        for entry in AuditEntry.objects.filter(event="product-changed").order_by("pk")
    ]
    assert [old for old, _new in changes] == [2, *(new for _old, new in changes[:-1])]
    assert changes[-1][1] == factories.get_product().weight

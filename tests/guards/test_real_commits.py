"""A guard that waits for the commit meets a real one here, in a module outside every other transaction."""

import pytest
from django.db import IntegrityError, connection
from django.db.models import F

from accounts.models import Project
from licenses.models import Holding
from tests.factories import activated
from tests.guards.rows import change

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no triggers of ours: table rebuilds drop them"
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("catalogue")
class TestAtARealCommit:
    def test_a_balance_that_nothing_moved_is_refused(self, project: Project) -> None:
        activated(project, {"Port": 10})
        holding = Holding.objects.get(holder__project=project, product__code="Port", product__version=14)
        before = holding.balance
        with pytest.raises(IntegrityError, match="is not what its transfers moved"):
            change(holding, balance=F("balance") + 1)

        holding.refresh_from_db()
        assert holding.balance == before > 0

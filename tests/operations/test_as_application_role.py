"""The portal's whole work under the role that production gives it (docs/operations.md)."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils.module_loading import autodiscover_modules

from accounts.models import Project, User
from licenses import assignment
from portal.core import outbox
from portal.core.models import OutboxJob
from tests import factories
from tests.factories import NOW, caller
from tests.guards.test_application_role import as_the_application
from tests.operations import moving, ordering

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")


def test_it_does_all_that_partners_devices_and_support_do(
    project: Project, catalogue: None, keyring: object, sam: User, alice: User
) -> None:
    """From the order to the move: no operation needs a right that this role lacks."""
    autodiscover_modules("tasks")
    with as_the_application():
        placed = ordering.place()
        ordering.activate(placed.keys[0].code, project)
        factories.activated(project, {"Port": 10})
        device, spare = factories.make_device(project=project), factories.make_device(project=project)
        factories.assigned(device, 4)
        undone = factories.assigned(device, 1)
        assignment.undo_assignment(grant=undone, caller=caller(alice), now=NOW)
        assert moving.fetched(device)
        factories.give_back(device, everything=True, min_seq=100)
        factories.assigned(device, 3)
        assert moving.fetched(device)
        move = moving.asked(device, spare)
        moving.approved(move, sam)
        moving.booked_in(move, sam)
        assert moving.fetched(spare)
        while outbox.work_off(clock=lambda: NOW):
            pass
        call_command("ledger", "verify", stdout=StringIO())
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what would only be looked at on commit

        assert factories.free(spare) == 3
        failed = OutboxJob.objects.exclude(last_error="").values_list("handler", "last_error")
        assert list(failed) == []

"""The role under which the portal works can do its work, and can change no row that is never changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction

from accounts.models import Project
from devices.models import Device
from tests import factories
from tests.guards.rows import Rows

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")

ROLE = "portal_application"
# Audit and looks, books and log: whoever breaks into the portal cannot rewrite what happened.
NEVER_CHANGED = (
    "core_auditentry",
    "support_look",
    "licenses_transfer",
    "licenses_logline",
)
NEVER_DELETED = (*NEVER_CHANGED, "core_act", "licenses_grant", "licenses_logleaf", "licenses_licensedocument")


@contextmanager
def as_the_application() -> Iterator[None]:
    call_command("application_role", ROLE, stdout=StringIO())
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
        yield
        cursor.execute("RESET ROLE")


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except ProgrammingError as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


def test_it_changes_and_deletes_no_row_that_is_never_changed(rows: Rows) -> None:
    with as_the_application():
        for table in NEVER_CHANGED:
            assert refused(f"UPDATE {table} SET id = id"), table
        for table in NEVER_DELETED:
            assert refused(f"DELETE FROM {table}"), table
            assert refused(f"TRUNCATE {table} CASCADE"), table
            assert refused(f"ALTER TABLE {table} DISABLE TRIGGER ALL"), table


def test_it_changes_what_may_change(rows: Rows) -> None:
    with as_the_application():
        assert not refused("UPDATE devices_device SET name = 'x'")
        assert refused("DELETE FROM django_migrations")


def test_it_does_the_work_of_the_portal(project: Project, catalogue: None) -> None:
    with as_the_application():
        factories.activated(project, {"Port": 5})
        device: Device = factories.make_device(project=project)
        factories.assigned(device, 2)

        assert factories.free(project) == 3


def test_what_it_would_do_can_be_read_first(db: None) -> None:
    shown = StringIO()
    call_command("application_role", ROLE, "--show", stdout=shown)

    assert f'GRANT SELECT, INSERT ON "core_auditentry" TO {ROLE};' in shown.getvalue()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
        assert cursor.fetchone() is None

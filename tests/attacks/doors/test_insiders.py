"""Attackers inside: at the portal's database, or at its commands (trust.md 12)."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from accounts.models import Project, User
from appliance.factory.authority import Authority
from appliance.factory.devices import make_identity
from devices.models import Alert, Device
from licenses import verification
from licenses.models import KeySetVersion, LicenseDocument
from portal.core import base64url
from portal.core.models import AuditEntry
from tests import factories, rows
from tests.api.conftest import Api
from tests.device_api.devices import Signer
from tests.device_api.test_returning import acknowledge, give_back
from tests.factories import NOW, free

ON_POSTGRESQL = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no triggers of ours: table rebuilds drop them"
)

REFUSED = r"is never changed like that|is not what its transfers moved"


def run(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def command(*words: object) -> str:
    printed = StringIO()
    call_command(*map(str, words), stdout=printed)
    return printed.getvalue()


def seq_of(response: Any) -> int:
    document = json.loads(response.content)["license"]
    seq: int = json.loads(base64url.decode(document["payload"]))["seq"]
    return seq


class TestWhoRollsTheDatabaseBack:
    """Rolls the portal's database back.

    What stops it so far: devices' `seq` is higher than the portal's then, which alarms, and the next document
    takes a number above it; the operator raises the floor for all. The sequencer, which signs no smaller tree
    than the last one, and a witness come with the public log.
    """

    def restored(self, signer: Signer, device: Device) -> int:
        """What the device has seen by the time its portal is put back to an earlier state."""
        signer.fetch()
        backup = transaction.savepoint()
        for _ in range(3):
            factories.assigned(device)
        seen = seq_of(signer.fetch())
        transaction.savepoint_rollback(backup)
        assert LicenseDocument.objects.latest("seq").seq < seen
        return seen

    @pytest.mark.parametrize("by", ["fetch", "return", "acknowledgement"])
    def test_a_device_that_has_seen_more_alarms_and_goes_on(
        self, signer: Signer, device: Device, by: str
    ) -> None:
        seen = self.restored(signer, device)
        rows.forget_what_was_signed()  # a new server: else nothing is signed before the operator has spoken

        match by:
            case "fetch":
                signer.fetch(seq=seen)
            case "return":
                give_back(signer, "A" * 22, seq=seen)
            case "acknowledgement":
                acknowledge(signer, seen)

        alert = Alert.objects.get()
        assert (alert.kind, alert.device) == (Alert.Kind.SEQ_AHEAD, device)
        factories.assigned(device)
        assert seq_of(signer.fetch(seq=seen)) > seen

    def test_a_document_of_before_is_not_made_again_for_anybody(
        self, signer: Signer, device: Device, authority: Authority
    ) -> None:
        seen = self.restored(signer, device)
        command("seq_floor", "raise", seen + 1000, "--reason", "The backup of Sunday was restored.")

        assert seq_of(signer.fetch(seq=seen)) > seen + 1000
        other = "00-90-33-01-0B-00"
        factories.make_device(project=device.project, hardware_id=other)
        newcomer = Signer.of(make_identity(authority, other, kind="P-256", now=NOW))
        assert seq_of(newcomer.fetch()) > seen + 1000
        assert not Alert.objects.exists()

    def test_a_number_beyond_all_measure_is_left_to_a_person(self, signer: Signer, device: Device) -> None:
        assert seq_of(signer.fetch(seq=2**53 - 1)) < 100

        assert Alert.objects.get().kind == Alert.Kind.SEQ_FAR_AHEAD


class TestWhoIsAnInsider:
    """Is a malicious insider.

    What stops it so far: the ledger is never written over, by whomever; whatever staff do has a reason and a
    name in the history; a key set needs both roots. Second persons come with the acts of support.
    """

    PAST_THE_OPERATIONS: dict[str, str] = {
        "a transfer made smaller": "UPDATE licenses_transfer SET quantity = 1",
        "a transfer gone": "DELETE FROM licenses_transfer",
        "the history another": "UPDATE core_auditentry SET event = 'nothing'",
        "the history gone": "DELETE FROM core_auditentry",
        "a balance raised": "UPDATE licenses_holding SET balance = balance + 100",
        "a grant gone": "DELETE FROM licenses_grant",
        "a document another": "UPDATE licenses_licensedocument SET payload = ''",
        "a log line gone": "DELETE FROM licenses_logline",
        "a key set another": "UPDATE licenses_keysetversion SET signed = ''",
    }

    @ON_POSTGRESQL
    @pytest.mark.parametrize("sql", PAST_THE_OPERATIONS.values(), ids=list(PAST_THE_OPERATIONS))
    def test_the_database_refuses_what_was_never_booked(
        self, signer: Signer, device: Device, sql: str
    ) -> None:
        signer.fetch()
        before = rows.everything()

        with pytest.raises(IntegrityError, match=REFUSED):
            run(f"{sql}; SET CONSTRAINTS ALL IMMEDIATE")

        assert rows.everything() == before

    @pytest.mark.parametrize(
        "words",
        [
            ("block", "device", "00-90-33-01-0A-FF"),
            ("block", "key", "ab" * 32),
            ("seq_floor", "raise", "7"),
            ("seq_floor", "device", "00-90-33-01-0A-FF", "7"),
        ],
        ids=" ".join,
    )
    def test_what_is_done_has_a_reason_and_is_in_the_history(
        self, device: Device, words: tuple[str, ...]
    ) -> None:
        before = rows.everything()
        for nothing in ((), ("--reason", ""), ("--reason", "  ")):
            with pytest.raises(CommandError):
                command(*words, *nothing)
        assert rows.everything() == before

        command(*words, "--reason", "Sergeant Colon found it in a pond.")

        entry = AuditEntry.objects.latest("pk")
        assert entry.facts["reason"] == "Sergeant Colon found it in a pond."
        assert entry.actor_name.startswith("command ")

    def test_one_of_the_two_roots_alone_makes_no_key_set(
        self, settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None
    ) -> None:
        monkeypatch.setenv("ROOT_KEYS_PASSPHRASE", "of the roots")
        settings.SIGNING_KEYS_DIR = tmp_path / "signing-keys"
        command("keys", "make-roots", tmp_path / "roots")
        command("keys", "publish", tmp_path / "roots")
        [_, second] = sorted((tmp_path / "roots").glob("*.pem"))
        second.rename(tmp_path / "in-somebody-elses-safe.pem")

        with pytest.raises(CommandError):
            command("keys", "rotate", tmp_path / "roots", "--reason", "Because I can.")

        assert KeySetVersion.objects.count() == 1

    @pytest.mark.parametrize("who", ["sam", "bob"])
    def test_staff_and_colleagues_hold_no_licenses_by_that(
        self, device: Device, project: Project, who: str, request: pytest.FixtureRequest
    ) -> None:
        insider: User = request.getfixturevalue(who)
        api, before = Api(insider), free(project)

        for path, body in (
            ("statements", {"statement": "x"}),
            ("assignments", {"product": "Port", "version": 14, "quantity": 1}),
        ):
            response = api.send("POST", f"devices/{device.hardware_id}/{path}", json.dumps(body).encode())
            assert response.status_code in (403, 404)

        assert free(project) == before

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE licenses_holding SET balance = balance + 100 WHERE balance = 8",
            "UPDATE licenses_transfer SET quantity = quantity + 1",
            "UPDATE licenses_grant SET quantity = 1000",
            "DELETE FROM licenses_grant",
            "DELETE FROM licenses_logline",
        ],
    )
    def test_books_that_were_changed_below_are_found(self, device: Device, sql: str) -> None:
        """By whoever has the database itself, and with it its triggers."""
        assert list(verification.violations()) == []
        with without_triggers(sql):
            assert list(verification.violations()) != []


class without_triggers:  # noqa: N801 - it reads like the function it is used as
    """Runs an UPDATE as somebody does who may switch triggers off; undone at the end."""

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def __enter__(self) -> None:
        self.before = transaction.savepoint()
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET session_replication_role = replica")
            cursor.execute(self.sql)

    def __exit__(self, *raised: object) -> None:
        transaction.savepoint_rollback(self.before)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = DEFAULT")

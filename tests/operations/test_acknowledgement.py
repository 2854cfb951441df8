"""What a device says is installed and in effect (trust.md 3), and what its numbers show about the portal."""

import hashlib
import itertools

import pytest
from django.conf import settings

from devices import payloads, seq_floors
from devices.models import Alert, Device, StatementCounter
from licenses import acknowledgement, delivery, documents, queries
from licenses.models import Acknowledged
from portal.core.models import AuditEntry
from tests.factories import NOW, assigned, caller, give_back, make_device
from tests.operations.bookkeeping import last_entry, latest, unchanged

pytestmark = pytest.mark.usefixtures("keyring")

MILLION = documents.LARGEST_SEQ_JUMP
_numbers = itertools.count(1)


def acknowledge(
    device: Device, installed: int, effective: int = 0, *, seq: int | None = None, ctr: int | None = None
) -> Acknowledged:
    """As its door hands it on once it is verified; `seq` is the highest ever installed."""
    number = next(_numbers)
    statement = payloads.Acknowledgement(
        hardware_id=device.hardware_id,
        aud=settings.PORTAL_ID,
        jti=f"{number:021d}A",
        seq=installed if seq is None else seq,
        ctr=number if ctr is None else ctr,
        installed_seq=installed,
        effective_seq=effective,
    )
    return acknowledgement.acknowledge(
        device=device,
        statement=statement,
        payload_sha256=hashlib.sha256(repr(statement).encode()).digest(),
        caller=caller(scope=f"device:{device.hardware_id}", key=statement.jti),
        now=NOW,
    )


def numbers(device: Device) -> tuple[int, int]:
    known = queries.acknowledged(device)
    return (known.installed_seq, known.effective_seq) if known else (0, 0)


def fetched(device: Device, *, seq_seen: int = 0) -> int:
    """The `seq` of the document the device gets."""
    bundle = delivery.fetch(
        device=device, seq_seen=seq_seen, have=None, key_set_held=None, caller=caller(), now=NOW
    )
    assert bundle is not None, "it has none yet"
    return bundle.seq


@pytest.fixture
def at_three(device: Device) -> Device:
    """A device whose current document is number 3."""
    for _ in range(3):
        assigned(device)
    return device


class TestWhatIsKnown:
    def test_it_is_what_the_device_says(self, at_three: Device) -> None:
        acknowledge(at_three, 3, 2)

        assert numbers(at_three) == (3, 2)
        assert last_entry().event == "device-acknowledged"
        assert (last_entry().facts["installed"], last_entry().facts["effective"]) == (3, 2)

    @pytest.mark.parametrize(
        ("installed", "effective", "known"),
        [(3, 3, (3, 3)), (2, 1, (3, 2)), (3, 0, (3, 2)), (0, 3, (3, 3)), (0, 0, (3, 2))],
    )
    def test_it_only_rises_each_number_for_itself(
        self, at_three: Device, installed: int, effective: int, known: tuple[int, int]
    ) -> None:
        acknowledge(at_three, 3, 2)

        acknowledge(at_three, installed, effective)

        assert numbers(at_three) == known

    def test_one_number_may_rise_while_the_other_is_an_older_one(self, at_three: Device) -> None:
        acknowledge(at_three, 2, 2)

        acknowledge(at_three, 3, 1)

        assert numbers(at_three) == (3, 2)

    def test_an_old_file_changes_nothing_but_is_counted(self, at_three: Device) -> None:
        acknowledge(at_three, 3, 3)
        entries = AuditEntry.objects.count()

        acknowledge(at_three, 2, 1, ctr=7_000)

        assert numbers(at_three) == (3, 3)
        assert AuditEntry.objects.count() == entries
        assert StatementCounter.objects.filter(ctr=7_000).count() == 1

    def test_files_in_the_wrong_order_come_to_the_same(self, at_three: Device) -> None:
        for number in (3, 1, 2):
            acknowledge(at_three, number, number)

        assert numbers(at_three) == (3, 3)
        assert AuditEntry.objects.filter(event="device-acknowledged").count() == 1

    def test_the_same_again_changes_nothing(self, at_three: Device) -> None:
        said = payloads.Acknowledgement(
            hardware_id=at_three.hardware_id,
            aud=settings.PORTAL_ID,
            jti="A" * 22,
            seq=3,
            ctr=1,
            installed_seq=3,
            effective_seq=3,
        )

        def again() -> None:
            acknowledgement.acknowledge(
                device=at_three, statement=said, payload_sha256=bytes(32), caller=caller(key="once"), now=NOW
            )

        again()
        with unchanged():
            again()

    def test_a_receipt_goes_along_until_then(self, device: Device) -> None:
        answer = give_back(device, assigned(device))
        acknowledge(device, answer.next_seq - 1, answer.next_seq - 1)
        assert b'"receipt"' in delivery.download(device=device, caller=caller(), now=NOW).content

        acknowledge(device, answer.next_seq, 0)

        assert b'"receipt"' not in delivery.download(device=device, caller=caller(), now=NOW).content


class TestANumberAboveThePortals:
    """It shows a portal that was rolled back: the device has seen documents that it does not know."""

    @pytest.mark.parametrize(
        ("installed", "seq"), [(50, 50), (50, 0), (0, 50)], ids=["both", "installed", "ever installed"]
    )
    def test_it_alerts_and_the_next_document_is_above_it(
        self, at_three: Device, installed: int, seq: int
    ) -> None:
        acknowledge(at_three, installed, 0, seq=seq)

        alert = Alert.objects.get()
        assert (alert.kind, alert.facts) == (Alert.Kind.SEQ_AHEAD, {"seq": 50, "ahead": 47})
        at_three.refresh_from_db()
        assert fetched(at_three) == 51
        assert assigned(at_three).first_seq == 52

    def test_a_change_gets_a_document_above_it_at_once(self, at_three: Device) -> None:
        acknowledge(at_three, 50)
        at_three.refresh_from_db()

        assert assigned(at_three).first_seq == 51

    def test_what_was_handed_out_before_is_replaced_at_the_next_fetch(self, at_three: Device) -> None:
        assert fetched(at_three) == 3
        acknowledge(at_three, 50)
        at_three.refresh_from_db()

        assert fetched(at_three, seq_seen=50) == 51

        assert len(latest(at_three).items) == 3

    def test_once_for_each_number(self, at_three: Device) -> None:
        acknowledge(at_three, 50)
        acknowledge(at_three, 50)
        assert Alert.objects.count() == 1

        acknowledge(at_three, 60)

        assert sorted(alert.facts["seq"] for alert in Alert.objects.all()) == [50, 60]

    @pytest.mark.parametrize("seen", [1, 3])
    def test_a_number_that_the_portal_knows_alerts_nobody(self, at_three: Device, seen: int) -> None:
        acknowledge(at_three, seen)

        assert not Alert.objects.exists()
        assert fetched(at_three) == 3

    def test_a_million_above_is_still_followed(self, at_three: Device) -> None:
        acknowledge(at_three, 3 + MILLION)

        assert Alert.objects.get().kind == Alert.Kind.SEQ_AHEAD
        at_three.refresh_from_db()
        assert fetched(at_three) == 4 + MILLION

    def test_more_than_that_is_left_to_a_person(self, at_three: Device) -> None:
        acknowledge(at_three, 4 + MILLION)

        assert Alert.objects.get().kind == Alert.Kind.SEQ_FAR_AHEAD
        at_three.refresh_from_db()
        assert (at_three.seq_floor, fetched(at_three)) == (0, 3)

        seq_floors.raise_device_seq(
            device=at_three, value=4 + MILLION, caller=caller(reason="the database was restored"), now=NOW
        )

        at_three.refresh_from_db()
        assert fetched(at_three) == 5 + MILLION

    def test_above_a_floor_that_was_raised_counts_from_there(self, at_three: Device) -> None:
        seq_floors.raise_seq_floor(value=1000, caller=caller(reason="the database was restored"), now=NOW)

        acknowledge(at_three, 900)

        assert not Alert.objects.exists()


class TestACounterTwice:
    def test_another_statement_under_its_number_alerts_and_is_taken(self, at_three: Device) -> None:
        acknowledge(at_three, 1, ctr=7)
        assert not Alert.objects.exists()

        acknowledge(at_three, 2, ctr=7)

        assert Alert.objects.get().kind == Alert.Kind.COUNTER_FORK
        assert numbers(at_three) == (2, 0)

    def test_a_lower_number_says_nothing(self, at_three: Device) -> None:
        acknowledge(at_three, 2, ctr=9)
        acknowledge(at_three, 1, ctr=7)

        assert not Alert.objects.exists()

    def test_another_device_counts_for_itself(self, at_three: Device, device: Device) -> None:
        other = make_device(project=device.project)
        acknowledge(at_three, 1, ctr=7)
        acknowledge(other, 0, ctr=7)

        assert not Alert.objects.exists()

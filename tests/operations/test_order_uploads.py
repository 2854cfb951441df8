"""Lists of orders: entered whole or not at all, exactly once, handed out once (mission rule 8)."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
import pyzipper
from django.db import connection

from accounts.models import User
from accounts.permissions import Role
from accounts.staff import RoleMissing
from licenses import fulfilment, verification
from licenses.issuing import WantedOrder
from licenses.models import ActivationKey, KeyDelivery, Order
from orders import order_sheet, upload_checks, uploads
from orders.models import OrderUpload
from orders.upload_checks import NoSuchUpload
from orders.uploads import (
    PassphraseNotOurs,
    ResultTaken,
    UploadHasProblems,
    UploadNotEntered,
)
from portal.core import (
    long_jobs,
    outbox,
    tasks,  # noqa: F401 - registers the worker's handlers
)
from portal.core.models import AuditEntry, LongJob
from tests.factories import NOW, caller, find_key, give_roles, make_key, make_user
from tests.operations.bookkeeping import refused, unchanged

pytestmark = pytest.mark.usefixtures("catalogue")

HEAD = "order;reference;customer;code;version;quantity;keys\n"


@pytest.fixture
def clerk() -> User:
    return make_user(name="Frank", is_staff=True, roles=[Role.FULFILMENT])


def table(count: int, *, start: int = 0) -> bytes:
    """Orders of one line each."""
    lines = (f"B-{number:06};PO {number};Example;Port;14;2;" for number in range(start, start + count))
    return (HEAD + "\n".join(lines)).encode()


def keep(content: bytes, user: User, **given: Any) -> OrderUpload:
    sheet = order_sheet.read(content)
    who = caller(user, **given)
    return upload_checks.keep_upload(sheet=sheet, name="list.csv", user=user, caller=who, now=NOW)


def confirm(upload: OrderUpload) -> OrderUpload:
    return uploads.confirm_upload(upload=upload, caller=caller(upload.made_by), now=NOW)


def take(upload: OrderUpload, *, now: Any = NOW) -> list[dict[str, str]]:
    """What is in the file, opened by its passphrase."""
    passphrase, who = uploads.new_passphrase(), caller(upload.made_by)
    parts = uploads.take_keys(upload=upload, passphrase=passphrase, caller=who, now=now)
    with pyzipper.AESZipFile(io.BytesIO(b"".join(parts))) as archive:
        archive.setpassword(passphrase.encode())
        return list(csv.DictReader(io.StringIO(archive.read("keys.csv").decode())))


def work_off() -> None:
    """Let the worker work until nothing is left to do now."""
    while outbox.work_off(clock=lambda: NOW):
        pass


class TestAShortList:
    def test_nothing_is_entered_until_it_is_confirmed(self, clerk: User) -> None:
        upload = keep(table(3), clerk)

        assert (upload.rows, upload.orders, upload.keys) == (3, 3, 3)
        assert not Order.objects.exists()
        confirm(upload)
        assert Order.objects.count() == 3
        assert list(verification.violations()) == []

    def test_confirmed_again_it_changes_nothing(self, clerk: User) -> None:
        upload = keep(table(3), clerk)
        confirm(upload)

        with unchanged():
            confirm(upload)

    def test_sent_again_it_is_the_same_list(self, clerk: User) -> None:
        upload = keep(table(3), clerk, key="once")

        with unchanged():
            assert keep(table(3), clerk, key="once") == upload

    def test_lines_below_each_other_are_one_order_and_keys_are_as_asked(self, clerk: User) -> None:
        content = HEAD + "A;;;Port;14;2;line\nA;;;UC;14;1;line\nB;;;Port;14;2;order\nB;;;UC;14;1;order\n"

        upload = confirm(keep(content.encode(), clerk))

        assert (upload.orders, upload.keys) == (2, 3)
        found = take(upload)
        assert [(row["order"], row["licenses"]) for row in found] == [
            ("A", "2 × Port 14"),
            ("A", "1 × UC 14"),
            ("B", "2 × Port 14, 1 × UC 14"),
        ]

    def test_of_a_list_with_a_problem_nothing_is_entered(self, clerk: User) -> None:
        upload = keep((HEAD + "A;;;Port;14;-2;\nB;;;Port;14;2;\n").encode(), clerk)

        with refused(UploadHasProblems, count=1):
            confirm(upload)
        assert not upload.chunks.exists()
        assert [(one.line, one.reason) for one in upload_checks.problems_of(upload)] == [(2, "quantity")]

    def test_an_order_that_was_taken_meanwhile_is_named_and_the_others_are_entered(self, clerk: User) -> None:
        upload = keep(table(3), clerk)
        code = make_key(number="B-000001")

        confirm(upload)

        assert uploads.refusals_of(upload) == [("B-000001", "order-number-taken")]
        assert [row["order"] for row in take(upload)] == ["B-000000", "B-000002"]
        assert find_key(code).order.number == "B-000001"


class TestTheFileOfKeys:
    def test_it_is_encrypted_and_each_key_is_one(self, clerk: User) -> None:
        upload = confirm(keep(table(3), clerk))
        passphrase = uploads.new_passphrase()

        parts = uploads.take_keys(upload=upload, passphrase=passphrase, caller=caller(clerk), now=NOW)
        into = io.BytesIO(b"".join(parts))

        with pyzipper.AESZipFile(into) as archive:
            assert [entry.flag_bits & 1 for entry in archive.infolist()] == [1]
            archive.setpassword(uploads.new_passphrase().encode())
            with pytest.raises(RuntimeError, match="password"):
                archive.read("keys.csv")
            archive.setpassword(passphrase.encode())
            rows = list(csv.DictReader(io.StringIO(archive.read("keys.csv").decode())))
        assert {find_key(row["key"]).order.number for row in rows} == {
            "B-000000",
            "B-000001",
            "B-000002",
        }
        assert rows[0]["key"].encode() not in into.getvalue()

    def test_it_is_handed_out_once_and_again_for_ten_minutes(self, clerk: User) -> None:
        upload = confirm(keep(table(1), clerk))
        first = take(upload)

        assert take(upload, now=NOW + timedelta(minutes=9)) == first
        with refused(ResultTaken):
            take(upload, now=NOW + timedelta(minutes=10))
        assert AuditEntry.objects.filter(event="order-upload-keys-taken").count() == 2

    def test_not_before_it_is_entered(self, clerk: User) -> None:
        upload = keep(table(1), clerk)

        with refused(UploadNotEntered):
            take(upload)

    @pytest.mark.parametrize("passphrase", ["", "secret", "AAAA-AAAA-AAAA-AAAA-AAAA-AAA1"])
    def test_nobody_makes_up_a_passphrase(self, clerk: User, passphrase: str) -> None:
        upload = confirm(keep(table(1), clerk))

        with refused(PassphraseNotOurs):
            uploads.take_keys(upload=upload, passphrase=passphrase, caller=caller(clerk), now=NOW)

    def test_it_is_for_whoever_ordered_it(self, clerk: User) -> None:
        upload = confirm(keep(table(1), clerk))
        other = make_user(name="Fiona", is_staff=True, roles=[Role.FULFILMENT])

        assert upload_checks.get_upload(upload.pk, user=clerk) == upload
        with refused(NoSuchUpload):
            upload_checks.get_upload(upload.pk, user=other)

    def test_once_delivery_is_confirmed_there_are_no_codes(self, clerk: User) -> None:
        upload = confirm(keep(table(3), clerk))
        uploads.confirm_delivery(upload=upload, caller=caller(clerk), now=NOW)

        assert not KeyDelivery.objects.exists()
        assert set(Order.objects.values_list("delivered_at", flat=True)) == {NOW}
        assert take(upload) == []
        with unchanged():
            uploads.confirm_delivery(upload=upload, caller=caller(clerk), now=NOW)

    def test_delivery_of_what_is_not_entered_is_not_confirmed(self, clerk: User) -> None:
        upload = keep(table(1), clerk)

        with refused(UploadNotEntered):
            uploads.confirm_delivery(upload=upload, caller=caller(clerk), now=NOW)

    def test_what_a_spreadsheet_would_run_is_written_as_text(self, clerk: User) -> None:
        upload = keep(table(1), clerk)
        chunk = upload.chunks.get()
        chunk.orders = [{**chunk.orders[0], "customer": "=cmd|' /C calc'!A0"}]
        chunk.save()

        assert take(confirm(upload))[0]["customer"] == "'=cmd|' /C calc'!A0"


class TestALongList:
    def test_it_is_entered_in_the_background(self, clerk: User) -> None:
        upload = confirm(keep(table(1201), clerk))
        assert upload.job is not None
        assert not Order.objects.exists()

        work_off()

        upload = upload_checks.get_upload(upload.pk, user=clerk)
        assert upload.job is not None
        assert (upload.job.state, upload.job.done, upload.job.slices) == ("done", 1201, 3)
        rows = take(upload)
        assert len({row["key"] for row in rows}) == len(rows) == ActivationKey.objects.count() == 1201
        with connection.cursor() as cursor:
            # Rows that were never committed are in no statistics; without them the plans take minutes.
            cursor.execute("ANALYZE")
        assert list(verification.violations()) == []

    def test_canceled_half_way_what_is_entered_is_handed_out(self, clerk: User) -> None:
        upload = confirm(keep(table(1201), clerk))
        outbox.work_off(clock=lambda: NOW, limit=1)
        with refused(UploadNotEntered):
            take(upload_checks.get_upload(upload.pk, user=clerk))

        long_jobs.cancel(job=LongJob.objects.get(), now=NOW)
        work_off()

        assert len(take(upload_checks.get_upload(upload.pk, user=clerk))) == Order.objects.count() == 500

    def test_whoever_lost_the_right_enters_nothing_more(self, clerk: User) -> None:
        confirm(keep(table(600), clerk))
        give_roles(clerk, Role.AUDITOR)

        work_off()

        assert LongJob.objects.get().state == "failed"
        assert not Order.objects.exists()


class TestWhoMay:
    def test_only_fulfilment(self, clerk: User) -> None:
        supporter = make_user(name="Sue", is_staff=True)
        upload = confirm(keep(table(1), clerk))
        who, passphrase = caller(supporter), uploads.new_passphrase()

        with refused(RoleMissing):
            keep(table(1, start=9), supporter)
        with refused(RoleMissing):
            uploads.confirm_upload(upload=upload, caller=who, now=NOW)
        with refused(RoleMissing):
            uploads.confirm_delivery(upload=upload, caller=who, now=NOW)
        with refused(RoleMissing):
            uploads.take_keys(upload=upload, passphrase=passphrase, caller=who, now=NOW)

    def test_an_order_of_a_list_is_the_same_as_one_that_is_posted(self, clerk: User) -> None:
        upload = confirm(keep(table(1), clerk))
        [row] = take(upload)
        wanted = order_sheet.read(table(1, start=5)).orders[0]

        posted = fulfilment.place_order(
            order=WantedOrder(number="B-000000", reference="PO 0", customer="Example", lines=wanted.lines),
            caller=caller(clerk),
            now=NOW,
        )

        assert (posted.is_new, posted.keys[0].code) == (False, row["key"])

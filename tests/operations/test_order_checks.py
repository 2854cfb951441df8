"""Lists of orders that are checked in the background, line by line (orders.upload_checks)."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.conf import LazySettings

from accounts.models import User
from accounts.permissions import Role
from accounts.staff import RoleMissing
from licenses.models import Order
from orders import order_sheet, tasks, upload_checks, uploads
from orders.models import OrderUpload, OrderUploadChunk, OrderUploadPiece, OrderUploadProblem
from orders.order_sheet import MOST_SHORT, OrderSheetUnreadable
from orders.upload_checks import NoSuchUpload
from orders.uploads import UploadNotChecked
from portal.core import (
    long_jobs,
    outbox,
)
from portal.core import (
    tasks as core_tasks,  # noqa: F401 - registers the worker's handlers
)
from portal.core.models import LongJob
from tests.factories import NOW, caller, give_roles, make_key, make_user
from tests.operations.bookkeeping import refused, unchanged

pytestmark = pytest.mark.usefixtures("catalogue")

HEAD = "order;code;version;quantity\n"


@pytest.fixture
def clerk() -> User:
    return make_user(name="Frank", is_staff=True, roles=[Role.FULFILMENT])


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a list of hundreds is worked off in several slices."""
    monkeypatch.setattr(upload_checks, "LINES_A_SLICE", 200)
    monkeypatch.setattr(upload_checks, "CHUNK", 150)


def table(*lines: str, good: int = MOST_SHORT) -> bytes:
    """So many orders of one line that are right, then these lines."""
    right = [f"B-{number:04};Port;14;2" for number in range(good)]
    return (HEAD + "\n".join([*right, *lines])).encode()


def keep(content: bytes, user: User, key: str | None = None) -> OrderUpload:
    who = caller(user, key=key)
    return upload_checks.keep_file(content=content, name="list.csv", user=user, caller=who, now=NOW)


def work_off() -> None:
    while outbox.work_off(clock=lambda: NOW):
        pass


def checked(content: bytes, user: User) -> OrderUpload:
    """A list that the worker has checked to its end."""
    upload = keep(content, user)
    assert (upload.checked_at, upload_checks.state_of(upload)) == (None, "checking")
    work_off()
    return upload_checks.get_upload(upload.pk, user=user)


def confirm(upload: OrderUpload) -> OrderUpload:
    return uploads.confirm_upload(upload=upload, caller=caller(upload.made_by), now=NOW)


def faults(upload: OrderUpload) -> list[tuple[int, str]]:
    return [(one.line, one.reason) for one in upload_checks.problems_of(upload)]


class TestALongList:
    def test_it_is_kept_at_once_and_checked_in_slices(self, clerk: User) -> None:
        upload = keep(table("LAST;Port;14;2", "LAST;UC;14;1"), clerk)
        assert (upload.rows, upload.checking.total) == (0, 503)  # type: ignore[union-attr]
        with refused(UploadNotChecked):
            confirm(upload)

        outbox.work_off(clock=lambda: NOW, limit=1)
        job = LongJob.objects.get()
        assert (job.total, job.done, job.state) == (502, 0, "running")
        outbox.work_off(clock=lambda: NOW, limit=1)
        assert LongJob.objects.get().done == 200
        work_off()

        upload = upload_checks.get_upload(upload.pk, user=clerk)
        assert (upload.rows, upload.orders, upload.keys, upload.problems) == (502, 501, 501, 0)
        assert (upload.checked_at, upload_checks.state_of(upload)) == (NOW, "right")
        assert not OrderUploadPiece.objects.exists()
        assert not Order.objects.exists()
        confirm(upload)
        work_off()
        assert Order.objects.count() == 501
        assert Order.objects.get(number="LAST").activation_keys.count() == 1

    def test_it_is_found_wrong_as_a_short_one_is(self, clerk: User) -> None:
        make_key(number="B-0300")
        wrong = ("X;Nothing;14;1", "Y;Port;14;-1", "B-0007;UC;14;1", "Z;Port;14;1", "Z;=1;14;1", "Z;Port;x;1")
        content = table(*wrong)

        upload = checked(content, clerk)

        expected = [(problem.line, problem.reason) for problem in order_sheet.read(content).problems]
        assert expected == [
            (302, "taken"),
            (502, "product"),
            (503, "quantity"),
            (504, "again"),
            (506, "formula"),
            (507, "version"),
        ]
        assert faults(upload) == expected
        assert (upload.problems, upload_checks.state_of(upload)) == (6, "wrong")
        assert not OrderUploadChunk.objects.exists()

    @pytest.mark.parametrize("lines", [150, 200, 201, 450])
    def test_an_order_is_not_cut_between_two_slices(self, clerk: User, lines: int) -> None:
        one = ["LONG;Port;14;1"] * lines

        upload = checked(table(*one, "LAST;Port;14;1", good=350), clerk)

        if lines <= 200:
            assert (upload.problems, upload.orders) == (0, 352)
            longest = [len(order["lines"]) for chunk in upload.chunks.all() for order in chunk.orders]
            assert max(longest) == lines
        else:
            wrong = [(352 + line, "too-many-lines") for line in range(200, lines)]
            assert faults(upload) == wrong

    def test_what_is_no_list_says_so_with_its_line(self, clerk: User) -> None:
        upload = checked(table(f"A;{'x' * 1001};14;1", good=600), clerk)

        refusal = upload_checks.unreadable_of(upload)
        assert refusal is not None
        assert (refusal.code, refusal.facts["line"]) == ("order-sheet-unreadable", 602)
        assert (upload_checks.state_of(upload), LongJob.objects.get().state) == ("wrong", "done")
        assert not OrderUploadPiece.objects.exists()

    def test_one_line_too_many_is_told(self, clerk: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(order_sheet.lines, "__kwdefaults__", {"most": 600, "unpacked": None})

        assert checked(table(good=600), clerk).rows == 600
        assert upload_checks.unreadable_of(checked(table(good=601), clerk)) is not None

    def test_a_small_file_that_unpacks_to_much_is_not_unpacked_in_the_request(self, clerk: User) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/worksheets/sheet1.xml", b"<worksheet>" + b" " * 30_000_000)
        assert len(out.getvalue()) < order_sheet.LARGEST_SHORT

        upload = checked(out.getvalue(), clerk)

        assert upload_checks.state_of(upload) == "wrong"

    def test_a_file_that_is_too_large_is_refused_at_once(self, clerk: User) -> None:
        with refused(OrderSheetUnreadable):
            keep(b"x" * 20_000_001, clerk)

    def test_sent_again_it_is_the_same_list(self, clerk: User) -> None:
        upload = keep(table("A;Port;14;1"), clerk, key="once")

        with unchanged():
            assert keep(table("A;Port;14;1"), clerk, key="once") == upload

    def test_it_is_kept_for_whoever_may_enter_orders(self, clerk: User) -> None:
        supporter = make_user(name="Sue", is_staff=True)
        with refused(RoleMissing):
            keep(table("A;Port;14;1"), supporter)
        upload = keep(table("A;Port;14;1"), clerk)
        give_roles(clerk, Role.AUDITOR)

        work_off()

        upload = upload_checks.get_upload(upload.pk, user=clerk)
        assert (LongJob.objects.get().state, upload_checks.state_of(upload)) == ("failed", "stopped")

    def test_a_check_that_was_canceled_is_no_check(self, clerk: User) -> None:
        upload = keep(table("A;Port;14;1"), clerk)
        outbox.work_off(clock=lambda: NOW, limit=2)
        long_jobs.cancel(job=LongJob.objects.get(), now=NOW)
        work_off()

        upload = upload_checks.get_upload(upload.pk, user=clerk)
        assert upload_checks.state_of(upload) == "stopped"
        with refused(UploadNotChecked):
            confirm(upload)


class TestTidying:
    def test_what_nobody_confirmed_is_erased_after_seven_days(self, clerk: User) -> None:
        wrong, right = checked(table("A;Port;14;-1"), clerk), checked(table("A;Port;14;1"), clerk)
        stopped = keep(table("B;Port;14;1"), clerk)
        for job in LongJob.objects.filter(state="waiting"):
            long_jobs.cancel(job=job, now=NOW)
        until = NOW + timedelta(days=7)
        assert {upload_checks.kept_until(upload) for upload in (wrong, right, stopped)} == {until}

        tasks.tidy_order_uploads(now=until - timedelta(seconds=1))
        assert OrderUpload.objects.count() == 3
        tasks.tidy_order_uploads(now=until)

        for table_of in (OrderUpload, OrderUploadChunk, OrderUploadPiece, OrderUploadProblem):
            assert not table_of._default_manager.exists()
        with refused(NoSuchUpload):
            confirm(right)

    def test_what_was_entered_is_erased_after_thirty_and_its_orders_stay(self, clerk: User) -> None:
        upload = confirm(keep(table(good=2), clerk))
        assert upload_checks.kept_until(upload) == NOW + timedelta(days=30)

        tasks.tidy_order_uploads(now=NOW + timedelta(days=30) - timedelta(seconds=1))
        assert OrderUploadChunk.objects.exists()
        tasks.tidy_order_uploads(now=NOW + timedelta(days=30))

        assert not OrderUpload.objects.exists()
        assert Order.objects.count() == 2

    def test_what_is_still_worked_on_stays(self, clerk: User) -> None:
        keep(table("A;Port;14;1"), clerk)
        entering = confirm(checked_later(clerk))

        tasks.tidy_order_uploads(now=NOW + timedelta(days=31))

        assert OrderUpload.objects.count() == 2
        assert upload_checks.state_of(upload_checks.get_upload(entering.pk, user=clerk)) == "entering"

    def test_a_job_that_goes_on_when_its_list_is_gone_says_so(self, clerk: User) -> None:
        upload = keep(table("A;Port;14;1"), clerk)
        upload.delete()

        work_off()

        job = LongJob.objects.get()
        assert (job.state, job.refusal) == ("failed", "no-such-upload")

    def test_entered_lists_whose_job_is_erased_are_still_handed_out(
        self, clerk: User, settings: LazySettings
    ) -> None:
        upload = confirm(checked_later(clerk))
        work_off()
        long_jobs.tidy(now=NOW + long_jobs.KEPT)

        upload = upload_checks.get_upload(upload.pk, user=clerk)
        assert (upload.job, uploads.is_entered(upload), upload_checks.state_of(upload)) == (
            None,
            True,
            "entered",
        )


def checked_later(clerk: User) -> OrderUpload:
    """A long list that is found right, whatever else waits for the worker."""
    content = "".join(f"C-{number:04};Port;14;2\n" for number in range(MOST_SHORT + 1))
    sheet = order_sheet.read((HEAD + content).encode())
    return upload_checks.keep_upload(sheet=sheet, name="c", user=clerk, caller=caller(clerk), now=NOW)

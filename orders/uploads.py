"""Lists of orders that were checked: confirmed, entered, handed out once (mission rule 8).

Up to 500 lines are entered at once when they are confirmed; more are a long job (portal.core.long_jobs),
chunk by chunk. An order is named by its number, so a chunk that is done again makes nothing twice.
"""

import csv
import io
import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyzipper
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.permissions import Permission
from licenses import issuing, order_queries
from licenses.issuing import OrderLine, PlacedOrder, WantedOrder
from licenses.models import KeyDelivery, Order
from orders.models import OrderUpload, OrderUploadChunk
from orders.upload_checks import NoSuchUpload, may_enter, upload_of
from portal.core import audit, long_jobs
from portal.core.acts import Caller
from portal.core.errors import Conflict, DomainError
from portal.core.long_job_kinds import Slice, kind
from portal.core.models import LongJob
from portal.core.spreadsheets import harmless

AT_ONCE = 500
"""Lines that are entered when they are confirmed, without a job."""
TAKEN_AGAIN = timedelta(minutes=10)
PASSPHRASE = re.compile(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){5}")
KIND = "enter-orders"


class UploadHasProblems(Conflict):
    code = "upload-has-problems"
    title = _("The list has %(count)s lines that cannot be entered.")
    why = _("Entered in part, a list would leave it to memory which of its orders are there.")
    way_out = _("Correct the lines named below and upload the list again. Nothing was entered.")
    source = "mission rule 8"


class UploadNotChecked(Conflict):
    code = "upload-not-checked"
    title = _("This list is not checked to its end.")
    why = _("Nothing is entered of a list before every line of it was found right.")
    way_out = _("Wait for the end of the check. If it was canceled or failed, upload the list again.")
    source = "mission rule 8"


class UploadNotEntered(Conflict):
    code = "upload-not-entered"
    title = _("This list is not entered yet.")
    why = _("Its keys can be handed out only when they are there.")
    way_out = _("Confirm it, or wait for its end.")
    source = "mission rule 8"


class ResultTaken(Conflict):
    code = "result-taken"
    title = _("The keys of this list were downloaded already.")
    why = _(
        "A list of keys is worth what all of them are. It is handed out once, to whoever ordered it, so that "
        "nobody finds it lying around."
    )
    way_out = _("The page of each order shows its keys until their delivery is confirmed.")
    source = "mission rule 8"


class PassphraseNotOurs(Conflict):
    code = "passphrase-not-ours"
    title = _("This is not a passphrase that the page made.")
    why = _("The file is as safe as its passphrase, and those that people think of are guessed.")
    way_out = _("Load the page again: it makes a new one.")


@transaction.atomic(durable=True)
def confirm_upload(*, upload: OrderUpload, caller: Caller, now: datetime) -> OrderUpload:
    """Enter the orders of a list: a short one at once, a long one in the background. Again changes nothing.

    :raises RoleMissing: a person calls who has no right to.
    :raises UploadNotChecked: it is still being checked, or the check was given up.
    :raises UploadHasProblems: a line cannot be entered, or the file is no list. Fact `count`.
    :raises NoSuchUpload: it was tidied up meanwhile.
    """
    staff.require(Permission.ORDERS, user_id=caller.user_id)
    locked = _lock(upload)
    if locked.confirmed_at is not None:
        return locked
    if locked.checked_at is None:
        raise UploadNotChecked
    if locked.problems or locked.unreadable:
        raise UploadHasProblems(count=max(locked.problems, 1))
    locked.confirmed_at = now
    if locked.rows <= AT_ONCE:
        for chunk in locked.chunks.order_by("position"):
            _enter(chunk, caller=caller, now=now)
    else:
        locked.job = long_jobs.ask(
            KIND,
            total=locked.orders,
            result="",
            content_type="",
            caller=caller,
            now=now,
            upload=str(locked.pk),
        )
    locked.save(update_fields=["confirmed_at", "job"])
    audit.record(
        "order-upload-confirmed", caller=caller, now=now, upload=str(locked.pk), orders=locked.orders
    )
    return locked


@kind(KIND, label=_("Orders entered"), may=may_enter)
def enter_slice(job: LongJob, *, now: datetime) -> Slice:
    """Enter the next chunk of a list."""
    upload = upload_of(job)
    waiting = upload.chunks.filter(refusals__isnull=True).order_by("position")
    chunk = waiting.first()
    if chunk is None:
        return Slice(rows=0, over=True)
    owner = job.owner
    assert owner is not None, "held by the kind"
    caller = Caller(scope="uploads", key=str(upload.pk), name=owner.get_full_name(), user_id=owner.pk)
    _enter(chunk, caller=caller, now=now)
    return Slice(rows=len(chunk.orders), over=not waiting.exists())


@transaction.atomic(durable=True)
def confirm_delivery(*, upload: OrderUpload, caller: Caller, now: datetime) -> None:
    """Forget all codes of a list: the customers have them. Again changes nothing.

    :raises RoleMissing: a person calls who has no right to.
    :raises UploadNotEntered: it is not entered, or not to its end.
    """
    staff.require(Permission.ORDERS, user_id=caller.user_id)
    locked = _lock(upload)
    if locked.delivered_at is not None:
        return
    _require_entered(locked)
    for chunk in locked.chunks.order_by("position").iterator(1):
        orders = Order.objects.filter(number__in=_numbers(chunk), canceled_by=None, delivered_at=None)
        KeyDelivery.objects.filter(activation_key__order__in=orders).delete()
        orders.update(delivered_at=now)
    locked.delivered_at = now
    locked.save(update_fields=["delivered_at"])
    audit.record("order-upload-delivered", caller=caller, now=now, upload=str(locked.pk))


def new_passphrase() -> str:
    """Six groups of four characters, 120 random bits: nobody has to think of one."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    text = "".join(secrets.choice(letters) for _character in range(24))
    return "-".join(text[start : start + 4] for start in range(0, 24, 4))


def take_keys(*, upload: OrderUpload, passphrase: str, caller: Caller, now: datetime) -> Iterator[bytes]:
    """The keys of a list as a file, part by part: a ZIP with one CSV, encrypted with AES-256. Once; and once
    more within ten minutes, since the first answer may have been lost on its way.

    The parts come as they are made: of 100,000 keys the first are on their way while the last are still read.

    :raises RoleMissing: a person calls who has no right to.
    :raises PassphraseNotOurs: the passphrase is none of `new_passphrase`.
    :raises UploadNotEntered: there is nothing in it yet.
    :raises ResultTaken: it was taken.
    """
    staff.require(Permission.ORDERS, user_id=caller.user_id)
    if not PASSPHRASE.fullmatch(passphrase):
        raise PassphraseNotOurs
    with transaction.atomic(durable=True):
        locked = _lock(upload)
        _require_entered(locked)
        if locked.taken_at is not None and now >= locked.taken_at + TAKEN_AGAIN:
            raise ResultTaken
        if locked.taken_at is None:
            locked.taken_at = now
            locked.save(update_fields=["taken_at"])
        audit.record("order-upload-keys-taken", caller=caller, now=now, upload=str(locked.pk))
    return _zipped(locked, passphrase)


class _Parts(list[bytes]):
    """What the ZIP has written and nobody has taken yet."""

    def write(self, part: bytes) -> int:
        self.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing waits here."""


def _zipped(upload: OrderUpload, passphrase: str) -> Iterator[bytes]:
    into = _Parts()
    with pyzipper.AESZipFile(
        into, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES
    ) as archive:
        archive.setpassword(passphrase.encode())
        with archive.open("keys.csv", "w") as entry:
            for part in _csv_of(upload):
                entry.write(part)
                yield b"".join(into)
                into.clear()
    yield b"".join(into)


def refusals_of(upload: OrderUpload) -> list[tuple[str, str]]:
    """Orders that somebody else entered between check and confirmation: number and code of the refusal."""
    chunks = upload.chunks.filter(refusals__isnull=False).exclude(refusals=[]).order_by("position")
    return [(number, code) for chunk in chunks for number, code in chunk.refusals or ()]


def is_entered(upload: OrderUpload) -> bool:
    """Whether nothing more of the list will be entered: it is done, or the job was cancelled or failed."""
    if upload.confirmed_at is None:
        return False
    if not upload.chunks.filter(refusals__isnull=True).exists():
        return True
    # A job is erased seven days after its end.
    return upload.job is None or upload.job.state not in long_jobs.OPEN


def _lock(upload: OrderUpload) -> OrderUpload:
    found = OrderUpload.objects.select_for_update(of=("self",), no_key=True).filter(pk=upload.pk).first()
    if found is None:
        raise NoSuchUpload
    return found


def _require_entered(upload: OrderUpload) -> None:
    if not is_entered(upload):
        raise UploadNotEntered


def _enter(chunk: OrderUploadChunk, *, caller: Caller, now: datetime) -> None:
    wanted = [_order(given) for given in chunk.orders]
    answers = issuing.issue_all(wanted=wanted, caller=caller, now=now)
    chunk.refusals = [
        [order.number, answer.code]
        for order, answer in zip(wanted, answers, strict=True)
        if isinstance(answer, DomainError)
    ]
    chunk.save(update_fields=["refusals"])


def _order(given: dict[str, Any]) -> WantedOrder:
    return WantedOrder(**{**given, "lines": tuple(OrderLine(**line) for line in given["lines"])})


def _numbers(chunk: OrderUploadChunk) -> list[str]:
    """The orders of a chunk that are the list's: not those that others entered."""
    refused = {number for number, _code in chunk.refusals or []}
    return [one["number"] for one in chunk.orders if one["number"] not in refused]


def _csv_of(upload: OrderUpload) -> Iterator[bytes]:
    yield _lines([("order", "account", "reference", "customer", "key", "licenses")])
    for chunk in upload.chunks.filter(refusals__isnull=False).order_by("position").iterator(1):
        placed = issuing.placed_orders(_numbers(chunk))
        holds = order_queries.lines_of_keys(
            [key.activation_key for one in placed.values() for key in one.keys]
        )
        yield _lines(row for number in _numbers(chunk) for row in _rows(placed[number], holds))


def _rows(placed: PlacedOrder, holds: dict[int, list[str]]) -> Iterator[Sequence[str]]:
    order = placed.order
    account = order.account.number if order.account else ""
    for key in placed.keys:
        if key.code is not None:
            what = ", ".join(holds.get(key.activation_key.pk, []))
            yield (order.number, account, order.reference, order.customer, key.code, what)


def _lines(rows: Any) -> bytes:
    text = io.StringIO()
    # What a spreadsheet would run as a formula came in by other doors.
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()

"""Lists of orders on their way in: kept as a file, read, and checked line by line; nothing is entered here.

A short list is checked when it comes. A longer one is a long job (portal.core.long_jobs): its first slice
reads the file into lines, each further one checks 5,000 of them. So a request never takes longer than its
upload, and a worker that dies costs one slice.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.models import User
from accounts.permissions import Permission
from licenses.issuing import MOST_LINES, WantedOrder
from orders import order_sheet
from orders.models import OrderUpload, OrderUploadChunk, OrderUploadPiece, OrderUploadProblem
from orders.order_sheet import LARGEST_SHORT, MOST_ROWS, Line, OrderSheetUnreadable, Sheet
from orders.tables import LARGEST_FILE, UnreadableTable
from portal.core import acts, long_jobs
from portal.core.acts import Caller
from portal.core.errors import UNSEEN, NotFound
from portal.core.long_job_kinds import Slice, kind
from portal.core.models import LongJob

CHUNK = 500
"""Orders that one transaction enters."""
LINES_A_SLICE = 5_000
PIECE = 1_000_000
"""Bytes of a file in one row."""
UNCONFIRMED_KEPT = timedelta(days=7)
CONFIRMED_KEPT = timedelta(days=30)
KIND = "check-orders"


class NoSuchUpload(NotFound):
    code = "no-such-upload"
    title = _("There is no such list of orders, or it is not yours.")
    why = UNSEEN
    way_out = _(
        "Open the page for uploading: it shows the lists of yours that are kept. One that nobody confirmed "
        "is erased after seven days, any other after thirty; the orders of it stay."
    )


def keep_file(*, content: bytes, name: str, user: User, caller: Caller, now: datetime) -> OrderUpload:
    """Keep a file of orders; a short one is checked at once, a longer one in the background.

    :raises RoleMissing: the user has no right to.
    :raises OrderSheetUnreadable: a short one is no list of orders at all, or a long one is too large.
    """
    staff.require(Permission.ORDERS, user_id=user.pk)
    if len(content) > LARGEST_FILE:
        raise order_sheet.unreadable("too-large", 0)
    if len(content) <= LARGEST_SHORT:
        try:
            sheet = order_sheet.read(content, short=True)
        except UnreadableTable:
            pass  # it is longer than it looks
        else:
            return keep_upload(sheet=sheet, name=name, user=user, caller=caller, now=now)
    return _keep_unchecked(content=content, name=name, user=user, caller=caller, now=now)


@transaction.atomic(durable=True)
def keep_upload(*, sheet: Sheet, name: str, user: User, caller: Caller, now: datetime) -> OrderUpload:
    """Keep a list that was read and checked; if nothing is wrong with it, until it is confirmed.

    :raises RoleMissing: the user has no right to.
    """
    staff.require(Permission.ORDERS, user_id=user.pk)
    orders = acts.call_id("", caller, {"o": [order.given() for order in sheet.orders]})
    act = acts.begin(
        operation="keep-upload",
        caller=caller,
        given={"name": name, "rows": sheet.rows, "problems": len(sheet.problems), "orders": orders},
        now=now,
    )
    if act.outcome is not None:
        return OrderUpload.objects.get(pk=act.outcome["upload"])
    upload = OrderUpload.objects.create(
        made_by=user,
        made_at=now,
        name=_plain(name),
        rows=sheet.rows,
        orders=len(sheet.orders),
        keys=sheet.keys,
        problems=len(sheet.problems),
        checked_at=now,
    )
    if sheet.problems:
        _write_problems(upload, sheet)
    else:
        _write_chunks(upload, sheet.orders, start=0)
    acts.finish(act, outcome={"upload": str(upload.pk)})
    return upload


@transaction.atomic(durable=True)
def _keep_unchecked(*, content: bytes, name: str, user: User, caller: Caller, now: datetime) -> OrderUpload:
    given = {"name": name, "sha256": hashlib.sha256(content).hexdigest()}
    act = acts.begin(operation="keep-order-file", caller=caller, given=given, now=now)
    if act.outcome is not None:
        return OrderUpload.objects.get(pk=act.outcome["upload"])
    upload = OrderUpload.objects.create(
        made_by=user, made_at=now, name=_plain(name), rows=0, orders=0, keys=0
    )
    OrderUploadPiece.objects.bulk_create(
        (
            OrderUploadPiece(upload=upload, position=position, content=content[start : start + PIECE])
            for position, start in enumerate(range(0, len(content), PIECE))
        ),
        batch_size=1,
    )
    upload.checking = long_jobs.ask(
        KIND,
        total=_guessed_rows(content),
        result="",
        content_type="",
        caller=caller,
        now=now,
        upload=str(upload.pk),
    )
    upload.save(update_fields=["checking"])
    acts.finish(act, outcome={"upload": str(upload.pk)})
    return upload


def _guessed_rows(content: bytes) -> int:
    """What the bar shows until the file is read: of a CSV about as many as there are, else the most."""
    return min(content.count(b"\n") + 1, MOST_ROWS) if not content.startswith(b"PK") else MOST_ROWS


def may_enter(job: LongJob) -> bool:
    """Whether whoever asked for the job still has the right to enter orders."""
    return job.owner is not None and Permission.ORDERS in staff.permissions_of(job.owner)


def upload_of(job: LongJob) -> OrderUpload:
    """The list that a job works on.

    :raises NoSuchUpload: it was tidied up.
    """
    found = OrderUpload.objects.filter(pk=job.arguments["upload"]).first()
    if found is None:
        raise NoSuchUpload
    return found


@kind(KIND, label=_("Lines checked"), may=may_enter)
def check_slice(job: LongJob, *, now: datetime) -> Slice:
    """Read the file of a list into lines, or check the next of them."""
    upload = upload_of(job)
    if "chunks" not in job.rest:
        return _read(upload, job, now=now)
    piece = upload.pieces.order_by("position").first()
    assert piece is not None, "the last piece ends the job"
    sheet = order_sheet.check(_unpacked(bytes(piece.content)))
    piece.delete()
    upload.orders += len(sheet.orders)
    upload.keys += sheet.keys
    upload.problems += len(sheet.problems)
    _write_problems(upload, sheet)
    chunks = int(job.rest["chunks"])
    if not upload.problems:
        chunks += _write_chunks(upload, sheet.orders, start=chunks)
    over = not upload.pieces.exists()
    if over:
        _end(upload, now=now)
    upload.save()
    return Slice(rows=sheet.rows, over=over, rest={"chunks": chunks})


def _read(upload: OrderUpload, job: LongJob, *, now: datetime) -> Slice:
    """The first slice: the bytes of the file become pieces of lines. Only now is known how many there are."""
    pieces = upload.pieces.order_by("position")
    content = b"".join(bytes(piece.content) for piece in pieces)
    pieces.delete()
    try:
        for position, lines in enumerate(_parted(order_sheet.lines(content))):
            upload.rows += len(lines)
            OrderUploadPiece.objects.create(upload=upload, position=position, content=_packed(lines))
    except UnreadableTable as error:
        upload.unreadable, upload.unreadable_line = error.reason, error.line
        upload.rows = job.total = 0
        _end(upload, now=now)
        upload.save()
        return Slice(rows=0, over=True)
    job.total = upload.rows
    upload.save(update_fields=["rows"])
    return Slice(rows=0, over=False, rest={"chunks": 0})


def _end(upload: OrderUpload, *, now: datetime) -> None:
    upload.checked_at = now
    upload.pieces.all().delete()
    if upload.problems:
        upload.chunks.all().delete()


def _parted(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines in parts of some thousand, cut between two orders; within one only if it has too many lines."""
    part: list[Line] = []
    for line in lines:
        between = not part or part[-1].cells[0] != line.cells[0]
        if len(part) >= LINES_A_SLICE + (0 if between else MOST_LINES):
            yield part
            part = []
        part.append(line)
    yield part


def _packed(lines: Sequence[Line]) -> bytes:
    text = json.dumps([(line.line, line.cells, line.place, line.plain) for line in lines])
    return gzip.compress(text.encode(), compresslevel=1)


def _unpacked(content: bytes) -> list[Line]:
    return [
        Line(line=line, cells=tuple(cells), place=place, plain=plain)
        for line, cells, place, plain in json.loads(gzip.decompress(content))
    ]


def _write_chunks(upload: OrderUpload, orders: Sequence[WantedOrder], *, start: int) -> int:
    """Keep orders to be entered, from chunk `start` on. Says how many chunks they are."""
    chunks = [
        OrderUploadChunk(
            upload=upload,
            position=start + number,
            orders=[asdict(order) for order in orders[first : first + CHUNK]],
        )
        for number, first in enumerate(range(0, len(orders), CHUNK))
    ]
    OrderUploadChunk.objects.bulk_create(chunks)
    return len(chunks)


def _write_problems(upload: OrderUpload, sheet: Sheet) -> None:
    OrderUploadProblem.objects.bulk_create(
        OrderUploadProblem(upload=upload, **asdict(problem)) for problem in sheet.problems
    )


def problems_of(upload: OrderUpload) -> QuerySet[OrderUploadProblem]:
    """All that is wrong with a list, by line."""
    return upload.faults.order_by("line", "pk")


def unreadable_of(upload: OrderUpload) -> OrderSheetUnreadable | None:
    """Why a list that was checked in the background is no list at all; None if it is one."""
    if not upload.unreadable:
        return None
    return order_sheet.unreadable(upload.unreadable, upload.unreadable_line)


def kept_until(upload: OrderUpload) -> datetime:
    """When a list is erased: seven days after it came if nobody confirmed it, else thirty days after that."""
    if upload.confirmed_at is None:
        return upload.made_at + UNCONFIRMED_KEPT
    return upload.confirmed_at + CONFIRMED_KEPT


@transaction.atomic(durable=True)
def tidy_uploads(*, now: datetime) -> int:
    """Erase the lists whose days are over, with their files, lines and problems, and say how many. Orders
    stay, and their keys are handed out as ever."""
    unconfirmed = OrderUpload.objects.filter(confirmed_at=None, made_at__lte=now - UNCONFIRMED_KEPT)
    confirmed = OrderUpload.objects.filter(confirmed_at__lte=now - CONFIRMED_KEPT)
    found = [
        # One that is being checked or entered stays until that has an end.
        *unconfirmed.exclude(checking__state__in=long_jobs.OPEN).values_list("pk", flat=True),
        *confirmed.exclude(job__state__in=long_jobs.OPEN).values_list("pk", flat=True),
    ]
    # Whoever confirms one at the same moment comes wholly before, and it stays, or finds nothing.
    held = OrderUpload.objects.select_for_update(of=("self",)).filter(pk__in=found).order_by("pk")
    over = [upload for upload in held if kept_until(upload) <= now]
    OrderUpload.objects.filter(pk__in=[upload.pk for upload in over]).delete()
    return len(over)


def _plain(name: str) -> str:
    return re.sub(r"[^\w. -]", "", name)[-100:]


def get_upload(upload_id: Any, *, user: User) -> OrderUpload:
    """A list that somebody uploaded, for them alone.

    :raises NoSuchUpload: there is none, or it is another's.
    """
    found = OrderUpload.objects.select_related("job", "checking").filter(pk=upload_id, made_by=user).first()
    if found is None:
        raise NoSuchUpload
    return found


def lists_of(user: User) -> QuerySet[OrderUpload]:
    """What somebody uploaded and is still kept, the latest first."""
    return OrderUpload.objects.filter(made_by=user).select_related("checking", "job").order_by("-made_at")


def state_of(upload: OrderUpload) -> str:
    """Where a list is: "checking", "wrong", "stopped", "right", "entering", "entered", "taken" or
    "delivered"."""
    if upload.checked_at is None:
        going_on = upload.checking is not None and upload.checking.state in long_jobs.OPEN
        return "checking" if going_on else "stopped"
    if upload.problems or upload.unreadable:
        return "wrong"
    if upload.confirmed_at is None:
        return "right"
    if upload.delivered_at is not None:
        return "delivered"
    if upload.job is not None and upload.job.state in long_jobs.OPEN:
        return "entering"
    return "taken" if upload.taken_at is not None else "entered"

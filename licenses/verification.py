"""`manage.py ledger verify`: replays everything and proves the books, in constant memory.

What must hold is written down as `CHECKS`, one function a rule. Each gives sentences about what does not
hold; no sentence means that it does. The database does the sums; rows come through a cursor, never as a list.
All of it reads the books as they are at `one_moment()`: what is booked meanwhile would look like a fault.
"""

# ruff: noqa: S608 - the SQL below is put together from this module's own constants

import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from licenses import correction_checks, documents, log_line, move_checks, transparency
from licenses.document import LicenseDocumentV1, MalformedDocument
from licenses.models import (
    ActivationKey,
    Grant,
    Holder,
    Holding,
    LicenseDocument,
    LogLeaf,
    LogLine,
    TestLicense,
    Transfer,
)
from portal.core import base64url, clock

CHUNK = 2000
# What belongs to leaves is looked up by all their ids at once, and SQLite bears a thousand in a statement.
LEAVES = 200


@dataclass(frozen=True, kw_only=True)
class Check:
    """One rule of the books: what holds if it holds, and what finds the places where it does not."""

    holds: str
    violations: Callable[[], Iterator[str]]


@contextmanager
def one_moment() -> Iterator[None]:
    """All reads inside see one state of the database, and keep no writer waiting."""
    if connection.in_atomic_block:  # whoever opened the transaction chose what it sees
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # A transaction of Django's would begin as a writer on SQLite and keep all others out.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def _balances_follow_from_transfers() -> Iterator[str]:
    """Nothing is created or lost: each balance is what came in less what went out (mission rule 12)."""
    # One pass over the transfers, each seen from both ends; grouped by the database.
    sql = f"""
        SELECT COALESCE(h.holder_id, t.holder_id), COALESCE(h.product_id, t.product_id),
               COALESCE(h.balance, 0), COALESCE(t.moved, 0)
        FROM ({_MOVEMENTS_SUMMED}) t
        LEFT JOIN licenses_holding h ON h.holder_id = t.holder_id AND h.product_id = t.product_id
        WHERE COALESCE(h.balance, 0) <> t.moved
        UNION ALL
        SELECT h.holder_id, h.product_id, h.balance, 0
        FROM licenses_holding h
        LEFT JOIN ({_MOVEMENTS_SUMMED}) t ON h.holder_id = t.holder_id AND h.product_id = t.product_id
        WHERE t.holder_id IS NULL AND h.balance <> 0
    """
    for holder, product, balance, moved in _rows(sql):
        yield f"holder {holder} has {balance} of product {product}, but its transfers say {moved}"


def _nobody_ever_held_less_than_nothing() -> Iterator[str]:
    """Replayed in the order of the transfers, no holder ever gave what it did not have."""
    sql = f"""
        SELECT holder_id, product_id, transfer_id, running FROM (
            SELECT holder_id, product_id, transfer_id,
                   SUM(change) OVER (PARTITION BY holder_id, product_id ORDER BY transfer_id) AS running
            FROM ({_MOVEMENTS}) m
        ) replayed WHERE running < 0
    """
    for holder, product, transfer, running in _rows(sql):
        yield f"after transfer {transfer} holder {holder} had {running} of product {product}"


def _guard_column_agrees() -> Iterator[str]:
    """On PostgreSQL the guard's own sum is the balance."""
    if connection.vendor != "postgresql":
        return
    for holding in Holding.objects.exclude(balance=F("moved")).iterator(CHUNK):
        yield f"holding {holding.pk}: balance {holding.balance}, guard {holding.moved}"


def _issuer_and_retired_store_no_balance() -> Iterator[str]:
    """Issuer and retired store no balance."""
    for holding in Holding.objects.filter(holder__kind__in=["issuer", "retired"]).iterator(CHUNK):
        yield f"holder {holding.holder_id} must store no balance"


def _devices_hold_their_live_grants() -> Iterator[str]:
    """A device's holding of a product equals the sum of its live bought grants."""
    granted = (
        Grant.objects.filter(state=Grant.State.LIVE, license_class=Grant.Class.BOUGHT)
        .values("device_id", "product_id")
        .annotate(quantity=Sum("quantity"))
        .order_by("device_id", "product_id")
    )
    held = (
        Holding.objects.filter(holder__kind=Holder.Kind.DEVICE, balance__gt=0)
        .values("product_id", "balance", device_id=F("holder__device_id"))
        .order_by("device_id", "product_id")
    )
    for device, product, on_device, granted_to_it in _merge(
        ((row["device_id"], row["product_id"], row["balance"]) for row in held.iterator(CHUNK)),
        ((row["device_id"], row["product_id"], row["quantity"]) for row in granted.iterator(CHUNK)),
    ):
        if on_device != granted_to_it:
            yield f"device {device} holds {on_device} of product {product}, its grants say {granted_to_it}"


def _activated_keys_are_empty() -> Iterator[str]:
    """A key that was activated, canceled or replaced holds nothing; any other one holds all it was filled
    with."""
    ordered = (
        Transfer.objects.filter(destination__activation_key=OuterRef("pk"))
        .values("destination")
        .annotate(quantity=Sum("quantity"))
        .values("quantity")
    )
    emptied = Q(state=ActivationKey.State.ACTIVATED) | ~Q(ending="")
    keys = ActivationKey.objects.annotate(
        left=Coalesce(Sum("holder__holdings__balance"), 0), ordered=Coalesce(Subquery(ordered), 0)
    ).filter((emptied & Q(left__gt=0)) | (~emptied & ~Q(left=F("ordered"))) | Q(ordered=0))
    for key in keys.iterator(CHUNK):
        yield f"key {key.pk} is {key.state} and holds {key.left} of {key.ordered}"


def _documents_are_what_they_say() -> Iterator[str]:
    """Every stored document has the hash it is known by, its device and its `seq`."""
    for row in LicenseDocument.objects.select_related("device").order_by("pk").iterator(CHUNK):
        payload = bytes(row.payload)
        if hashlib.sha256(payload).digest() != bytes(row.payload_sha256):
            yield f"document {row.pk} has another hash than is stored"
            continue
        try:
            document = LicenseDocumentV1.from_payload(payload)
        except MalformedDocument as error:
            yield f"document {row.pk} cannot be read: {error}"
            continue
        if (document.hardware_id, document.seq) != (row.device.hardware_id, row.seq):
            yield f"document {row.pk} is for another device or seq than its row"


def _latest_documents_list_the_live_grants() -> Iterator[str]:
    """The latest document of a device lists exactly its live grants, those past their end aside."""
    latest = LicenseDocument.objects.exclude(
        pk__in=LicenseDocument.objects.filter(
            device__license_documents__seq__gt=F("seq"), device__license_documents__device=F("device")
        ).values("pk")
    )
    for row in latest.select_related("device").order_by("pk").iterator(CHUNK):
        try:
            listed = set(LicenseDocumentV1.from_payload(bytes(row.payload)).items)
        except MalformedDocument:
            continue  # said by the check before
        # Ended since, and put away by now or not: listed it was.
        to_their_end = Grant.objects.filter(device=row.device, state__in=["live", "expired"])
        live = {
            documents.item(grant)
            for grant in to_their_end.select_related("product")
            if grant.expires_at is None or grant.expires_at > row.issued_at
        }
        if listed != live:
            yield f"document {row.pk} (seq {row.seq} of {row.device}) lists other grants than are live"
    bought = Grant.objects.filter(state=Grant.State.LIVE, license_class=Grant.Class.BOUGHT)
    for grant in bought.filter(device__license_documents__isnull=True).iterator(CHUNK):
        yield f"grant {grant.pk} is live, but its device never had a document"


def _test_grants_are_those_of_test_licenses() -> Iterator[str]:
    """Each test grant began with a test license of its device and has its end; each that began has grants."""
    began = TestLicense.objects.filter(
        started_by=OuterRef("made_by"), device=OuterRef("device"), ends_at=OuterRef("expires_at")
    )
    strays = Grant.objects.filter(~Exists(began), license_class=Grant.Class.TEST)
    for grant in strays.iterator(CHUNK):
        yield f"grant {grant.pk} is a test, but no test license of its device has begun with it and its end"
    held = Grant.objects.filter(made_by=OuterRef("started_by"), license_class=Grant.Class.TEST)
    empty = TestLicense.objects.filter(~Exists(held), started_at__isnull=False)
    for test_license in empty.iterator(CHUNK):
        yield f"test license {test_license.pk} of {test_license.hardware_id} has begun without any grant"


def _every_act_is_in_the_log() -> Iterator[str]:
    """Every transfer between holders of the log, every grant, made or ended, and every document is in it."""
    silent = Transfer.objects.filter(log_line__isnull=True).exclude(source__log_id=F("destination__log_id"))
    for transfer in silent.iterator(CHUNK):
        yield f"transfer {transfer.pk} is not in the log"
    told = Grant.objects.annotate(lines=Count("log_lines"))
    untold = told.filter(
        Q(state=Grant.State.LIVE, lines__lt=1) | (~Q(state__in=["live", "expired"]) & Q(lines__lt=2))
    )
    for grant in untold.iterator(CHUNK):
        yield f"grant {grant.pk} has {grant.lines} lines in the log, {grant.state} as it is"
    leaf = LogLeaf.objects.filter(act=OuterRef("act"), document_sha256=OuterRef("payload_sha256"))
    for document in LicenseDocument.objects.filter(~Exists(leaf), act__isnull=False).iterator(CHUNK):
        yield f"document {document.pk} is not in the log"


def _leaves_are_made_of_their_lines() -> Iterator[str]:
    """Each leaf is built again from its lines, and each line from its act."""
    leaves = (
        LogLeaf.objects.select_related("act")
        .order_by("pk")
        .prefetch_related(
            "lines__transfer__product",
            "lines__transfer__source",
            "lines__transfer__destination",
            "lines__grant__product",
            "lines__grant__device",
        )
    )
    for leaf in leaves.iterator(LEAVES):
        lines = sorted(leaf.lines.all(), key=lambda line: line.pk)
        for line in lines:
            if leaf.act is None or _line_again(line, leaf) != bytes(line.line):
                yield f"line {line.pk} says something else than its transfer or grant"
        body = log_line.LeafV1(
            type=log_line.LeafType(leaf.type),
            timestamp=int(leaf.at.timestamp()),
            document_sha256=bytes(leaf.document_sha256) if leaf.document_sha256 is not None else None,
            line_hashes=tuple(log_line.line_hash(bytes(line.salt), bytes(line.line)) for line in lines),
        ).to_bytes()
        if body != bytes(leaf.body):
            yield f"leaf {leaf.pk} is not made of its lines"


def _line_again(line: LogLine, leaf: LogLeaf) -> bytes:
    assert leaf.act is not None, "checked by the caller"
    told = transparency.Told(transfer=line.transfer, grant=line.grant)
    if line.transfer is None:
        # Where a device changed company only the line itself says from whom to whom.
        said = json.loads(bytes(line.line))
        told = replace(told, source=_holder_in_log(said["from"]), destination=_holder_in_log(said["to"]))
        if line.grant is not None and line.grant.bridge_of_id is not None:
            # Its end was another one since: it was lengthened, or became bought. move_checks looks at it.
            then = copy.copy(line.grant)
            then.expires_at = clock.instant(said["exp"]) if said["exp"] is not None else None
            told = replace(told, grant=then)
    return transparency.line_bytes(told, act=leaf.act)


def _holder_in_log(log_id: str | None) -> Holder | None:
    return None if log_id is None else Holder(log_id=base64url.decode(log_id))


_MOVEMENTS = """
    SELECT t.destination_id AS holder_id, t.product_id, t.quantity AS change, t.id AS transfer_id
    FROM licenses_transfer t JOIN licenses_holder d ON d.id = t.destination_id
    WHERE d.kind NOT IN ('issuer', 'retired')
    UNION ALL
    SELECT t.source_id, t.product_id, -t.quantity, t.id
    FROM licenses_transfer t JOIN licenses_holder s ON s.id = t.source_id
    WHERE s.kind NOT IN ('issuer', 'retired')
"""
_MOVEMENTS_SUMMED = f"""
    SELECT holder_id, product_id, SUM(change) AS moved FROM ({_MOVEMENTS}) m GROUP BY holder_id, product_id
"""


def _rows(sql: str) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows


def _merge(
    held: Iterator[tuple[int, int, int]], granted: Iterator[tuple[int, int, int]]
) -> Iterator[tuple[int, int, int, int]]:
    """Join two streams sorted by (device, product), with 0 where one has nothing."""
    left, right = next(held, None), next(granted, None)
    while left or right:
        if right is None or (left is not None and left[:2] < right[:2]):
            assert left is not None, "one of the two is there"
            yield (*left, 0)
            left = next(held, None)
        elif left is None or right[:2] < left[:2]:
            yield (*right[:2], 0, right[2])
            right = next(granted, None)
        else:
            yield (*left, right[2])
            left, right = next(held, None), next(granted, None)


CHECKS: tuple[Check, ...] = tuple(
    Check(holds=" ".join((function.__doc__ or "").split()), violations=function)
    for function in (
        _balances_follow_from_transfers,
        _nobody_ever_held_less_than_nothing,
        _guard_column_agrees,
        _issuer_and_retired_store_no_balance,
        _devices_hold_their_live_grants,
        _activated_keys_are_empty,
        _documents_are_what_they_say,
        _latest_documents_list_the_live_grants,
        _test_grants_are_those_of_test_licenses,
        _every_act_is_in_the_log,
        _leaves_are_made_of_their_lines,
        *move_checks.CHECKS,
        *correction_checks.CHECKS,
    )
)


def violations() -> Iterator[str]:
    """All sentences about what does not hold, of all checks."""
    return chain.from_iterable(check.violations() for check in CHECKS)

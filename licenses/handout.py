"""Handing out: the current document of a device, signed, marked as handed out, in a bundle (trust.md 4).

Between operations and documents.py: a fetch, a download and the answer to a return all hand out. Each step is
a transaction of its own, because signing must happen outside of row locks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from devices.models import Device
from licenses import bundle, documents, keyring, ledger, queries, trial_course, trial_queries
from licenses.keyring import KeyRing
from licenses.models import Acknowledged, LicenseDocument, Return
from portal.core import audit
from portal.core.acts import Caller


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The bytes of a bundle, the tag by which the holder asks for the next one, and the document's `seq`."""

    tag: str
    seq: int
    content: bytes


def hand_out(
    device: Device,
    *,
    seq_seen: int = 0,
    starts_test: bool = False,
    event: str,
    caller: Caller,
    now: datetime,
) -> LicenseDocument:
    """The device's current document, signed, and marked as handed out.

    A new one is built where there is none, where an item of the last one has ended, or where the device has
    seen a higher `seq` than the portal's (trust.md 3).

    :param starts_test: a test license that waits starts with this, and is in the document (mission rule 21).
    :raises NoKeySet, SigningKeyMissing: the portal has no keys, or not on this server.
    """
    document, test_waits = trial_queries.document_and_wait(device)
    if starts_test and test_waits:
        keyring.current()  # whoever has nothing to sign with hands nothing out, and starts no clock
        document = _start_test(device=device, seq_seen=seq_seen, caller=caller, now=now)
    while True:
        if document is None or documents.is_outdated(document, device=device, seq_seen=seq_seen, now=now):
            document = _issue_current(device=device, seq_seen=seq_seen, now=now)
        if document.handed_out_at is not None:
            return document  # signed once at least; `assemble` sees to it that its keys are those in use
        documents.sign(document)
        document = _mark_handed_out(document=document, event=event, caller=caller, now=now)


def assemble(
    device: Device,
    document: LicenseDocument,
    *,
    have: str | None = None,
    key_set_held: int | None = None,
    beside: Return | None = None,
) -> Bundle | None:
    """The bundle around a document that was handed out; None if `have` is its tag.

    Whatever happens to keys meanwhile, all its parts are signed by keys in use of the key set in it.

    :param key_set_held: the highest key-set version the holder has: a current one is left out, and with it
        the chain that leads to it.
    :param beside: a receipt that goes out beside the bundle and is verified with its key set.
    :raises NoKeySet, SigningKeyMissing: the portal has no keys, or not on this server.
    """
    pending = _receipt_not_acknowledged(device)
    if beside is not None and beside == pending:
        pending = beside
    ring = _signed_alike([row for row in (document, pending, beside) if row is not None])
    assert document.signed is not None, "it was just seen to"
    tag = bundle.tag_of_stored(
        document_sha256=bytes(document.payload_sha256),
        signed_under=document.signed_under,
        key_set_version=ring.version,
        receipt_sha256=bytes(pending.payload_sha256) if pending else b"",
    )
    if have is not None and have == tag:
        return None
    lacks_key_set = key_set_held is None or key_set_held < ring.version
    content = bundle.assemble(
        tag=tag,
        license_document=bytes(document.signed),
        keyset=ring.signed if lacks_key_set else None,
        chain=ring.chain if lacks_key_set else (),
        receipt=bytes(pending.signed) if pending and pending.signed is not None else None,
    )
    return Bundle(tag=tag, seq=document.seq, content=content)


def _signed_alike(rows: Sequence[LicenseDocument | Return]) -> KeyRing:
    """Sign again what keys signed that are no longer in use, and return the key ring that covers all rows.

    A compromised key counts for nothing with whoever holds the new key set: so that nobody loses a license,
    a key set never leaves without documents that it covers (trust.md 6). Signatures that were stored under a
    newer key set than the one looked at show that there is one by now.
    """
    ring = keyring.current()
    while not all(ring.covers(row.signed_under) for row in rows):
        for row in rows:
            documents.sign(row, ring=ring)
        ring = keyring.current()
    return ring


def _receipt_not_acknowledged(device: Device) -> Return | None:
    """The last receipt, until the device acknowledges a `seq` at or above its `next_seq` (trust.md 4)."""
    last = Return.objects.filter(device=device).order_by("-pk").first()
    if last is None:
        return None
    acknowledged = Acknowledged.objects.filter(device=device, installed_seq__gte=last.next_seq)
    return None if acknowledged.exists() else last


@transaction.atomic(durable=True)
def _start_test(*, device: Device, seq_seen: int, caller: Caller, now: datetime) -> LicenseDocument | None:
    # The lock makes it one start: of a page and a device at once, the second finds that nothing waits.
    device = ledger.lock_device(device)
    documents.note_seq_seen(device=device, seq_seen=seq_seen, now=now)
    trial_course.start_what_waits(device=device, caller=caller, now=now)
    return queries.current_document(device)


@transaction.atomic(durable=True)
def _issue_current(*, device: Device, seq_seen: int, now: datetime) -> LicenseDocument:
    device = ledger.lock_device(device)
    documents.note_seq_seen(device=device, seq_seen=seq_seen, now=now)
    document = queries.current_document(device)
    # Looked at again under the lock: another fetch may have been here first.
    if document is None or documents.is_outdated(document, device=device, seq_seen=0, now=now):
        document = documents.issue(device=device, seq=documents.next_seq(device), act=None, now=now)
    return document


@transaction.atomic(durable=True)
def _mark_handed_out(
    *, document: LicenseDocument, event: str, caller: Caller, now: datetime
) -> LicenseDocument:
    """Remember that the document left the house, before it does; the newer one if there is one by now.

    From here on its assignments cannot be undone any more (mission rule 12).
    """
    # The lock is the one an undo holds: it either sees this mark, or was first and its document is newer.
    device = ledger.lock_device(document.device)
    current = queries.current_document(device)
    assert current is not None, "a document never vanishes"
    if current.signed is not None and current.handed_out_at is None:
        current.handed_out_at = now
        current.save(update_fields=["handed_out_at"])
        audit.record(
            event,
            caller=caller,
            now=now,
            company_id=device.project.company_id,
            project_id=device.project_id,
            hardware_id=device.hardware_id,
            seq=current.seq,
        )
    return current

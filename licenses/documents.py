"""The next license document of a device: `seq`, payload bytes, signatures (trust.md 4, mission rule 13).

`issue()` runs in the transaction of the change, under the lock of the device. Signing takes a millisecond and
more, so it happens outside of row locks; of two that sign at once, the first stored bytes win.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from django.conf import settings
from django.db import connection

from devices import alerts
from devices.models import Alert, Device
from licenses import document, jose, keyring, last_signed, move_queries, queries, receipt, transparency
from licenses.document import Item, LicenseDocumentV1
from licenses.keyring import KeyRing
from licenses.log_line import LeafType
from licenses.models import Grant, LicenseDocument, Return
from portal.core import base64url, batches, clock, outbox
from portal.core.models import Act

Signable = TypeVar("Signable", bound=LicenseDocument | Return)

LARGEST_SEQ_JUMP = 1_000_000


def next_seq(device: Device) -> int:
    """The `seq` that the device's next document will have: above every one it had, and above its floor.

    The device is locked.
    """
    return queries.next_seq(device)


def note_seq_seen(*, device: Device, seq_seen: int, now: datetime) -> None:
    """Rise above a `seq` the device has seen and the portal does not know, and alert support: it shows a
    portal that was rolled back (trust.md 3). The device is locked.

    A number further ahead than `LARGEST_SEQ_JUMP` is left to a person.
    """
    ahead = seq_seen - (queries.next_seq(device) - 1)
    if ahead <= 0:
        return
    if ahead > LARGEST_SEQ_JUMP:
        kind = Alert.Kind.SEQ_FAR_AHEAD
    else:
        kind = Alert.Kind.SEQ_AHEAD
        device.seq_floor = seq_seen
        device.save(update_fields=["seq_floor"])
    alerts.alert(kind, device=device, subject=str(seq_seen), now=now, seq=seq_seen, ahead=ahead)


def issue(
    *, device: Device, seq: int, act: Act | None, now: datetime, grants: Sequence[Grant] | None = None
) -> LicenseDocument:
    """Build and store the device's next document: all its live grants. The device is locked.

    A job signs it soon, if nobody wants it before.

    :param grants: what it lists, where that is known: an act that gathers has not written it yet.
    """
    assert connection.in_atomic_block, "a document belongs to the transaction of the change"
    grants = queries.in_order(queries.grants_at(device, now=now) if grants is None else grants)
    payload = LicenseDocumentV1(
        issuer=settings.PORTAL_ID,
        hardware_id=device.hardware_id,
        jti=base64url.encode(secrets.token_bytes(16)),
        issued_at=clock.posix(now),
        seq=seq,
        items=tuple(item(grant) for grant in grants),
    ).to_payload()
    batch = act.batch if act else None
    row = LicenseDocument(
        device=device,
        seq=seq,
        act=act,
        payload=payload,
        payload_sha256=hashlib.sha256(payload).digest(),
        issued_at=now,
        outdated_at=_outdated_at(grants),
    )
    [row] = batches.write([row], batch=batch)
    outbox.put("sign-license-document", now=now, batch=batch, document_id=row.pk)
    return row


def issue_and_log(
    *,
    device: Device,
    seq: int,
    leaf_type: LeafType,
    told: Sequence[transparency.Told],
    act: Act,
    now: datetime,
    grants: Sequence[Grant] | None = None,
) -> LicenseDocument:
    """The same, with the leaf that tells what changed and names the document (trust.md 8)."""
    document = issue(device=device, seq=seq, act=act, now=now, grants=grants)
    transparency.record(
        act=act,
        leaf_type=leaf_type,
        told=told,
        document_sha256=bytes(document.payload_sha256),
        now=now,
    )
    return document


def is_outdated(row: LicenseDocument, *, device: Device, seq_seen: int, now: datetime) -> bool:
    """Whether the device needs another document: an item of this one has ended (trust.md 4), a bridge is in
    its last days, which a hand-out lengthens (mission rule 25), its `seq` is not above the device's floor, or
    the device has seen a higher one (trust.md 3)."""
    ended = row.outdated_at is not None and row.outdated_at <= now
    return ended or row.seq <= device.seq_floor or row.seq < seq_seen


def sign(row: Signable, *, ring: KeyRing | None = None) -> Signable:
    """Sign a document or receipt that has no signatures by the keys in use, and store them. Returns the row
    as stored.

    The payload stays, and with it `seq` and log; of those who sign at once under one key set, the first
    stored bytes win, and those of an older key set never replace those of a newer one.

    :param ring: the key ring to sign under, or the current one.
    :raises NoKeySet: the portal has no keys yet.
    :raises SigningKeyMissing: a key file is not there.
    :raises DatabaseOlderThanDocuments: the database was restored from a backup, and nobody has said so yet.
    """
    ring = ring or keyring.current()
    if row.signed_under is not None and row.signed_under >= ring.since:
        return row
    if isinstance(row, LicenseDocument):
        memory = last_signed.require_present(ring.database)
        signed = jose.sign_general(bytes(row.payload), typ=document.TYP, signers=ring.signers)
        last_signed.remember(row, memory)  # before the signatures can leave the house
    else:
        signed = jose.sign_general(bytes(row.receipt_payload), typ=receipt.TYP, signers=ring.signers)
    # Only over what was seen: whoever stored signatures meanwhile was first, or knew a newer key set.
    type(row)._default_manager.filter(pk=row.pk, signed_under=row.signed_under).update(
        signed=signed, signed_under=ring.version
    )
    # ML-DSA signatures are randomized: whoever came second must hand out the bytes of the first.
    row.refresh_from_db(fields=["signed", "signed_under"])
    return row


def item(grant: Grant) -> Item:
    """The grant as the document lists it."""
    return Item(
        id=queries.grant_id(grant),
        product=grant.product.code,
        version=grant.product.version,
        qty=grant.quantity,
        license_class=grant.license_class,
        # A test license ends with everything that a device gives back, and is not given back by itself.
        returnable=grant.product.returnable and grant.license_class != Grant.Class.TEST,
        expires_at=clock.posix(grant.expires_at) if grant.expires_at else None,
    )


def _outdated_at(grants: Sequence[Grant]) -> datetime | None:
    """From when on the document needs another look; a bridge does before its end. So an unchanged fetch
    notices without asking for moves (docs/decisions/0020)."""
    ends = [
        grant.expires_at
        for grant in grants
        if grant.expires_at is not None and grant.license_class != Grant.Class.BRIDGE
    ]
    return min([*ends, *move_queries.lengthened_from(grants)], default=None)

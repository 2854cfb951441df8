"""The next license document of a device: `seq`, payload bytes, signatures (trust.md 4, mission rule 13).

`issue()` runs in the transaction of the change, under the lock of the device. Signing takes a millisecond and
more, so it happens outside of row locks; of two that sign at once, the first stored bytes win.
"""

import hashlib
import secrets
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Max

from devices.models import Device
from licenses import document, jose, keyring, queries
from licenses.document import Item, LicenseDocumentV1
from licenses.models import Grant, LicenseDocument
from portal.core import base64url, clock, outbox
from portal.core.models import Act


def next_seq(device: Device) -> int:
    """The `seq` that the device's next document will have. The device is locked."""
    highest = LicenseDocument.objects.filter(device=device).aggregate(highest=Max("seq"))["highest"]
    return (highest or 0) + 1


def issue(*, device: Device, seq: int, act: Act | None, now: datetime) -> LicenseDocument:
    """Build and store the device's next document: all its live grants. The device is locked.

    A job signs it soon, if nobody wants it before.
    """
    assert connection.in_atomic_block, "a document belongs to the transaction of the change"
    grants = [grant for grant in queries.live_grants(device) if not _is_over(grant, now)]
    payload = LicenseDocumentV1(
        issuer=settings.PORTAL_ID,
        hardware_id=device.hardware_id,
        jti=base64url.encode(secrets.token_bytes(16)),
        issued_at=clock.posix(now),
        seq=seq,
        items=tuple(item(grant) for grant in grants),
    ).to_payload()
    row = LicenseDocument.objects.create(
        device=device,
        seq=seq,
        act=act,
        payload=payload,
        payload_sha256=hashlib.sha256(payload).digest(),
        issued_at=now,
        outdated_at=min((grant.expires_at for grant in grants if grant.expires_at), default=None),
    )
    outbox.put("sign-license-document", now=now, document_id=row.pk)
    return row


def is_outdated(row: LicenseDocument, *, now: datetime) -> bool:
    """Whether an item of the document has ended since: then the next one lacks it (trust.md 4)."""
    return row.outdated_at is not None and row.outdated_at <= now


def sign(row: LicenseDocument) -> LicenseDocument:
    """Sign a document that has no signatures yet, and store them. Returns the row as stored.

    :raises NoKeySet: the portal has no keys yet.
    :raises SigningKeyMissing: a key file is not there.
    """
    if row.signed is not None:
        return row
    ring = keyring.current()
    signed = jose.sign_general(bytes(row.payload), typ=document.TYP, signers=ring.signers)
    LicenseDocument.objects.filter(pk=row.pk, signed__isnull=True).update(
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
        returnable=grant.product.returnable,
        expires_at=clock.posix(grant.expires_at) if grant.expires_at else None,
    )


def _is_over(grant: Grant, now: datetime) -> bool:
    return grant.expires_at is not None and grant.expires_at <= now

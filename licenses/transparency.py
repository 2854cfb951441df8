"""Leaves and lines of the public log, written in the transaction of their act (trust.md 8)."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from licenses import log_line
from licenses.models import Grant, Holder, LogLeaf, LogLine, Transfer
from licenses.queries import grant_id
from portal.core import base64url, batches, clock
from portal.core.batches import Batch
from portal.core.models import Act


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one line tells: a transfer, a grant, or a transfer together with the grant it made or ended."""

    transfer: Transfer | None = None
    grant: Grant | None = None
    # From whom to whom, where no transfer says it: a device that changes company takes its grants along.
    source: Holder | None = None
    destination: Holder | None = None


def record(
    *,
    act: Act,
    leaf_type: log_line.LeafType,
    told: Sequence[Told],
    document_sha256: bytes | None = None,
    now: datetime,
) -> None:
    """Write the act's leaf and the lines behind it. Publishing gives the leaf its index later."""
    record_all(
        leaf_type=leaf_type,
        told=[(act, told)],
        document_sha256=document_sha256,
        now=now,
        batch=act.batch,
    )


def record_all(
    *,
    leaf_type: log_line.LeafType,
    told: Sequence[tuple[Act, Sequence[Told]]],
    document_sha256: bytes | None = None,
    now: datetime,
    batch: Batch | None = None,
) -> None:
    """Write the leaves of several acts of one kind, and the lines behind them, in two statements."""
    lines = [
        [(one, secrets.token_bytes(16), line_bytes(one, act=act)) for one in of_act] for act, of_act in told
    ]
    leaves = batches.write(
        (
            LogLeaf(
                act=act,
                type=leaf_type,
                at=now,
                document_sha256=document_sha256,
                body=log_line.LeafV1(
                    type=leaf_type,
                    timestamp=clock.posix(now),
                    document_sha256=document_sha256,
                    line_hashes=tuple(log_line.line_hash(salt, line) for _, salt, line in of_leaf),
                ).to_bytes(),
            )
            for (act, _told), of_leaf in zip(told, lines, strict=True)
        ),
        batch=batch,
    )
    batches.write(
        (
            LogLine(leaf=leaf, transfer=one.transfer, grant=one.grant, salt=salt, line=line)
            for leaf, of_leaf in zip(leaves, lines, strict=True)
            for one, salt, line in of_leaf
        ),
        batch=batch,
    )


def line_bytes(told: Told, *, act: Act) -> bytes:
    """The bytes of one line, as they are stored, hashed and exported."""
    transfer, grant = told.transfer, told.grant
    subject = transfer or grant
    assert subject is not None, "a line tells of a transfer or a grant"
    source = transfer.source if transfer else told.source
    destination = transfer.destination if transfer else told.destination
    return log_line.LineV1(
        act=base64url.encode(act.pk.bytes),
        product=subject.product.code,
        version=subject.product.version,
        qty=subject.quantity,
        source=base64url.encode(bytes(source.log_id)) if source else None,
        destination=base64url.encode(bytes(destination.log_id)) if destination else None,
        grant=grant_id(grant) if grant else None,
        hardware_id=grant.device.hardware_id if grant else None,
        expires_at=clock.posix(grant.expires_at) if grant and grant.expires_at else None,
    ).to_bytes()


def sha256(payload: bytes) -> bytes:
    """The hash by which a leaf names a signed document: that of its payload."""
    return hashlib.sha256(payload).digest()

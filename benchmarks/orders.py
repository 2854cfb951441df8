"""Activation keys as bare inserts: the rows that `licenses.issuing` writes, without what it looks at first.

The floor of entering many orders, and the quick way to a stock of keys.

`manage.py ledger verify`, run at the end of every benchmark, holds this to what the operation does.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import transaction

from licenses import activation_code, ledger, log_line, transparency
from licenses.log_line import LeafType, LeafV1
from licenses.models import ActivationKey, Holder, Holding, KeyDelivery, LogLeaf, LogLine, Order, Product
from licenses.models import Transfer as TransferRow
from licenses.transparency import Told
from portal.core import clock
from portal.core.models import Act, AuditEntry, OutboxJob, random_id

BATCH = 2000
CUSTOMER = "Example Telecom"


def issue_keys(*, count: int, product: Product, quantity: int, now: datetime) -> list[str]:
    """Enter `count` orders of one line each, and return the codes of their keys."""
    codes: list[str] = []
    for start in range(0, count, BATCH):
        batch = [activation_code.generate() for _ in range(min(BATCH, count - start))]
        numbers = [f"BULK-{start + place:07}" for place in range(len(batch))]
        with transaction.atomic():
            _issue(batch, numbers, product=product, quantity=quantity, now=now)
        codes += batch
    return codes


def _issue(
    codes: Sequence[str], numbers: Sequence[str], *, product: Product, quantity: int, now: datetime
) -> None:
    keys = _keys(codes, numbers, now=now)
    acts = [
        Act(
            id=random_id(),
            operation="issue-key",
            scope="orders",
            key=number,
            input_hash=hashlib.sha256(number.encode()).digest(),
            actor_name="benchmark",
            at=now,
            outcome={"key": key.pk},
        )
        for number, key in zip(numbers, keys, strict=True)
    ]
    Act.objects.bulk_create(acts)
    issuer = ledger.issuer()
    holders = Holder.objects.bulk_create(Holder(kind=Holder.Kind.KEY, activation_key=key) for key in keys)
    # `moved` is left at 0: the trigger on the transfers counts it up, and compares at commit.
    Holding.objects.bulk_create(
        Holding(holder=holder, product=product, balance=quantity) for holder in holders
    )
    transfers = TransferRow.objects.bulk_create(
        TransferRow(act=act, product=product, quantity=quantity, source=issuer, destination=holder)
        for act, holder in zip(acts, holders, strict=True)
    )
    _tell(acts, transfers, now=now)
    AuditEntry.objects.bulk_create(
        AuditEntry(at=now, event="key-issued", act=act, actor_name="benchmark", facts={"key": key.last_four})
        for act, key in zip(acts, keys, strict=True)
    )


def _keys(codes: Sequence[str], numbers: Sequence[str], *, now: datetime) -> list[ActivationKey]:
    orders = Order.objects.bulk_create(
        Order(number=number, reference="", customer=CUSTOMER, placed_at=now) for number in numbers
    )
    canonical = [activation_code.read(code) for code in codes]
    keys = ActivationKey.objects.bulk_create(
        ActivationKey(
            order=order,
            fingerprint=activation_code.fingerprint(code, settings.ACTIVATION_CODE_PEPPER),
            last_four=code[-4:],
            issued_at=now,
        )
        for order, code in zip(orders, canonical, strict=True)
    )
    vault, kept_until = Fernet(settings.DELIVERY_KEYS[0]), now + settings.ACTIVATION_CODE_KEPT
    KeyDelivery.objects.bulk_create(
        KeyDelivery(activation_key=key, ciphertext=vault.encrypt(code.encode()), kept_until=kept_until)
        for key, code in zip(keys, codes, strict=True)
    )
    OutboxJob.objects.bulk_create(
        OutboxJob(
            handler="forget-activation-code", arguments={"key_id": key.pk}, created_at=now, due_at=kept_until
        )
        for key in keys
    )
    return keys


def _tell(acts: Sequence[Act], transfers: Sequence[TransferRow], *, now: datetime) -> None:
    lines = [
        (secrets.token_bytes(16), transparency.line_bytes(Told(transfer=transfer), act=act))
        for act, transfer in zip(acts, transfers, strict=True)
    ]
    leaves = LogLeaf.objects.bulk_create(
        LogLeaf(
            act=act,
            type=LeafType.ORDER,
            at=now,
            body=LeafV1(
                type=LeafType.ORDER,
                timestamp=clock.posix(now),
                document_sha256=None,
                line_hashes=(log_line.line_hash(salt, line),),
            ).to_bytes(),
        )
        for act, (salt, line) in zip(acts, lines, strict=True)
    )
    LogLine.objects.bulk_create(
        LogLine(leaf=leaf, transfer=transfer, salt=salt, line=line)
        for leaf, transfer, (salt, line) in zip(leaves, transfers, lines, strict=True)
    )

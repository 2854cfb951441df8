"""A return as the state machine makes it: the effect alone, without a device's signature."""

import hashlib
from datetime import datetime

from devices import payloads
from devices.accepting import JTIConflict
from devices.models import Device
from licenses import queries, returns
from licenses.models import Grant
from licenses.receipt import Outcome, ReceiptV1
from portal.core.acts import Caller, IdempotencyKeyReused


def return_grants(
    *, device: Device, grants: list[Grant], caller: Caller, now: datetime
) -> list[tuple[str, Outcome]]:
    """The transaction of a return, without signing and handing out, which come after it."""
    jti = caller.key[:22]
    ids = tuple(queries.grant_id(grant) for grant in grants)
    statement = payloads.Return(
        hardware_id=device.hardware_id, aud="", jti=jti, seq=0, ctr=device.pk, grants=ids, min_seq=0
    )
    try:
        accepted = returns._accept(
            device=device,
            statement=statement,
            payload_sha256=hashlib.sha256(repr((jti, ids)).encode()).digest(),
            caller=caller,
            now=now,
        )
    except JTIConflict as error:
        raise IdempotencyKeyReused from error
    return ReceiptV1.results_of(bytes(accepted.receipt_payload))

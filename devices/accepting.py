"""Accepting a statement that changes something: once for each name, counted (trust.md 3 and 5)."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from devices.alerts import alert
from devices.models import Alert, Device, StatementCounter
from portal.core import acts
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act


class JTIConflict(Conflict):
    code = "jti-conflict"
    title = _("A statement of this name was received before, with other content.")
    why = _(
        "The name of a statement stands for its exact content: a repeat gets the same receipt and changes "
        "nothing. With two contents under one name, nobody could tell which one the receipt is for."
    )
    way_out = _("Give the new statement a jti of its own, or send exactly what was sent before.")
    source = "trust.md 5"


def begin(*, operation: str, payload_sha256: bytes, caller: Caller, now: datetime) -> Act:
    """Begin the act of a statement. Its name is the statement's `jti`, its input the payload that was signed:
    the signature may differ from one sending to the next.

    :raises JTIConflict: the name was used before, with another payload.
    """
    try:
        return acts.begin(
            operation=operation, caller=caller, given={"payload_sha256": payload_sha256.hex()}, now=now
        )
    except acts.IdempotencyKeyReused as error:
        raise JTIConflict from error


def note_counter(*, device: Device, ctr: int, payload_sha256: bytes, now: datetime) -> None:
    """Keep a statement's `ctr`. The device is locked.

    Another payload under the same number alerts support: the device, or its memory, is there twice. It never
    refuses by itself, and files arrive in any order, so an old number alone says nothing (trust.md 3).
    """
    StatementCounter.objects.bulk_create(
        [StatementCounter(device=device, ctr=ctr, payload_sha256=payload_sha256, at=now)],
        ignore_conflicts=True,
    )
    if StatementCounter.objects.filter(device=device, ctr=ctr).count() > 1:
        alert(Alert.Kind.COUNTER_FORK, device=device, subject=str(ctr), now=now, ctr=ctr)

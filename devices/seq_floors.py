"""Raising the `seq` of license documents: after a restored backup, for all devices or for one (trust.md 3).

A device never takes a `seq` below the highest it has seen (mission rule 13). After the portal's database was
restored, numbers that devices have seen already would be given again.
"""

from datetime import datetime

from django.db import connection, transaction
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from devices import queries
from devices.models import Device, SeqFloor
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid

LARGEST_SEQ_FLOOR = 2**53 - 2
"""The document above it has the largest integer that a document can hold (trust.md 2)."""


class SeqOutOfRange(Invalid):
    code = "seq-out-of-range"
    title = _("A seq floor is a number from 1 to %(largest)s.")
    why = _(
        "Every device stores this number and compares it with its own. It must be one that each of them can "
        "hold."
    )
    way_out = _("Give the highest seq that devices may have seen, with room to spare.")
    source = "trust.md 3"


class SeqFloorNotRaised(Conflict):
    code = "seq-floor-not-raised"
    title = _("The seq floor is %(floor)s already: it can only be raised.")
    why = _(
        "A device never accepts a license document older than one it has seen. A lower floor could give out "
        "numbers that devices know already, and they would refuse their licenses."
    )
    way_out = _("Give a higher number, or leave it as it is.")
    source = "trust.md 3"


@transaction.atomic(durable=True)
def raise_seq_floor(*, value: int, caller: Caller, now: datetime) -> int:
    """Let the next document of every device, known now or added later, have a `seq` above `value`.

    :returns: how many devices there are.
    :raises ReasonNeeded: the caller gives no reason.
    :raises SeqOutOfRange: the value is below 1, or larger than a document can hold.
    :raises SeqFloorNotRaised: it is not above the floor of before.
    """
    reason = acts.reason_of(caller)
    _require_in_range(value)
    act = acts.begin(
        operation="raise-seq-floor", caller=caller, given={"value": value, "reason": reason}, now=now
    )
    if act.outcome is not None:
        devices: int = act.outcome["devices"]
        return devices
    _lock_devices()
    floor = queries.highest_seq_floor()
    if value <= floor:
        raise SeqFloorNotRaised(floor=floor)
    SeqFloor.objects.create(value=value, raised_at=now)
    devices = Device.objects.update(seq_floor=Greatest("seq_floor", value))
    audit.record(
        "seq-floor-raised", caller=caller, now=now, act=act, seq=value, devices=devices, reason=reason
    )
    acts.finish(act, outcome={"devices": devices})
    return devices


@transaction.atomic(durable=True)
def raise_device_seq(*, device: Device, value: int, caller: Caller, now: datetime) -> None:
    """Let the device's next document have a `seq` above `value`, however far ahead that is.

    A device that names a `seq` more than a million ahead only alerts: a person decides, here.

    :raises ReasonNeeded: the caller gives no reason.
    :raises SeqOutOfRange: the value is below 1, or larger than a document can hold.
    :raises SeqFloorNotRaised: it is not above the device's floor.
    """
    reason = acts.reason_of(caller)
    _require_in_range(value)
    act = acts.begin(
        operation="raise-device-seq",
        caller=caller,
        given={"hardware_id": device.hardware_id, "value": value, "reason": reason},
        now=now,
    )
    if act.outcome is not None:
        return
    # The lock that every maker of documents holds: a document made at this moment counts with either floor.
    # Without its project: joined with it, a row that a claim changes at this moment would not be found.
    device = Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    if value <= device.seq_floor:
        raise SeqFloorNotRaised(floor=device.seq_floor)
    device.seq_floor = value
    device.save(update_fields=["seq_floor"])
    audit.record(
        "device-seq-raised",
        caller=caller,
        now=now,
        act=act,
        company_id=device.project.company_id,
        project_id=device.project_id,
        hardware_id=device.hardware_id,
        seq=value,
        reason=reason,
    )
    acts.finish(act, outcome={})


def _require_in_range(value: int) -> None:
    if not 0 < value <= LARGEST_SEQ_FLOOR:
        raise SeqOutOfRange(largest=LARGEST_SEQ_FLOOR)


def _lock_devices() -> None:
    """Let nobody add or lock a device until commit.

    A device that is being added does not see the new floor, and the UPDATE does not see that device; row
    locks cannot help for rows that are not there yet. EXCLUSIVE also waits for those who hold a device's row
    and may still write it, so that nobody waits in a circle.
    """
    if connection.vendor == "postgresql":  # SQLite has one writer at a time anyway
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {Device._meta.db_table} IN EXCLUSIVE MODE")

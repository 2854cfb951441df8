"""What a device says is installed and in effect (trust.md 3)."""

from datetime import datetime

from django.db import transaction

from devices import accepting, payloads
from devices.models import Device
from licenses import documents, ledger
from licenses.models import Acknowledged
from portal.core import audit
from portal.core.acts import Caller


@transaction.atomic(durable=True)
def acknowledge(
    *,
    device: Device,
    statement: payloads.Acknowledgement,
    payload_sha256: bytes,
    caller: Caller,
    now: datetime,
) -> Acknowledged:
    """Keep what the device says. It only raises what is known: an old file changes nothing (trust.md 3)."""
    device = ledger.lock_device(device)
    accepting.note_counter(device=device, ctr=statement.ctr, payload_sha256=payload_sha256, now=now)
    documents.note_seq_seen(device=device, seq_seen=max(statement.seq, statement.installed_seq), now=now)
    known = Acknowledged.objects.filter(device=device).first() or Acknowledged(
        device=device, installed_seq=0, effective_seq=0, at=now
    )
    if statement.installed_seq <= known.installed_seq and statement.effective_seq <= known.effective_seq:
        return known
    known.installed_seq = max(known.installed_seq, statement.installed_seq)
    known.effective_seq = max(known.effective_seq, statement.effective_seq)
    known.at = now
    known.save()
    audit.record(
        "device-acknowledged",
        caller=caller,
        now=now,
        company_id=device.project.company_id,
        project_id=device.project_id,
        hardware_id=device.hardware_id,
        installed=known.installed_seq,
        effective=known.effective_seq,
    )
    return known

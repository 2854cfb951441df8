"""Licenses coming back from a device (mission rules 16 to 19).

The device's signed statement is verified at the door; here its effect is worked out. What a return names and
the device does not hold changes nothing and is said in the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import transaction

from devices.models import Device
from licenses import documents, ledger, transparency
from licenses.ledger import Line
from licenses.log_line import LeafType
from licenses.models import Grant, LicenseDocument
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.models import Act

Outcome = Literal["returned", "already", "kept", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Returned:
    """What became of each grant that was named, and the document that came of it, if anything changed."""

    results: dict[str, Outcome]
    document: LicenseDocument | None


@transaction.atomic(durable=True)
def return_licenses(*, device: Device, grant_ids: Sequence[UUID], caller: Caller, now: datetime) -> Returned:
    """Give whole grants back to the balance of the device's project.

    Each is answered: `returned`; `already` ended before, in any way; `kept`, because its product stays with
    the device (mission rule 17); or `unknown` to this device (trust.md 5).
    """
    named = [str(grant_id) for grant_id in grant_ids]
    act = acts.begin(
        operation="return-licenses",
        caller=caller,
        given={"device": device.hardware_id, "grants": named},
        now=now,
    )
    if act.outcome is not None:
        document_id = act.outcome["document"]
        return Returned(
            results=act.outcome["results"],
            document=LicenseDocument.objects.get(pk=document_id) if document_id else None,
        )
    # The lock makes "once" true: of two returns of a grant at once, the second finds it ended.
    device = ledger.lock_device(device)
    grants = {
        grant.pk: grant
        for grant in Grant.objects.filter(device=device, pk__in=grant_ids).select_related("product", "device")
    }
    results = {str(grant_id): _outcome(grants.get(grant_id)) for grant_id in grant_ids}
    returned = [grant for grant in grants.values() if results[str(grant.pk)] == "returned"]
    document = _take_back(returned, device=device, act=act, caller=caller, now=now) if returned else None
    acts.finish(act, outcome={"results": results, "document": document.pk if document else None})
    return Returned(results=results, document=document)


def _outcome(grant: Grant | None) -> Outcome:
    if grant is None:
        return "unknown"
    if grant.state != Grant.State.LIVE:
        return "already"
    return "returned" if grant.product.returnable else "kept"


def _take_back(
    grants: Sequence[Grant], *, device: Device, act: Act, caller: Caller, now: datetime
) -> LicenseDocument:
    source, destination = ledger.device_holder(device), ledger.project_holder(device.project)
    # Test licenses and bridges are no part of the ledger: they end, and nothing is credited (trust.md 5).
    bought = [grant for grant in grants if grant.license_class == Grant.Class.BOUGHT]
    transfers = ledger.transfer(
        act=act,
        lines=[
            Line(product=grant.product, quantity=grant.quantity, source=source, destination=destination)
            for grant in bought
        ],
    )
    ledger.end_grants(act=act, grants=grants, state=Grant.State.RETURNED, now=now)
    document = documents.issue(device=device, seq=documents.next_seq(device), act=act, now=now)
    by_grant = {grant.pk: transfer for grant, transfer in zip(bought, transfers, strict=True)}
    transparency.record(
        act=act,
        leaf_type=LeafType.RETURN,
        told=[transparency.Told(transfer=by_grant.get(grant.pk), grant=grant) for grant in grants],
        document_sha256=bytes(document.payload_sha256),
        now=now,
    )
    for grant in grants:
        audit.record(
            "licenses-returned",
            caller=caller,
            now=now,
            act=act,
            company_id=device.project.company_id,
            project_id=device.project_id,
            hardware_id=device.hardware_id,
            product=str(grant.product),
            quantity=grant.quantity,
            seq=document.seq,
        )
    return document

"""Assigning licenses to devices, and undoing it before the device could know (mission rules 11 to 13)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from devices.models import Device
from devices.queries import NoSuchDevice
from licenses import documents, ledger, queries, room, transparency
from licenses.ledger import Line
from licenses.log_line import LeafType
from licenses.models import Grant, LicenseDocument, Product
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act


class AssignmentCarried(Conflict):
    code = "assignment-carried"
    title = _("A license document with this assignment was already handed out.")
    why = _(
        "The device may have installed the document by now. If the licenses came back without its signature, "
        "they could run there and be assigned once more elsewhere."
    )
    way_out = _("Return it from the device, with the device's signature, or ask support for a move.")
    source = "mission rule 12"


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """A grant that was made, or undone, and the document that came of it."""

    grant: Grant
    document: LicenseDocument


@transaction.atomic(durable=True)
def assign(*, device: Device, product: Product, quantity: int, caller: Caller, now: datetime) -> Assignment:
    """Assign licenses from the balance of the device's project to the device.

    :raises QuantityOutOfRange: the quantity is below 1 or above the largest allowed.
    :raises InsufficientLicenses: the project has less than that free.
    :raises DeviceIsFull: the device holds as many grants as a document lists.
    :raises NoSuchDevice: it has left the project that `device` was loaded with.
    """
    ledger.require_quantity(quantity)
    act = acts.begin(
        operation="assign",
        caller=caller,
        given={"device": device.hardware_id, "product": product.pk, "quantity": quantity},
        now=now,
    )
    if act.outcome is not None:
        return _assignment(act.outcome)
    asked_in = device.project_id
    device = ledger.lock_device(device)
    # Counted under the lock: two at once would both see one place left.
    room.require_room(device, more=1, now=now)
    _require_still_in(asked_in, device)
    [transfer] = ledger.transfer(
        act=act,
        lines=[
            Line(
                product=product,
                quantity=quantity,
                source=ledger.project_holder(device.project),
                destination=ledger.device_holder(device),
            )
        ],
    )
    seq = documents.next_seq(device)
    grant = ledger.grant(act=act, device=device, product=product, quantity=quantity, first_seq=seq, now=now)
    document = documents.issue(device=device, seq=seq, act=act, now=now)
    transparency.record(
        act=act,
        leaf_type=LeafType.ISSUE,
        told=[transparency.Told(transfer=transfer, grant=grant)],
        document_sha256=bytes(document.payload_sha256),
        now=now,
    )
    _record("licenses-assigned", grant, document, act, caller, now)
    acts.finish(act, outcome={"grant": str(grant.pk), "document": document.pk})
    return Assignment(grant=grant, document=document)


@transaction.atomic(durable=True)
def undo_assignment(*, grant: Grant, caller: Caller, now: datetime) -> Assignment:
    """Take an assignment back that no document handed out has carried yet (mission rule 12).

    :raises GrantAlreadyEnded: it is not live any more.
    :raises AssignmentCarried: a document that lists it was handed out.
    :raises NoSuchDevice: the device has left the project that `grant.device` was loaded with.
    """
    act = acts.begin(operation="undo-assignment", caller=caller, given={"grant": str(grant.pk)}, now=now)
    if act.outcome is not None:
        return _assignment(act.outcome)
    # The lock keeps the document from being handed out between the check and the act.
    asked_in = grant.device.project_id
    device = ledger.lock_device(grant.device)
    _require_still_in(asked_in, device)
    grant = Grant.objects.select_related("product", "device").get(pk=grant.pk)
    if grant.state != Grant.State.LIVE:
        raise ledger.GrantAlreadyEnded
    if grant.pk not in queries.can_be_undone([grant], device):
        raise AssignmentCarried
    [transfer] = ledger.transfer(
        act=act,
        lines=[
            Line(
                product=grant.product,
                quantity=grant.quantity,
                source=ledger.device_holder(device),
                destination=ledger.project_holder(device.project),
            )
        ],
    )
    ledger.end_grants(act=act, grants=[grant], state=Grant.State.REVOKED, now=now)
    document = documents.issue(device=device, seq=documents.next_seq(device), act=act, now=now)
    transparency.record(
        act=act,
        leaf_type=LeafType.REVOCATION,
        told=[transparency.Told(transfer=transfer, grant=grant)],
        document_sha256=bytes(document.payload_sha256),
        now=now,
    )
    _record("assignment-undone", grant, document, act, caller, now)
    acts.finish(act, outcome={"grant": str(grant.pk), "document": document.pk})
    return Assignment(grant=grant, document=document)


def _require_still_in(project_id: int, device: Device) -> None:
    """Whoever was let in had a right in one project. A claim can take the device to another one before it is
    locked, and the licenses of that one are not theirs to spend."""
    if device.project_id != project_id:
        raise NoSuchDevice


def _record(
    event: str, grant: Grant, document: LicenseDocument, act: Act, caller: Caller, now: datetime
) -> None:
    project = grant.device.project
    audit.record(
        event,
        caller=caller,
        now=now,
        act=act,
        company_id=project.company_id,
        project_id=project.pk,
        hardware_id=grant.device.hardware_id,
        product=str(grant.product),
        quantity=grant.quantity,
        seq=document.seq,
    )


def _assignment(outcome: dict[str, Any]) -> Assignment:
    return Assignment(
        grant=Grant.objects.select_related("product", "device").get(pk=UUID(outcome["grant"])),
        document=LicenseDocument.objects.get(pk=outcome["document"]),
    )

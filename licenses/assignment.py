"""Assigning licenses to devices, and undoing it before the device could know (mission rules 11 to 13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import scopes
from accounts.models import Project
from devices.models import Device
from licenses import (
    device_lists,
    documents,
    ledger,
    locked_devices,
    move_queries,
    queries,
    room,
    standing_queries,
    transparency,
)
from licenses.ledger import Line
from licenses.locked_devices import LockedDevice
from licenses.log_line import LeafType
from licenses.models import Grant, LicenseDocument, Product, Transfer
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid
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


MOST_DEVICES = 200
"""How many devices one act assigns to: it is one transaction, and holds all of them until its end."""


class DevicesOutOfRange(Invalid):
    code = "devices-out-of-range"
    title = _("Licenses are assigned to 1 to %(most)s devices at once, not to %(devices)s.")
    why = _(
        "All of the devices get theirs at the same moment, or none does, and nobody else can change one of "
        "them until that is done. With very many devices others would wait too long."
    )
    way_out = _("Choose fewer devices, and assign to the others afterwards.")


class DevicesOfSeveralProjects(Conflict):
    code = "devices-of-several-projects"
    title = _("These devices are not all in one project.")
    why = _("Licenses go from the balance of a project to the devices of this project, and to no others.")
    way_out = _("Choose devices of one project, and assign to those of another one afterwards.")
    source = "mission rule 12"


@dataclass(frozen=True, kw_only=True)
class AssignmentPreview:
    """What assigning to several devices would do: units free in the balance, and on each of the devices."""

    free_before: int
    free_after: int
    devices: Sequence[tuple[Device, int, int]]
    """Each device with the units it has of the product before and after."""


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
    :raises DeviceInMove: a move of it is open.
    :raises NoSuchDevice: it has left the project that `device` was loaded with.
    """
    ledger.require_quantity(quantity)
    act = acts.begin(
        operation="assign",
        caller=caller,
        given={"device": device.hardware_id, "product": product.pk, "quantity": quantity},
        now=now,
        gathers=True,
    )
    if act.outcome is not None:
        return _assignment(act.outcome)
    locked = _lock_to_assign(device, product, act, now)
    [transfer] = ledger.transfer(act=act, lines=[_line(locked, product, quantity)], held=locked.held)
    made = _grant(locked, transfer, act=act, caller=caller, now=now)
    acts.finish(act, outcome=_outcome(made))
    return made


def look_at_assignment(
    *, devices: Sequence[Device], product: Product, quantity: int, now: datetime
) -> AssignmentPreview:
    """Say what assigning to several devices would do, as things are now. Changes nothing.

    :raises: as `assign_to_devices`.
    """
    project = _require_one_project(devices)
    ledger.require_quantity(quantity)
    held = device_lists.held_by_devices(devices, product=product, now=now)
    kept = room.places_kept(devices)
    for device in devices:
        if held[device.pk].grants + kept.get(device.pk, 0) >= settings.GRANTS_PER_DEVICE:
            raise room.DeviceIsFull(most=settings.GRANTS_PER_DEVICE, hardware_id=device.hardware_id)
    available, wanted = queries.free_in(project, product=product), quantity * len(devices)
    if wanted > available:
        raise ledger.InsufficientLicenses(product=str(product), wanted=wanted, available=available)
    return AssignmentPreview(
        free_before=available,
        free_after=available - wanted,
        devices=[(device, held[device.pk].units, held[device.pk].units + quantity) for device in devices],
    )


@transaction.atomic(durable=True)
def assign_to_devices(
    *, devices: Sequence[Device], product: Product, quantity: int, caller: Caller, now: datetime
) -> Sequence[Assignment]:
    """Assign the same quantity to each of several devices of a project: to all of them or to none.

    :param quantity: units for each of the devices.
    :returns: one assignment a device, in the order of hardware IDs.
    :raises DevicesOutOfRange: there is no device, or more than `MOST_DEVICES`.
    :raises DevicesOfSeveralProjects: they are not all in one.
    :raises QuantityOutOfRange: the quantity is below 1 or above the largest allowed.
    :raises InsufficientLicenses: the project has less than that free for all of them.
    :raises DeviceIsFull: one of them holds as many grants as a document lists.
    :raises NoSuchDevice: one has left the project that it was loaded with.
    """
    _require_one_project(devices)
    ledger.require_quantity(quantity)
    # In one order: two such acts over the same devices would wait for each other in a circle otherwise.
    devices = sorted(set(devices), key=lambda device: device.hardware_id)
    act = acts.begin(
        operation="assign-to-devices",
        caller=caller,
        given={
            "devices": [device.hardware_id for device in devices],
            "product": product.pk,
            "quantity": quantity,
        },
        now=now,
        gathers=True,
    )
    if act.outcome is not None:
        return [_assignment(made) for made in act.outcome["made"]]
    # All devices before the first holding: whoever holds one of them may wait for the balance of the project.
    for device in devices:
        ledger.lock_device(device)
    locked = [_lock_to_assign(device, product, act, now) for device in devices]
    transfers = ledger.transfer(
        act=act,
        lines=[_line(one, product, quantity) for one in locked],
        held={place: holding for one in locked for place, holding in one.held.items()},
    )
    made = [
        _grant(one, transfer, act=act, caller=caller, now=now)
        for one, transfer in zip(locked, transfers, strict=True)
    ]
    acts.finish(act, outcome={"made": [_outcome(one) for one in made]})
    return made


def _require_one_project(devices: Sequence[Device]) -> Project:
    if not 1 <= len(devices) <= MOST_DEVICES:
        raise DevicesOutOfRange(most=MOST_DEVICES, devices=len(devices))
    if len({device.project_id for device in devices}) > 1:
        raise DevicesOfSeveralProjects
    return devices[0].project


def _lock_to_assign(device: Device, product: Product, act: Act, now: datetime) -> LockedDevice:
    assert act.batch is not None, "it gathers"
    locked = locked_devices.lock_to_assign(device=device, product=product, now=now, batch=act.batch)
    # Counted under the lock: two at once would both see one place left.
    if locked.may_have_test:
        room.require_room(locked.device, more=1, now=now)
    else:
        room.require_fit(locked.device, len(locked.grants) + 1)
    ledger.require_still_in(device.project_id, locked.device)
    if locked.may_be_in_move:
        move_queries.require_no_move_from(locked.device, now=now)
    scopes.require_open(locked.device.project)
    return locked


def _line(locked: LockedDevice, product: Product, quantity: int) -> Line:
    return Line(product=product, quantity=quantity, source=locked.giver, destination=locked.taker)


def _grant(
    locked: LockedDevice, transfer: Transfer, *, act: Act, caller: Caller, now: datetime
) -> Assignment:
    """The grant of a transfer to a device, the document that lists it, and what is said of both."""
    grant = ledger.grant(
        act=act,
        device=locked.device,
        product=transfer.product,
        quantity=transfer.quantity,
        first_seq=locked.next_seq,
        now=now,
    )
    document = documents.issue_and_log(
        device=locked.device,
        seq=locked.next_seq,
        leaf_type=LeafType.ISSUE,
        told=[transparency.Told(transfer=transfer, grant=grant)],
        act=act,
        now=now,
        grants=[*locked.grants, grant],
    )
    _record("licenses-assigned", grant, document, act, caller, now)
    return Assignment(grant=grant, document=document)


def _outcome(made: Assignment) -> dict[str, Any]:
    return {"grant": str(made.grant.pk), "document": made.document.pk}


@transaction.atomic(durable=True)
def undo_assignment(*, grant: Grant, caller: Caller, now: datetime) -> Assignment:
    """Take an assignment back that no document handed out has carried yet (mission rule 12).

    :raises GrantAlreadyEnded: it is not live any more.
    :raises AssignmentCarried: a document that lists it was handed out.
    :raises DeviceInMove: a move of the device is open; its replacement runs on what would come back.
    :raises NoSuchDevice: the device has left the project that `grant.device` was loaded with.
    """
    act = acts.begin(operation="undo-assignment", caller=caller, given={"grant": str(grant.pk)}, now=now)
    if act.outcome is not None:
        return _assignment(act.outcome)
    # The lock keeps the document from being handed out between the check and the act.
    asked_in = grant.device.project_id
    device = ledger.lock_device(grant.device)
    ledger.require_still_in(asked_in, device)
    move_queries.require_no_move_from(device, now=now)
    grant = Grant.objects.select_related("product", "device").get(pk=grant.pk)
    if grant.state != Grant.State.LIVE:
        raise ledger.GrantAlreadyEnded
    carried = standing_queries.carried_seq(device)
    if not standing_queries.can_be_undone([grant], carried=carried):
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
    document = documents.issue_and_log(
        device=device,
        seq=documents.next_seq(device),
        leaf_type=LeafType.REVOCATION,
        told=[transparency.Told(transfer=transfer, grant=grant)],
        act=act,
        now=now,
    )
    _record("assignment-undone", grant, document, act, caller, now)
    acts.finish(act, outcome={"grant": str(grant.pk), "document": document.pk})
    return Assignment(grant=grant, document=document)


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

"""Adding a device to a project, by its hardware ID (mission rules 4 and 7).

An act that may touch grants, those that stayed with a device when it was released, so it lives here although
it reads like devices.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import scopes
from accounts.models import Project
from devices import enrollment
from devices import queries as devices
from devices.models import Device
from licenses import handing_over
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, DomainError, Invalid
from portal.core.models import Act

MOST_DEVICES = 500
"""How many devices one list adds: it is one transaction."""


class ListedTwice(Conflict):
    code = "device-listed-twice"
    title = _("The device %(hardware_id)s is in the list more than once.")
    why = _("A device is in a project once, by one name; which of its lines is meant, only you can say.")
    way_out = _("Leave one of its lines.")
    source = "mission rule 4"


class ListOutOfRange(Invalid):
    code = "device-list-out-of-range"
    title = _("A list adds 1 to %(most)s devices, not %(devices)s.")
    why = _(
        "All devices of a list are added at the same moment, or none is. With very many of them others would "
        "wait too long."
    )
    way_out = _("Add the devices in several lists.")


@dataclass(frozen=True, kw_only=True)
class CheckedDevice:
    """A line of a list: hardware ID and name as they would be kept, or as typed with the `refusal`."""

    hardware_id: str
    name: str
    refusal: DomainError | None = None


@transaction.atomic(durable=True)
def add_device(
    *, project: Project, hardware_id: str, name: str = "", caller: Caller, now: datetime
) -> Device:
    """Add a device to a project, by its hardware ID as people type it.

    Licenses that stayed with a device when it was released come along, as a hand-over in the log.

    :raises HardwareIDMalformed: the text is no hardware ID.
    :raises DeviceNameTooLong: the name has more than 100 characters.
    :raises DeviceAlreadyAdded: it is in this project.
    :raises HardwareIDTaken: it is in another project, of whichever company.
    :raises ProjectArchived: the project is archived.
    """
    canonical = enrollment.canonical_hardware_id(hardware_id)
    name = enrollment.require_name(name)
    act = acts.begin(
        operation="add-device",
        caller=caller,
        given={"project": project.pk, "hardware_id": canonical, "name": name},
        now=now,
    )
    if act.outcome is not None:
        return Device.objects.select_related("project__company").get(pk=act.outcome["device"])
    project = scopes.hold_project(project)
    device = _enter(project, canonical, name, act=act, caller=caller, now=now)
    acts.finish(act, outcome={"device": device.pk})
    return device


def require_list(listed: Sequence[tuple[str, str]]) -> None:
    """Hold a list within bounds.

    :raises ListOutOfRange: there is no line, or there are more than `MOST_DEVICES`.
    """
    if not 1 <= len(listed) <= MOST_DEVICES:
        raise ListOutOfRange(most=MOST_DEVICES, devices=len(listed))


def check_devices(*, project: Project, listed: Sequence[tuple[str, str]]) -> list[CheckedDevice]:
    """Say of each line of a list whether it could be added as things are now. Changes nothing.

    :param listed: hardware ID and name of each line, as people type them.
    """
    checked = [_read(hardware_id, name) for hardware_id, name in listed]
    present = devices.in_use(device.hardware_id for device in checked)
    seen: set[str] = set()
    for place, device in enumerate(checked):
        if device.refusal is None:
            refusal: DomainError | None = None
            if device.hardware_id in seen:
                refusal = ListedTwice(hardware_id=device.hardware_id)
            elif device.hardware_id in present:
                there = present[device.hardware_id] == project.pk
                kind = enrollment.DeviceAlreadyAdded if there else enrollment.HardwareIDTaken
                refusal = kind(hardware_id=device.hardware_id)
            checked[place] = replace(device, refusal=refusal)
            seen.add(device.hardware_id)
    return checked


@transaction.atomic(durable=True)
def add_devices(*, project: Project, listed: Sequence[tuple[str, str]], caller: Caller, now: datetime) -> int:
    """Add many devices to a project: all of them or none. Returns how many.

    :param listed: hardware ID and name of each, as people type them.
    :raises ListOutOfRange: there is none, or there are more than `MOST_DEVICES`.
    :raises ListedTwice: one is listed twice.
    :raises: as `add_device`, for the first device that cannot be added.
    """
    require_list(listed)
    wanted: dict[str, str] = {}
    for hardware_id, name in listed:
        canonical = enrollment.canonical_hardware_id(hardware_id)
        if canonical in wanted:
            raise ListedTwice(hardware_id=canonical)
        wanted[canonical] = enrollment.require_name(name)
    act = acts.begin(
        operation="add-devices", caller=caller, given={"project": project.pk, "devices": wanted}, now=now
    )
    if act.outcome is not None:
        return int(act.outcome["devices"])
    project = scopes.hold_project(project)
    # In one order: two lists with the same devices would wait for each other in a circle otherwise.
    for canonical in sorted(wanted):
        _enter(project, canonical, wanted[canonical], act=act, caller=caller, now=now)
    acts.finish(act, outcome={"devices": len(wanted)})
    return len(wanted)


def _read(hardware_id: str, name: str) -> CheckedDevice:
    try:
        return CheckedDevice(
            hardware_id=enrollment.canonical_hardware_id(hardware_id), name=enrollment.require_name(name)
        )
    except DomainError as refusal:
        return CheckedDevice(hardware_id=hardware_id, name=name, refusal=refusal)


def _enter(
    project: Project, hardware_id: str, name: str, *, act: Act, caller: Caller, now: datetime
) -> Device:
    entered = enrollment.enter(project=project, hardware_id=hardware_id, name=name, now=now)
    if entered.was_released:
        handing_over.hand_over(entered.device, earlier=None, later=project, act=act, now=now)
    audit.record(
        "device-added",
        caller=caller,
        now=now,
        act=act,
        company_id=project.company_id,
        project_id=project.pk,
        hardware_id=hardware_id,
        name=name,
    )
    return entered.device

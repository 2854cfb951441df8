"""Adding a device to a project, by its hardware ID (mission rules 4 and 7).

An act that may touch grants, those that stayed with a device when it was released, so it lives here although
it reads like devices.
"""

from datetime import datetime

from django.db import transaction

from accounts import scopes
from accounts.models import Project
from devices import enrollment
from devices.models import Device
from licenses import handing_over
from portal.core import acts, audit
from portal.core.acts import Caller


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
    entered = enrollment.enter(project=project, hardware_id=canonical, name=name, now=now)
    if entered.was_released:
        handing_over.hand_over(entered.device, earlier=None, later=project, act=act, now=now)
    audit.record(
        "device-added",
        caller=caller,
        now=now,
        act=act,
        company_id=project.company_id,
        project_id=project.pk,
        hardware_id=canonical,
        name=name,
    )
    acts.finish(act, outcome={"device": entered.device.pk})
    return entered.device

"""A device changes project within its company, or is released (mission rule 7)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import scopes
from accounts.models import Project
from devices.models import Device
from licenses import handing_over, ledger, move_queries, queries, trial_course
from licenses.handing_over import DeviceBridged, InThisProject
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict


class ProjectOfAnotherCompany(Conflict):
    code = "project-of-another-company"
    title = _("A device changes project within its company only.")
    why = _(
        "The licenses on a device belong to its company. With a simple change of project they would leave it "
        "without the consent of whoever paid for them."
    )
    way_out = _("Release it here and add it there; or the other company proves with a claim that it has it.")
    source = "mission rule 7"


class DeviceKeepsLicenses(Conflict):
    code = "device-keeps-licenses"
    title = _("The device holds %(quantity)s licenses that must be returned before it can be released.")
    why = _(
        "Whoever adds the released device next gets what is on it. The licenses that can be returned are "
        "yours, and must not be lost with it by mistake."
    )
    way_out = _(
        "Undo assignments that no document has carried, or invalidate the licenses on the device. If it is "
        "broken, ask for a move."
    )
    source = "mission rule 7"


@transaction.atomic(durable=True)
def change_project(*, device: Device, project: Project, caller: Caller, now: datetime) -> Device:
    """Put a device into another project of its company, with all its grants.

    Its license document stays as it is. What it returns from now on goes to the new project's balance.

    :raises ProjectOfAnotherCompany: the project belongs to another company.
    :raises InThisProject: the device is there already.
    :raises ProjectArchived: the project is archived.
    :raises DeviceInMove: a move of it is open; a replacement can change project.
    :raises NoSuchDevice: it was released meanwhile.
    """
    act = acts.begin(
        operation="change-device-project",
        caller=caller,
        given={"device": device.hardware_id, "project": project.pk},
        now=now,
    )
    if act.outcome is not None:
        return Device.objects.select_related("project__company").get(pk=device.pk)
    # The lock lets a return at this moment go wholly to the one project or to the other.
    device = ledger.lock_device(device)
    move_queries.require_no_move_from(device, now=now)
    project = scopes.hold_project(project)
    earlier = Project.objects.get(pk=device.project_id)  # read while the company is held
    if earlier.company_id != project.company_id:
        raise ProjectOfAnotherCompany
    if earlier == project:
        raise InThisProject
    device.project = project
    device.save(update_fields=["project"])
    handing_over.hand_over(device, earlier=earlier, later=project, act=act, now=now)
    # Each side is told its own part: an end customer of the one must not read what the other is called.
    for side, event in ((earlier, "device-left-project"), (project, "device-joined-project")):
        audit.record(
            event,
            caller=caller,
            now=now,
            act=act,
            company_id=side.company_id,
            project_id=side.pk,
            hardware_id=device.hardware_id,
            name=side.name,
        )
    acts.finish(act, outcome={})
    return device


@transaction.atomic(durable=True)
def release_device(*, device: Device, caller: Caller, now: datetime) -> None:
    """Let a device go: from then on anybody may add its hardware ID.

    Licenses that stay with the hardware go with it, as a hand-over to nobody in the log.

    :raises DeviceKeepsLicenses: it holds licenses that can be returned. Fact `quantity`.
    :raises DeviceBridged: it holds a bridge.
    :raises DeviceInMove: it has a part in an open move.
    :raises NoSuchDevice: it was released already.
    """
    act = acts.begin(operation="release-device", caller=caller, given={"device": device.hardware_id}, now=now)
    if act.outcome is not None:
        return
    # The lock keeps assignments out while it is decided whether the device may go.
    device = ledger.lock_device(device)
    _require_free(device, now=now)
    earlier = scopes.hold_project(device.project)
    trial_course.withdraw_what_waits(device=device, earlier=earlier, act=act, caller=caller, now=now)
    device.released_at = now
    device.save(update_fields=["released_at"])
    handing_over.hand_over(device, earlier=earlier, later=None, act=act, now=now)
    audit.record(
        "device-released",
        caller=caller,
        now=now,
        act=act,
        company_id=earlier.company_id,
        project_id=earlier.pk,
        hardware_id=device.hardware_id,
        name=device.name,
    )
    acts.finish(act, outcome={})


def _require_free(device: Device, *, now: datetime) -> None:
    kept_by = handing_over.keeps_it_in_place(list(queries.grants_at(device, now=now)))
    if any(grant.license_class == grant.Class.BRIDGE for grant in kept_by):
        raise DeviceBridged
    if kept_by:
        raise DeviceKeepsLicenses(quantity=sum(grant.quantity for grant in kept_by))
    move_queries.require_no_move_of(device, now=now)

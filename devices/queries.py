"""Devices, as one person or the device itself may see them."""

from collections.abc import Iterable

from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Project, User
from accounts.queries import VIEW, NoSuchProject, get_project
from devices.hardware_id import is_canonical
from devices.models import Device
from portal.core.errors import NotFound


class NoSuchDevice(NotFound):
    code = "no-such-device"
    title = _("There is no such device, or none that you may see.")
    way_out = _("Look for it in your projects, or add it to one.")


def devices_of(project: Project) -> QuerySet[Device]:
    """The devices of a project, by hardware ID, with their last contact."""
    return Device.objects.filter(project=project).select_related("contact").order_by("hardware_id")


def count_by_project(projects: Iterable[Project]) -> dict[int, int]:
    """How many devices each of the projects has, by the project's primary key; those without are left out."""
    counted = (
        Device.objects.filter(project__in=[project.pk for project in projects])
        .values_list("project")
        .annotate(devices=Count("pk"))
    )
    return dict(counted)


def get_device(*, hardware_id: str, user: User, right: str = VIEW) -> Device:
    """One device, for somebody with the right in its project.

    :raises NoSuchDevice: there is none, or it is in a project the user may not see.
    :raises RightMissing: the user may see the project, but has less than `right` there.
    """
    # What is no hardware ID is asked of no database: PostgreSQL refuses a NUL in a text.
    device = device_by_hardware_id(hardware_id) if is_canonical(hardware_id) else None
    if device is None:
        raise NoSuchDevice
    try:
        get_project(project_id=device.project_id, user=user, right=right)
    except NoSuchProject as error:
        raise NoSuchDevice from error
    return device


def device_by_hardware_id(hardware_id: str) -> Device | None:
    """The device of a hardware ID that its certificate has proven; for the device doors."""
    return (
        Device.objects.filter(hardware_id=hardware_id).select_related("project__company", "contact").first()
    )

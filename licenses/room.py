"""Whether a device has room for more grants: its document lists only so many (mission rule 13)."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from devices.models import Device
from licenses import queries, trial_queries
from portal.core.errors import Conflict


class DeviceIsFull(Conflict):
    code = "device-is-full"
    title = _("The device %(hardware_id)s holds %(most)s licenses already, as many as one document can list.")
    why = _(
        "A device reads all of its licenses from one document, and small devices have little room for it. "
        "The limit makes sure that every device can read what it is given."
    )
    way_out = _("Return some of one product and assign one larger quantity of it instead.")
    source = "mission rule 13"


def require_room(device: Device, *, more: int, now: datetime) -> None:
    """Hold a device to the number of grants that one document lists. The device is locked.

    A test license that waits has its places kept: whoever downloads it finds room, and a device that fetches
    is never without it.

    :raises DeviceIsFull: with so many more there would be too many.
    """
    waiting = trial_queries.waiting_test_license(device)
    kept = len(trial_queries.contents_of(waiting)) if waiting else 0
    require_places(device, kept + more, now=now)


def places_kept(devices: Iterable[Device]) -> dict[int, int]:
    """How many places the test licenses that wait on several devices keep, by primary key; 0 is left out.

    One query, and one for each sort of test license: version, slave, quantity.
    """
    waiting = trial_queries.waiting_test_licenses(devices)
    sorts = {(one.version, one.slave, one.quantity): one for one in waiting}
    places = {sort: len(trial_queries.contents_of(one)) for sort, one in sorts.items()}
    return {one.device_id: places[one.version, one.slave, one.quantity] for one in waiting}


def require_places(device: Device, places: int, *, now: datetime) -> None:
    """The same, where nothing waits but what the places are for.

    :raises DeviceIsFull: it has fewer left.
    """
    require_fit(device, queries.grants_at(device, now=now).count() + places)


def require_fit(device: Device, grants: int) -> None:
    """The same, where it is known how many grants there would be.

    :raises DeviceIsFull: they are more than a document lists.
    """
    if not _fit(grants):
        raise DeviceIsFull(most=settings.GRANTS_PER_DEVICE, hardware_id=device.hardware_id)


def has_places(device: Device, places: int, *, now: datetime) -> bool:
    """Whether the document of the device can list so many grants more."""
    return _fit(queries.grants_at(device, now=now).count() + places)


def _fit(grants: int) -> bool:
    return grants <= settings.GRANTS_PER_DEVICE

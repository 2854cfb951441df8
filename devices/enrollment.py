"""Devices coming into a project, and the key that speaks for each (mission rule 7, trust.md 1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Project
from devices import hardware_id as hardware_ids
from devices import queries
from devices.alerts import alert
from devices.models import Alert, Device, DeviceContact, FirstWord
from devices.pki import DeviceIdentity
from portal.core import audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Forbidden, Invalid

CONTACT_WRITTEN_AT_MOST_EVERY = timedelta(hours=1)


class HardwareIDMalformed(Invalid):
    code = "hardware-id-malformed"
    title = _("This is not a hardware ID.")
    why = _(
        "Licenses are bound to the hardware ID and work on no other device. A mistyped one would bind them "
        "to a device that you do not have."
    )
    way_out = _(
        "It has twelve digits or letters from A to F, like 00-90-33-01-0A-FF; look at the type label."
    )
    source = "mission rule 11"


class DeviceNameTooLong(Invalid):
    code = "device-name-too-long"
    title = _("The name of the device is too long.")
    why = _("The name stands in lists beside the hardware ID, and must be readable there at a glance.")
    way_out = _("Use at most 100 characters.")


class DeviceAlreadyAdded(Conflict):
    code = "device-already-added"
    title = _("The device %(hardware_id)s is in this project already.")
    why = _(
        "Each hardware ID is one device, and appears once. A second entry would split its licenses and its "
        "history."
    )
    way_out = _("Find it in the list of devices.")
    source = "mission rule 7"


class HardwareIDTaken(Conflict):
    """Says nothing about who has it."""

    code = "hardware-id-taken"
    title = _("The hardware ID %(hardware_id)s is taken: it is in another project.")
    why = _(
        "A device is in exactly one project. If typing in a hardware ID were enough, anybody could take "
        "devices from others; so the device itself must prove who has it."
    )
    way_out = _(
        "Compare it with the type label. If the device is yours, prove it with a claim, or ask support."
    )
    source = "mission rule 7"


class KeyNotPinned(Forbidden):
    code = "key-not-pinned"
    title = _("The device spoke with another key than the one known for its hardware ID.")
    why = _(
        "From its first word on, the portal knows a device by its key. Another key may be a clone that wants "
        "the licenses, so a person looks at it first."
    )
    way_out = _("Support can accept the new certificate, once they know why it changed.")
    source = "trust.md 1"


@dataclass(frozen=True, kw_only=True)
class Entered:
    """A device that came into a project; `was_released` if it was known and no project had it."""

    device: Device
    was_released: bool


def enter(*, project: Project, hardware_id: str, name: str, now: datetime) -> Entered:
    """Put a device into a project, in the transaction of an operation. The project's company is held.

    A device that was released is taken up again: its key, the licenses that stay with it, and the `seq` of
    its documents go on (mission rule 7).

    :param hardware_id: in canonical form.
    :raises DeviceAlreadyAdded: it is in this project.
    :raises HardwareIDTaken: it is in another project, of whichever company.
    """
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            device = Device.objects.create(hardware_id=hardware_id, project=project, name=name, added_at=now)
    except IntegrityError as error:
        # The condition in the UPDATE lets one of two at once have a released device.
        taken_up = Device.objects.filter(hardware_id=hardware_id, released_at__isnull=False).update(
            project=project, name=name, added_at=now, released_at=None
        )
        device = Device.objects.select_related("project__company").get(hardware_id=hardware_id)
        if not taken_up:
            refusal = DeviceAlreadyAdded if device.project_id == project.pk else HardwareIDTaken
            raise refusal(hardware_id=hardware_id) from error
        was_released = True
    else:
        was_released = False
    _raise_to_the_floor(device)
    return Entered(device=device, was_released=was_released)


def require_name(name: str) -> str:
    """A device's name as it is kept.

    :raises DeviceNameTooLong: it has more than 100 characters.
    """
    name = name.strip()
    if len(name) > 100:
        raise DeviceNameTooLong
    return name


@transaction.atomic(durable=True)
def pin_key(*, device: Device, identity: DeviceIdentity, caller: Caller, now: datetime) -> None:
    """Pin the key of a device's first verified word; from then on no other key speaks for it (trust.md 1).

    :raises KeyNotPinned: another key was pinned before, or at the same moment.
    """
    # The condition in the UPDATE lets one of two first words win, and the other one see it.
    pinned = Device.objects.filter(pk=device.pk, pinned_spki__isnull=True).update(
        pinned_spki=identity.spki_sha256, pinned_at=now
    )
    if not pinned:
        device.refresh_from_db(fields=["pinned_spki", "pinned_at"])
        require_pinned(device=device, identity=identity)
        return
    device.pinned_spki, device.pinned_at = identity.spki_sha256, now
    audit.record(
        "device-key-pinned",
        caller=caller,
        now=now,
        company_id=device.project.company_id,
        project_id=device.project_id,
        hardware_id=device.hardware_id,
        key=identity.spki_sha256.hex(),
    )


@transaction.atomic(durable=True)
def record_contact(*, device: Device, firmware: str, now: datetime) -> None:
    """Remember when the device was last heard of, and with which firmware."""
    DeviceContact.objects.update_or_create(device=device, defaults={"last_at": now, "firmware": firmware})


@transaction.atomic(durable=True)
def record_first_word(*, device: Device, now: datetime) -> None:
    """Remember that the device said something signed while its project had it, if that is not known yet."""
    # Of two first words at once either may be the one that is kept.
    FirstWord.objects.bulk_create(
        [FirstWord(device=device, project_id=device.project_id, at=now)], ignore_conflicts=True
    )


def _raise_to_the_floor(device: Device) -> None:
    """The device may be one that a restored database has forgotten (trust.md 3).

    Looked up after the device was entered: whoever raises the floor at this moment either waits for this
    device, or is done (devices.seq_floors).
    """
    floor = queries.highest_seq_floor()
    if floor > device.seq_floor:
        device.seq_floor = floor
        device.save(update_fields=["seq_floor"])


def require_pinned(*, device: Device, identity: DeviceIdentity) -> None:
    """Hold a device to the key it first spoke with.

    :raises KeyNotPinned: the identity has another key.
    """
    if device.pinned_spki is None or bytes(device.pinned_spki) != identity.spki_sha256:
        raise KeyNotPinned


def hold_to_pin(*, device: Device, identity: DeviceIdentity, now: datetime) -> None:
    """As `require_pinned`, for a verified statement: of what another key signed support is told, once for
    each key. There are as many as the manufacturer certified for this hardware ID (docs/decisions/0028).

    :raises KeyNotPinned: the identity has another key.
    """
    try:
        require_pinned(device=device, identity=identity)
    except KeyNotPinned:
        with transaction.atomic(durable=True):  # it stays, although the statement is refused
            alert(
                Alert.Kind.OTHER_KEY,
                device=device,
                subject=identity.spki_sha256.hex(),
                now=now,
                certificate=identity.certificate_sha256.hex(),
                valid_from=identity.valid_from.isoformat(),
                valid_until=identity.valid_until.isoformat(),
            )
        raise


def canonical_hardware_id(text: str) -> str:
    """A hardware ID as people type it, in canonical form.

    :raises HardwareIDMalformed: it is none.
    """
    try:
        return hardware_ids.parse(text)
    except hardware_ids.NotAHardwareID as error:
        raise HardwareIDMalformed from error

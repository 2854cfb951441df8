"""Devices and keys that are not listened to any more (trust.md 1): a stolen device, a key that leaked.

A blocked device is told so. A blocked key is refused like any certificate that does not count, whichever
hardware ID it speaks for. Either can be unblocked; both directions need a reason.
"""

import re
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from devices.models import BlockedKey, Device
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid
from portal.core.models import Act

_HASH = re.compile(r"[0-9a-f]{64}")


class DeviceBlockedAlready(Conflict):
    code = "device-blocked-already"
    title = _("The device %(hardware_id)s is blocked already.")
    why = _(
        "A second block would put another name and reason over the first, and hide why the device was really "
        "blocked."
    )
    way_out = _("Nothing needs to be done. Its history says who blocked it, and why.")
    source = "mission rule 38"


class DeviceNotBlocked(Conflict):
    code = "device-not-blocked"
    title = _("The device %(hardware_id)s is not blocked.")
    why = _(
        "Unblocking is an entry in the history of the device. An entry about a block that never was would "
        "mislead whoever reads it."
    )
    way_out = _("Nothing needs to be done. If it cannot fetch, its certificate or key may be the cause.")
    source = "mission rule 38"


class KeyHashMalformed(Invalid):
    code = "key-hash-malformed"
    title = _("This is not the SHA-256 of a public key.")
    why = _(
        "A key is blocked by its exact hash. One wrong character would block nothing, and everybody would "
        "feel safe."
    )
    way_out = _("It has 64 digits or letters from a to f; the device's page shows it once a key is known.")
    source = "trust.md 1"


class DeviceKeyBlockedAlready(Conflict):
    code = "device-key-blocked-already"
    title = _("This key is blocked already.")
    why = _(
        "A second block would put another name and reason over the first, and hide why the key was really "
        "blocked."
    )
    way_out = _("Nothing needs to be done. The list of blocked keys says why.")
    source = "mission rule 38"


class DeviceKeyNotBlocked(Conflict):
    code = "device-key-not-blocked"
    title = _("This key is not blocked.")
    why = _(
        "Who unblocks a key means a certain one. If that one is not blocked, it is probably another key, and "
        "it would be wrong to report success."
    )
    way_out = _("Compare it with the list of blocked keys.")
    source = "mission rule 38"


def read_key_hash(key_hash: str) -> bytes:
    """The SHA-256 that people typed.

    :raises KeyHashMalformed: it is no SHA-256.
    """
    # Colons between the octets, as openssl writes them, and blanks from a paste do not matter.
    text = re.sub(r"[:\s]", "", key_hash).lower()
    if not _HASH.fullmatch(text):
        raise KeyHashMalformed
    return bytes.fromhex(text)


@transaction.atomic(durable=True)
def block_device(*, device: Device, caller: Caller, now: datetime) -> None:
    """Refuse whatever the device says, until it is unblocked. What it holds stays with it.

    :raises ReasonNeeded: the caller gives no reason.
    :raises DeviceBlockedAlready: it is blocked.
    """
    act = _begin("block-device", device.hardware_id, caller=caller, now=now)
    if act.outcome is not None:
        return
    # The condition in the UPDATE lets one of two at once win, and the other one see it.
    if not Device.objects.filter(pk=device.pk, blocked_at__isnull=True).update(blocked_at=now):
        raise DeviceBlockedAlready(hardware_id=device.hardware_id)
    _tell_of_device("device-blocked", device, act=act, caller=caller, now=now)


@transaction.atomic(durable=True)
def unblock_device(*, device: Device, caller: Caller, now: datetime) -> None:
    """Listen to the device again.

    :raises ReasonNeeded: the caller gives no reason.
    :raises DeviceNotBlocked: it is not blocked.
    """
    act = _begin("unblock-device", device.hardware_id, caller=caller, now=now)
    if act.outcome is not None:
        return
    if not Device.objects.filter(pk=device.pk, blocked_at__isnull=False).update(blocked_at=None):
        raise DeviceNotBlocked(hardware_id=device.hardware_id)
    _tell_of_device("device-unblocked", device, act=act, caller=caller, now=now)


@transaction.atomic(durable=True)
def block_key(*, key_hash: str, caller: Caller, now: datetime) -> None:
    """Refuse every certificate of a public key, whichever hardware ID it names.

    :param key_hash: SHA-256 of the key's SubjectPublicKeyInfo as people type it: hexadecimal.
    :raises ReasonNeeded: the caller gives no reason.
    :raises KeyHashMalformed: it is no SHA-256.
    :raises DeviceKeyBlockedAlready: the key is blocked.
    """
    spki_sha256 = read_key_hash(key_hash)
    act = _begin("block-device-key", spki_sha256.hex(), caller=caller, now=now)
    if act.outcome is not None:
        return
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            BlockedKey.objects.create(
                spki_sha256=spki_sha256,
                reason=acts.reason_of(caller),
                blocked_at=now,
                blocked_by=caller.name,
            )
    except IntegrityError as error:
        raise DeviceKeyBlockedAlready from error
    _tell_of_key("device-key-blocked", spki_sha256, act=act, caller=caller, now=now)


@transaction.atomic(durable=True)
def unblock_key(*, key_hash: str, caller: Caller, now: datetime) -> None:
    """Let certificates of the key count again.

    :param key_hash: as for `block_key`.
    :raises ReasonNeeded: the caller gives no reason.
    :raises KeyHashMalformed: it is no SHA-256.
    :raises DeviceKeyNotBlocked: the key is not blocked.
    """
    spki_sha256 = read_key_hash(key_hash)
    act = _begin("unblock-device-key", spki_sha256.hex(), caller=caller, now=now)
    if act.outcome is not None:
        return
    removed, _by_model = BlockedKey.objects.filter(spki_sha256=spki_sha256).delete()
    if not removed:
        raise DeviceKeyNotBlocked
    _tell_of_key("device-key-unblocked", spki_sha256, act=act, caller=caller, now=now)


def _begin(operation: str, what: str, *, caller: Caller, now: datetime) -> Act:
    given = {"what": what, "reason": acts.reason_of(caller)}
    return acts.begin(operation=operation, caller=caller, given=given, now=now)


def _tell_of_device(event: str, device: Device, *, act: Act, caller: Caller, now: datetime) -> None:
    audit.record(
        event,
        caller=caller,
        now=now,
        act=act,
        company_id=device.project.company_id,
        project_id=device.project_id,
        hardware_id=device.hardware_id,
        reason=acts.reason_of(caller),
    )
    acts.finish(act, outcome={})


def _tell_of_key(event: str, spki_sha256: bytes, *, act: Act, caller: Caller, now: datetime) -> None:
    audit.record(event, caller=caller, now=now, act=act, key=spki_sha256.hex(), reason=acts.reason_of(caller))
    acts.finish(act, outcome={})

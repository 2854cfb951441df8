"""Another key of a device is accepted by two people (trust.md 1, docs/decisions/0028).

A device keeps its key for life. A board exchanged in a repair, or a certificate made again, brings another
one, and so does a clone: the portal cannot tell them apart, so people answer for it.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import staff
from accounts.permissions import Permission
from accounts.staff import SecondPersonNeeded, StaffNeeded
from devices import alerts, queries
from devices.models import Device, NewKey
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act


class NewKeyPinned(Conflict):
    code = "new-key-pinned"
    title = _("The device %(hardware_id)s is known by this key already.")
    why = _("A key is accepted once, by two people, so that the history says who they were.")
    way_out = _("Nothing needs to be done: the device can fetch with its certificate.")
    source = "trust.md 1"


class NewKeyBlocked(Conflict):
    code = "new-key-blocked"
    title = _("The new key is blocked.")
    why = _("Somebody blocked it for a reason. Accepted beside that, it would still be refused.")
    way_out = _("Read who blocked it and why; unblock it first if that was wrong.")
    source = "trust.md 1"


class AnotherKeyWaits(Conflict):
    code = "another-key-waits"
    title = _("Another new key of the device %(hardware_id)s waits for its second person.")
    why = _("A device has one key. Two at once would leave it to chance which one speaks for it.")
    way_out = _("Accept that one, or drop it first.")
    source = "trust.md 1"


class NoKeyWaits(Conflict):
    code = "no-key-waits"
    title = _("No new key of the device %(hardware_id)s waits for a second person.")
    why = _("Somebody accepted or dropped it at the same moment, and is named for it in the history.")
    way_out = _("Load the page again: it says what became of it.")
    source = "trust.md 1"


@transaction.atomic(durable=True)
def accept_key(*, device: Device, key_hash: str, caller: Caller, now: datetime) -> NewKey:
    """Let another key speak for a device. The first call notes who accepts it and why, and changes nothing
    else; by the same call a second person, who is senior, has it pinned. The earlier key then counts no more.

    :param key_hash: SHA-256 of the key, hexadecimal; a verified statement of it was seen.
    :raises ReasonNeeded, StaffNeeded, RoleMissing: the caller gives no reason, is no person, or may not.
    :raises NoSuchNewKey: no statement signed with it was seen, or no project has the device.
    :raises NewKeyPinned, NewKeyBlocked, AnotherKeyWaits: it cannot be accepted. Fact `hardware_id`.
    :raises SecondPersonNeeded: the first one was the same person.
    """
    act, person = _begin("accept-device-key", device, key_hash, caller=caller, now=now)
    if act.outcome is not None:
        return NewKey.objects.select_related("device").get(pk=act.outcome["new_key"])
    seen = queries.get_other_key(device, key_hash)
    spki_sha256 = bytes.fromhex(seen.subject)
    # The lock lets one of two second persons win, and the other one see it.
    device = _lock(device)
    if device.pinned_spki is None or bytes(device.pinned_spki) == spki_sha256:
        raise NewKeyPinned(hardware_id=device.hardware_id)
    if queries.get_blocked_key(spki_sha256) is not None:
        raise NewKeyBlocked
    waiting = queries.waiting_key(device)
    if waiting is None:
        made = NewKey.objects.create(
            device=device,
            spki_sha256=spki_sha256,
            reason=acts.reason_of(caller),
            asked_by_id=person,
            asked_at=now,
        )
        _tell("device-key-asked", made, act=act, caller=caller, now=now)
        return made
    if bytes(waiting.spki_sha256) != spki_sha256:
        raise AnotherKeyWaits(hardware_id=device.hardware_id)
    if waiting.asked_by_id == person:
        raise SecondPersonNeeded
    staff.require(Permission.SECOND_PERSON, user_id=person)
    device.pinned_spki, device.pinned_at = spki_sha256, now
    device.save(update_fields=["pinned_spki", "pinned_at"])
    _decide(waiting, NewKey.State.ACCEPTED, person, now=now)
    alerts.settle_by(seen, act=act, caller=caller, now=now)
    _tell("device-key-accepted", waiting, act=act, caller=caller, now=now)
    return waiting


@transaction.atomic(durable=True)
def drop_key(*, device: Device, key_hash: str, caller: Caller, now: datetime) -> NewKey:
    """Take back what the first person said; the device is known by the key that it had.

    :param key_hash: of the key that waits, hexadecimal.
    :raises ReasonNeeded, StaffNeeded, RoleMissing: the caller gives no reason, is no person, or may not.
    :raises NoSuchNewKey: no statement signed with it was seen, or no project has the device.
    :raises NoKeyWaits: none waits, or another one. Fact `hardware_id`.
    """
    act, person = _begin("drop-device-key", device, key_hash, caller=caller, now=now)
    if act.outcome is not None:
        return NewKey.objects.select_related("device").get(pk=act.outcome["new_key"])
    device = _lock(device)
    waiting = queries.waiting_key(device)
    if waiting is None or bytes(waiting.spki_sha256).hex() != key_hash:
        raise NoKeyWaits(hardware_id=device.hardware_id)
    _decide(waiting, NewKey.State.DROPPED, person, now=now)
    _tell("device-key-dropped", waiting, act=act, caller=caller, now=now)
    return waiting


def _begin(
    operation: str, device: Device, key_hash: str, *, caller: Caller, now: datetime
) -> tuple[Act, int]:
    given = {"device": device.hardware_id, "key": key_hash, "reason": acts.reason_of(caller)}
    if caller.user_id is None:
        raise StaffNeeded
    staff.require(Permission.ACCEPT_CERTIFICATE, user_id=caller.user_id)
    return acts.begin(operation=operation, caller=caller, given=given, now=now), caller.user_id


def _lock(device: Device) -> Device:
    locked = (
        Device.objects.select_for_update(of=("self",), no_key=True)
        .select_related("project")
        .filter(pk=device.pk, released_at=None)
        .first()
    )
    if locked is None:
        raise queries.NoSuchNewKey
    return locked


def _decide(waiting: NewKey, state: NewKey.State, person: int, *, now: datetime) -> None:
    waiting.state, waiting.decided_by_id, waiting.decided_at = state, person, now
    waiting.save(update_fields=["state", "decided_by", "decided_at"])


def _tell(event: str, key: NewKey, *, act: Act, caller: Caller, now: datetime) -> None:
    device = key.device
    audit.record(
        event,
        caller=caller,
        now=now,
        act=act,
        company_id=device.project.company_id,
        project_id=device.project_id,
        hardware_id=device.hardware_id,
        key=bytes(key.spki_sha256).hex(),
        reason=acts.reason_of(caller),
    )
    acts.finish(act, outcome={"new_key": key.pk})

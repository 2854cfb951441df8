"""Devices, as one person or the device itself may see them."""

import functools
import operator
import re
from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Replace
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiToken, Principal, Project, User
from accounts.queries import OPERATE, VIEW, get_project, held_by, projects_of, require_right
from devices import kept_devices
from devices.hardware_id import NotAHardwareID, is_canonical, parse
from devices.models import Alert, BlockedKey, Device, NewKey, ProjectChange, SeqFloor, TrustAnchor
from portal.core.errors import UNSEEN, NotFound
from portal.core.models import Act, AuditEntry

SHORTEST_FINGERPRINT = 8


class NoSuchDevice(NotFound):
    code = "no-such-device"
    title = _("There is no such device, or none that you may see.")
    why = UNSEEN
    way_out = _("Look for it in your projects, or add it to one.")
    source = "mission rule 5"


class NoSuchAnchor(NotFound):
    code = "no-such-anchor"
    title = _("There is no such trust anchor.")
    why = _(
        "A trust anchor decides whose devices are believed, so each is named by the fingerprint of its "
        "certificate and never by a similar one."
    )
    way_out = _("Look at the list of trust anchors; it names each by the SHA-256 of its certificate.")
    source = "trust.md 1"


class NoSuchAlert(NotFound):
    code = "no-such-alert"
    title = _("There is no such alert.")
    why = _("An alert is settled by its number, and nothing is settled on a guess.")
    way_out = _("Look at the list of open alerts.")
    source = "mission rule 38"


class NoSuchNewKey(NotFound):
    code = "no-such-new-key"
    title = _("No statement was seen that this key signed for this device.")
    why = _(
        "Only a key that spoke for the device, with a certificate of a trusted manufacturer, can be "
        "accepted. So a mistyped or made-up one never is."
    )
    way_out = _("Let the device fetch once with its new certificate; the refusal brings the key here.")
    source = "trust.md 1"


def devices_of(project: Project, *, part_of_id: str = "", part_of_name: str = "") -> QuerySet[Device]:
    """The devices of a project, by hardware ID, with their last contact.

    :param part_of_id: only hardware IDs with this in them, as people type it.
    :param part_of_name: only names with this in them.
    """
    devices = Device.objects.filter(project=project, released_at=None, name__icontains=part_of_name)
    if part := _digits(part_of_id):
        devices = devices.alias(plain=_PLAIN_ID).filter(plain__contains=part)
    return devices.select_related("contact").order_by("hardware_id")


def found_in(projects: QuerySet[Project], *, text: str) -> QuerySet[Device]:
    """Devices of the projects with the text in their name, or in their hardware ID, however typed."""
    found = Q(name__icontains=text) if text else Q()
    if part := _digits(text):
        found |= Q(plain__contains=part)
    return (
        Device.objects.alias(plain=_PLAIN_ID)
        .filter(found, project__in=projects.order_by().values("pk"), released_at=None)
        .select_related("project__company", "contact")
        .order_by("hardware_id")
    )


_PLAIN_ID = Replace("hardware_id", Value("-"), Value(""))


def _digits(part_of_id: str) -> str:
    return re.sub(r"[-:.\s]", "", part_of_id).upper()


def devices_named(hardware_ids: Iterable[str], *, project: Project) -> list[Device]:
    """Those of the hardware IDs, in canonical form, that are devices of the project; by hardware ID."""
    found = Device.objects.filter(hardware_id__in=list(hardware_ids), project=project, released_at=None)
    return list(found.select_related("project__company").order_by("hardware_id"))


def in_use(hardware_ids: Iterable[str]) -> dict[str, int]:
    """Those of the hardware IDs, in canonical form, that are in a project, each with that project's key."""
    wanted = [hardware_id for hardware_id in hardware_ids if is_canonical(hardware_id)]
    found = Device.objects.filter(hardware_id__in=wanted, released_at=None)
    return dict(found.values_list("hardware_id", "project"))


def count_by_project(projects: Iterable[Project]) -> dict[int, int]:
    """How many devices each of the projects has, by the project's primary key; those without are left out."""
    counted = (
        Device.objects.filter(project__in=[project.pk for project in projects], released_at=None)
        .values_list("project")
        .annotate(devices=Count("pk"))
    )
    return dict(counted)


def get_device(*, hardware_id: str, user: Principal, right: str = VIEW) -> Device:
    """One device, for somebody with the right in its project.

    :raises NoSuchDevice: there is none, or it is in a project the user may not see.
    :raises RightMissing: the user may see the project, but has less than `right` there.
    """
    # What is no hardware ID is asked of no database: PostgreSQL refuses a NUL in a text.
    if not is_canonical(hardware_id):
        raise NoSuchDevice
    if isinstance(user, User) and user.viewing is None:
        found = kept_devices.of_person(hardware_id, user_id=user.pk)
        if found is None or not held_by(found.standing):
            raise NoSuchDevice
        require_right(found.standing, right)
        return found.device
    device = _in_projects().filter(hardware_id=hardware_id, project__in=_seen_by(user)).first()
    if device is None:
        raise NoSuchDevice
    if right != VIEW:
        get_project(project_id=device.project_id, user=user, right=right)
    return device


def _seen_by(user: Principal) -> QuerySet[Project, int]:
    return projects_of(user).order_by().values_list("pk", flat=True)


def get_device_to_release(*, hardware_id: str, user: Principal) -> Device:
    """A device that somebody may release; also one that they released last, to ask what came of it.

    :raises NoSuchDevice: there is none, or it is in a project the user may not see.
    :raises RightMissing: the user may see the project, but has less than `operate` there.
    """
    change = (
        ProjectChange.objects.filter(device__hardware_id=hardware_id, device__released_at__isnull=False)
        .select_related("act", "device__project__company")
        .order_by("-pk")
        if is_canonical(hardware_id)
        else ProjectChange.objects.none()
    ).first()
    if change is not None and _did(user, change.act):
        return change.device
    return get_device(hardware_id=hardware_id, user=user, right=OPERATE)


def _did(user: Principal, act: Act) -> bool:
    if isinstance(user, ApiToken):
        # A program that took another's place, and its name, may ask for it (docs/decisions/0016).
        return act.scope == f"company:{user.company_id}" and act.actor_name == user.name_in_histories
    return act.actor_id == user.pk


def device_by_hardware_id(hardware_id: str) -> Device | None:
    """The device of a hardware ID, if a project has it; for doors at which a certificate has proven it."""
    return _in_projects().filter(hardware_id=hardware_id).first()


def _in_projects() -> QuerySet[Device]:
    return Device.objects.filter(released_at=None).select_related("project__company", "contact")


def is_key_blocked(device: Device) -> bool:
    """Whether certificates of the key that the device is known by count for nothing (trust.md 1)."""
    if device.pinned_spki is None:
        return False
    return BlockedKey.objects.filter(spki_sha256=device.pinned_spki).exists()


def highest_seq_floor() -> int:
    """What the `seq` of all devices was raised to; 0 if it never was (trust.md 3)."""
    return SeqFloor.objects.order_by("-value").values_list("value", flat=True).first() or 0


def highest_seq_in_alerts() -> int:
    """The highest `seq` that open alerts say devices have seen; 0 if there is no such alert."""
    ahead = Alert.objects.filter(
        kind__in=[Alert.Kind.SEQ_AHEAD, Alert.Kind.SEQ_FAR_AHEAD], settled_at__isnull=True
    )
    return max((facts["seq"] for facts in ahead.values_list("facts", flat=True)), default=0)


# --- For support, who may see everything ---


def find_device(typed: str) -> Device:
    """The device of a hardware ID as people type it, whoever has it.

    :raises NoSuchDevice: there is none.
    """
    try:
        device = device_by_hardware_id(parse(typed))
    except NotAHardwareID as error:
        raise NoSuchDevice from error
    if device is None:
        raise NoSuchDevice
    return device


def trust_anchors() -> QuerySet[TrustAnchor]:
    """Every anchor with its prefixes, by manufacturer."""
    return TrustAnchor.objects.prefetch_related("prefixes").order_by("manufacturer", "pk")


def count_under(prefixes: Iterable[str]) -> int:
    """How many devices have a hardware ID under one of the prefixes."""
    under = [Q(hardware_id__startswith=f"{prefix}-") | Q(hardware_id=prefix) for prefix in prefixes]
    return Device.objects.filter(functools.reduce(operator.or_, under, Q(pk__in=[]))).count()


def find_anchor(fingerprint: str) -> TrustAnchor:
    """The anchor whose certificate's SHA-256 begins with these digits: enough of them to name just one.

    :raises NoSuchAnchor: there is none, or more than one.
    """
    wanted = fingerprint.replace(":", "").lower()
    found = [anchor for anchor in trust_anchors() if bytes(anchor.sha256).hex().startswith(wanted)]
    if len(wanted) < SHORTEST_FINGERPRINT or len(found) != 1:
        raise NoSuchAnchor
    return found[0]


def open_alerts() -> QuerySet[Alert]:
    """What nobody has settled yet, the oldest first."""
    return (
        Alert.objects.filter(settled_at__isnull=True)
        .select_related("device__project__company", "company")
        .order_by("at", "pk")
    )


def settled_alerts() -> QuerySet[Alert]:
    """What was settled, the latest first."""
    return (
        Alert.objects.filter(settled_at__isnull=False)
        .select_related("device__project__company", "company")
        .order_by("-settled_at", "-pk")
    )


def settlements(alerts: Iterable[Alert]) -> dict[int, AuditEntry]:
    """Who settled each of the alerts, and what came of it, by the alert's primary key."""
    alerts = list(alerts)
    by_act = {alert.settled_by_id: alert.pk for alert in alerts if alert.settled_by_id is not None}
    by_cause = {
        (alert.device.hardware_id, alert.kind, alert.subject): alert.pk
        for alert in alerts
        if alert.device is not None and alert.settled_by_id is None
    }
    found = {
        by_act[entry.act_id]: entry
        for entry in AuditEntry.objects.select_related("actor").filter(act__in=by_act, event="alert-settled")
        if entry.act_id is not None
    }
    entries = AuditEntry.objects.select_related("actor").filter(
        hardware_id__in={hardware_id for hardware_id, _, _ in by_cause}, event="alert-settled"
    )
    causes = ((entry, (entry.hardware_id, entry.facts["kind"], entry.facts["subject"])) for entry in entries)
    return found | {by_cause[cause]: entry for entry, cause in causes if cause in by_cause}


def get_alert(alert_id: int) -> Alert:
    """One alert, open or settled.

    :raises NoSuchAlert: there is none.
    """
    alert = Alert.objects.select_related("device__project__company", "company").filter(pk=alert_id).first()
    if alert is None:
        raise NoSuchAlert
    return alert


def blocked_devices() -> QuerySet[Device]:
    """Devices that are not listened to, the latest first."""
    return (
        Device.objects.filter(blocked_at__isnull=False)
        .select_related("project__company")
        .order_by("-blocked_at", "hardware_id")
    )


def blockings(devices: Iterable[Device]) -> dict[str, AuditEntry]:
    """Who blocked each of the devices last, and why, by hardware ID."""
    entries = AuditEntry.objects.select_related("actor").filter(
        hardware_id__in=[device.hardware_id for device in devices], event="device-blocked"
    )
    return {entry.hardware_id: entry for entry in entries.order_by("at", "pk")}


def get_blocked_key(sha256: bytes) -> BlockedKey | None:
    """A key whose certificates count for nothing, or None if the key is not blocked."""
    return BlockedKey.objects.filter(spki_sha256=sha256).first()


def blocked_keys() -> QuerySet[BlockedKey]:
    """Keys whose certificates count for nothing, the latest first."""
    return BlockedKey.objects.order_by("-blocked_at", "pk")


def other_keys(device: Device) -> QuerySet[Alert]:
    """Alerts about keys that spoke for the device and are not the one it is known by; the latest first.

    `subject` is the SHA-256 of the key, hexadecimal; the facts say when its certificate is valid.
    """
    pinned = bytes(device.pinned_spki).hex() if device.pinned_spki is not None else ""
    seen = Alert.objects.filter(device=device, kind=Alert.Kind.OTHER_KEY).exclude(subject=pinned)
    return seen.select_related("device").order_by("-at", "-pk")


def get_other_key(device: Device, key_hash: str) -> Alert:
    """The alert that told of a key, also if the device is known by it by now.

    :raises NoSuchNewKey: no verified statement was signed with it, or no project has the device.
    """
    seen = Alert.objects.filter(device=device, kind=Alert.Kind.OTHER_KEY, subject=key_hash)
    found = seen.select_related("device__project__company").filter(device__released_at=None).first()
    if found is None:
        raise NoSuchNewKey
    return found


def waiting_key(device: Device) -> NewKey | None:
    """The new key of the device that one person accepted and a second one has to."""
    waiting = NewKey.objects.filter(device=device, state=NewKey.State.WAITS)
    return waiting.select_related("device__project", "asked_by").first()


def new_keys_of(device: Device) -> QuerySet[NewKey]:
    """What became of new keys of the device; the latest first."""
    return NewKey.objects.filter(device=device).select_related("asked_by", "decided_by").order_by("-pk")

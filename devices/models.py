"""Where: devices, what pins them to their certificate, and whose certificates count (trust.md 1)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Company, Project
from portal.core.models import Act


class Device(models.Model):
    """A piece of hardware, known by its hardware ID, in exactly one project (mission rule 4)."""

    hardware_id = models.CharField(max_length=17)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="devices")
    name = models.CharField(max_length=100, blank=True)
    added_at = models.DateTimeField()
    # SHA-256 of the public key in the certificate that spoke first; from then on no other key does.
    pinned_spki = models.BinaryField(null=True)
    pinned_at = models.DateTimeField(null=True)
    # The device's next license document gets a `seq` above this (trust.md 3).
    seq_floor = models.BigIntegerField(default=0)
    blocked_at = models.DateTimeField(null=True)
    # Set by a release: no project has the device then, `project` is the last one that had (mission rule 7).
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["hardware_id"], name="a_device_is_in_one_project"),
            models.CheckConstraint(
                condition=Q(hardware_id__regex=r"^([0-9A-F]{2}-){5}[0-9A-F]{2}$"),
                name="a_hardware_id_is_canonical",
            ),
            models.CheckConstraint(
                condition=Q(pinned_spki__isnull=True, pinned_at__isnull=True)
                # A CHECK lets NULL pass, and the length of nothing is NULL.
                | Q(pinned_spki__isnull=False, pinned_spki__length=32, pinned_at__isnull=False),
                name="a_pin_is_a_hash_with_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.hardware_id


class ProjectChange(models.Model):
    """A device left a project for another one, or for none when it was released, or came from none again."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="project_changes")
    earlier = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="+")
    later = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="+")
    act = models.OneToOneField(Act, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(earlier__isnull=True, later__isnull=False)
                | Q(earlier__isnull=False, later__isnull=True)
                | (Q(earlier__isnull=False, later__isnull=False) & ~Q(earlier=F("later"))),
                name="a_device_changes_from_somewhere_to_elsewhere",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id}: {self.earlier_id} to {self.later_id}"


class DeviceContact(models.Model):
    """When a device was last heard of. A table of its own: it is written far more often than devices are."""

    device = models.OneToOneField(Device, on_delete=models.CASCADE, primary_key=True, related_name="contact")
    last_at = models.DateTimeField()
    firmware = models.CharField(max_length=128, blank=True)  # as long as `fw` may be (devices.jose)

    def __str__(self) -> str:
        return f"{self.device_id} at {self.last_at:%Y-%m-%d %H:%M}"


class FirstWord(models.Model):
    """When a device first said something signed while a project had it: that project did have the device.

    A claim is none: it is signed for the project that wants the device.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="first_words")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device", "project"], name="a_device_speaks_first_in_a_project_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} in {self.project_id}"


class StatementCounter(models.Model):
    """The `ctr` of each return, acknowledgement and claim that was accepted, with the hash of its payload.

    Two payloads with one `ctr` show a clone or a restored snapshot (trust.md 3).
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="counters")
    ctr = models.BigIntegerField()
    payload_sha256 = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device", "ctr", "payload_sha256"], name="a_payload_is_counted_once"
            ),
            models.CheckConstraint(
                condition=Q(payload_sha256__length=32), name="a_counted_payload_is_a_hash"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ctr} of {self.device_id}"


class BlockedKey(models.Model):
    """A key whose certificates count for nothing. By key, since a certificate can be written in many ways."""

    spki_sha256 = models.BinaryField()
    reason = models.TextField()
    blocked_at = models.DateTimeField()
    blocked_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["spki_sha256"], name="a_key_is_blocked_once"),
            models.CheckConstraint(condition=Q(spki_sha256__length=32), name="a_blocked_key_is_a_hash"),
        ]

    def __str__(self) -> str:
        return bytes(self.spki_sha256).hex()[:16]


class NewKey(models.Model):
    """Another key that shall speak for a device from now on: one person says why, a second one agrees
    (trust.md 1). Until then it waits, at most one for a device.

    spki_sha256: of the key; a statement that it signed was verified before.
    """

    class State(models.TextChoices):
        WAITS = "waits"
        ACCEPTED = "accepted"
        DROPPED = "dropped"

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="new_keys")
    spki_sha256 = models.BinaryField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITS)
    reason = models.TextField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["device"], condition=Q(state="waits"), name="one_new_key_of_a_device_waits"
            ),
            models.CheckConstraint(condition=Q(spki_sha256__length=32), name="a_new_key_is_a_hash"),
            models.CheckConstraint(
                condition=Q(state="waits", decided_by=None, decided_at=None)
                | Q(state="dropped", decided_by__isnull=False, decided_at__isnull=False)
                | Q(state="accepted", decided_by__isnull=False, decided_at__isnull=False)
                & ~Q(decided_by=F("asked_by")),
                name="a_new_key_is_accepted_by_two",
            ),
        ]

    def __str__(self) -> str:
        return f"{bytes(self.spki_sha256).hex()[:16]} for {self.device_id}: {self.state}"


class SeqFloor(models.Model):
    """What the operator raised all devices' `seq` to, after a database was restored (trust.md 3)."""

    value = models.BigIntegerField()
    raised_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(value__gt=0), name="a_seq_floor_raises_something"),
        ]

    def __str__(self) -> str:
        return str(self.value)


class AlertDigest(models.Model):
    """The mail of one day about what support has to look at; one a day, whatever runs twice."""

    day = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day"], name="one_digest_of_alerts_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day}"


class Alert(models.Model):
    """Something support has to look at: about a device, or about a company.

    subject: keeps one cause from alerting twice.
    settled_by: the act that settled it; alerts about devices from before have none.
    told_in: the first daily mail that named it.
    """

    class Kind(models.TextChoices):
        COUNTER_FORK = "counter-fork"
        SEQ_AHEAD = "seq-ahead"
        SEQ_FAR_AHEAD = "seq-far-ahead"
        CLAIM_WITH_SUPPORT = "claim-with-support"
        MOVED_DEVICE_ALIVE = "moved-device-alive"
        OTHER_KEY = "other-key"
        CAP_REACHED = "cap-reached"
        KEYS_TRIED = "keys-tried"

    kind = models.CharField(max_length=30, choices=Kind.choices)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="alerts")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, null=True, related_name="alerts")
    subject = models.CharField(max_length=100)
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(Act, on_delete=models.PROTECT, null=True, related_name="+")
    told_in = models.ForeignKey(AlertDigest, on_delete=models.PROTECT, null=True, related_name="alerts")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "kind", "subject"], name="one_alert_for_one_cause"),
            models.UniqueConstraint(
                fields=["company", "kind", "subject"], name="one_alert_for_one_cause_of_a_company"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["cap-reached", "keys-tried"], company__isnull=False, device=None)
                | (~Q(kind__in=["cap-reached", "keys-tried"]) & Q(company=None, device__isnull=False)),
                name="an_alert_is_about_a_device_or_a_company",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "counter-fork",
                        "seq-ahead",
                        "seq-far-ahead",
                        "claim-with-support",
                        "moved-device-alive",
                        "other-key",
                        "cap-reached",
                        "keys-tried",
                    ]
                ),
                name="an_alert_has_a_known_kind",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["at"], condition=Q(settled_at__isnull=True), name="open_alerts"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.device_id or self.company_id}"

    @property
    def about(self) -> str:
        """What it is about, as people call it: the device's hardware ID or the company's name."""
        if self.device is not None:
            return self.device.hardware_id
        assert self.company is not None, "a CHECK of the table"
        return self.company.name


class TrustAnchor(models.Model):
    """A manufacturer's CA certificate, and where its device certificates hold the hardware ID."""

    class HardwareIDIn(models.TextChoices):
        SERIAL_NUMBER = "serialNumber"
        COMMON_NAME = "CN"

    manufacturer = models.CharField(max_length=100)
    certificate = models.BinaryField()
    sha256 = models.BinaryField(unique=True)
    hardware_id_in = models.CharField(max_length=12, choices=HardwareIDIn.choices)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(hardware_id_in__in=["serialNumber", "CN"]),
                name="an_anchor_says_where_the_hardware_id_is",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.manufacturer} {bytes(self.sha256).hex()[:16]}"


class AnchorPrefix(models.Model):
    """A range of hardware IDs that an anchor may speak for: at least three octets, like `00-90-33`."""

    anchor = models.ForeignKey(TrustAnchor, on_delete=models.CASCADE, related_name="prefixes")
    prefix = models.CharField(max_length=17)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["anchor", "prefix"], name="an_anchor_names_a_prefix_once"),
            models.CheckConstraint(
                condition=Q(prefix__regex=r"^([0-9A-F]{2}-){2,5}[0-9A-F]{2}$"),
                name="a_prefix_has_at_least_three_octets",
            ),
        ]

    def __str__(self) -> str:
        return self.prefix

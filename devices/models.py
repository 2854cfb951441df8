"""Where: devices, what pins them to their certificate, and whose certificates count (trust.md 1)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Project


class Device(models.Model):
    """A piece of hardware, known by its hardware ID, in exactly one project (mission rule 4)."""

    hardware_id = models.CharField(max_length=17)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="devices")
    name = models.CharField(max_length=100, blank=True)
    added_at = models.DateTimeField()
    # SHA-256 of the public key in the certificate that spoke first; from then on no other key does.
    pinned_spki = models.BinaryField(null=True)
    pinned_at = models.DateTimeField(null=True)

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


class DeviceContact(models.Model):
    """When a device was last heard of. A table of its own: it is written far more often than devices are."""

    device = models.OneToOneField(Device, on_delete=models.CASCADE, primary_key=True, related_name="contact")
    last_at = models.DateTimeField()
    firmware = models.CharField(max_length=128, blank=True)  # as long as `fw` may be (devices.jose)

    def __str__(self) -> str:
        return f"{self.device_id} at {self.last_at:%Y-%m-%d %H:%M}"


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

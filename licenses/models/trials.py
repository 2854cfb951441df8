"""Test licenses: three months from the first download, once for a hardware ID (mission rules 20 to 23)."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import Project
from devices.models import Device
from portal.core.models import Act


class TestLicense(models.Model):
    """A test license of a hardware ID: waiting for its first download, then running until `ends_at`.

    Ended ones stay, so that there is no other for the hardware ID, whoever owns it. A void one counts for
    nothing: it was withdrawn before its first download, or revoked because whoever downloaded it never had
    a word from the device. Its grants are made when it starts.
    """

    __test__ = False  # for pytest, which takes the name for that of a test

    class Void(models.TextChoices):
        WITHDRAWN = "withdrawn"
        REVOKED = "revoked"

    # By hardware ID and not by the device's row alone: the rule is about the hardware.
    hardware_id = models.CharField(max_length=17)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="test_licenses")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")  # where it was created
    version = models.IntegerField()
    slave = models.BooleanField()
    quantity = models.IntegerField(null=True)  # of each PBX license; a slave has none
    made_by = models.OneToOneField(Act, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    started_by = models.OneToOneField(Act, on_delete=models.PROTECT, null=True, related_name="test_license")
    started_in = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    void = models.CharField(max_length=10, choices=Void.choices, blank=True)
    voided_by = models.OneToOneField(Act, on_delete=models.PROTECT, null=True, related_name="+")
    voided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["hardware_id"],
                condition=Q(void=""),
                name="one_test_license_for_a_hardware_id_for_ever",
            ),
            models.CheckConstraint(
                condition=Q(hardware_id__regex=r"^([0-9A-F]{2}-){5}[0-9A-F]{2}$"),
                name="a_tested_hardware_id_is_canonical",
            ),
            models.CheckConstraint(condition=Q(version__gt=0), name="a_test_license_has_a_version"),
            models.CheckConstraint(
                # A CHECK lets NULL pass, so that it is asked for by name.
                condition=Q(slave=True, quantity__isnull=True)
                | Q(slave=False, quantity__isnull=False, quantity__gt=0),
                name="a_slave_has_no_quantity_and_others_do",
            ),
            models.CheckConstraint(
                condition=Q(
                    started_at__isnull=True,
                    started_by__isnull=True,
                    started_in__isnull=True,
                    ends_at__isnull=True,
                )
                | Q(
                    started_at__isnull=False,
                    started_by__isnull=False,
                    started_in__isnull=False,
                    ends_at__isnull=False,
                    ends_at__gt=F("started_at"),
                ),
                name="a_test_license_starts_once_with_its_end",
            ),
            models.CheckConstraint(
                condition=Q(void="", voided_at__isnull=True, voided_by__isnull=True)
                | Q(
                    void="withdrawn",
                    started_at__isnull=True,
                    voided_at__isnull=False,
                    voided_by__isnull=False,
                )
                | Q(
                    void="revoked",
                    started_at__isnull=False,
                    voided_at__isnull=False,
                    voided_by__isnull=False,
                ),
                name="a_test_license_is_void_once_and_says_how",
            ),
        ]
        indexes: ClassVar = [
            # What a fetch looks at: few rows at any time.
            models.Index(
                fields=["device"],
                condition=Q(void="", started_at__isnull=True),
                name="test_licenses_that_wait",
            ),
            models.Index(fields=["ends_at"], condition=Q(void=""), name="test_licenses_by_their_end"),
        ]

    def __str__(self) -> str:
        return f"test license {self.version} of {self.hardware_id}"

"""What was signed for devices, and what they said to it (trust.md 4 to 6)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from devices.models import Device
from portal.core.models import Act


class LicenseDocument(models.Model):
    """One issue of a device's license document: payload and `seq` from the change, signatures from later.

    `signed` is null until the document is first wanted; the first signed bytes that are stored win, and
    those bytes go out unchanged for ever (trust.md 4).
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="license_documents")
    seq = models.BigIntegerField()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, null=True, related_name="license_documents")
    payload = models.BinaryField()
    payload_sha256 = models.BinaryField(unique=True)
    issued_at = models.DateTimeField()
    # When the first of its items ends; then the next document lacks it (trust.md 4).
    outdated_at = models.DateTimeField(null=True)
    signed = models.BinaryField(null=True)
    signed_under = models.IntegerField(null=True)  # the version of the key set whose keys signed
    handed_out_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "seq"], name="a_seq_is_given_once"),
            models.CheckConstraint(condition=Q(seq__gt=0), name="seq_starts_at_one"),
            models.CheckConstraint(condition=Q(payload_sha256__length=32), name="a_document_has_a_hash"),
            models.CheckConstraint(
                condition=Q(signed__isnull=True, signed_under__isnull=True)
                | Q(signed__isnull=False, signed_under__isnull=False),
                name="a_signature_names_its_key_set",
            ),
            models.CheckConstraint(
                condition=Q(handed_out_at__isnull=True) | Q(signed__isnull=False),
                name="only_signed_documents_are_handed_out",
            ),
        ]

    def __str__(self) -> str:
        return f"seq {self.seq} of {self.device_id}"


class Return(models.Model):
    """A return that was accepted, and its receipt: payload from the act, signatures from soon after.

    As with documents, the first signed bytes that are stored win (trust.md 5).
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="returns")
    act = models.OneToOneField(Act, on_delete=models.PROTECT, related_name="license_return")
    jti = models.CharField(max_length=22)
    payload_sha256 = models.BinaryField(unique=True)
    next_seq = models.BigIntegerField()
    received_at = models.DateTimeField()
    receipt_payload = models.BinaryField()
    signed = models.BinaryField(null=True)
    signed_under = models.IntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "jti"], name="a_device_names_a_return_once"),
            models.CheckConstraint(condition=Q(payload_sha256__length=32), name="a_return_has_a_hash"),
            models.CheckConstraint(
                condition=Q(signed__isnull=True, signed_under__isnull=True)
                | Q(signed__isnull=False, signed_under__isnull=False),
                name="a_receipt_names_its_key_set",
            ),
        ]

    def __str__(self) -> str:
        return f"return {self.jti} of {self.device_id}"


class Acknowledged(models.Model):
    """What a device said is installed and in effect: the highest numbers it ever named (trust.md 3)."""

    device = models.OneToOneField(
        Device, on_delete=models.PROTECT, primary_key=True, related_name="acknowledged"
    )
    installed_seq = models.BigIntegerField()
    effective_seq = models.BigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.device_id}: installed {self.installed_seq}, in effect {self.effective_seq}"


class KeySetVersion(models.Model):
    """A published key set: the bytes the roots signed (trust.md 6). Every version stays for ever."""

    version = models.IntegerField(primary_key=True)
    signed = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(version__gt=0), name="key_sets_count_from_one"),
        ]

    def __str__(self) -> str:
        return f"key set {self.version}"

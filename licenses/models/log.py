"""Leaves and lines of the public log (trust.md 8)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from licenses.models.books import Grant, Transfer
from portal.core.models import Act


class LogLeaf(models.Model):
    """A leaf of the public log, written with its act; a sequencer gives it its index later (trust.md 8)."""

    act = models.ForeignKey(Act, on_delete=models.PROTECT, null=True, related_name="log_leaves")
    type = models.CharField(max_length=20)
    at = models.DateTimeField()
    document_sha256 = models.BinaryField(null=True)
    body = models.BinaryField()
    index = models.BigIntegerField(null=True, unique=True)

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"


class LogLine(models.Model):
    """What stands behind one hash of a leaf: the line's bytes and its salt."""

    leaf = models.ForeignKey(LogLeaf, on_delete=models.PROTECT, related_name="lines")
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, null=True, related_name="log_line")
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, null=True, related_name="log_lines")
    salt = models.BinaryField()
    line = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(salt__length=16), name="a_line_has_a_salt_of_its_own"),
            models.CheckConstraint(
                condition=Q(transfer__isnull=False) | Q(grant__isnull=False),
                name="a_line_tells_of_a_transfer_or_a_grant",
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.pk} of leaf {self.leaf_id}"

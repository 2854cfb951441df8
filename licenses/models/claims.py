"""Codes by which a device proves whose hands it is in (mission rule 7)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Project
from portal.core.models import Act


class ClaimCode(models.Model):
    """A code that a device signs to prove whose hands it is in (mission rule 7). Only its hash is kept."""

    code_sha256 = models.BinaryField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    hardware_id = models.CharField(max_length=17)
    expires_at = models.DateTimeField()
    used_by = models.OneToOneField(Act, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code_sha256"], name="a_claim_code_is_one_claim"),
            models.CheckConstraint(condition=Q(code_sha256__length=32), name="a_claim_code_is_a_hash"),
        ]

    def __str__(self) -> str:
        return f"claim of {self.hardware_id} for {self.project_id}"

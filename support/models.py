"""Who of the vendor's people looked at what."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class Look(models.Model):
    """One page of the console, or of a company's own, that a member of staff had before them. Never changed,
    never deleted.

    `page` is the name of the route; `kind` and `subject` say what it was about ("device",
    "00-90-33-01-0A-FF"), and are "" for lists. `found_by` is what had been searched for, unless that was a
    person: rows that stay for ever keep no name or address of one (docs/decisions/0014). `company_id` is the
    company whose own pages were looked at.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    page = models.CharField(max_length=60)
    kind = models.CharField(max_length=20, blank=True)
    subject = models.CharField(max_length=100, blank=True)
    found_by = models.CharField(max_length=100, blank=True)
    company_id = models.BigIntegerField(null=True)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["-at", "-id"], name="looks_by_time"),
            models.Index(fields=["actor", "-at"], name="looks_of_a_person"),
            models.Index(fields=["kind", "subject", "-at"], name="looks_at_something"),
        ]

    def __str__(self) -> str:
        return f"{self.page} {self.subject} {self.at:%Y-%m-%d %H:%M:%S}"

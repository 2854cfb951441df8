"""One company asks to take another one in (mission rule 3)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Company
from portal.core.models import Act


class CompanyImport(models.Model):
    """An admin of `target` asked for `source`; an admin of `source` consents, refuses, or lets it expire."""

    class End(models.TextChoices):
        DONE = "done"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"

    source = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="imports_out")
    target = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="imports_in")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=10, choices=End.choices, blank=True)
    done_by = models.OneToOneField(Act, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(source=F("target")), name="an_import_is_of_another_company"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end="", done_by__isnull=True)
                | Q(ended_at__isnull=False, end="done", done_by__isnull=False)
                | Q(
                    ended_at__isnull=False, end__in=["refused", "withdrawn", "expired"], done_by__isnull=True
                ),
                name="an_import_ends_once_and_says_how",
            ),
            models.UniqueConstraint(
                fields=["source", "target"],
                condition=Q(ended_at__isnull=True),
                name="one_open_import_of_a_company",
            ),
            models.UniqueConstraint(
                fields=["source"], condition=Q(end="done"), name="a_company_is_imported_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} into {self.target_id}"

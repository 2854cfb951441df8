"""Words for reasons that the vendor's people give again and again."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class ReasonTemplate(models.Model):
    """Words for a reason that support gives again and again. What is archived is offered no more; what was
    said with it stands where it was said."""

    name = models.CharField(max_length=80)
    language = models.CharField(max_length=10)
    text = models.TextField()
    made_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["language", "name"],
                condition=Q(archived_at=None),
                name="a_reason_template_has_a_name_of_its_own",
            ),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(text=""), name="a_reason_template_says_something"
            ),
        ]

    def __str__(self) -> str:
        return self.name

"""Who has which role in the vendor's staff."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models.people import User
from accounts.permissions import Role


class StaffRole(models.Model):
    """A role somebody has now. Taking it deletes the row; the audit says who gave and took it, and why."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="staff_roles")
    role = models.CharField(max_length=20, choices=Role)
    given_at = models.DateTimeField()
    # None: by a command at the operator's prompt.
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "role"], name="a_person_has_a_role_once"),
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="a_staff_role_is_one_that_the_table_knows"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.role}"

"""Invitations by e-mail."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models.companies import Company, Membership, Project, ProjectRight
from accounts.models.people import User


class Invitation(models.Model):
    """Into a company with a role, or into one project with a right, by e-mail (mission rules 2 and 5).

    The mail's link holds a token, of which only the hash is here. The address is kept while the invitation is
    open; afterwards nobody needs it.
    """

    class End(models.TextChoices):
        ACCEPTED = "accepted"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="invitations")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="invitations")
    email = models.EmailField(max_length=254, blank=True)
    role = models.CharField(max_length=10, choices=Membership.Role.choices, blank=True)
    level = models.CharField(max_length=10, choices=ProjectRight.Level.choices, blank=True)
    token_sha256 = models.BinaryField()
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=10, choices=End.choices, blank=True)
    # Who accepted or declined it: to them it was, once the address is forgotten.
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["token_sha256"], name="a_token_is_one_invitation"),
            models.CheckConstraint(
                condition=Q(token_sha256__length=32), name="an_invitation_keeps_a_hash_of_its_token"
            ),
            models.CheckConstraint(
                condition=Q(project__isnull=True, role__in=["admin", "member"], level="")
                | Q(project__isnull=False, role="", level__in=["view", "operate", "manage"]),
                name="an_invitation_gives_a_role_or_a_right",
            ),
            models.CheckConstraint(
                condition=(Q(ended_at__isnull=True, end="") & ~Q(email=""))
                | Q(
                    ended_at__isnull=False,
                    end__in=["accepted", "declined", "withdrawn", "expired"],
                    email="",
                ),
                name="an_invitation_knows_an_address_until_it_ends",
            ),
            models.UniqueConstraint(
                "company",
                Lower("email"),
                condition=Q(ended_at__isnull=True, project__isnull=True),
                name="one_open_invitation_into_a_company",
            ),
            models.UniqueConstraint(
                "project",
                Lower("email"),
                condition=Q(ended_at__isnull=True, project__isnull=False),
                name="one_open_invitation_into_a_project",
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk} into {self.project_id or self.company_id}"

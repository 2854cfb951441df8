"""What programs sign in with, and who asks at all: a person or a program."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models.companies import Company, Project
from accounts.models.people import User


class ApiToken(models.Model):
    """What a program signs in with: a company's, or one project's (docs/decisions/0016).

    `scopes` are words with blanks between, as OAuth writes them. Of the token itself only the hash is here.
    """

    class Scope(models.TextChoices):
        READ = "read"
        OPERATE = "operate"
        ACTIVATE = "activate"
        TRANSFER = "transfer"
        MANAGE = "manage"

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="api_tokens")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="api_tokens", null=True)
    name = models.CharField(max_length=100)
    scopes = models.CharField(max_length=100)
    secret_sha256 = models.BinaryField()
    last_four = models.CharField(max_length=4)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_tokens")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["secret_sha256"], name="a_secret_is_one_api_token"),
            models.UniqueConstraint(
                "company",
                Lower("name"),
                condition=Q(revoked_at=None),
                name="api_tokens_in_force_have_names_of_their_own",
            ),
            models.CheckConstraint(
                condition=Q(secret_sha256__length=32), name="an_api_token_is_stored_as_a_hash"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="an_api_token_has_a_name"),
            models.CheckConstraint(
                condition=Q(project=None) | ~Q(scopes__contains="activate") & ~Q(scopes__contains="transfer"),
                name="a_project_s_api_token_has_scopes_of_a_project",
            ),
        ]

    def __str__(self) -> str:
        return f"olp_…{self.last_four}"

    @property
    def name_in_histories(self) -> str:
        """What acts and histories keep as who did it."""
        return f"token {self.name}"

    @property
    def granted(self) -> list[str]:
        """The scopes, each a word."""
        return self.scopes.split()


class ApiTokenUse(models.Model):
    """When a token was last used, within an hour: a hot small fact, so in a table of its own."""

    api_token = models.OneToOneField(ApiToken, on_delete=models.CASCADE, primary_key=True, related_name="use")
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.api_token_id} at {self.last_at:%Y-%m-%d %H:%M}"


Principal = User | ApiToken
"""Who asks: a person, or a program with a token. Queries take either and give a stranger of either kind the
same NotFound."""

"""Who: people, companies, projects, and who may do what where (mission rules 1 to 5)."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A natural person, who signs in with an e-mail address (mission rule 1)."""

    email = models.EmailField(max_length=254, unique=True)
    forename = models.CharField(max_length=100)
    surname = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    registered_at = models.DateTimeField(auto_now_add=True)
    # What pages and mails speak; set at registration from the browser's, later by the person.
    language = models.CharField(max_length=10, default="en")
    # The last terms accepted; each acceptance has a row, this one is looked at with every request.
    terms_version = models.CharField(max_length=40, blank=True)
    # Set when the account is deleted: the row stays for the histories, without anything of the person.
    left_at = models.DateTimeField(null=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["forename", "surname"]

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="one_user_for_an_email_address"),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return f"{self.forename} {self.surname}".strip()

    @property
    def name_in_histories(self) -> str:
        """The name, or what stands in its place once the person has left (mission rules 1 and 38)."""
        if self.left_at is not None:
            return gettext("A former member")
        return self.get_full_name() or self.email

    @property
    def has_accepted_terms(self) -> bool:
        """Whether the terms of now are accepted (mission rule 1)."""
        return self.terms_version == settings.TERMS_VERSION


class TermsAcceptance(models.Model):
    """Which terms a person accepted, and when. It outlives the account, without the person's name."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="terms_accepted")
    version = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "version"], name="terms_are_accepted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} accepted {self.version}"


class Company(models.Model):
    """A customer organization: it has members, projects and a balance (mission rule 4)."""

    name = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "companies"

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person in a company. An admin has `manage` on every project of it (mission rule 5)."""

    class Role(models.TextChoices):
        ADMIN = "admin"
        MEMBER = "member"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    joined_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "company"], name="a_person_joins_a_company_once"),
            models.CheckConstraint(
                condition=Q(role__in=["admin", "member"]), name="a_membership_has_a_known_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.company_id} as {self.role}"


class Project(models.Model):
    """The scope that owns devices and a balance of its own. The first of a company is `DEFAULT`."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("company", Lower("name"), name="project_names_are_unique_in_a_company"),
            models.CheckConstraint(condition=~Q(name=""), name="a_project_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class ProjectRight(models.Model):
    """What a person may do in one project, as member or as somebody from outside (mission rule 5)."""

    class Level(models.TextChoices):
        VIEW = "view"
        OPERATE = "operate"
        MANAGE = "manage"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="project_rights")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="rights")
    level = models.CharField(max_length=10, choices=Level.choices)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "project"], name="one_right_for_a_person_in_a_project"),
            models.CheckConstraint(
                condition=Q(level__in=["view", "operate", "manage"]), name="a_project_right_has_a_known_level"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} may {self.level} {self.project_id}"


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

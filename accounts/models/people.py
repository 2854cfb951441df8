"""People, and what they accepted."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext

from accounts.permissions import Permission


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

    # What the person may do in the console, as the page found it: templates show buttons by it.
    staff_permissions: frozenset[Permission] = frozenset()
    # A company whose pages a member of staff sees just now as it sees them itself: the id. Whoever loads
    # things for this person (accounts.queries) finds that company's, to be viewed and for nothing else.
    viewing: int | None = None

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

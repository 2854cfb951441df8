"""Companies, their members, their projects, and rights in these."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.models.people import User


class Company(models.Model):
    """A customer organization: it has members, projects and a balance (mission rule 4)."""

    name = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    # Set when the company was imported into another one: it is a name in histories then (mission rule 3).
    imported_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="imported")
    imported_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "companies"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(imported_into__isnull=True, imported_at__isnull=True)
                | Q(imported_into__isnull=False, imported_at__isnull=False),
                name="an_imported_company_says_where_and_when",
            ),
            models.CheckConstraint(
                condition=Q(imported_into__isnull=True) | ~Q(imported_into=F("id")),
                name="a_company_is_not_imported_into_itself",
            ),
        ]

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

        @property
        def and_above(self) -> list[str]:
            """The levels that hold this one: `manage` holds `operate`, which holds `view`."""
            levels = list(type(self))
            return [level.value for level in levels[levels.index(self) :]]

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

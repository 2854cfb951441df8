"""Rows that every app stands on: acts, audit entries, jobs of the outbox and long ones."""

import secrets
import uuid
from typing import ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length

from portal.core.batches import Batch

models.BinaryField.register_lookup(Length)


def random_id() -> uuid.UUID:
    """128 random bits. Not a version-4 UUID: those fix six of them, and documents promise 128."""
    return uuid.UUID(bytes=secrets.token_bytes(16))


class Act(models.Model):
    """One accepted call of one operation by one caller: who, what, when, why.

    `scope` and `key` are the caller's own name for the call; a second call of that name is answered from
    `outcome` and does nothing (architecture.md, "The ledger"). An act that was refused leaves no row.
    """

    id = models.UUIDField(primary_key=True, default=random_id, editable=False)
    operation = models.CharField(max_length=40)
    scope = models.CharField(max_length=80)
    key = models.CharField(max_length=100)
    input_hash = models.BinaryField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    at = models.DateTimeField()
    outcome = models.JSONField(null=True)

    # No column: where an operation gathers what it writes, until it is finished (portal.core.acts).
    batch: Batch | None = None

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scope", "key"], name="a_caller_names_an_act_once"),
            models.CheckConstraint(condition=Q(input_hash__length=32), name="an_act_knows_its_input"),
            models.CheckConstraint(
                condition=Q(actor=None) | Q(actor_name=""), name="an_act_keeps_no_name_of_a_user"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.id}"

    @property
    def who(self) -> str:
        """Who did it, as `AuditEntry.who` says it. Load acts with their `actor`."""
        return self.actor.name_in_histories if self.actor else self.actor_name


class AuditEntry(models.Model):
    """One event as people read it in a history. Never changed, never deleted.

    `actor_name` is for what is no user: commands, devices, orders. Users are named by their row, so that a
    name can be changed and erased without touching the history (docs/decisions/0014).

    `company_id`, `project_id` and `hardware_id` say whom it concerns; they are plain values because the
    apps that own those rows stand above this one, and because a history outlives what it tells of.
    """

    at = models.DateTimeField()
    event = models.CharField(max_length=60)
    act = models.ForeignKey(Act, on_delete=models.PROTECT, null=True, related_name="audit_entries")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(max_length=200, blank=True)
    address = models.GenericIPAddressField(null=True)
    company_id = models.BigIntegerField(null=True)
    project_id = models.BigIntegerField(null=True)
    hardware_id = models.CharField(max_length=17, blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(actor=None) | Q(actor_name=""), name="an_entry_keeps_no_name_of_a_user"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["company_id", "-at"], name="audit_of_a_company"),
            models.Index(fields=["project_id", "-at"], name="audit_of_a_project"),
            models.Index(fields=["hardware_id", "-at"], name="audit_of_a_device"),
            models.Index(
                fields=["-at"],
                condition=models.Q(event__in=["product-added", "product-changed", "catalogue-version-added"]),
                name="audit_of_the_catalogue",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def who(self) -> str:
        """Who did it, as a history says it today: a user by the name of now, or as a former member; a
        command, device or order by the name the entry keeps. Load entries with their `actor`."""
        return self.actor.name_in_histories if self.actor else self.actor_name


class OutboxJob(models.Model):
    """Work to be done after a commit, written in the transaction that wants it done.

    A worker claims it for the length of a lease and deletes it when done; a worker that dies lets the lease
    run out, and the job runs again (mission rule 37). `attempts` doubles as the fence: who lost the lease
    can no longer finish the job.
    """

    handler = models.CharField(max_length=60)
    arguments = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    last_error = models.TextField(blank=True)
    # Of the request that asked, for the logs; a release that does not know it writes none.
    request_id = models.CharField(max_length=64, blank=True, default="", db_default="")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["due_at", "id"], name="outbox_in_the_order_due")]

    def __str__(self) -> str:
        return f"{self.handler} {self.pk}"


class ScheduledJob(models.Model):
    """When a job of the schedule is asked for next (portal.core.schedule).

    One row a name: whoever moves `next_at` on asks for the job, so that several workers ask once, and after
    hours of standstill it is asked for once.
    """

    name = models.CharField(max_length=60)
    next_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name"], name="a_scheduled_job_stands_once_in_the_schedule"),
        ]

    def __str__(self) -> str:
        return f"{self.name} at {self.next_at:%Y-%m-%d %H:%M:%S}"


class SignOfLife(models.Model):
    """When a worker, or whoever keeps the schedule, was last seen at work on a machine (core.signs)."""

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=20)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name"], name="each_process_has_one_sign_of_life"),
        ]

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"


class LongJob(models.Model):
    """Work that takes long, done in slices with a bar to watch it by (portal.core.long_jobs).

    call: one text for the call that asked, so that a repeated one finds the job it made before.
    rest: where the next slice goes on, in words of the kind.
    slices: how many are done; each is committed once.
    size: of the result, in bytes, as long as it is there.
    failures: how often the next slice was tried in vain.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=random_id, editable=False)
    kind = models.CharField(max_length=60)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    token_id = models.BigIntegerField(null=True)
    call = models.CharField(max_length=64)
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    done = models.IntegerField(default=0)
    total = models.IntegerField()
    slices = models.IntegerField(default=0)
    rest = models.JSONField(default=dict)
    failures = models.IntegerField(default=0)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=60, blank=True)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField(default=0)
    kept_until = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["call"], name="a_call_asks_for_one_long_job"),
            models.CheckConstraint(
                condition=Q(owner=None, token_id__isnull=False) | Q(owner__isnull=False, token_id=None),
                name="a_long_job_has_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(done__gte=0, done__lte=F("total")), name="a_long_job_does_no_more_than_all"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], ended_at=None)
                | Q(state__in=["done", "failed", "cancelled"], ended_at__isnull=False),
                name="a_long_job_ends_once_and_says_how",
            ),
            models.CheckConstraint(
                condition=Q(state="failed") ^ Q(refusal=""), name="a_long_job_that_failed_says_why"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-asked_at"], name="long_jobs_of_a_person"),
            models.Index(fields=["kept_until"], name="long_jobs_to_be_tidied_up"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LongJobPiece(models.Model):
    """A part of the result of a long job: what one slice wrote, in the order of slices."""

    job = models.ForeignKey(LongJob, on_delete=models.CASCADE, related_name="pieces")
    number = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "number"], name="a_slice_writes_one_piece"),
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.job_id}"

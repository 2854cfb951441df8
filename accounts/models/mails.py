"""Mails, as rows, and which notices people do not want."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models.people import User


class Mail(models.Model):
    """One mail to one person, written in the transaction of what it tells of and sent by the worker.

    `message_id` is made with the row, so that a mail that is sent again, because a worker died behind the
    server's answer, is the same mail to whoever gets it. `kind` is a key of accounts.mail_kinds.KINDS.

    `company_id` and `project_id` are plain values, as in an audit entry: a mail must not take a lock on a
    company in the middle of an operation, and outlives what it tells of.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        SENT = "sent"
        FAILED = "failed"

    message_id = models.CharField(max_length=300)
    kind = models.CharField(max_length=60)
    recipient = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="mails")
    # Empty once nobody needs to know it any more: the person left, or the invitation ended.
    to = models.EmailField(max_length=254, blank=True)
    language = models.CharField(max_length=10)
    subject = models.TextField()
    # Empty once sent, if there was a secret in them.
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    company_id = models.BigIntegerField(null=True)
    project_id = models.BigIntegerField(null=True)
    written_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.IntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message_id"], name="a_message_id_is_one_mail"),
            models.CheckConstraint(
                condition=Q(state="queued", next_try_at__isnull=False, ended_at__isnull=True)
                | Q(state__in=["sent", "failed"], next_try_at__isnull=True, ended_at__isnull=False),
                name="a_mail_waits_or_has_ended",
            ),
            models.CheckConstraint(
                condition=~Q(state="queued") | (~Q(to="") & ~Q(text="") & ~Q(html="")),
                name="a_mail_that_waits_can_be_sent",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["company_id", "-written_at"], name="mails_of_a_company"),
            models.Index(fields=["-written_at"], name="mails_by_their_time"),
            models.Index(fields=["-written_at"], condition=~Q(state="sent"), name="mails_that_are_not_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"


class UnwantedNotice(models.Model):
    """A person does not want the notices of a topic (accounts.mail_kinds.Topic). Without a row they do."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="unwanted_notices")
    topic = models.CharField(max_length=20)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "topic"], name="a_topic_is_unwanted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} without {self.topic}"


class CalendarFeed(models.Model):
    """The secret address under which a calendar program reads what ends in a person's projects.

    The address holds 32 random bytes, of which only the hash is here. A person has one at most.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="calendar_feed")
    token_sha256 = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["token_sha256"], name="a_calendar_address_is_one_feed"),
            models.CheckConstraint(
                condition=Q(token_sha256__length=32), name="a_calendar_keeps_a_hash_of_its_address"
            ),
        ]

    def __str__(self) -> str:
        return f"calendar of {self.user_id}"

"""Moves after hardware failure, and the bridges that their replacements hold (mission rules 24 to 29)."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Project
from devices.models import Device
from licenses.models.books import Grant
from portal.core.models import Act

OPEN_FOR = timedelta(days=42)
"""How long a move can be undecided, and the longest that any bridge of it is in effect (mission rule 25)."""


class Move(models.Model):
    """The licenses of a broken device shall go to a replacement; docs/moves.md has the table of its states.

    It is open until somebody ends it, or until `open_until`: from that second on it has expired, whether a
    job has written that down or not.
    """

    class State(models.TextChoices):
        OPEN = "open"
        APPROVED = "approved"
        SIGNED = "signed"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"

    class Hardware(models.TextChoices):
        BOOKED_IN = "booked-in"
        WRITTEN_OFF = "written-off"

    class SupportFirst(models.TextChoices):
        CAP = "cap"
        REPEATED = "repeated"
        BRIDGED_BEFORE = "bridged-before"

    broken = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="moves_away")
    replacement = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="moves_here")
    # Where the broken device was. A project that comes over with its company takes its moves along.
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="moves")
    reason = models.TextField()
    rma = models.CharField(max_length=40, blank=True)
    requested_by = models.OneToOneField(Act, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    open_until = models.DateTimeField()
    # Why there is no bridge before support has looked; empty where there is one as soon as it can be.
    support_first = models.CharField(max_length=20, choices=SupportFirst.choices, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    # Who approved first, where it takes two; until then the move is open.
    first_approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    first_approved_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.OneToOneField(Act, on_delete=models.PROTECT, null=True, related_name="+")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decision_reason = models.TextField(blank=True)
    # What became of the old hardware of an approved move; until something did, it counts against the cap.
    hardware = models.CharField(max_length=12, choices=Hardware.choices, blank=True)
    hardware_at = models.DateTimeField(null=True)
    hardware_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["broken"], condition=Q(state="open"), name="one_open_move_for_a_broken_device"
            ),
            models.CheckConstraint(
                condition=Q(replacement__isnull=True) | ~Q(replacement=F("broken")),
                name="a_move_goes_to_another_device",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(replacement__isnull=False),
                name="what_was_moved_went_somewhere",
            ),
            models.CheckConstraint(
                condition=Q(open_until__gt=F("requested_at"))
                & Q(open_until__lte=F("requested_at") + OPEN_FOR),
                name="a_move_is_open_for_42_days_at_most",
            ),
            models.CheckConstraint(
                condition=Q(state="open", ended_at__isnull=True, ended_by=None, decided_by=None)
                | Q(
                    state__in=["approved", "refused"],
                    ended_at__isnull=False,
                    ended_by__isnull=False,
                    decided_by__isnull=False,
                )
                | Q(
                    state__in=["signed", "withdrawn"],
                    ended_at__isnull=False,
                    ended_by__isnull=False,
                    decided_by=None,
                )
                | Q(state="expired", ended_at__isnull=False, ended_by=None, decided_by=None),
                name="a_move_ends_once_and_says_how",
            ),
            models.CheckConstraint(
                condition=Q(first_approved_by__isnull=True, first_approved_at__isnull=True)
                | Q(first_approved_by__isnull=False, first_approved_at__isnull=False),
                name="a_first_approval_has_its_time",
            ),
            models.CheckConstraint(
                # A CHECK lets NULL pass: only two names that are the same are in the way.
                condition=~Q(state="approved")
                | Q(first_approved_by=None)
                | ~Q(decided_by=F("first_approved_by")),
                name="two_approvals_are_by_two_people",
            ),
            models.CheckConstraint(
                condition=Q(hardware="", hardware_at__isnull=True, hardware_by=None)
                | Q(
                    hardware__in=["booked-in", "written-off"],
                    hardware_at__isnull=False,
                    hardware_by__isnull=False,
                    state="approved",
                ),
                name="hardware_is_booked_in_or_written_off_after_approval",
            ),
            models.CheckConstraint(
                condition=~Q(hardware="written-off") | ~Q(hardware_by=F("decided_by")),
                name="somebody_else_writes_hardware_off",
            ),
            models.CheckConstraint(
                condition=Q(support_first__in=["", "cap", "repeated", "bridged-before"]),
                name="a_move_says_why_support_decides_first",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["requested_at"], condition=Q(state="open"), name="open_moves_by_age"),
            # What counts against a company's cap: few rows of the many that there are in the end.
            models.Index(
                fields=["project"],
                condition=Q(state="open") | Q(state="approved", hardware=""),
                name="moves_that_count",
            ),
        ]

    def __str__(self) -> str:
        return f"move of {self.broken_id} to {self.replacement_id} ({self.state})"

    def is_open_at(self, now: datetime) -> bool:
        """Whether it is undecided, and its 42 days are not over."""
        return self.state == self.State.OPEN and self.open_until > now


class Evidence(models.Model):
    """The one file that a partner may give with a move (mission rule 24); it is never exchanged."""

    move = models.OneToOneField(Move, on_delete=models.PROTECT, primary_key=True, related_name="evidence")
    name = models.CharField(max_length=100)
    media_type = models.CharField(max_length=20)
    sha256 = models.BinaryField()
    size = models.IntegerField()
    content = models.BinaryField()
    added_by = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(media_type__in=["application/pdf", "image/png", "image/jpeg"]),
                name="evidence_is_a_pdf_or_a_picture",
            ),
            models.CheckConstraint(condition=Q(sha256__length=32), name="evidence_has_a_hash"),
            models.CheckConstraint(condition=Q(size__gt=0), name="evidence_is_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of move {self.move_id}"


class Bridge(models.Model):
    """What a bridge grant stands on: the grant it bridges, and the move it is counted against.

    The grant itself is a row of the books, class `bridge`, held by no balance. On approval it becomes a
    bought one, and this row stays and says so.
    """

    grant = models.OneToOneField(Grant, on_delete=models.PROTECT, primary_key=True, related_name="bridge")
    source = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="bridged_by")
    move = models.ForeignKey(Move, on_delete=models.PROTECT, related_name="bridges")
    requested_at = models.DateTimeField()  # that of the move: the 42 days are counted from there
    ends_at = models.DateTimeField()
    # The member of staff who gave it; null for the one that the request brought about by itself.
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(given_by__isnull=True),
                name="one_bridge_for_a_grant_without_a_staff_name",
            ),
            models.CheckConstraint(condition=~Q(grant=F("source")), name="a_bridge_stands_on_another_grant"),
            models.CheckConstraint(
                condition=Q(ends_at__lte=F("requested_at") + OPEN_FOR),
                name="a_bridge_ends_42_days_after_its_request",
            ),
        ]

    def __str__(self) -> str:
        return f"bridge {self.grant_id} over {self.source_id}"

"""The mail of the day about alerts, to those of the vendor's people who may settle them and want it.

A job of the schedule. However often it runs, and wherever it dies, there is one mail a day at most, and each
alert is new in one of them. Nothing new, no mail.
"""

from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import notices, staff
from accounts.permissions import Permission
from devices import queries
from devices.alert_sentences import noticed
from devices.models import Alert, AlertDigest

NAMED = 20
"""As many are named; of the others the number is said."""


@transaction.atomic(durable=True)
def send_digest(*, now: datetime) -> int:
    """Write the mails of today, if there is something new and none was written yet. Returns to how many."""
    if not _new().exists():
        return 0
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            digest = AlertDigest.objects.create(day=now.astimezone(UTC).date(), at=now)
    except IntegrityError:
        return 0
    # Marked first: what alerts from here on is for tomorrow.
    _new().update(told_in=digest)
    new = list(queries.open_alerts().filter(told_in=digest))
    return notices.tell(
        "devices/email/alert_digest",
        staff.holders_of(Permission.SETTLE_ALERTS),
        context={
            "new": len(new),
            "open": queries.open_alerts().count(),
            "named": noticed(new[:NAMED]),
            "others": max(len(new) - NAMED, 0),
        },
        page="/staff/alerts",
        now=now,
    )


def _new() -> QuerySet[Alert]:
    return Alert.objects.filter(settled_at=None, told_in=None)

"""Reminders of the end of test licenses: 30, 7 and 1 days before, and at the end (mission rule 23).

A job of the schedule; the end itself comes without it, in the portal and on the device. However often it
runs, and wherever it dies, each step is told once. After a standstill it tells what is nearest, not
everything that was missed.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from licenses import notices, trial_queries
from licenses.models import Reminder, TestLicense

STEPS = (30, 7, 1, 0)
"""Days before the end."""
TOLD_AFTER = timedelta(days=7)
"""An end longer ago than that is no news: nobody is told of it any more."""


def remind(*, now: datetime) -> int:
    """Write the reminders that are due, each test license in a transaction of its own. Returns how many."""
    ending = trial_queries.test_licenses_that_end(
        after=now - TOLD_AFTER, until=now + timedelta(days=STEPS[0])
    )
    told: dict[int, int] = {}
    for pk, days in Reminder.objects.filter(test_license__in=ending).values_list(
        "test_license_id", "days_before"
    ):
        told[pk] = min(days, told.get(pk, days))
    due = [one for one in ending if step_at(one, now=now) < told.get(one.pk, STEPS[0] + 1)]
    return sum(_remind_of(one, now=now) for one in due)


def step_at(test_license: TestLicense, *, now: datetime) -> int:
    """The nearest step that has come: the days before the end, 0 once it has ended."""
    assert test_license.ends_at is not None, "it has started"
    left = test_license.ends_at - now
    return next(days for days in reversed(STEPS) if left <= timedelta(days=days))


@transaction.atomic(durable=True)
def _remind_of(test_license: TestLicense, *, now: datetime) -> bool:
    step = step_at(test_license, now=now)
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            Reminder.objects.create(test_license=test_license, days_before=step, at=now)
    except IntegrityError:
        return False
    notices.test_license_ending(test_license, days_before=step, now=now)
    return True

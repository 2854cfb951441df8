"""Several at once at reminders, digests, templates, the schedule and resent mails: each is done once."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from accounts import mails, reason_templates, resending
from accounts.models import Mail, Project
from devices import alert_digest, alerts
from devices.models import Alert, AlertDigest
from licenses import reminders
from licenses.models import Reminder
from portal.core import schedule
from portal.core.models import OutboxJob, ScheduledJob
from tests.factories import NOW, caller, make_device, make_user
from tests.operations.testing import created, downloaded
from tests.races.pool import Pool

MANY = 8


class TestReminders:
    @pytest.mark.usefixtures("catalogue", "keyring")
    def test_a_step_is_told_once(self, pool: Pool, project: Project) -> None:
        device = make_device(project=project)
        created(device)
        ends_at = downloaded(device).ends_at
        assert ends_at is not None
        for count, days in enumerate((30, 7, 1, 0), start=1):
            now = ends_at - timedelta(days=days)
            outcomes = pool.race([partial(reminders.remind, now=now)] * MANY)

            assert sum(outcomes.answers) == 1
            assert Reminder.objects.count() == count
            assert Mail.objects.filter(kind="test-license-ending").count() == count


class TestDigestOfAlerts:
    def test_there_is_one_a_day_and_each_alert_is_new_in_one(self, pool: Pool, project: Project) -> None:
        sam = make_user(name="Sam", is_staff=True)
        device = make_device(project=project)
        raised = 0

        def alert(subject: int) -> bool:
            with transaction.atomic():
                kind, facts = Alert.Kind.COUNTER_FORK, {"ctr": subject}
                return alerts.alert(kind, device=device, subject=str(subject), now=NOW, **facts)

        for day in range(5):
            now = NOW + timedelta(days=day)
            alert(raised)
            sending = [partial(alert_digest.send_digest, now=now)] * MANY
            pool.race([*sending, *(partial(alert, raised + number) for number in range(1, 5))])
            raised += 5

            assert AlertDigest.objects.count() == Mail.objects.filter(to=sam.email).count() == day + 1
        assert alert_digest.send_digest(now=NOW + timedelta(days=9)) in (
            0,
            1,
        )  # what came too late for its day
        told = Alert.objects.exclude(told_in=None).count()
        assert told == raised == Alert.objects.count()


class TestReasonTemplates:
    def test_a_name_is_given_once(self, pool: Pool) -> None:
        sam = make_user(name="Sam", is_staff=True)
        for number in range(5):
            given: dict[str, Any] = {"name": f"Seen {number}", "language": "en", "text": "Seen.", "now": NOW}
            racers = [
                partial(reason_templates.make_template, caller=caller(sam), **given) for _ in range(MANY)
            ]

            outcomes = pool.race(racers)

            assert outcomes.refused == {"template-name-taken": MANY - 1}
        assert reason_templates.offered().count() == 5

    def test_what_is_archived_is_not_changed_afterwards(self, pool: Pool) -> None:
        sam = make_user(name="Sam", is_staff=True)
        for number in range(10):
            given: dict[str, Any] = {"name": f"Seen {number}", "language": "en", "now": NOW}
            template = reason_templates.make_template(text="Seen.", caller=caller(sam), **given)
            archive = partial(
                reason_templates.archive_template, template=template, caller=caller(sam), now=NOW
            )
            change = partial(
                reason_templates.change_template,
                template=template,
                text="Seen, and found good.",
                caller=caller(sam),
                **given,
            )

            racers: list[Callable[[], Any]] = [archive, change]
            outcomes = pool.race(racers[:: 1 if number % 2 else -1])

            template.refresh_from_db()
            assert template.archived_at is not None
            changed = template.text != "Seen."
            assert outcomes.refused == ({} if changed else {"no-such-template": 1})


class TestSchedule:
    def test_a_job_is_asked_for_once(self, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(schedule, "_intervals", {"look": timedelta(hours=1)})
        for hour in range(20):
            outcomes = pool.race([partial(schedule.ask, now=NOW + timedelta(hours=hour))] * MANY)

            assert sorted(outcomes.answers) == [[]] * (MANY - 1) + [["look"]]
            assert OutboxJob.objects.count() == hour + 1
        assert ScheduledJob.objects.count() == 1


class TestResending:
    def test_a_double_click_sends_once(self, pool: Pool) -> None:
        mail = mails.write(
            "account/email/password_changed",
            to="dora@example.com",
            language="en",
            context={"owner": None},
            now=NOW,
        )
        Mail.objects.update(state="sent", next_try_at=None, ended_at=NOW)
        click = partial(resending.resend_mail, mail=mail, caller=caller(key="once"), now=NOW)

        outcomes = pool.race([click] * MANY)

        assert len({again.pk for again in outcomes.answers}) == 1
        assert Mail.objects.count() == 2

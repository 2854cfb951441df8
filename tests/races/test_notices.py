"""Several at once at reminders, the schedule and the resending of mails: each is done once."""

from datetime import timedelta
from functools import partial

import pytest

from accounts import mails, resending
from accounts.models import Mail, Project
from licenses import reminders
from licenses.models import Reminder
from portal.core import schedule
from portal.core.models import OutboxJob, ScheduledJob
from tests.factories import NOW, caller, make_device
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

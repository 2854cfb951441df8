"""The schedule: each job is asked for once in its interval, and once after a standstill."""

from datetime import timedelta

import pytest

from portal.core import outbox, schedule
from portal.core.models import OutboxJob, ScheduledJob
from portal.core.tasks import keep_schedule
from tests.factories import NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _hourly(monkeypatch: pytest.MonkeyPatch) -> None:
    """One job an hour, and nothing else."""
    monkeypatch.setattr(schedule, "_intervals", {})
    schedule.every(HOUR, "look")


def asked() -> int:
    return OutboxJob.objects.filter(handler="look").count()


class TestSchedule:
    def test_a_job_is_asked_for_once_in_its_interval(self) -> None:
        assert schedule.ask(now=NOW) == ["look"]
        assert schedule.ask(now=NOW + timedelta(minutes=59)) == []
        assert schedule.ask(now=NOW + HOUR) == ["look"]
        assert asked() == 2

    def test_after_a_standstill_it_is_asked_for_once(self) -> None:
        schedule.ask(now=NOW)
        schedule.ask(now=NOW + 100 * HOUR)
        schedule.ask(now=NOW + 100 * HOUR + timedelta(seconds=1))

        assert asked() == 2

    def test_a_clock_that_ran_ahead_does_not_silence_it(self) -> None:
        schedule.ask(now=NOW + timedelta(days=400))

        assert schedule.ask(now=NOW) == ["look"]
        assert ScheduledJob.objects.get().next_at == NOW + HOUR

    def test_a_crash_before_the_commit_asks_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def die(*_arguments: object, **_named: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(outbox, "put_all", die)
            with pytest.raises(KeyboardInterrupt):
                schedule.ask(now=NOW)

        assert schedule.ask(now=NOW) == ["look"]
        assert asked() == 1

    def test_celerys_task_asks_and_takes_no_harm_from_words_of_a_newer_release(self) -> None:
        assert keep_schedule(priority="high") == 1
        assert keep_schedule() == 0

    def test_a_name_stands_in_it_once(self) -> None:
        with pytest.raises(AssertionError):
            schedule.every(HOUR, "look")

"""The two that work off the outbox: the embedded worker, and Celery's task."""

import signal
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.utils.module_loading import autodiscover_modules

from licenses.models import KeyDelivery
from portal.core import outbox
from portal.core.models import OutboxJob
from portal.core.tasks import work_off_outbox
from tests.factories import NOW, make_key


@pytest.mark.usefixtures("catalogue")
class TestWorkers:
    @pytest.fixture(autouse=True)
    def _due(self, catalogue: None) -> None:
        """More jobs than one batch takes, all due, in a process that knows its handlers."""
        autodiscover_modules("tasks")
        for _ in range(outbox.BATCH + 5):
            make_key()
        due = NOW.replace(year=2020)
        OutboxJob.objects.update(due_at=due)
        KeyDelivery.objects.update(kept_until=due)

    @pytest.fixture
    def _signals(self) -> Iterator[None]:
        """The worker listens for its end, which is not to stay so in the tests' process."""
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        yield
        for number, heard_by in before.items():
            signal.signal(number, heard_by)

    @pytest.mark.usefixtures("_signals")
    def test_the_embedded_one_works_until_nothing_is_due(self) -> None:
        call_command("work", "--once")

        assert not OutboxJob.objects.exists()
        assert not KeyDelivery.objects.exists()

    def test_celerys_task_works_until_nothing_is_due(self) -> None:
        assert work_off_outbox() == outbox.BATCH + 5
        assert not OutboxJob.objects.exists()

    def test_the_task_takes_no_harm_from_words_of_a_newer_release(self) -> None:
        assert work_off_outbox(priority="high") == outbox.BATCH + 5

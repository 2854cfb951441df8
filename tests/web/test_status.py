"""The page that says how the portal itself is."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from portal.core import clock, schedule, signs
from portal.core.models import OutboxJob, ScheduledJob, SignOfLife
from support import condition
from support.web.condition import JOBS
from tests.conftest import Keys
from tests.web.conftest import SignedIn


@pytest.fixture
def staff(signed_in: SignedIn, sam: User) -> Client:
    return signed_in(sam)


def page(staff: Client, **headers: str) -> str:
    answer = staff.get(reverse("staff-status"), headers=headers)
    assert answer.status_code == 200
    return answer.text


class TestTheStatusPage:
    def test_says_that_all_is_ready_and_who_works_with_which_keys(self, staff: Client, keyring: Keys) -> None:
        SignOfLife.objects.create(name="worker@here", kind=signs.WORKER, at=clock.now())

        found = page(staff)

        assert "Everything that the portal rests on is ready." in found
        assert "Key set 1 is the one that devices get." in found
        for name in ("Python", "Django", "tidy-long-jobs"):
            assert name in found

    def test_says_what_waits_and_what_that_means(self, staff: Client, keyring: Keys) -> None:
        late = clock.now() - timedelta(hours=2)
        OutboxJob.objects.create(handler="tidy-long-jobs", created_at=late, due_at=late, last_error="no")
        schedule.standing()
        ScheduledJob.objects.create(name="tidy-long-jobs", next_at=late)

        found = page(staff)

        assert "The portal answers, but something waits." in found
        assert "1 due, the oldest for 7200 s" in found
        assert "1 failed before and is tried again" in found
        assert "no sign of life since ever" in found
        assert "Late" in found

    def test_says_that_no_document_can_be_signed_without_keys(self, staff: Client) -> None:
        found = page(staff)

        assert "Something that the portal cannot do without has failed." in found
        assert "No key set yet" in found

    def test_has_words_for_every_job_of_the_schedule(self, staff: Client, keyring: Keys) -> None:
        found = page(staff)

        assert {turn.name for turn in schedule.standing()} == JOBS.keys()
        assert "Tell people that test licenses end" in found

    def test_leaves_out_what_redis_would_have_told(self, settings: LazySettings, db: None) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        assert condition.of_portal(now=clock.now()).versions["Redis"] == ""

    def test_speaks_german(self, staff: Client, sam: User, keyring: Keys) -> None:
        sam.language = "de"
        sam.save()

        assert "Zustand des Portals" in page(staff, **{"accept-language": "de"})

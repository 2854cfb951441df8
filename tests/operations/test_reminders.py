"""Reminders of the end of test licenses: each step once, whatever crashes or runs twice (mission rule 23)."""

from datetime import datetime, timedelta

import pytest
from django.db.models import QuerySet

from accounts import notice_choices
from accounts.mail_kinds import Topic
from accounts.models import Mail, Project, ProjectRight, User
from devices.models import Device
from licenses import device_projects, notices, reminders, tasks  # noqa: F401 - registers the handlers
from licenses.models import Reminder, TestLicense
from portal.core import outbox, schedule
from tests.factories import NOW, caller, give_right, make_device, make_project, make_user
from tests.operations.testing import created, downloaded

pytestmark = pytest.mark.usefixtures("catalogue", "keyring")


@pytest.fixture
def test_license(project: Project) -> TestLicense:
    """Running, three months from NOW on."""
    device = make_device(project=project)
    created(device)
    return downloaded(device)


def end(of: TestLicense) -> datetime:
    assert of.ends_at is not None
    return of.ends_at


def mails() -> QuerySet[Mail]:
    return Mail.objects.filter(kind="test-license-ending").order_by("pk")


def subjects() -> list[str]:
    return [subject.rpartition(" ends ")[2] for subject in mails().values_list("subject", flat=True)]


class TestSteps:
    def test_each_comes_at_its_time_and_once(self, test_license: TestLicense) -> None:
        for days in (31, 30, 30, 8, 7, 6, 1, 0.5, 0, -1):
            reminders.remind(now=end(test_license) - timedelta(days=days))

        assert subjects()[:3] == ["in 30 days", "in 7 days", "in 1 day"]
        assert subjects()[3].endswith("has ended")
        assert len(subjects()) == 4

    def test_not_a_second_before(self, test_license: TestLicense) -> None:
        before = end(test_license) - timedelta(days=30, seconds=1)

        assert reminders.remind(now=before) == 0
        assert reminders.remind(now=before + timedelta(seconds=1)) == 1

    def test_after_a_standstill_only_the_nearest(self, test_license: TestLicense) -> None:
        reminders.remind(now=end(test_license) - timedelta(days=2, hours=3))
        reminders.remind(now=end(test_license) - timedelta(days=2))

        assert subjects() == ["in 3 days"]
        assert Reminder.objects.get().days_before == 7

    def test_of_an_end_long_ago_nobody_is_told(self, test_license: TestLicense) -> None:
        assert reminders.remind(now=end(test_license) + reminders.TOLD_AFTER) == 0

    def test_one_that_waits_for_its_first_download_ends_nowhere(self, project: Project) -> None:
        created(make_device(project=project))

        assert reminders.remind(now=NOW + timedelta(days=89)) == 0

    def test_a_crash_between_row_and_mail_leaves_neither(
        self, test_license: TestLicense, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = end(test_license) - timedelta(days=7)

        def die(*_arguments: object, **_named: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(notices, "test_license_ending", die)
            with pytest.raises(KeyboardInterrupt):
                reminders.remind(now=now)
        assert not Reminder.objects.exists()

        assert reminders.remind(now=now) == 1
        assert subjects() == ["in 7 days"]

    def test_the_job_of_the_schedule_tells_and_may_run_twice(self, test_license: TestLicense) -> None:
        now = end(test_license) - timedelta(days=1)

        for _run in range(2):
            outbox.put_all("remind-of-test-licenses", [{}], now=now)
            while outbox.work_off(clock=lambda: now):
                pass

        assert subjects() == ["in 1 day"]
        assert "remind-of-test-licenses" in schedule.names()


class TestWhoIsTold:
    def test_those_who_may_operate_the_project(
        self, test_license: TestLicense, alice: User, erin: User, bob: User
    ) -> None:
        project = test_license.project
        viewer = make_user(name="Victor")
        give_right(user=viewer, project=project, level=ProjectRight.Level.VIEW)

        reminders.remind(now=end(test_license) - timedelta(days=7))

        assert {mail.to for mail in mails()} == {alice.email, erin.email}
        assert {(mail.company_id, mail.project_id) for mail in mails()} == {(project.company_id, project.pk)}

    def test_those_of_the_project_that_has_the_device_now(
        self, test_license: TestLicense, alice: User, erin: User
    ) -> None:
        later = make_project(company=test_license.project.company)
        device = Device.objects.select_related("project__company").get(pk=test_license.device_id)
        device_projects.change_project(device=device, project=later, caller=caller(), now=NOW)

        reminders.remind(now=end(test_license) - timedelta(days=7))

        assert [mail.to for mail in mails()] == [alice.email], "Erin had a right in the earlier one only"

    def test_nobody_who_does_not_want_it(self, test_license: TestLicense, alice: User, erin: User) -> None:
        others = set(Topic) - {Topic.TEST_LICENSES}
        notice_choices.choose_notices(user=alice, wanted=others, caller=caller(alice), now=NOW)

        reminders.remind(now=end(test_license) - timedelta(days=7))

        assert [mail.to for mail in mails()] == [erin.email]

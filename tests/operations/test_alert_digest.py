"""The mail of the day about alerts: once a day, of what is new, to those who may settle and want it."""

from datetime import timedelta

import pytest
from django.db.models import QuerySet

from accounts import notice_choices, notices
from accounts.mail_kinds import Topic
from accounts.models import Company, Mail, User
from accounts.permissions import Role
from devices import alert_digest, alerts, tasks  # noqa: F401 - registers the handler
from devices.models import Alert, AlertDigest, Device
from portal.core import outbox, schedule
from tests.factories import NOW, caller, make_user

DAY = timedelta(days=1)


def raised(device: Device, *, subject: str = "7") -> Alert:
    alerts.alert(Alert.Kind.COUNTER_FORK, device=device, subject=subject, now=NOW, ctr=7)
    return Alert.objects.get(subject=subject)


def mails() -> QuerySet[Mail]:
    return Mail.objects.filter(kind="alert-digest").order_by("pk")


class TestWhen:
    def test_once_a_day_each_alert_is_new_once_and_without_new_ones_there_is_none(
        self, device: Device, company: Company, sam: User
    ) -> None:
        raised(device)
        alerts.alert_about_company(
            Alert.Kind.CAP_REACHED, company=company, now=NOW, broken="x", counted=5, cap=5
        )
        assert alert_digest.send_digest(now=NOW) == 1

        raised(device, subject="8")
        assert alert_digest.send_digest(now=NOW + timedelta(hours=1)) == 0, "one a day"
        assert alert_digest.send_digest(now=NOW + DAY) == 1
        assert alert_digest.send_digest(now=NOW + 2 * DAY) == 0, "nothing new"

        first, second = mails()
        assert first.subject == "2 new alerts for support"
        assert f"{device.hardware_id}: Two different statements carry the device's counter 7." in first.text
        assert "Alice Networks asks for more moves" in first.text
        assert "/staff/alerts" in first.text
        assert second.subject == "1 new alert for support"
        assert "3 alerts are open." in second.text

    def test_what_was_settled_by_then_is_not_told(self, device: Device, sam: User) -> None:
        alerts.settle_alert(settled=raised(device), caller=caller(sam, reason="seen"), now=NOW)

        assert alert_digest.send_digest(now=NOW) == 0

    def test_a_crash_between_row_and_mail_leaves_neither(
        self, device: Device, sam: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        raised(device)

        def die(*_arguments: object, **_named: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(notices, "tell", die)
            with pytest.raises(KeyboardInterrupt):
                alert_digest.send_digest(now=NOW)
        assert not AlertDigest.objects.exists()

        assert alert_digest.send_digest(now=NOW) == 1

    def test_the_job_of_the_schedule_tells_and_may_run_twice(self, device: Device, sam: User) -> None:
        raised(device)

        for _run in range(2):
            outbox.put_all("digest-of-alerts", [{}], now=NOW)
            while outbox.work_off(clock=lambda: NOW):
                pass

        assert mails().count() == 1
        assert "digest-of-alerts" in schedule.names()


class TestWhoIsTold:
    def test_those_who_may_settle_and_want_it_in_their_language(
        self, device: Device, sam: User, alice: User
    ) -> None:
        make_user(name="Audrey", is_staff=True, roles=(Role.AUDITOR,))
        unwilling = make_user(name="Una", is_staff=True)
        wanted = set(Topic) - {Topic.ALERTS}
        notice_choices.choose_notices(user=unwilling, wanted=wanted, caller=caller(unwilling), now=NOW)
        User.objects.filter(pk=sam.pk).update(language="de")
        raised(device)

        alert_digest.send_digest(now=NOW)

        [mail] = mails()
        assert (mail.to, mail.company_id) == (sam.email, None)
        assert mail.subject == "1 neue Meldung für den Support"
        assert "Neu seit der letzten dieser Mails" in mail.text

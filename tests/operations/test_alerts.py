"""What support has to look at: told once for each cause, settled once, with what came of it (trust.md 3)."""

from datetime import timedelta

import pytest

from accounts.models import Project, User
from devices import alerts, queries
from devices.alerts import AlertSettledAlready
from devices.models import Alert, Device
from devices.queries import NoSuchAlert
from portal.core.acts import IdempotencyKeyReused, ReasonNeeded
from tests.factories import NOW, caller, make_device
from tests.operations.bookkeeping import last_entry, refused, unchanged


def raised(device: Device, *, subject: str = "7", kind: Alert.Kind = Alert.Kind.COUNTER_FORK) -> Alert:
    alerts.alert(kind, device=device, subject=subject, now=NOW, ctr=7)
    return Alert.objects.get(device=device, kind=kind, subject=subject)


def settle(alert: Alert, *, key: str | None = None, reason: str = "a restored snapshot") -> None:
    alerts.settle_alert(settled=alert, caller=caller(key=key, reason=reason), now=NOW)


class TestAlerting:
    def test_it_keeps_what_was_noticed(self, device: Device) -> None:
        alert = raised(device)

        assert (alert.at, alert.facts, alert.settled_at) == (NOW, {"ctr": 7}, None)

    def test_one_cause_alerts_once_even_when_it_was_settled(self, device: Device) -> None:
        settle(raised(device))

        with unchanged():
            raised(device)

    def test_another_cause_device_or_kind_alerts_as_well(self, device: Device) -> None:
        raised(device)
        raised(device, subject="8")
        raised(device, kind=Alert.Kind.SEQ_AHEAD)
        raised(make_device(project=device.project))

        assert queries.open_alerts().count() == 4

    def test_it_is_no_part_of_what_the_company_sees(self, device: Device) -> None:
        settle(raised(device))

        assert (last_entry().company_id, last_entry().project_id) == (None, None)


class TestSettling:
    def test_it_puts_the_alert_away_with_what_came_of_it(self, device: Device, sam: User) -> None:
        alert = raised(device)

        alerts.settle_alert(settled=alert, caller=caller(sam, reason="a restored snapshot"), now=NOW)

        assert list(queries.open_alerts()) == []
        assert list(queries.settled_alerts()) == [alert]
        settlement = queries.settlements([alert])[alert.pk]
        assert (settlement.who, settlement.facts["reason"]) == ("Sam Example", "a restored snapshot")

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 1001], ids=len)
    def test_it_needs_a_reason(self, device: Device, reason: str) -> None:
        alert = raised(device)

        with refused(ReasonNeeded):
            settle(alert, reason=reason)

    def test_the_second_of_two_is_told(self, device: Device) -> None:
        alert = raised(device)
        settle(alert)

        with refused(AlertSettledAlready):
            settle(alert)

    def test_the_same_request_again_is_answered_the_same(self, device: Device) -> None:
        alert = raised(device)
        settle(alert, key="once")

        with unchanged():
            settle(alert, key="once")

    def test_a_request_id_is_not_for_another_alert_or_reason(self, device: Device) -> None:
        alert, other = raised(device), raised(device, subject="8")
        settle(alert, key="once")

        with refused(IdempotencyKeyReused):
            settle(other, key="once")
        with refused(IdempotencyKeyReused):
            settle(alert, key="once", reason="something else")


class TestLookingAtThem:
    def test_the_oldest_comes_first(self, device: Device) -> None:
        later = raised(device)
        Alert.objects.filter(pk=later.pk).update(at=NOW + timedelta(hours=1))
        first = raised(device, subject="8")

        assert list(queries.open_alerts()) == [first, later]

    def test_one_that_is_none_is_not_there(self, db: None) -> None:
        with refused(NoSuchAlert):
            queries.get_alert(0)

    def test_settlements_of_other_causes_are_not_mixed_in(self, device: Device, project: Project) -> None:
        mine, other = raised(device), raised(make_device(project=project))
        settle(mine, reason="mine")
        settle(other, reason="the other")

        assert queries.settlements([mine])[mine.pk].facts["reason"] == "mine"
        assert queries.settlements([]) == {}

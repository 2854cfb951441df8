import pytest
from django.conf import LazySettings

from accounts.models import Project, User
from devices.models import Alert, Device
from licenses import delivery, move_queries, unchanged
from licenses.log_line import LeafType
from licenses.models import Grant, LogLeaf, Move
from licenses.queries import grant_id
from portal.core.models import AuditEntry
from tests.factories import NOW, assigned, caller, free, give_back, make_device
from tests.operations.bookkeeping import last_leaf, latest, listed
from tests.operations.moving import (
    BOUGHT,
    DAY,
    approved,
    asked,
    booked_in,
    current,
    fetched,
    held,
    refused_by,
    withdrawn,
    written_off,
)

pytestmark = pytest.mark.usefixtures("keyring")


def ends(device: Device) -> set[object]:
    """When the items of the device's current document end, in days from the request."""
    start = NOW.timestamp()
    return {
        None if item.expires_at is None else (item.expires_at - start) / DAY.total_seconds()
        for item in latest(device).items
    }


class TestABridge:
    def test_is_not_lengthened_in_its_first_week(self, move: Move, replacement: Device) -> None:
        fetched(replacement, now=NOW + 7 * DAY - DAY / 24)

        assert ends(replacement) == {14}

    def test_is_lengthened_by_each_fetch_of_its_last_week_to_14_days_from_then(
        self, move: Move, replacement: Device
    ) -> None:
        fetched(replacement, now=NOW + 7 * DAY)
        assert ends(replacement) == {21}

        fetched(replacement, now=NOW + 20 * DAY)
        assert ends(replacement) == {34}
        assert last_leaf().type == LeafType.BRIDGE
        assert AuditEntry.objects.filter(event="bridge-lengthened").count() == 4

    def test_is_lengthened_by_a_fetch_of_a_device_that_has_the_current_bundle(
        self, move: Move, replacement: Device
    ) -> None:
        have = fetched(replacement)
        assert have is not None
        assert unchanged.has_current(replacement, have=have, seq_seen=1, now=NOW + 6 * DAY)

        assert fetched(replacement, have=have, now=NOW + 8 * DAY) not in {None, have}

        assert ends(replacement) == {22}

    def test_is_lengthened_by_a_download(self, move: Move, replacement: Device) -> None:
        delivery.download(device=replacement, caller=caller(), now=NOW + 10 * DAY)

        assert ends(replacement) == {24}

    def test_never_ends_after_day_42(self, move: Move, replacement: Device) -> None:
        for day in (10, 20, 30, 37):
            fetched(replacement, now=NOW + day * DAY)
        assert ends(replacement) == {42}
        have = fetched(replacement, now=NOW + 38 * DAY)
        assert have is not None

        assert fetched(replacement, have=have, now=NOW + 42 * DAY - DAY / 24) is None
        fetched(replacement, have=have, now=NOW + 42 * DAY)

        assert ends(replacement) == set()
        assert held(replacement, now=NOW + 42 * DAY) == {}

    def test_ends_at_its_second_where_nobody_fetched(self, move: Move, replacement: Device) -> None:
        fetched(replacement)

        fetched(replacement, now=NOW + 14 * DAY)

        assert listed(replacement) == []
        assert move_queries.described(move, now=NOW + 14 * DAY).stage == "bridge-ended"

    def test_in_a_document_that_an_assignment_made_is_lengthened_by_the_next_fetch(
        self, move: Move, replacement: Device
    ) -> None:
        assigned(replacement, 1)

        fetched(replacement, now=NOW + 9 * DAY)

        assert ends(replacement) == {23, None}

    def test_of_a_move_that_was_refused_is_gone_with_the_next_fetch(
        self, move: Move, replacement: Device, sam: User
    ) -> None:
        have = fetched(replacement)
        refused_by(move, sam)

        assert fetched(replacement, have=have) not in {None, have}
        assert listed(replacement) == []

    def test_of_one_move_is_no_matter_of_another_to_the_same_device(
        self, move: Move, replacement: Device, project: Project
    ) -> None:
        other = make_device(project=project)
        assigned(other, 2)
        asked(other, replacement, now=NOW + 5 * DAY)

        fetched(replacement, now=NOW + 8 * DAY)

        assert ends(replacement) == {22, 19}
        withdrawn(move)
        assert held(replacement) == {("bridge", "Port"): 2}


class TestTheOldDevice:
    def test_that_signs_a_return_moves_what_it_names_at_once(
        self, move: Move, broken: Device, replacement: Device
    ) -> None:
        [first, _second] = Grant.objects.filter(device=broken, product__code="Port").order_by("-quantity")
        bridges = {item.id for item in latest(replacement).items}

        answer = give_back(broken, first)

        assert answer.results == [(grant_id(first), "returned")]
        assert held(broken) == {("bought", "Port"): 1, ("bought", "Channels"): 1}
        assert held(replacement) == {
            ("bought", "Port"): 3,
            ("bridge", "Port"): 1,
            ("bridge", "Channels"): 1,
        }
        assert {item.id for item in latest(replacement).items} == bridges
        first.refresh_from_db()
        assert first.state == "moved"
        assert current(move).state == "open"
        assert {leaf.type for leaf in LogLeaf.objects.filter(act=first.ended_by)} == {LeafType.MOVE}

    def test_that_signs_for_everything_leaves_only_what_stays_with_the_hardware_to_support(
        self, move: Move, broken: Device, replacement: Device, sam: User
    ) -> None:
        give_back(broken, everything=True, min_seq=99)

        assert held(broken) == {("bought", "Channels"): 1}
        assert held(replacement) == {("bought", "Port"): 4, ("bridge", "Channels"): 1}
        approved(move, sam)
        assert held(broken) == {}
        assert held(replacement) == BOUGHT

    def test_that_signed_all_it_had_ends_the_move(self, device: Device, replacement: Device) -> None:
        assigned(device, 2)
        move = asked(device, replacement)

        give_back(device, everything=True, min_seq=99)

        move = current(move)
        assert (move.state, move.decided_by) == ("signed", None)
        assert held(replacement) == {("bought", "Port"): 2}
        assert AuditEntry.objects.filter(event="move-signed").count() == 2
        assert not AuditEntry.objects.filter(event="licenses-returned").exists()

    def test_gives_back_to_the_balance_while_no_replacement_is_known(
        self, device: Device, project: Project
    ) -> None:
        assigned(device, 2)
        move = asked(device)

        give_back(device, everything=True, min_seq=99)

        assert free(project) == 10
        assert current(move).state == "signed"

    def test_gives_back_to_the_balance_what_the_replacement_has_no_room_for(
        self, device: Device, replacement: Device, project: Project, settings: LazySettings
    ) -> None:
        assigned(device, 2)
        withdrawn(asked(device))
        move = asked(device, replacement)  # support looks first: there is no bridge
        settings.GRANTS_PER_DEVICE = 0

        give_back(device, everything=True, min_seq=99)

        assert free(project) == 10
        assert held(replacement) == {}
        assert current(move).state == "signed"

    def test_that_signs_after_42_days_gives_back_to_the_balance(
        self, move: Move, broken: Device, replacement: Device, project: Project
    ) -> None:
        give_back(broken, everything=True, min_seq=99, now=NOW + 42 * DAY)

        assert free(project) == 10
        assert held(replacement, now=NOW + 42 * DAY) == {}

    def test_that_signs_after_the_approval_changes_nothing(
        self, move: Move, broken: Device, replacement: Device, sam: User
    ) -> None:
        grants = list(Grant.objects.filter(device=broken, product__code="Port"))
        approved(move, sam)

        answer = give_back(broken, *grants)

        assert {result for _, result in answer.results} == {"already"}
        assert held(replacement) == BOUGHT

    def test_repeated_returns_change_nothing_once_they_moved(
        self, move: Move, broken: Device, replacement: Device
    ) -> None:
        [first, _] = Grant.objects.filter(device=broken, product__code="Port").order_by("-quantity")

        answers = [give_back(broken, first, key="A" * 22) for _ in range(2)]

        assert answers[0].receipt == answers[1].receipt
        assert held(replacement)["bought", "Port"] == 3


class TestTheOldDeviceAlive:
    def alerts(self, device: Device) -> int:
        return Alert.objects.filter(device=device, kind="moved-device-alive").count()

    def test_after_an_approval_gets_an_empty_document_and_alerts_support_once(
        self, move: Move, broken: Device, sam: User
    ) -> None:
        have = fetched(broken)
        assert self.alerts(broken) == 0
        approved(move, sam)

        for _ in range(2):
            assert fetched(broken, have=have) not in {None, have}

        assert listed(broken) == []
        assert self.alerts(broken) == 1

    def test_that_signs_a_return_alerts_support(self, move: Move, broken: Device, sam: User) -> None:
        approved(move, sam)

        give_back(broken, everything=True, min_seq=99)

        assert self.alerts(broken) == 1

    def test_though_it_was_written_off_alerts_support(
        self, move: Move, broken: Device, sam: User, olga: User
    ) -> None:
        approved(move, sam)
        written_off(move, olga)

        fetched(broken)

        assert self.alerts(broken) == 1

    def test_once_it_was_booked_in_is_no_surprise(self, move: Move, broken: Device, sam: User) -> None:
        approved(move, sam)
        booked_in(move, sam)

        fetched(broken)

        assert self.alerts(broken) == 0

    def test_after_a_refusal_has_what_it_had(self, move: Move, broken: Device, sam: User) -> None:
        refused_by(move, sam)

        fetched(broken)

        assert held(broken) == BOUGHT
        assert self.alerts(broken) == 0

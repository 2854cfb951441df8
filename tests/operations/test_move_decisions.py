import pytest
from django.conf import LazySettings

from accounts.models import Project, User
from accounts.staff import SecondPersonNeeded, StaffNeeded
from devices.models import Device
from licenses import move_decisions, move_queries
from licenses.log_line import LeafType
from licenses.models import Grant, LogLeaf, Move, Transfer
from licenses.move_course import MoveChanged, MoveEnded
from licenses.queries import current_document
from portal.core.acts import ReasonNeeded
from portal.core.models import AuditEntry
from tests.factories import NOW, assigned, caller, free, give_back, make_device
from tests.operations.bookkeeping import latest, listed, refused, unchanged
from tests.operations.moving import (
    BOUGHT,
    BRIDGED,
    DAY,
    approved,
    asked,
    booked_in,
    bridged_by,
    current,
    held,
    named,
    refused_by,
    withdrawn,
    written_off,
)


class TestApproval:
    def test_ends_the_licenses_here_and_makes_the_bridge_bought_there(
        self, move: Move, broken: Device, replacement: Device, sam: User
    ) -> None:
        bridges = {item.id for item in latest(replacement).items}

        move = approved(move, sam)

        assert (move.state, move.decided_by, move.decision_reason) == ("approved", sam, "Looks right.")
        assert held(broken) == {}
        assert held(replacement) == BOUGHT
        assert listed(broken) == []
        items = latest(replacement).items
        assert {item.id for item in items} == bridges
        assert {(item.license_class, item.expires_at) for item in items} == {("bought", None)}
        assert {grant.state for grant in Grant.objects.filter(device=broken)} == {"moved"}
        assert (free(broken), free(replacement)) == (0, 4)
        assert (free(broken, "Channels"), free(replacement, "Channels")) == (0, 1)

    def test_is_one_transfer_for_each_product_and_marked_as_unsigned_in_the_log(
        self, move: Move, broken: Device, replacement: Device, sam: User
    ) -> None:
        move = approved(move, sam)

        transfers = Transfer.objects.filter(act=move.ended_by)
        assert sorted((one.product.code, one.quantity) for one in transfers) == [("Channels", 1), ("Port", 4)]
        leaves = LogLeaf.objects.filter(act=move.ended_by).order_by("pk")
        assert [leaf.type for leaf in leaves] == [LeafType.UNSIGNED_MOVE] * 2
        assert [bytes(leaf.document_sha256 or b"") for leaf in leaves] == [
            bytes(document.payload_sha256)
            for document in (current_document(replacement), current_document(broken))
            if document is not None
        ]
        assert [leaf.lines.count() for leaf in leaves] == [2 + 3, 3]

    def test_moves_without_a_bridge_as_well(self, broken: Device, project: Project, sam: User) -> None:
        withdrawn(asked(broken))
        target = make_device(project=project)
        move = asked(broken, target)
        assert held(target) == {}

        approved(move, sam)

        assert held(target) == BOUGHT

    def test_after_the_bridge_has_ended_gives_new_ids(
        self, move: Move, broken: Device, replacement: Device, sam: User
    ) -> None:
        bridges = {item.id for item in latest(replacement).items}

        approved(move, sam, now=NOW + 20 * DAY)

        assert held(replacement) == BOUGHT
        assert not bridges & {item.id for item in latest(replacement).items}
        old = Grant.objects.filter(device=replacement, license_class="bridge")
        assert {(grant.state, grant.ended_at) for grant in old} == {("expired", NOW + 14 * DAY)}

    def test_keeps_what_the_replacement_gave_back_from_coming_twice(
        self, move: Move, broken: Device, replacement: Device, sam: User, keyring: object
    ) -> None:
        give_back(replacement, everything=True, min_seq=2)
        assert held(replacement) == {}

        approved(move, sam)

        assert held(replacement) == BOUGHT

    def test_of_a_weight_above_the_limit_takes_two_people(
        self, move: Move, broken: Device, replacement: Device, sam: User, olga: User, settings: LazySettings
    ) -> None:
        settings.MOVE_WEIGHT_LIMIT = 8  # four ports of weight two, and a channel

        move = approved(move, sam)
        assert (move.state, move.first_approved_by) == ("open", sam)
        assert held(replacement) == BRIDGED
        assert move_queries.described(move, now=NOW).stage == "second-person"
        with refused(SecondPersonNeeded):
            approved(move, sam)
        move = approved(move, olga)

        assert (move.state, move.first_approved_by, move.decided_by) == ("approved", sam, olga)
        assert held(replacement) == BOUGHT

    def test_of_a_weight_at_the_limit_takes_one(self, move: Move, sam: User, settings: LazySettings) -> None:
        settings.MOVE_WEIGHT_LIMIT = 9

        assert approved(move, sam).state == "approved"

    def test_of_a_company_over_its_cap_takes_two_people(
        self, move: Move, project: Project, sam: User, olga: User, settings: LazySettings
    ) -> None:
        other = make_device(project=project)
        assigned(other, 1)
        settings.MOVES_WITHOUT_HARDWARE = 1
        second = asked(other, make_device(project=project))

        assert approved(second, sam).state == "open"
        withdrawn(move)
        # Not over the cap any more: one person is enough, also the one who approved before.
        second = approved(second, sam)

        assert (second.state, second.first_approved_by, second.decided_by) == ("approved", None, sam)

    def test_without_a_replacement_is_refused(self, broken: Device, sam: User) -> None:
        move = asked(broken)

        with refused(move_decisions.NoReplacement):
            approved(move, sam)

    def test_of_another_replacement_than_was_looked_at_is_refused(
        self, move: Move, project: Project, sam: User
    ) -> None:
        seen = current(move)
        named(move, make_device(project=project))

        with refused(MoveChanged):
            approved(seen, sam)

    @pytest.mark.parametrize("state", ["approved", "refused", "withdrawn", "expired"])
    def test_of_a_move_that_ended_is_refused(self, state: str, move: Move, sam: User) -> None:
        now = NOW
        if state == "approved":
            approved(move, sam)
        elif state == "refused":
            refused_by(move, sam)
        elif state == "withdrawn":
            withdrawn(move)
        else:
            now = NOW + 42 * DAY

        with refused(MoveEnded, state=state):
            approved(move, sam, now=now)

    def test_repeated_changes_nothing(self, move: Move, sam: User) -> None:
        approved(move, sam, key="once")

        with unchanged():
            assert approved(move, sam, key="once").state == "approved"

    def test_without_a_reason_or_a_name_is_refused(self, move: Move, sam: User) -> None:
        with refused(ReasonNeeded):
            move_decisions.approve_move(move=move, caller=caller(sam), now=NOW)
        with refused(StaffNeeded):
            move_decisions.approve_move(move=move, caller=caller(reason="Why not."), now=NOW)


class TestRefusal:
    def test_revokes_the_bridge_and_says_why(
        self, move: Move, broken: Device, replacement: Device, sam: User
    ) -> None:
        move = refused_by(move, sam)

        assert (move.state, move.decided_by) == ("refused", sam)
        assert move.decision_reason == "It answers to ping."
        assert held(replacement) == {}
        assert held(broken) == BOUGHT

    def test_twice_is_refused(self, move: Move, sam: User, olga: User) -> None:
        refused_by(move, sam)

        with refused(MoveEnded, state="refused"):
            refused_by(move, olga)

    def test_by_whoever_approved_first_is_possible(
        self, move: Move, sam: User, settings: LazySettings
    ) -> None:
        settings.MOVE_WEIGHT_LIMIT = 0
        approved(move, sam)

        assert refused_by(move, sam).state == "refused"

    def test_repeated_changes_nothing(self, move: Move, sam: User) -> None:
        who = caller(sam, key="once", reason="No.")
        move_decisions.refuse_move(move=move, caller=who, now=NOW)

        with unchanged():
            move_decisions.refuse_move(move=move, caller=who, now=NOW)


class TestGivingABridge:
    def test_where_one_is_in_effect_is_refused(self, move: Move, sam: User) -> None:
        with refused(move_decisions.BridgeThere):
            bridged_by(move, sam)

    def test_after_the_first_has_ended_ends_within_the_42_days(
        self, move: Move, replacement: Device, sam: User
    ) -> None:
        bridged_by(move, sam, now=NOW + 30 * DAY)

        assert held(replacement, now=NOW + 42 * DAY) == {}
        assert held(replacement, now=NOW + 41 * DAY) == BRIDGED
        assert {grant.expires_at for grant in move_queries.bridges_of(move, now=NOW + 30 * DAY)} == {
            NOW + 42 * DAY
        }

    def test_without_a_replacement_is_refused(self, broken: Device, sam: User) -> None:
        bare = asked(broken)

        with refused(move_decisions.NoReplacement):
            bridged_by(bare, sam)

    def test_repeated_changes_nothing(self, broken: Device, replacement: Device, sam: User) -> None:
        withdrawn(asked(broken))
        move = asked(broken, replacement)
        who = caller(sam, key="once", reason="They wait.")
        move_decisions.give_bridge(move=move, caller=who, now=NOW)

        with unchanged():
            move_decisions.give_bridge(move=move, caller=who, now=NOW)


class TestTheOldHardware:
    def test_is_booked_in(self, move: Move, sam: User) -> None:
        approved(move, sam)

        move = booked_in(move, sam)

        assert (move.hardware, move.hardware_by, move.hardware_at) == ("booked-in", sam, NOW)
        assert AuditEntry.objects.filter(event="hardware-booked-in").count() == 2

    def test_is_written_off_by_somebody_else(self, move: Move, sam: User, olga: User) -> None:
        approved(move, sam)

        with refused(SecondPersonNeeded):
            written_off(move, sam)
        assert written_off(move, olga).hardware == "written-off"

    def test_is_seen_to_once(self, move: Move, sam: User, olga: User) -> None:
        approved(move, sam)
        booked_in(move, sam)

        with refused(move_decisions.HardwareSeenTo):
            booked_in(move, olga)
        with refused(move_decisions.HardwareSeenTo):
            written_off(move, olga)

    def test_of_a_move_that_was_not_approved_need_not_come_back(self, move: Move, sam: User) -> None:
        with refused(move_decisions.MoveNotApproved):
            booked_in(move, sam)

    def test_is_booked_in_once_for_a_repeated_request(self, move: Move, sam: User) -> None:
        approved(move, sam)
        who = caller(sam, key="once", reason="It came.")
        move_decisions.book_in(move=move, caller=who, now=NOW)

        with unchanged():
            move_decisions.book_in(move=move, caller=who, now=NOW)

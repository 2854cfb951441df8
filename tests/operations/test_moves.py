import pytest
from django.conf import LazySettings

from accounts.models import Project, User
from devices.models import Alert, Device
from devices.queries import NoSuchDevice
from licenses import (
    assignment,
    company_import,
    device_projects,
    handing_over,
    move_queries,
    moves,
    tasks,
    trials,
)
from licenses.log_line import LeafType
from licenses.models import Grant, Move
from licenses.move_course import MoveEnded, NothingToMove, ReplacementElsewhere
from licenses.room import DeviceIsFull
from portal.core.acts import ReasonNeeded
from portal.core.models import AuditEntry, OutboxJob
from tests.factories import (
    NOW,
    assigned,
    caller,
    first_project,
    make_device,
    make_project,
)
from tests.operations.bookkeeping import last_leaf, latest, listed, refused, unchanged
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
)


class TestAsking:
    def test_gives_the_replacement_a_bridge_at_once(self, broken: Device, replacement: Device) -> None:
        move = asked(broken, replacement, rma="RMA-7")

        assert (move.state, move.support_first, move.rma) == ("open", "", "RMA-7")
        assert held(replacement) == BRIDGED
        assert held(broken) == BOUGHT
        items = latest(replacement).items
        assert {(item.license_class, item.expires_at) for item in items} == {
            ("bridge", int((NOW + 14 * DAY).timestamp()))
        }
        assert {grant.bridge_of_id for grant in Grant.objects.filter(device=replacement)} == {
            grant.pk for grant in Grant.objects.filter(device=broken)
        }
        assert last_leaf().type == LeafType.BRIDGE
        assert last_leaf().lines.count() == 3

    def test_stands_in_the_history_of_both_devices(self, broken: Device, replacement: Device) -> None:
        asked(broken, replacement)

        for device in (broken, replacement):
            events = AuditEntry.objects.filter(hardware_id=device.hardware_id).values_list("event", flat=True)
            assert {"move-requested", "bridge-given"} <= set(events)

    def test_leaves_what_the_replacement_holds_beside_the_bridge(
        self, broken: Device, replacement: Device
    ) -> None:
        assigned(replacement, 2)

        asked(broken, replacement)

        assert held(replacement) == BRIDGED | {("bought", "Port"): 2}

    def test_waits_with_the_bridge_for_a_replacement(self, broken: Device, replacement: Device) -> None:
        move = asked(broken)
        assert move_queries.described(move, now=NOW).stage == "needs-replacement"

        move = named(move, replacement)

        assert held(replacement) == BRIDGED
        assert move_queries.described(move, now=NOW).stage == "bridged"

    def test_takes_a_replacement_in_another_project_of_the_company(
        self, broken: Device, project: Project
    ) -> None:
        elsewhere = make_device(project=make_project(company=project.company))

        asked(broken, elsewhere)

        assert held(elsewhere) == BRIDGED

    def test_repeated_changes_nothing(self, broken: Device, replacement: Device) -> None:
        first = asked(broken, replacement, key="once")

        with unchanged():
            assert asked(broken, replacement, key="once", now=NOW + DAY) == first

    def test_without_a_reason_is_refused(self, broken: Device, replacement: Device) -> None:
        with refused(ReasonNeeded):
            asked(broken, replacement, reason=" ")

    @pytest.mark.parametrize("rma", ["7" * 41, "a\nb"])
    def test_with_something_else_as_rma_number_is_refused(self, broken: Device, rma: str) -> None:
        with refused(moves.RMATooLong):
            asked(broken, rma=rma)

    def test_to_itself_is_refused(self, broken: Device) -> None:
        with refused(moves.SameDevice):
            asked(broken, broken)

    def test_while_one_is_open_is_refused(self, broken: Device, replacement: Device) -> None:
        asked(broken, replacement)

        with refused(moves.MoveOpen, hardware_id=broken.hardware_id):
            asked(broken, replacement)

    def test_of_a_device_with_nothing_bought_is_refused(self, device: Device, replacement: Device) -> None:
        trials.create_test_license(
            device=device, version=14, slave=True, quantity=None, caller=caller(), now=NOW
        )

        with refused(NothingToMove):
            asked(device, replacement)

    def test_of_a_device_that_holds_a_bridge_is_refused(
        self, broken: Device, replacement: Device, project: Project
    ) -> None:
        asked(broken, replacement)
        assigned(replacement, 1)
        third = make_device(project=project)

        with refused(moves.ReplacementOfAnOpenMove, hardware_id=replacement.hardware_id):
            asked(replacement, third)

    def test_to_a_device_that_is_broken_itself_is_refused(
        self, broken: Device, replacement: Device, project: Project
    ) -> None:
        assigned(replacement, 1)
        asked(replacement)

        with refused(moves.ReplacementIsBroken, hardware_id=replacement.hardware_id):
            asked(broken, replacement)

    def test_to_a_device_of_another_company_is_refused(self, broken: Device, charlie: User) -> None:
        theirs = make_device(project=first_project(charlie.memberships.get().company))

        with refused(ReplacementElsewhere):
            asked(broken, theirs)

    def test_to_a_device_without_room_is_refused(
        self, broken: Device, replacement: Device, settings: LazySettings
    ) -> None:
        settings.GRANTS_PER_DEVICE = 2

        with refused(DeviceIsFull):
            asked(broken, replacement)

    def test_of_a_device_that_left_its_project_is_refused(
        self, broken: Device, replacement: Device, project: Project
    ) -> None:
        stale = Device.objects.select_related("project__company").get(pk=broken.pk)
        other = make_project(company=project.company)
        device_projects.change_project(device=broken, project=other, caller=caller(), now=NOW)

        with refused(NoSuchDevice):
            asked(stale, replacement)


class TestSupportFirst:
    def test_looks_at_the_sixth_move_of_a_company(
        self, broken: Device, replacement: Device, project: Project, settings: LazySettings
    ) -> None:
        settings.MOVES_WITHOUT_HARDWARE = 1
        asked(broken, replacement)
        other = make_device(project=project)
        assigned(other, 1)

        move = asked(other, make_device(project=project))
        third = make_device(project=project)
        assigned(third, 1)
        asked(third)

        assert move.support_first == "cap"
        alert = Alert.objects.get()  # once a day, however many moves
        assert (alert.kind, alert.company) == ("cap-reached", project.company)
        assert alert.facts == {"broken": other.hardware_id, "counted": 1, "cap": 1}
        assert move.replacement is not None
        assert held(move.replacement) == {}
        assert move_queries.described(move, now=NOW).stage == "with-support"

    def test_counts_an_approved_move_until_its_hardware_is_booked_in(
        self, broken: Device, replacement: Device, project: Project, settings: LazySettings, sam: User
    ) -> None:
        settings.MOVES_WITHOUT_HARDWARE = 1
        first = approved(asked(broken, replacement), sam)
        others = [make_device(project=project) for _ in range(2)]
        for other in others:
            assigned(other, 1)

        assert asked(others[0]).support_first == "cap"
        withdrawn(Move.objects.latest("pk"))
        booked_in(first, sam)
        assert asked(others[1]).support_first == ""

    @pytest.mark.parametrize("how", ["withdrawn", "refused", "expired"])
    def test_looks_at_a_move_of_a_device_whose_last_one_came_to_nothing(
        self, how: str, broken: Device, replacement: Device, sam: User
    ) -> None:
        move = asked(broken)
        now = NOW
        if how == "withdrawn":
            withdrawn(move)
        elif how == "refused":
            refused_by(move, sam)
        else:
            now = NOW + 42 * DAY

        again = asked(broken, replacement, now=now)

        assert again.support_first == "repeated"
        assert held(replacement) == {}

    def test_looks_no_more_after_180_days_unless_there_was_a_bridge(
        self, broken: Device, replacement: Device
    ) -> None:
        withdrawn(asked(broken))
        with_bridge = withdrawn(asked(broken, replacement, now=NOW + 180 * DAY), now=NOW + 180 * DAY)
        assert with_bridge.support_first == ""

        again = asked(broken, replacement, now=NOW + 361 * DAY)

        assert again.support_first == "bridged-before"

    def test_gives_the_bridge_with_its_name(self, broken: Device, replacement: Device, sam: User) -> None:
        withdrawn(asked(broken, replacement))
        move = asked(broken, replacement)

        bridged_by(move, sam)

        assert held(replacement) == BRIDGED
        assert {bridge.given_by for bridge in move.bridges.all()} == {sam}


class TestAnImport:
    def test_of_the_company_brings_its_open_moves_along(
        self, broken: Device, replacement: Device, charlie: User, sam: User
    ) -> None:
        """They count there, and are decided as before (mission rule 3)."""
        move = asked(broken, replacement)
        source, target = broken.project.company, charlie.memberships.get().company
        wanted = company_import.ask_for_company(
            target=target,
            number=source.pk,
            name=source.name,
            asker=charlie,
            caller=caller(charlie),
            now=NOW,
        )
        company_import.consent_to_import(wanted=wanted, caller=caller(), now=NOW)

        assert move_queries.count_against_cap(target, now=NOW) == 1
        assert approved(current(move), sam).state == "approved"
        assert held(replacement) == BOUGHT


class TestNamingAReplacement:
    def test_instead_of_another_one_revokes_its_bridge_and_leaves_the_next_to_support(
        self, broken: Device, replacement: Device, project: Project, sam: User
    ) -> None:
        other = make_device(project=project)
        move = asked(broken, replacement)

        move = named(move, other)

        assert held(replacement) == held(other) == {}
        assert listed(replacement) == []
        assert move.support_first == "bridged-before"
        bridged_by(move, sam)
        assert held(other) == BRIDGED

    def test_after_a_first_approval_takes_the_approval_back(
        self, broken: Device, replacement: Device, project: Project, sam: User, settings: LazySettings
    ) -> None:
        settings.MOVE_WEIGHT_LIMIT = 0
        move = approved(asked(broken, replacement), sam)
        assert move.first_approved_by == sam

        move = named(move, make_device(project=project))

        assert current(move).first_approved_by is None

    def test_that_is_there_already_is_refused(self, broken: Device, replacement: Device) -> None:
        move = asked(broken, replacement)

        with refused(moves.SameReplacement):
            named(move, replacement)

    def test_that_is_the_broken_one_is_refused(self, broken: Device) -> None:
        move = asked(broken)

        with refused(moves.SameDevice):
            named(move, broken)

    def test_of_a_move_that_ended_is_refused(self, broken: Device, replacement: Device) -> None:
        move = withdrawn(asked(broken))

        with refused(MoveEnded, state="withdrawn"):
            named(move, replacement)

    def test_after_42_days_is_refused(self, broken: Device, replacement: Device) -> None:
        move = asked(broken)

        with refused(MoveEnded, state="expired"):
            named(move, replacement, now=NOW + 42 * DAY)

    def test_repeated_changes_nothing(self, broken: Device, replacement: Device) -> None:
        move = asked(broken)
        moves.name_replacement(move=move, replacement=replacement, caller=caller(key="once"), now=NOW)

        with unchanged():
            moves.name_replacement(move=move, replacement=replacement, caller=caller(key="once"), now=NOW)


class TestWithdrawing:
    def test_revokes_the_bridge_and_leaves_the_broken_device_what_it_has(
        self, broken: Device, replacement: Device
    ) -> None:
        withdrawn(asked(broken, replacement))

        assert held(replacement) == {}
        assert held(broken) == BOUGHT
        assert listed(replacement) == []
        assert last_leaf().type == LeafType.REVOCATION

    def test_twice_is_refused(self, broken: Device, replacement: Device) -> None:
        move = withdrawn(asked(broken, replacement))

        with refused(MoveEnded, state="withdrawn"):
            withdrawn(move)

    def test_repeated_changes_nothing(self, broken: Device, replacement: Device) -> None:
        move = asked(broken, replacement)
        moves.withdraw_move(move=move, caller=caller(key="once"), now=NOW)

        with unchanged():
            moves.withdraw_move(move=move, caller=caller(key="once"), now=NOW)


class TestWhileAMoveIsOpen:
    def test_the_broken_device_takes_no_assignment(self, broken: Device, replacement: Device) -> None:
        asked(broken, replacement)

        with refused(move_queries.DeviceInMove, hardware_id=broken.hardware_id):
            assigned(broken, 1)

    def test_no_assignment_to_it_is_undone(self, broken: Device, replacement: Device) -> None:
        asked(broken, replacement)
        grant = Grant.objects.filter(device=broken).select_related("device__project").latest("made_at")

        with refused(move_queries.DeviceInMove):
            assignment.undo_assignment(grant=grant, caller=caller(), now=NOW)

    def test_it_takes_no_test_license(self, broken: Device, replacement: Device) -> None:
        asked(broken, replacement)

        with refused(move_queries.DeviceInMove):
            trials.create_test_license(
                device=broken, version=14, slave=True, quantity=None, caller=caller(), now=NOW
            )

    def test_it_changes_no_project_and_its_replacement_does(
        self, broken: Device, replacement: Device, project: Project
    ) -> None:
        asked(broken, replacement)
        other = make_project(company=project.company)

        with refused(move_queries.DeviceInMove):
            device_projects.change_project(device=broken, project=other, caller=caller(), now=NOW)
        device_projects.change_project(device=replacement, project=other, caller=caller(), now=NOW)

    def test_neither_of_the_two_is_released(self, device: Device, replacement: Device) -> None:
        assigned(device, 1, "Channels")  # stays with the hardware, so it would not be in the way
        broken = device
        asked(broken, replacement)

        with refused(move_queries.DeviceInMove):
            device_projects.release_device(device=broken, caller=caller(), now=NOW)
        with refused(handing_over.DeviceBridged):
            device_projects.release_device(device=replacement, caller=caller(), now=NOW)

    def test_the_replacement_takes_assignments(self, broken: Device, replacement: Device) -> None:
        asked(broken, replacement)

        assigned(replacement, 1)

        assert held(replacement) == BRIDGED | {("bought", "Port"): 1}

    def test_after_its_end_the_device_is_free_whether_a_job_ran_or_not(
        self, broken: Device, replacement: Device, project: Project
    ) -> None:
        asked(broken, replacement)
        other = make_project(company=project.company)

        device_projects.change_project(device=broken, project=other, caller=caller(), now=NOW + 42 * DAY)


class TestTheJob:
    def test_writes_down_that_a_move_expired(self, broken: Device, replacement: Device) -> None:
        move = asked(broken, replacement)

        job = OutboxJob.objects.get(handler="tidy-move")
        assert (job.due_at, job.arguments) == (NOW + 42 * DAY, {"move_id": move.pk})

        for _ in range(2):  # jobs may run twice
            tasks.tidy_move(now=NOW + 50 * DAY, **job.arguments)

        move = current(move)
        assert (move.state, move.ended_at) == ("expired", NOW + 42 * DAY)
        assert {grant.state for grant in Grant.objects.filter(device=replacement)} == {"expired"}
        assert {grant.ended_at for grant in Grant.objects.filter(device=replacement)} == {NOW + 14 * DAY}
        expired = AuditEntry.objects.filter(event="move-expired")
        assert {entry.at for entry in expired} == {NOW + 42 * DAY}
        assert expired.count() == 2

    def test_changes_nothing_before_the_end_or_after_a_decision(
        self, broken: Device, replacement: Device
    ) -> None:
        move = asked(broken, replacement)
        with unchanged():
            moves.tidy_move(move_id=move.pk, now=NOW + 41 * DAY)
        withdrawn(move)
        with unchanged():
            moves.tidy_move(move_id=move.pk, now=NOW + 43 * DAY)

"""Roles in the vendor's staff: given and taken by somebody, with a reason, and counted from then on."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from accounts import staff, staff_roles
from accounts.models import StaffRole, User
from accounts.permissions import Permission, Role
from accounts.staff import RoleMissing, SecondPersonNeeded
from accounts.staff_roles import NobodyToGiveARole, RoleHeld, RoleNotHeld
from licenses import move_decisions
from licenses.models import Move
from portal.core.acts import ReasonNeeded
from portal.core.models import AuditEntry
from tests import factories
from tests.factories import NOW, caller
from tests.operations import moving
from tests.operations.bookkeeping import last_entry

Change = Callable[..., User]


@pytest.fixture
def root(db: None) -> User:
    """Who gives roles."""
    user = factories.make_user(name="Root")
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    return user


@pytest.fixture
def dora(db: None) -> User:
    return factories.make_user(name="Dora")


def change(
    what: Change, user: User, role: Role, by: User | None, key: str = "k1", reason: str = "new here"
) -> User:
    return what(email=user.email.upper(), role=role, caller=caller(by, key=key, reason=reason), now=NOW)


class TestGiving:
    def test_makes_somebody_staff_and_says_who_gave_it_and_why(self, root: User, dora: User) -> None:
        for _ in range(2):  # sent twice, done once
            change(staff_roles.give_role, dora, Role.SUPPORT, root)

        dora.refresh_from_db()
        held = StaffRole.objects.get()
        assert (dora.is_staff, held.user, held.role, held.given_by) == (True, dora, "support", root)
        entry = last_entry()
        assert (entry.event, entry.actor) == ("staff-role-given", root)
        assert entry.facts == {"user": dora.pk, "role": "support", "reason": "new here"}
        assert Permission.DECIDE_MOVES in staff.permissions_of(dora)
        assert Permission.WRITE_OFF not in staff.permissions_of(dora)

    def test_a_second_time_is_told(self, root: User, dora: User) -> None:
        change(staff_roles.give_role, dora, Role.AUDITOR, root)
        with pytest.raises(RoleHeld):
            change(staff_roles.give_role, dora, Role.AUDITOR, root, key="k2")

    @pytest.mark.parametrize("role", Role)
    def test_no_role_may_give_roles_not_even_to_itself(self, dora: User, role: Role) -> None:
        one = factories.make_user(name="One", is_staff=True, roles=[role])
        for whom in (one, dora):
            with pytest.raises(RoleMissing) as refused:
                change(staff_roles.give_role, whom, Role.SENIOR, one)
            assert refused.value.facts["roles"] == "superusers"

    def test_needs_a_reason_and_somebody(self, root: User, dora: User) -> None:
        with pytest.raises(ReasonNeeded):
            change(staff_roles.give_role, dora, Role.SUPPORT, root, reason=" ")
        with pytest.raises(NobodyToGiveARole):
            change(staff_roles.give_role, User(email="x@example.com"), Role.SUPPORT, root)
        assert not AuditEntry.objects.exists()


class TestTaking:
    def test_the_last_one_ends_being_staff(self, root: User, dora: User) -> None:
        factories.give_roles(dora, Role.SUPPORT, Role.AUDITOR)
        change(staff_roles.take_role, dora, Role.SUPPORT, root)
        assert User.objects.get(pk=dora.pk).is_staff
        change(staff_roles.take_role, dora, Role.AUDITOR, root, key="k2", reason="leaves us")
        gone = User.objects.get(pk=dora.pk)
        assert not gone.is_staff
        assert staff.permissions_of(gone) == frozenset()
        assert (last_entry().event, last_entry().facts["reason"]) == ("staff-role-taken", "leaves us")

    def test_what_is_not_there_is_told(self, root: User, dora: User) -> None:
        with pytest.raises(RoleNotHeld):
            change(staff_roles.take_role, dora, Role.SUPPORT, root)

    def test_a_superuser_stays_staff(self, root: User) -> None:
        change(staff_roles.give_role, root, Role.AUDITOR, None)
        change(staff_roles.take_role, root, Role.AUDITOR, None, key="k2")
        root.refresh_from_db()
        assert root.is_staff


class TestTheCommand:
    def test_gives_takes_and_lists(self, dora: User, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("staff_role", "give", dora.email, "fulfilment", "--reason", "orders")
        call_command("staff_role", "list")
        assert capsys.readouterr().out.splitlines()[-1] == f"{dora.email}  fulfilment"
        call_command("staff_role", "take", dora.email, "fulfilment", "--reason", "moved on")
        assert "has no role now" in capsys.readouterr().out
        with pytest.raises(CommandError, match=r"\[role-not-held\]"):
            call_command("staff_role", "take", dora.email, "fulfilment", "--reason", "moved on")


class TestMoves:
    """The operation asks as well as its page."""

    def test_somebody_without_the_role_decides_nothing(self, move: Move) -> None:
        clerk = factories.make_user(name="Clerk", is_staff=True, roles=[Role.FULFILMENT, Role.AUDITOR])
        for decide in (
            move_decisions.approve_move,
            move_decisions.refuse_move,
            move_decisions.give_bridge,
            move_decisions.book_in,
            move_decisions.write_off,
        ):
            with pytest.raises(RoleMissing):
                decide(move=move, caller=caller(clerk, reason="seen"), now=NOW)

    def test_the_second_person_is_senior(
        self, move: Move, settings: LazySettings, sam: User, olga: User
    ) -> None:
        settings.MOVE_WEIGHT_LIMIT = 0
        factories.give_roles(sam, Role.SUPPORT)
        factories.give_roles(olga, Role.SUPPORT)
        moving.approved(move, sam)
        with pytest.raises(SecondPersonNeeded):
            moving.approved(move, sam)
        with pytest.raises(RoleMissing):
            moving.approved(move, olga)
        factories.give_roles(olga, Role.SENIOR)
        assert moving.approved(move, olga).state == Move.State.APPROVED

    def test_only_a_senior_writes_off(self, move: Move, sam: User, olga: User) -> None:
        moving.approved(move, sam)
        factories.give_roles(olga, Role.SUPPORT)
        with pytest.raises(RoleMissing):
            move_decisions.write_off(move=move, caller=caller(olga, reason="burned"), now=NOW)
        factories.give_roles(olga, Role.SENIOR)
        done = move_decisions.write_off(move=move, caller=caller(olga, reason="burned"), now=NOW)
        assert done.hardware == Move.Hardware.WRITTEN_OFF

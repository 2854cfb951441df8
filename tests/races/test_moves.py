"""Moves at once with all that concerns their devices: wholly before it, or wholly after (rules 25 to 28)."""

from collections.abc import Iterator
from functools import partial

import pytest
from django.conf import LazySettings

from accounts.models import Project, User
from devices.models import Device
from licenses import verification
from licenses.models import Bridge, Grant, LogLeaf, Move
from tests.factories import NOW, activated, assigned, free, give_back, make_device, make_user
from tests.operations import moving
from tests.operations.bookkeeping import latest
from tests.operations.moving import DAY, held
from tests.races.pool import Pool

pytestmark = pytest.mark.usefixtures("catalogue", "keyring")

ROUNDS = 4


@pytest.fixture
def sam(db: None) -> User:
    return make_user(name="Sam", is_staff=True)


@pytest.fixture
def olga(db: None) -> User:
    return make_user(name="Olga", is_staff=True)


@pytest.fixture(autouse=True)
def _books_are_right(db: None) -> Iterator[None]:
    yield
    assert list(verification.violations()) == []


@pytest.fixture(autouse=True)
def _no_cap(settings: LazySettings) -> None:
    settings.MOVES_WITHOUT_HARDWARE = 1000


def broken_one(project: Project) -> tuple[Device, list[Grant]]:
    """A device with two Port in a grant each."""
    activated(project, {"Port": 2})
    device = make_device(project=project)
    return device, [assigned(device), assigned(device)]


class TestAsking:
    def test_at_once_for_one_device_is_one_move(self, pool: Pool, project: Project) -> None:
        for _ in range(ROUNDS):
            device, _grants = broken_one(project)
            targets = [make_device(project=project) for _ in range(8)]

            outcomes = pool.race([partial(moving.asked, device, target) for target in targets])

            assert len(outcomes.answers) == 1
            assert outcomes.refused == {"move-open": 7}
            assert Bridge.objects.filter(source__device=device).count() == 2

    def test_for_many_devices_at_once_keeps_to_the_cap(
        self, pool: Pool, project: Project, settings: LazySettings
    ) -> None:
        for number in range(ROUNDS):
            settings.MOVES_WITHOUT_HARDWARE = Move.objects.count() + 1
            pairs = [(broken_one(project)[0], make_device(project=project)) for _ in range(6)]

            outcomes = pool.race([partial(moving.asked, device, target) for device, target in pairs])

            assert sorted(move.support_first for move in outcomes.answers) == [""] + ["cap"] * 5, number

    def test_and_assigning_at_once_bridges_all_or_refuses_the_assignment(
        self, pool: Pool, project: Project
    ) -> None:
        for _ in range(ROUNDS):
            device, _grants = broken_one(project)
            activated(project, {"Port": 1})
            target = make_device(project=project)

            outcomes = pool.race([partial(moving.asked, device, target), partial(assigned, device)])

            assert outcomes.refused in ({}, {"device-in-move": 1})
            assert held(target)["bridge", "Port"] == held(device)["bought", "Port"]

    def test_across_each_other_is_one_move_and_no_deadlock(self, pool: Pool, project: Project) -> None:
        for _ in range(ROUNDS):
            (one, _grants), (other, _more) = broken_one(project), broken_one(project)

            outcomes = pool.race([partial(moving.asked, one, other), partial(moving.asked, other, one)])

            assert len(outcomes.answers) == 1
            assert set(outcomes.refused) <= {"replacement-is-broken", "replacement-of-an-open-move"}


class TestDeciding:
    def test_two_approvals_at_once_are_one_move(
        self, pool: Pool, project: Project, sam: User, olga: User
    ) -> None:
        for number in range(ROUNDS):
            device, _grants = broken_one(project)
            move = moving.asked(device, make_device(project=project))

            outcomes = pool.race([partial(moving.approved, move, person) for person in (sam, olga) * 4])

            assert len(outcomes.answers) == 1, number
            assert outcomes.refused == {"move-ended": 7}
            assert move.replacement is not None
            assert held(move.replacement) == {("bought", "Port"): 2}

    def test_two_approvals_at_once_by_one_person_are_no_two_people(
        self, pool: Pool, project: Project, sam: User, settings: LazySettings
    ) -> None:
        settings.MOVE_WEIGHT_LIMIT = 0
        for _ in range(ROUNDS):
            device, _grants = broken_one(project)
            move = moving.asked(device, make_device(project=project))

            outcomes = pool.race([partial(moving.approved, move, sam)] * 6)

            assert outcomes.refused == {"second-person-needed": 5}
            assert moving.current(move).state == "open"

    def test_and_withdrawing_at_once_is_one_of_the_two(self, pool: Pool, project: Project, sam: User) -> None:
        for _ in range(ROUNDS):
            device, _grants = broken_one(project)
            move = moving.asked(device, make_device(project=project))

            outcomes = pool.race([partial(moving.approved, move, sam), partial(moving.withdrawn, move)])

            assert outcomes.refused == {"move-ended": 1}
            assert move.replacement is not None
            approved = moving.current(move).state == "approved"
            assert held(move.replacement) == ({("bought", "Port"): 2} if approved else {})
            assert held(device) == ({} if approved else {("bought", "Port"): 2})

    def test_and_naming_another_replacement_at_once_moves_to_the_one_that_was_looked_at(
        self, pool: Pool, project: Project, sam: User
    ) -> None:
        for _ in range(ROUNDS):
            device, _grants = broken_one(project)
            first, second = make_device(project=project), make_device(project=project)
            move = moving.asked(device, first)

            outcomes = pool.race([partial(moving.approved, move, sam), partial(moving.named, move, second)])

            if outcomes.refused == {"move-changed": 1}:
                assert held(first) == held(second) == {}
            else:
                assert outcomes.refused == {"move-ended": 1}
                assert held(first) == {("bought", "Port"): 2}


class TestReturning:
    def test_and_approving_at_once_moves_each_license_once(
        self, pool: Pool, project: Project, sam: User
    ) -> None:
        for number in range(ROUNDS):
            # The replacement is the device of the lower id, every other time: locks go by ids.
            earlier = make_device(project=project)
            device, grants = broken_one(project)
            target = earlier if number % 2 else make_device(project=project)
            move = moving.asked(device, target)

            pool.race([partial(moving.approved, move, sam), partial(give_back, device, *grants)])

            assert held(device) == {}
            assert held(target) == {("bought", "Port"): 2}
            assert moving.current(move).state in {"approved", "signed"}

    def test_and_asking_at_once_bridges_nothing_that_came_back(self, pool: Pool, project: Project) -> None:
        for _ in range(ROUNDS):
            device, grants = broken_one(project)
            target = make_device(project=project)
            before = free(project)

            outcomes = pool.race([partial(moving.asked, device, target), partial(give_back, device, *grants)])

            assert set(outcomes.refused) <= {"nothing-to-move"}
            came_back = free(project) - before
            arrived = held(target).get(("bought", "Port"), 0)
            assert (came_back, arrived) == ((2, 0) if outcomes.refused else (0, 2))
            assert ("bridge", "Port") not in held(target)

    def test_and_naming_a_replacement_at_once_leaves_no_bridge_behind(
        self, pool: Pool, project: Project
    ) -> None:
        for _ in range(ROUNDS):
            device, grants = broken_one(project)
            first, second = make_device(project=project), make_device(project=project)
            move = moving.asked(device, first)

            outcomes = pool.race([partial(moving.named, move, second), partial(give_back, device, *grants)])

            assert set(outcomes.refused) <= {"move-ended"}
            assert held(device) == {}
            taker, other = (first, second) if outcomes.refused else (second, first)
            assert held(taker) == {("bought", "Port"): 2}
            assert held(other) == {}


class TestFetching:
    def test_and_approving_at_once_ends_with_bought_licenses(
        self, pool: Pool, project: Project, sam: User
    ) -> None:
        for _ in range(ROUNDS):
            device, _grants = broken_one(project)
            target = make_device(project=project)
            move = moving.asked(device, target)
            later = NOW + 8 * DAY

            fetches = [partial(moving.fetched, target, now=later)] * 8
            outcomes = pool.race([partial(moving.approved, move, sam, now=later), *fetches])

            assert outcomes.refused == {}
            assert {item.license_class for item in latest(target).items} == {"bought"}

    def test_many_times_at_once_lengthens_once(self, pool: Pool, project: Project) -> None:
        for number in range(ROUNDS):
            device, _grants = broken_one(project)
            target = make_device(project=project)
            moving.asked(device, target)

            outcomes = pool.race([partial(moving.fetched, target, now=NOW + 8 * DAY)] * 16)

            assert len(set(outcomes.answers)) == 1
            assert LogLeaf.objects.filter(act__operation="lengthen-bridge").count() == number + 1

    def test_and_withdrawing_at_once_ends_without_a_bridge(self, pool: Pool, project: Project) -> None:
        for _ in range(ROUNDS):
            device, _grants = broken_one(project)
            target = make_device(project=project)
            move = moving.asked(device, target)
            later = NOW + 8 * DAY

            pool.race(
                [
                    partial(moving.withdrawn, move, now=later),
                    *[partial(moving.fetched, target, now=later)] * 8,
                ]
            )

            assert latest(target).items == ()

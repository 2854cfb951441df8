"""What `ledger verify` finds in the books of moves: every fault that is planted there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from accounts.models import Project
from devices.models import Device
from licenses import move_checks, verification
from licenses.models import Bridge, Grant, LogLine, Move, Transfer
from tests.factories import NOW, assigned, make_device, make_user
from tests.operations import moving
from tests.operations.moving import DAY

Books = tuple[Move, Move]
"""An open move with a bridge that was lengthened once, and one that was approved."""


@pytest.fixture
def books(device: Device, project: Project, keyring: object) -> Books:
    assigned(device, 2)
    replacement = make_device(project=project)
    bridged = moving.asked(device, replacement)
    moving.fetched(replacement, now=NOW + 8 * DAY)
    other = make_device(project=project)
    assigned(other, 1)
    sam = make_user(name="Sam", is_staff=True)
    return bridged, moving.approved(moving.asked(other, make_device(project=project)), sam)


def bridge_of(books: Books) -> Any:
    return Grant.objects.filter(bridge__move=books[0])


def withdraw_the_move_alone(books: Books) -> None:
    Move.objects.filter(pk=books[0].pk).update(
        state="withdrawn", ended_at=NOW, ended_by=bridge_of(books).get().made_by
    )


def end_the_source_alone(books: Books) -> None:
    act = bridge_of(books).get().made_by
    Grant.objects.filter(device=books[0].broken).update(state="returned", ended_at=NOW, ended_by=act)


def enlarge_the_bridge(books: Books) -> None:
    bridge_of(books).update(quantity=7)


def put_it_on_another_device(books: Books) -> None:
    bridge_of(books).update(device=books[1].broken)


def count_it_against_no_move(books: Books) -> None:
    Bridge.objects.filter(move=books[0]).delete()


def let_it_end_later_than_it_says(books: Books) -> None:
    bridge_of(books).update(expires_at=NOW + 30 * DAY)


def let_the_request_be_older(books: Books) -> None:
    Move.objects.filter(pk=books[0].pk).update(requested_at=NOW - 30 * DAY, open_until=NOW + 12 * DAY)


def move_more_than_arrived(books: Books) -> None:
    Grant.objects.filter(device=books[1].broken).update(quantity=7)


def let_it_arrive_elsewhere(books: Books) -> None:
    source = Transfer.objects.exclude(source__device=books[1].broken).filter(source__kind="project")
    Transfer.objects.filter(act=books[1].ended_by).update(source=source.earliest("pk").source)


def say_another_end(books: Books) -> None:
    line = LogLine.objects.filter(grant__bridge__move=books[0]).latest("pk")
    before = f'"exp":{int((NOW + 22 * DAY).timestamp())}'.encode()
    assert before in bytes(line.line)
    later = f'"exp":{int((NOW + 23 * DAY).timestamp())}'.encode()
    LogLine.objects.filter(pk=line.pk).update(line=bytes(line.line).replace(before, later))


FAULTS: dict[str, tuple[Callable[[Books], None], ...]] = {
    "bridges_are_counted_against_open_moves": (
        withdraw_the_move_alone,
        end_the_source_alone,
        enlarge_the_bridge,
        put_it_on_another_device,
        count_it_against_no_move,
        let_it_end_later_than_it_says,
        let_the_request_be_older,
    ),
    "what_moved_away_arrived": (move_more_than_arrived, let_it_arrive_elsewhere),
    "lines_say_when_bridges_end": (say_another_end,),
}
CHECKS = {check.__name__: check for check in move_checks.CHECKS}


class TestVerifyingMoves:
    def test_right_books_are_right(self, books: Books) -> None:
        assert list(verification.violations()) == []

    def test_a_bridge_that_ended_is_right_whether_a_job_put_it_away_or_not(
        self, books: Books, project: Project
    ) -> None:
        later = moving.asked(books[0].broken, now=NOW + 43 * DAY)

        assert later.support_first == "repeated"
        assert list(verification.violations()) == []

    @pytest.mark.parametrize(
        ("check", "plant"),
        [
            pytest.param(check, plant, id=plant.__name__)
            for check, plants in FAULTS.items()
            for plant in plants
        ],
    )
    def test_it_finds(
        self,
        books: Books,
        plants_faults: Callable[[], AbstractContextManager[None]],
        check: str,
        plant: Callable[[Books], None],
    ) -> None:
        with plants_faults():
            plant(books)

        assert list(CHECKS[check]())

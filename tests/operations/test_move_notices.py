"""What people are told by mail in the course of a move."""

import pytest

from accounts import notice_choices
from accounts.mail_kinds import Topic
from accounts.models import Company, Mail, Membership, Project, User
from devices.models import Device
from licenses import moves
from tests.factories import NOW, caller, give_back, join, make_device, make_project, make_user
from tests.operations.moving import (
    DAY,
    REASON,
    approved,
    asked,
    booked_in,
    bridged_by,
    fetched,
    named,
    refused_by,
    withdrawn,
)

pytestmark = pytest.mark.usefixtures("keyring")


def told(kind: str) -> dict[str, str]:
    """The words of the mails of a kind, by address."""
    return {mail.to: mail.text for mail in Mail.objects.filter(kind=kind)}


@pytest.fixture
def amir(company: Company) -> User:
    """The second admin, who reads German."""
    user = make_user(name="Amir")
    user.language = "de"
    user.save()
    join(user=user, company=company, role=Membership.Role.ADMIN)
    return user


class TestAskedFor:
    def test_who_may_operate_is_told_besides_who_asked(
        self, broken: Device, replacement: Device, alice: User, amir: User, bob: User, erin: User
    ) -> None:
        who = caller(alice, reason=REASON)
        moves.ask_for_move(device=broken, replacement=replacement, caller=who, now=NOW)

        mails = told("move-requested")
        assert set(mails) == {amir.email, erin.email}
        assert f"The reason given: {REASON}" in mails[erin.email]
        assert "runs on a bridge until 2026-12-08 12:00 UTC" in mails[erin.email]
        assert "Alice Example hat um einen Umzug gebeten" in mails[amir.email]
        assert f"http://localhost:8000/devices/{broken.hardware_id}\n" in mails[amir.email]
        assert told("move-bridged") == {}

    def test_once_for_a_request_that_is_repeated(
        self, broken: Device, replacement: Device, alice: User
    ) -> None:
        for _again in range(2):
            asked(broken, replacement, key="once")

        assert Mail.objects.filter(kind="move-requested").count() == 1

    def test_who_does_not_want_to_know_is_not_told(
        self, broken: Device, replacement: Device, alice: User, amir: User
    ) -> None:
        wanted = set(Topic) - {Topic.MOVES}
        notice_choices.choose_notices(user=alice, wanted=wanted, caller=caller(alice), now=NOW)

        asked(broken, replacement)

        assert set(told("move-requested")) == {amir.email}

    def test_a_bridge_that_comes_later_has_a_mail_of_its_own(
        self, broken: Device, replacement: Device, alice: User
    ) -> None:
        move = asked(broken)
        assert "The replacement is not known yet" in told("move-requested")[alice.email]

        named(move, replacement, now=NOW + DAY)

        assert "until 2026-12-09 12:00 UTC" in told("move-bridged")[alice.email]


class TestDecided:
    def test_approval(self, broken: Device, replacement: Device, alice: User, sam: User) -> None:
        approved(asked(broken, replacement), sam)

        assert "now without an end: 5 units" in told("move-approved")[alice.email]

    def test_refusal_with_its_reason_and_what_support_looks_at_first_then(
        self, broken: Device, replacement: Device, alice: User, sam: User
    ) -> None:
        refused_by(asked(broken, replacement), sam)
        assert "The reason given: It answers to ping." in told("move-refused")[alice.email]

        again = asked(broken, replacement, now=NOW + DAY)
        last = Mail.objects.filter(kind="move-requested").latest("pk")
        assert "Support looks first" in last.text

        bridged_by(again, sam, now=NOW + DAY)
        assert set(told("move-bridged")) == {alice.email}

    def test_withdrawal(self, broken: Device, replacement: Device, alice: User, amir: User) -> None:
        moves.withdraw_move(move=asked(broken, replacement), caller=caller(alice), now=NOW)

        assert set(told("move-withdrawn")) == {amir.email}
        assert "Alice Example hat den Umzug" in told("move-withdrawn")[amir.email]

    def test_nobody_decided(self, broken: Device, replacement: Device, alice: User) -> None:
        move = asked(broken, replacement)

        for _twice in range(2):
            moves.tidy_move(move_id=move.pk, now=NOW + 42 * DAY)

        assert Mail.objects.filter(kind="move-expired", to=alice.email).count() == 1


class TestTheOldDevice:
    def test_speaks_and_they_are_told_once(
        self, broken: Device, replacement: Device, alice: User, sam: User
    ) -> None:
        approved(asked(broken, replacement), sam)
        for day in range(3):
            fetched(broken, now=NOW + day * DAY)

        assert Mail.objects.filter(kind="move-device-alive").count() == 1

    def test_gives_back_late_what_is_on_the_replacement(
        self, broken: Device, replacement: Device, alice: User, sam: User
    ) -> None:
        on_it = list(broken.grants.all())
        approved(asked(broken, replacement), sam)

        give_back(broken, *on_it)

        assert "Nothing was credited" in told("move-returned-late")[alice.email]
        assert told("licenses-returned") == {}

    def test_came_back_and_may_speak_as_it_likes(
        self, broken: Device, replacement: Device, alice: User, sam: User
    ) -> None:
        booked_in(approved(asked(broken, replacement), sam), sam)

        give_back(broken, *broken.grants.all())

        assert told("move-device-alive") == told("move-returned-late") == {}

    def test_signs_after_all(self, broken: Device, replacement: Device, alice: User) -> None:
        asked(broken, replacement)

        give_back(broken, everything=True, min_seq=100)

        assert "moved to the replacement at once" in told("move-signed")[alice.email]


def test_a_replacement_that_others_cannot_see_is_not_named(
    broken: Device, project: Project, company: Company, erin: User
) -> None:
    elsewhere = make_device(project=make_project(company=company))

    withdrawn(asked(broken, elsewhere))

    assert all(elsewhere.hardware_id not in mail.text + mail.subject for mail in Mail.objects.all())

"""What is blocked, on one staff page: who, when, why, and the way to unblock it."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import person_blocking
from accounts.models import Project, User
from accounts.permissions import Role
from devices import blocking
from licenses import key_blocking
from tests import factories
from tests.factories import NOW, caller
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.usefixtures("today")
HARDWARE_ID = "00-90-33-01-0A-FF"
REASONS = ("stolen from the van", "copied by somebody", "lost in the mail", "signed in from nowhere")


@pytest.fixture
def page(staff: Client, sam: User, project: Project, erin: User) -> str:
    """The address of the list, on which there is one of each kind."""
    device = factories.make_device(project=project, hardware_id=HARDWARE_ID)
    stolen, copied, lost, nowhere = (caller(sam, reason=reason) for reason in REASONS)
    blocking.block_device(device=device, caller=stolen, now=NOW)
    blocking.block_key(key_hash="ab" * 32, caller=copied, now=NOW)
    key = factories.find_key(factories.make_key(number="SO-BLOCKED"))
    key_blocking.block_activation_key(key=key, caller=lost, now=NOW)
    person_blocking.block_person(user=erin, caller=nowhere, now=NOW)
    return reverse("staff-blocks")


def test_each_kind_is_there_with_who_and_why_and_a_way_back(
    staff: Client, page: str, erin: User, project: Project
) -> None:
    told = staff.get(page).text

    for words in (*REASONS, HARDWARE_ID, "ab" * 32, "order SO-BLOCKED", erin.email):
        assert words in told
    assert told.count("Sam Example") >= 4
    assert told.count("Unblock…") == 4
    assert f'href="{reverse("staff-person-block", args=[erin.pk])}"' in told


@pytest.mark.parametrize(
    ("kind", "reason"),
    list(zip(("devices", "certificates", "activation-keys", "people"), REASONS, strict=True)),
)
def test_one_kind_alone_is_asked_for(staff: Client, page: str, kind: str, reason: str) -> None:
    told = staff.get(page, {"kind": kind}).text

    assert [one in told for one in REASONS] == [one == reason for one in REASONS]
    assert REASONS[0] in staff.get(page, {"kind": "weather"}).text


def test_what_was_canceled_or_left_is_not_blocked(
    staff: Client, page: str, erin: User, signed_in: SignedIn
) -> None:
    person_blocking.unblock_person(user=erin, caller=caller(reason="a mistake"), now=NOW)

    assert erin.email not in staff.get(page).text


def test_an_auditor_reads_and_has_no_way_back(signed_in: SignedIn, page: str, olga: User) -> None:
    factories.give_roles(olga, Role.AUDITOR)

    told = signed_in(olga).get(page).text

    assert REASONS[3] in told
    assert "Unblock…" not in told


def test_the_console_counts_them(staff: Client, page: str) -> None:
    told = staff.get(reverse("staff")).text

    assert "1 activation key is blocked." in told
    assert "1 person is blocked." in told

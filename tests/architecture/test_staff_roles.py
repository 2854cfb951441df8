"""Which role gets in where: the table of accounts.permissions, held against every address of the console."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from accounts.permissions import HOLDERS, READING, Permission, Role
from tests import factories, rows
from tests.architecture.rights_table import TABLE, World
from tests.architecture.test_rights_table import _patterns, ask, got_in, taken_back, world
from tests.web.codes import second_factor

__all__ = ["world"]  # a fixture made elsewhere

pytestmark = pytest.mark.usefixtures("catalogue", "keyring", "today")

UNGUARDED = {"staff-second-factor"}  # where staff without a second factor are led: it shows nothing


def console() -> Iterator[Any]:
    for pattern in _patterns():
        if (pattern.name or "").partition("-")[0] == "staff" and pattern.name not in UNGUARDED:
            yield pattern


def needed(key: str) -> Permission:
    """What a line of the rights table takes, as its page says it."""
    method, _, name = key.partition(" ")
    [looking, sending] = next(one for one in console() if one.name == name).callback.staff_permissions
    return Permission(looking if method == "GET" else sending)


LINES = [key for key in TABLE if key.partition(" ")[2].startswith("staff")]
LINES = [key for key in LINES if key.partition(" ")[2] not in UNGUARDED]


def test_every_page_under_its_path_asks_for_a_permission() -> None:
    under = {
        one.name
        for branch in get_resolver().url_patterns
        if isinstance(branch, URLResolver) and str(branch.pattern) == "staff/"
        for one in _patterns(branch.url_patterns)
    }
    assert under - UNGUARDED == {one.name for one in console()}
    assert [one.name for one in console() if not hasattr(one.callback, "staff_permissions")] == []


def test_an_auditor_reads_all_and_changes_nothing() -> None:
    assert {one for one in Permission if Role.AUDITOR in HOLDERS[one]} == READING


def test_every_permission_has_its_line_and_only_roles_are_for_nobody() -> None:
    assert set(HOLDERS) == set(Permission)
    assert [one for one in Permission if not HOLDERS[one]] == [Permission.ROLES]


@pytest.mark.parametrize("role", [*Role, None], ids=lambda role: role or "no-role")
def test_each_role_gets_in_where_the_table_says_and_nowhere_else(world: World, role: Role | None) -> None:
    person = world.people["staff"]
    person.is_superuser = False
    person.save()
    factories.give_roles(person, *filter(None, [role]))
    before = rows.everything()
    wrong = []

    for key in LINES:
        if role in HOLDERS[needed(key)]:
            with taken_back():
                response = ask(world, key, "staff")
            if not got_in(response) or response.status_code >= 500:
                wrong.append(f"{role} at {key}: {response.status_code}")
        else:
            response = ask(world, key, "staff")
            if response.status_code != 403 or response.context["error"].code != "role-missing":
                wrong.append(f"{role} got in at {key}: {response.status_code}")
    assert wrong == []
    assert rows.everything() == before


def test_pages_for_looking_answer_nothing_that_is_sent(world: World) -> None:
    client = Client()
    client.force_login(world.people["staff"])
    for name in ("staff", "staff-moves", "staff-alerts", "staff-anchors", "staff-mails", "staff-blocks"):
        assert client.post(reverse(name)).status_code == 405, name


def test_without_a_second_factor_nothing_of_the_console_is_seen(world: World, settings: LazySettings) -> None:
    settings.STAFF_SECOND_FACTOR = True
    before = rows.everything()
    led = reverse("staff-second-factor")

    answers = {key: ask(world, key, "staff") for key in LINES}

    assert {key for key, answer in answers.items() if answer.headers.get("Location") != led} == set()
    assert rows.everything() == before
    page = ask(world, "GET staff-second-factor", "staff").text
    assert reverse("mfa_activate_totp") in page
    assert reverse("mfa_add_webauthn") in page

    second_factor(world.people["staff"])
    assert ask(world, "GET staff", "staff").status_code == 200
    assert ask(world, "GET staff-second-factor", "staff").headers["Location"] == reverse("staff")


def test_recovery_codes_alone_are_no_second_factor(world: World, settings: LazySettings) -> None:
    settings.STAFF_SECOND_FACTOR = True
    second_factor(world.people["staff"], kind="recovery_codes")

    assert ask(world, "GET staff", "staff").headers["Location"] == reverse("staff-second-factor")


def test_nothing_that_is_sent_while_viewing_a_company_does_anything(world: World) -> None:
    company = world.project.company
    viewing = {"id": company.pk, "name": company.name}
    # An admin of the company who also works for the vendor: whatever they may do elsewhere, not now.
    both = world.people["admin"]
    both.is_superuser = True
    both.save()
    factories.give_roles(both)
    before = rows.everything()
    wrong = []

    for key in TABLE:
        method, _, name = key.partition(" ")
        if method == "GET" or name == "staff-view-leave":
            continue
        response = ask(world, key, "admin", viewing=viewing)
        if response.status_code != 403 or "only-looking" not in response.content.decode():
            wrong.append(f"{key}: {response.status_code}")
    assert wrong == []
    assert rows.everything() == before

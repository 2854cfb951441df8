"""Looking at an activation key, and activating it (mission rules 8 to 10)."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.db import connection

from accounts.models import Company, Project, User
from devices.models import Alert
from licenses import activation, activation_code
from licenses.activation import KeyAlreadyActivated, KeyBlocked, KeyUnknown
from licenses.models import ActivationKey, Holder, LogLeaf, LogLine, Transfer
from portal.core.acts import IdempotencyKeyReused
from portal.core.models import Act
from portal.core.throttle import RateLimited
from tests.factories import (
    NOW,
    activated,
    assigned,
    caller,
    find_key,
    free,
    make_device,
    make_key,
    make_project,
)
from tests.operations.bookkeeping import last_entry, last_leaf, refused, unchanged

pytestmark = pytest.mark.usefixtures("catalogue")


def mistyped(code: str) -> str:
    """The code with its first character replaced by another one."""
    return ("2" if code[0] != "2" else "3") + code[1:]


def block(code: str) -> None:
    ActivationKey.objects.filter(pk=find_key(code).pk).update(state=ActivationKey.State.BLOCKED)


BAD_CODES: list[tuple[str, Callable[[str], str]]] = [
    ("mistyped", mistyped),
    ("unknown", lambda _: activation_code.generate()),
    ("too short", lambda code: code[:-1]),
    ("too long", lambda code: code + "0"),
    ("empty", lambda _: ""),
    ("of foreign characters", lambda _: "U" * 25),
    ("with a NUL", lambda code: code[:-1] + "\x00"),
    ("endless", lambda code: code * 1000),
]
bad_codes = pytest.mark.parametrize(
    "spoil", [spoil for _, spoil in BAD_CODES], ids=[name for name, _ in BAD_CODES]
)


class TestLookingAtAKey:
    def test_it_shows_every_line_of_the_order(self, company: Company, alice: User) -> None:
        code = make_key(lines={"Port": 10, "UC": 5}, version=13)

        contents = activation.look_at_key(code=code, company=company, caller=caller(alice), now=NOW)

        assert [(line.product.code, line.product.version, line.quantity) for line in contents.lines] == [
            ("Port", 13, 10),
            ("UC", 13, 5),
        ]

    def test_it_leaves_the_key_as_it_is(self, company: Company, alice: User) -> None:
        code = make_key()

        activation.look_at_key(code=code, company=company, caller=caller(alice), now=NOW)

        assert find_key(code).state == ActivationKey.State.ISSUED

    def test_it_is_in_the_history_by_last_characters_only(self, company: Company, alice: User) -> None:
        code = make_key()

        activation.look_at_key(code=code, company=company, caller=caller(alice), now=NOW)

        assert (last_entry().event, last_entry().facts) == ("key-looked-at", {"key": code[-4:]})
        assert last_entry().company_id == company.pk

    @bad_codes
    def test_a_bad_code_is_unknown(self, company: Company, alice: User, spoil: Callable[[str], str]) -> None:
        code = spoil(make_key())

        with refused(KeyUnknown):
            activation.look_at_key(code=code, company=company, caller=caller(alice), now=NOW)

    def test_an_activated_key_is_told(self, company: Company, alice: User) -> None:
        code = make_key()
        activation.activate_key(code=code, target=company, caller=caller(alice), now=NOW)

        with refused(KeyAlreadyActivated):
            activation.look_at_key(code=code, company=company, caller=caller(alice), now=NOW)

    def test_a_blocked_key_is_told(self, company: Company, alice: User) -> None:
        code = make_key()
        block(code)

        with refused(KeyBlocked):
            activation.look_at_key(code=code, company=company, caller=caller(alice), now=NOW)

    def test_guesses_are_counted_and_end(self, company: Company, alice: User, settings: LazySettings) -> None:
        settings.KEY_LOOKUPS_PER_HOUR = 3
        code = make_key()
        for _ in range(3):
            with refused(KeyUnknown):
                activation.look_at_key(code=mistyped(code), company=company, caller=caller(alice), now=NOW)

        with pytest.raises(RateLimited):
            activation.look_at_key(code=code, company=company, caller=caller(alice), now=NOW)
        # The first time support is alerted; the next one of the day changes nothing.
        alert = Alert.objects.get()
        assert (alert.kind, alert.company, alert.facts) == ("keys-tried", company, {"user": alice.pk})
        with refused(RateLimited, seconds=3600):
            activation.look_at_key(code=code, company=company, caller=caller(alice), now=NOW)

        with pytest.raises(RateLimited):  # as part of the company
            activation.look_at_key(code=code, company=company, caller=caller(), now=NOW)
        assert Alert.objects.count() == 2


class TestActivatingAKey:
    def test_it_fills_a_project(self, project: Project, alice: User) -> None:
        code = make_key(lines={"Port": 10, "UC": 5})

        done = activation.activate_key(code=code, target=project, caller=caller(alice), now=NOW)

        assert (free(project, "Port"), free(project, "UC")) == (10, 5)
        assert [(line.product.code, line.quantity) for line in done.transfers] == [("Port", 10), ("UC", 5)]
        assert done.target == project

    def test_it_fills_a_company(self, company: Company, project: Project, alice: User) -> None:
        activation.activate_key(code=make_key(), target=company, caller=caller(alice), now=NOW)

        assert (free(company), free(project)) == (5, 0)

    def test_the_key_is_used_and_knows_by_which_act(self, project: Project, alice: User) -> None:
        code = make_key()

        activation.activate_key(code=code, target=project, caller=caller(alice), now=NOW)

        key = find_key(code)
        assert key.state == ActivationKey.State.ACTIVATED
        assert key.activated_by == Act.objects.get(operation="activate-key")

    def test_two_lines_of_one_product_both_come(self, project: Project) -> None:
        activated(project, {"Port": 10})
        activated(project, {"Port": 7})

        assert free(project) == 17

    @pytest.mark.parametrize(
        "write",
        [
            str.lower,
            lambda code: code.replace("-", ""),
            lambda code: code.replace("0", "o").replace("1", "l"),
        ],
        ids=["in lower case", "without dashes", "with letters for digits"],
    )
    def test_it_may_be_typed(self, project: Project, write: Callable[[str], str]) -> None:
        activation.activate_key(code=write(make_key()), target=project, caller=caller(), now=NOW)

        assert free(project) == 5

    def test_it_is_in_the_history(self, project: Project, alice: User) -> None:
        code = make_key()

        activation.activate_key(code=code, target=project, caller=caller(alice, reason="for Erin"), now=NOW)

        entry = last_entry()
        assert (entry.event, entry.actor, entry.at) == ("key-activated", alice, NOW)
        assert (entry.company_id, entry.project_id) == (project.company_id, project.pk)
        assert entry.act is not None
        assert entry.act.reason == "for Erin"

    def test_it_is_in_the_log_line_by_line(self, project: Project) -> None:
        activated(project, {"Port": 10, "UC": 5})

        assert last_leaf().type == "activation"
        assert last_leaf().lines.count() == 2

    def test_the_code_is_stored_nowhere(self, project: Project, alice: User) -> None:
        code = make_key()
        activation.activate_key(code=code, target=project, caller=caller(alice), now=NOW)

        stored = [str(act.outcome) for act in Act.objects.all()] + [last_entry().facts["key"]]
        assert not any(code[:5] in text for text in stored)

    @bad_codes
    def test_a_bad_code_is_unknown(self, project: Project, alice: User, spoil: Callable[[str], str]) -> None:
        code = spoil(make_key())

        with refused(KeyUnknown):
            activation.activate_key(code=code, target=project, caller=caller(alice), now=NOW)

    def test_a_used_key_is_refused(self, project: Project, company: Company, alice: User) -> None:
        code = make_key()
        activation.activate_key(code=code, target=project, caller=caller(alice), now=NOW)

        with refused(KeyAlreadyActivated):
            activation.activate_key(code=code, target=company, caller=caller(alice), now=NOW)

    def test_a_blocked_key_is_refused(self, project: Project, alice: User) -> None:
        code = make_key()
        block(code)

        with refused(KeyBlocked):
            activation.activate_key(code=code, target=project, caller=caller(alice), now=NOW)

    def test_refused_tries_are_counted(self, project: Project, alice: User, settings: LazySettings) -> None:
        settings.KEY_LOOKUPS_PER_HOUR = 2
        code = make_key()
        for _ in range(2):
            with refused(KeyUnknown):
                activation.activate_key(code=mistyped(code), target=project, caller=caller(alice), now=NOW)

        with pytest.raises(RateLimited):
            activation.activate_key(code=code, target=project, caller=caller(alice), now=NOW)
        assert Alert.objects.get().company == project.company

    def test_the_same_request_again_is_answered_the_same(self, project: Project, alice: User) -> None:
        code = make_key(lines={"Port": 10, "UC": 5})
        request = caller(alice, key="once")
        first = activation.activate_key(code=code, target=project, caller=request, now=NOW)

        with unchanged():
            second = activation.activate_key(code=code.lower(), target=project, caller=request, now=NOW)

        assert second == first
        assert free(project) == 10

    def test_a_request_id_is_not_for_another_key(self, project: Project, alice: User) -> None:
        request = caller(alice, key="once")
        activation.activate_key(code=make_key(), target=project, caller=request, now=NOW)
        other = make_key()

        with refused(IdempotencyKeyReused):
            activation.activate_key(code=other, target=project, caller=request, now=NOW)

    def test_a_request_id_is_not_for_another_target(
        self, project: Project, company: Company, alice: User
    ) -> None:
        code, request = make_key(), caller(alice, key="once")
        activation.activate_key(code=code, target=project, caller=request, now=NOW)

        with refused(IdempotencyKeyReused):
            activation.activate_key(code=code, target=company, caller=request, now=NOW)

    def test_a_refused_request_may_be_made_again(self, project: Project, alice: User) -> None:
        code, request = make_key(), caller(alice, key="once")
        block(code)
        with refused(KeyBlocked):
            activation.activate_key(code=code, target=project, caller=request, now=NOW)
        ActivationKey.objects.update(state=ActivationKey.State.ISSUED)

        activation.activate_key(code=code, target=project, caller=request, now=NOW)

        assert free(project) == 5

    def test_projects_of_one_company_are_one_holder_in_the_log(self, company: Company) -> None:
        first, second = make_project(company=company), make_project(company=company)
        activated(first)
        activated(second)
        activated(company)

        owners = Holder.objects.exclude(kind__in=["key", "issuer"])
        assert owners.count() == 3
        assert len({bytes(holder.log_id) for holder in owners}) == 1

    def test_what_the_key_held_is_gone_from_it(self, project: Project) -> None:
        activated(project, {"Port": 10})

        [holder] = Holder.objects.filter(kind="key")
        assert [holding.balance for holding in holder.holdings.all()] == [0]
        assert Transfer.objects.count() == 2
        assert LogLeaf.objects.count() == 2
        assert LogLine.objects.count() == 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite draws keys as it inserts")
class TestNumbersOfTransfers:
    """Whatever a transfer waited for has a lower number: the books are replayed in that order (rule 12)."""

    def drawn_last(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT last_value FROM licenses_transfer_id_seq")
            [(number,)] = cursor.fetchall()
        return int(number)

    def test_one_into_a_balance_that_is_new_is_drawn_after_its_locks(self, company: Company) -> None:
        project = make_project(company=company)
        code = make_key()

        activation.activate_key(code=code, target=project, caller=caller(), now=NOW)

        assert Transfer.objects.latest("pk").pk == self.drawn_last()

    def test_one_to_a_device_that_is_new_is_drawn_after_its_locks(self, project: Project) -> None:
        activated(project, {"Port": 5})
        device = make_device(project=project)
        Holder.objects.filter(device=device).delete()

        assigned(device)

        assert Transfer.objects.latest("pk").pk == self.drawn_last()

"""One activation key, however many use it at once (mission rule 9)."""

from functools import partial

import pytest

from accounts.models import Company, Project, User
from licenses import activation, archiving, key_blocking, ledger, verification
from licenses.models import ActivationKey, Holder
from portal.core.models import Act
from tests.factories import NOW, caller, find_key, free, make_key, make_project
from tests.races.meeting import meet
from tests.races.pool import SIZE, Pool, often

pytestmark = pytest.mark.usefixtures("catalogue")


class TestActivation:
    def test_of_thirty_two_at_once_one_gets_the_licenses(self, pool: Pool, project: Project) -> None:
        for repetition in range(1, often(200) + 1):
            code = make_key(lines={"Port": 5})
            outcomes = pool.race(
                [
                    partial(activation.activate_key, code=code, target=project, caller=caller(), now=NOW)
                    for _ in range(SIZE)
                ]
            )
            assert len(outcomes.answers) == 1
            assert outcomes.refused == {"key-already-activated": SIZE - 1}
            assert free(project) == 5 * repetition
        assert Act.objects.filter(operation="activate-key").count() == often(200)
        assert list(verification.violations()) == []

    def test_the_same_request_thirty_two_times_at_once_has_one_effect_and_one_answer(
        self, pool: Pool, project: Project
    ) -> None:
        for repetition in range(1, often(200) + 1):
            code, request = make_key(lines={"Port": 5}), caller()
            outcomes = pool.race(
                [partial(activation.activate_key, code=code, target=project, caller=request, now=NOW)] * SIZE
            )
            assert outcomes.refused == {}
            assert all(answer == outcomes.answers[0] for answer in outcomes.answers)
            assert free(project) == 5 * repetition

    def test_a_block_and_an_activation_at_once_do_not_both_happen(self, pool: Pool, project: Project) -> None:
        """Blocking, as support will do it: under the lock of the key, if it is issued."""
        for _ in range(often(100)):
            code = make_key(lines={"Port": 5})
            before = free(project)
            blocked = ActivationKey.objects.filter(last_four=code[-4:], state="issued")
            outcomes = pool.race(
                [
                    partial(activation.activate_key, code=code, target=project, caller=caller(), now=NOW),
                    partial(blocked.update, state="blocked"),
                ]
            )
            was_blocked = outcomes.answers[-1] == 1
            assert outcomes.refused == ({"key-blocked": 1} if was_blocked else {})
            assert free(project) == before + (0 if was_blocked else 5)

    def test_first_activations_of_a_company_make_its_holders_once(self, pool: Pool, company: Company) -> None:
        for _ in range(often(50)):
            project = make_project(company=company)
            racers = [
                partial(
                    activation.activate_key,
                    code=make_key(lines={"Port": 5}),
                    target=project,
                    caller=caller(),
                    now=NOW,
                )
                for _ in range(8)
            ]
            outcomes = pool.race(racers)
            assert len(outcomes.answers) == 8
            assert free(project) == 40
            assert Holder.objects.filter(project=project).count() == 1
        assert (
            len({bytes(holder.log_id) for holder in Holder.objects.filter(kind__in=["company", "project"])})
            == 1
        )
        assert list(verification.violations()) == []


class TestMeeting:
    def test_an_activation_waits_for_the_block_that_came_first_and_is_refused(
        self, pool: Pool, project: Project, sam: User
    ) -> None:
        code = make_key(lines={"Port": 5})

        outcomes = meet(
            pool,
            first=partial(
                key_blocking.block_activation_key,
                key=find_key(code),
                caller=caller(sam, reason="The letter was stolen."),
                now=NOW,
            ),
            second=partial(activation.activate_key, code=code, target=project, caller=caller(), now=NOW),
        )

        assert outcomes.refused == {"key-blocked": 1}
        assert find_key(code).state == ActivationKey.State.BLOCKED
        assert free(project) == 0

    def test_nothing_is_activated_into_a_project_that_is_being_archived(
        self, pool: Pool, company: Company
    ) -> None:
        project = make_project(company=company)
        ledger.balance_holder(project)  # as it has from its first key on: making one takes the lock as well
        code = make_key(lines={"Port": 5})

        outcomes = meet(
            pool,
            first=partial(archiving.archive_project, project=project, caller=caller(), now=NOW),
            second=partial(activation.activate_key, code=code, target=project, caller=caller(), now=NOW),
        )

        assert outcomes.refused == {"project-archived": 1}
        assert free(project) == 0
        assert find_key(code).state == ActivationKey.State.ISSUED

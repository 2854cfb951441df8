from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import Company, Project, ProjectRight, User
from licenses.models import ActivationKey
from portal.core.models import Act, AuditEntry
from tests import factories, rows
from tests.api.conftest import ApiOf

pytestmark = pytest.mark.usefixtures("catalogue")

LINES = [
    {"product": "Port", "version": 14, "name": "Port", "unit": "port", "quantity": 10},
    {"product": "UC", "version": 14, "name": "Unified Communications", "unit": "user", "quantity": 5},
]
# A key whose form is right and that nobody ever issued.
UNKNOWN = "00000-00000-00000-00000-00000"


@pytest.fixture
def code(catalogue: None) -> str:
    return factories.make_key(lines={"Port": 10, "UC": 5}, number="SO-42")


def block(code: str) -> None:
    ActivationKey.objects.filter(pk=factories.find_key(code).pk).update(state=ActivationKey.State.BLOCKED)


class TestLookingAtAKey:
    def test_it_shows_what_the_key_holds(self, api: ApiOf, bob: User, company: Company, code: str) -> None:
        assert api(bob).post("keys/look-up", {"code": code, "company": company.pk}) == {
            "last_four": code[-4:],
            "order": "SO-42",
            "reference": "reference of SO-42",
            "lines": LINES,
        }

    @pytest.mark.parametrize(
        "change", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code} "]
    )
    def test_it_reads_what_people_type(
        self, api: ApiOf, bob: User, company: Company, code: str, change: Any
    ) -> None:
        answer = api(bob).post("keys/look-up", {"code": change(code), "company": company.pk})

        assert answer["order"] == "SO-42"

    def test_it_leaves_the_key_issued_and_the_code_out_of_the_history(
        self, api: ApiOf, bob: User, company: Company, code: str
    ) -> None:
        api(bob).post("keys/look-up", {"code": code, "company": company.pk})

        assert factories.find_key(code).state == ActivationKey.State.ISSUED
        entry = AuditEntry.objects.get(event="key-looked-at")
        assert entry.facts == {"key": code[-4:]}

    @pytest.mark.parametrize("typed", [UNKNOWN, "12345", "", "7K2M9-QX4TR-0VBN8-HJC5E-W3PAÜ", "x" * 1000])
    def test_unknown_and_mistyped_get_one_answer(
        self, api: ApiOf, bob: User, company: Company, typed: str
    ) -> None:
        problem = api(bob).refuse(
            "POST", "keys/look-up", {"code": typed, "company": company.pk}, status=404, code="key-unknown"
        )

        assert problem.keys() == {"type", "title", "status", "detail", "code"}

    def test_an_activated_key_is_told_without_saying_by_whom(
        self, api: ApiOf, charlie: User, project: Project, code: str
    ) -> None:
        api(project.company.memberships.get().user).post(
            "keys/activate", {"code": code, "project": project.pk}
        )
        own = charlie.memberships.get().company_id

        problem = api(charlie).refuse(
            "POST", "keys/look-up", {"code": code, "company": own}, status=409, code="key-already-activated"
        )

        assert problem.keys() == {"type", "title", "status", "detail", "code"}

    def test_a_blocked_key_is_told(self, api: ApiOf, bob: User, company: Company, code: str) -> None:
        block(code)

        api(bob).refuse(
            "POST", "keys/look-up", {"code": code, "company": company.pk}, status=409, code="key-blocked"
        )

    @pytest.mark.parametrize("who", ["charlie", "erin"])
    def test_it_is_for_members_of_the_company(
        self, api: ApiOf, company: Company, code: str, who: str, request: pytest.FixtureRequest
    ) -> None:
        stranger = api(request.getfixturevalue(who))
        before = rows.everything()

        theirs = stranger.refuse(
            "POST", "keys/look-up", {"code": code, "company": company.pk}, status=404, code="no-such-company"
        )

        assert rows.everything() == before
        assert theirs == stranger.refuse(
            "POST", "keys/look-up", {"code": code, "company": 999_999}, status=404, code="no-such-company"
        )

    def test_too_many_are_refused_and_told_when_to_come_back(
        self, api: ApiOf, bob: User, company: Company, code: str, settings: LazySettings
    ) -> None:
        settings.KEY_LOOKUPS_PER_HOUR = 2
        body = {"code": UNKNOWN, "company": company.pk}
        for _ in range(2):
            api(bob).refuse("POST", "keys/look-up", body, status=404, code="key-unknown")

        problem = api(bob).refuse(
            "POST", "keys/look-up", body | {"code": code}, status=429, code="rate-limited"
        )

        response = api(bob).send(
            "POST", "keys/activate", b'{"code":"%b","company":%d}' % (code.encode(), company.pk)
        )
        assert response.status_code == 429
        assert 0 < int(response.headers["Retry-After"]) <= 3600
        assert 0 < problem["seconds"] <= 3600


class TestActivatingAKey:
    def test_a_member_activates_it_into_the_company(
        self, api: ApiOf, bob: User, company: Company, code: str
    ) -> None:
        answer = api(bob).post("keys/activate", {"code": code, "company": company.pk})

        assert answer == {"last_four": code[-4:], "lines": LINES}
        assert (factories.free(company), factories.free(company, "UC")) == (10, 5)

    def test_a_member_with_operate_activates_it_into_a_project(
        self, api: ApiOf, bob: User, project: Project, code: str
    ) -> None:
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.OPERATE)

        api(bob).post("keys/activate", {"code": code, "project": project.pk})

        assert factories.free(project) == 10

    def test_it_works_once(self, api: ApiOf, alice: User, charlie: User, company: Company, code: str) -> None:
        api(alice).post("keys/activate", {"code": code, "company": company.pk})
        before = rows.everything()

        for user, target in ((alice, company.pk), (charlie, charlie.memberships.get().company_id)):
            api(user).refuse(
                "POST",
                "keys/activate",
                {"code": code, "company": target},
                status=409,
                code="key-already-activated",
            )

        assert rows.everything() == before

    def test_a_blocked_key_stays_where_it_is(
        self, api: ApiOf, alice: User, company: Company, code: str
    ) -> None:
        block(code)
        before = rows.everything()

        api(alice).refuse(
            "POST", "keys/activate", {"code": code, "company": company.pk}, status=409, code="key-blocked"
        )

        assert rows.everything() == before

    @pytest.mark.parametrize("typed", [UNKNOWN, "12345", ""])
    def test_unknown_and_mistyped_get_one_answer(
        self, api: ApiOf, alice: User, company: Company, typed: str
    ) -> None:
        before = rows.everything()

        api(alice).refuse(
            "POST", "keys/activate", {"code": typed, "company": company.pk}, status=404, code="key-unknown"
        )

        assert rows.everything() == before

    def test_view_is_not_enough_in_a_project(
        self, api: ApiOf, bob: User, project: Project, code: str
    ) -> None:
        factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)

        problem = api(bob).refuse(
            "POST", "keys/activate", {"code": code, "project": project.pk}, status=403, code="right-missing"
        )

        assert problem["needed"] == "operate"

    def test_an_end_customer_never_activates(
        self, api: ApiOf, erin: User, project: Project, code: str
    ) -> None:
        before = rows.everything()

        api(erin).refuse(
            "POST", "keys/activate", {"code": code, "project": project.pk}, status=404, code="no-such-company"
        )

        assert rows.everything() == before

    @pytest.mark.parametrize("kind", ["company", "project"])
    def test_a_stranger_gets_what_a_missing_balance_gives(
        self, api: ApiOf, charlie: User, company: Company, project: Project, code: str, kind: str
    ) -> None:
        target = company.pk if kind == "company" else project.pk

        def refused(named: int) -> dict[str, Any]:
            return api(charlie).refuse(
                "POST", "keys/activate", {"code": code, kind: named}, status=404, code=f"no-such-{kind}"
            )

        assert refused(target) == refused(999_999)

    @pytest.mark.parametrize("target", [{}, {"company": 1, "project": 1}, {"company": None}])
    def test_it_goes_into_exactly_one_balance(
        self, api: ApiOf, alice: User, code: str, target: dict[str, Any]
    ) -> None:
        api(alice).refuse("POST", "keys/activate", {"code": code, **target}, status=400, code="invalid-input")

    def test_a_repeated_request_has_one_effect_and_the_same_answer(
        self, api: ApiOf, alice: User, company: Company, code: str
    ) -> None:
        body = {"code": code, "company": company.pk}
        first = api(alice).post("keys/activate", body, key="req-1")
        before = rows.everything()

        assert api(alice).post("keys/activate", body | {"code": code.lower()}, key="req-1") == first
        assert rows.everything() == before

    def test_a_colleague_may_repeat_it(
        self, api: ApiOf, alice: User, bob: User, company: Company, code: str
    ) -> None:
        body = {"code": code, "company": company.pk}

        first = api(alice).post("keys/activate", body, key="req-1")

        assert api(bob).post("keys/activate", body, key="req-1") == first

    def test_a_request_id_is_not_taken_for_another_request(
        self, api: ApiOf, alice: User, company: Company, code: str
    ) -> None:
        other = factories.make_key()
        api(alice).post("keys/activate", {"code": code, "company": company.pk}, key="req-1")
        before = rows.everything()

        api(alice).refuse(
            "POST",
            "keys/activate",
            {"code": other, "company": company.pk},
            key="req-1",
            status=409,
            code="idempotency-key-reused",
        )

        assert rows.everything() == before

    def test_a_refused_request_does_not_use_its_id_up(
        self, api: ApiOf, alice: User, company: Company, code: str
    ) -> None:
        api(alice).refuse(
            "POST",
            "keys/activate",
            {"code": UNKNOWN, "company": company.pk},
            key="req-1",
            status=404,
            code="key-unknown",
        )

        api(alice).post("keys/activate", {"code": code, "company": company.pk}, key="req-1")

        assert Act.objects.get(scope=f"company:{company.pk}", key="req-1").operation == "activate-key"

    def test_the_code_is_nowhere_in_the_logs(
        self, api: ApiOf, alice: User, company: Company, code: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        api(alice).post("keys/activate", {"code": code, "company": company.pk})
        api(alice).refuse(
            "POST",
            "keys/activate",
            {"code": code, "company": company.pk},
            status=409,
            code="key-already-activated",
        )

        assert caplog.records
        assert code not in caplog.text
        assert code.replace("-", "") not in caplog.text

import logging
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.urls import reverse

from accounts.models import Company, Project, ProjectRight, User
from licenses.models import ActivationKey
from portal.core.models import Act, AuditEntry
from tests import factories
from tests.web.conftest import SignedIn

URL = "/activate"


class TestLook:
    def test_it_shows_what_the_key_holds_and_changes_nothing(
        self, signed_in: SignedIn, alice: User, company: Company, project: Project
    ) -> None:
        factories.activated(project, {"Port": 3})
        code = factories.make_key(lines={"Port": 10, "UC": 5}, number="SO-4711")
        page = signed_in(alice).post(
            URL, {"code": code.lower().replace("-", " "), "target": f"project:{project.pk}", "act_key": "k1"}
        )
        assert page.status_code == 200
        assert "SO-4711" in page.text
        assert [
            (line["product"].code, line["quantity"], line["before"], line["after"])
            for line in page.context["lines"]
        ] == [("Port", 10, 3, 13), ("UC", 5, 0, 5)]
        assert factories.find_key(code).state == "issued"
        assert factories.free(project) == 3

    def test_it_carries_the_code_in_the_form_only(
        self,
        signed_in: SignedIn,
        alice: User,
        company: Company,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level(logging.DEBUG)
        code = factories.make_key()
        client = signed_in(alice)
        page = client.post(URL, {"code": code, "target": f"company:{company.pk}", "act_key": "k1"})
        assert f'type="hidden" name="code" value="{code}"' in page.text
        done = client.post(
            URL,
            {"code": code, "target": f"company:{company.pk}", "act_key": "k1", "confirm": "1"},
            follow=True,
        )
        plain = code.replace("-", "")
        written = caplog.text + "".join(capsys.readouterr())
        written += "".join(str(row) for row in AuditEntry.objects.values()) + "".join(
            str(row) for row in Act.objects.values()
        )
        for secret in (code, plain, code[:11]):
            assert secret not in done.redirect_chain[0][0]
            assert secret not in done.text
            assert secret not in written

    @pytest.mark.parametrize(
        ("state", "status", "problem"),
        [("issued", 404, "key-unknown"), ("blocked", 409, "key-blocked")],
    )
    def test_it_says_on_the_form_why_a_key_does_not_work(
        self, state: str, status: int, problem: str, signed_in: SignedIn, alice: User, company: Company
    ) -> None:
        code = factories.make_key()
        ActivationKey.objects.update(state=state)
        typed = code if state == "blocked" else f"{'1' if code[0] == '0' else '0'}{code[1:]}"
        page = signed_in(alice).post(URL, {"code": typed, "target": f"company:{company.pk}", "act_key": "k1"})
        assert page.status_code == status
        assert reverse("problem", args=[problem]) in page.text
        assert 'name="code"' in page.text

    def test_it_says_that_a_key_was_used_but_not_by_whom(
        self, signed_in: SignedIn, alice: User, charlie: User, company: Company
    ) -> None:
        code = factories.make_key()
        theirs = charlie.memberships.get().company
        signed_in(charlie).post(
            URL, {"code": code, "target": f"company:{theirs.pk}", "act_key": "k1", "confirm": "1"}
        )
        page = signed_in(alice).post(URL, {"code": code, "target": f"company:{company.pk}", "act_key": "k2"})
        assert page.status_code == 409
        assert "key-already-activated" in page.text
        assert "Charlie" not in page.text

    def test_it_throttles_guesses(
        self, signed_in: SignedIn, alice: User, company: Company, settings: LazySettings
    ) -> None:
        settings.KEY_LOOKUPS_PER_HOUR = 2
        client = signed_in(alice)
        given = {"target": f"company:{company.pk}", "act_key": "k1"}
        statuses = [client.post(URL, {**given, "code": digit * 25}).status_code for digit in "012"]
        assert statuses == [404, 404, 429]

    def test_it_asks_for_what_is_missing(self, signed_in: SignedIn, alice: User, company: Company) -> None:
        page = signed_in(alice).post(URL, {"code": "", "target": "", "act_key": "k1"})
        assert page.status_code == 400
        assert 'id="id_code_error"' in page.text
        assert 'id="id_target_error"' in page.text


class TestConfirm:
    @pytest.mark.parametrize("into", ["company", "project"])
    def test_it_activates_once_and_says_what_went_where(
        self, into: str, signed_in: SignedIn, alice: User, company: Company, project: Project
    ) -> None:
        code = factories.make_key(lines={"Port": 10, "UC": 5})
        target: Company | Project = company if into == "company" else project
        client = signed_in(alice)
        given = {"code": code, "target": f"{into}:{target.pk}", "act_key": "k1", "confirm": "1"}
        first, second = (client.post(URL, given, follow=True) for _ in range(2))
        assert first.redirect_chain == second.redirect_chain
        assert "The key is activated" in first.text
        assert target.name in first.text
        assert (factories.free(target), factories.free(target, "UC")) == (10, 5)
        next_page = reverse(into, args=[target.pk])
        assert next_page in first.text

    def test_it_refuses_the_same_key_from_another_form(
        self, signed_in: SignedIn, alice: User, company: Company
    ) -> None:
        code = factories.make_key(lines={"Port": 10})
        given = {"code": code, "target": f"company:{company.pk}", "confirm": "1"}
        signed_in(alice).post(URL, {**given, "act_key": "k1"})
        page = signed_in(alice).post(URL, {**given, "act_key": "k2"})
        assert page.status_code == 409
        assert factories.free(company) == 10

    def test_it_lets_a_plain_member_fill_the_company_balance(
        self, signed_in: SignedIn, bob: User, company: Company
    ) -> None:
        given = {"target": f"company:{company.pk}", "act_key": "k1", "confirm": "1"}
        page = signed_in(bob).post(URL, {**given, "code": factories.make_key()}, follow=True)
        assert page.status_code == 200
        assert factories.free(company) == 5

    def test_it_needs_operate_in_the_project(self, signed_in: SignedIn, bob: User, project: Project) -> None:
        code = factories.make_key()
        given = {"code": code, "target": f"project:{project.pk}", "act_key": "k1", "confirm": "1"}
        assert signed_in(bob).post(URL, given).status_code == 404
        right = factories.give_right(user=bob, project=project, level=ProjectRight.Level.VIEW)
        page = signed_in(bob).post(URL, given)
        assert page.status_code == 403
        assert "right-missing" in page.text
        assert factories.find_key(code).state == "issued"
        right.level = ProjectRight.Level.OPERATE
        right.save()
        assert signed_in(bob).post(URL, given).status_code == 302

    def test_it_is_never_for_end_customers(self, signed_in: SignedIn, erin: User, project: Project) -> None:
        code = factories.make_key()
        client = signed_in(erin)
        assert "You need a company first" in client.get(URL).text
        for confirm in ({}, {"confirm": "1"}):
            page = client.post(
                URL, {"code": code, "target": f"project:{project.pk}", "act_key": "k1", **confirm}
            )
            assert page.status_code == 404
        assert factories.find_key(code).state == "issued"

    def test_it_lets_a_stranger_fill_nobody_elses_balance(
        self, signed_in: SignedIn, charlie: User, company: Company, project: Project
    ) -> None:
        code = factories.make_key()
        targets = (
            f"company:{company.pk}",
            f"project:{project.pk}",
            "project:999999",
            "nonsense",
            "company:x",
        )
        for target in targets:
            page = signed_in(charlie).post(
                URL, {"code": code, "target": target, "act_key": "k1", "confirm": "1"}
            )
            assert page.status_code == 404
        assert factories.find_key(code).state == "issued"


class TestForm:
    def test_it_offers_only_balances_that_this_person_may_fill(
        self, signed_in: SignedIn, bob: User, company: Company, project: Project
    ) -> None:
        page = signed_in(bob).get(URL)
        assert f'value="company:{company.pk}"' in page.text
        assert f'value="project:{project.pk}"' not in page.text

    def test_it_has_the_balance_chosen_that_one_came_from(
        self, signed_in: SignedIn, alice: User, project: Project
    ) -> None:
        page = signed_in(alice).get(f"{URL}?into=project:{project.pk}")
        assert f'<option value="project:{project.pk}" selected>' in page.text


class TestResult:
    def test_it_is_not_there_for_others(
        self, signed_in: SignedIn, alice: User, bob: User, charlie: User, erin: User, project: Project
    ) -> None:
        given = {"code": factories.make_key(), "target": f"project:{project.pk}", "act_key": "k1"}
        url = signed_in(alice).post(URL, {**given, "confirm": "1"}).headers["Location"]
        assert signed_in(alice).get(url).status_code == 200
        for user in (bob, charlie, erin):
            assert signed_in(user).get(url).status_code == 404
        assert signed_in(alice).get(reverse("activation", args=[UUID(int=0)])).status_code == 404

"""Creating a company (mission rules 2 and 4)."""

import pytest

from accounts import companies
from accounts.companies import CompanyNeedsAName
from accounts.models import Company, Membership, Project, User
from portal.core.acts import IdempotencyKeyReused
from tests.factories import NOW, caller, make_user
from tests.operations.bookkeeping import last_entry, refused, unchanged


class TestCreatingACompany:
    def test_its_founder_is_its_admin(self, alice: User) -> None:
        company = companies.create_company(name="Acme", founder=alice, caller=caller(alice), now=NOW)

        membership = Membership.objects.get()
        assert (membership.company, membership.user, membership.role) == (company, alice, "admin")
        assert (company.created_at, membership.joined_at) == (NOW, NOW)

    def test_it_starts_with_a_project_named_default(self, alice: User) -> None:
        company = companies.create_company(name="Acme", founder=alice, caller=caller(alice), now=NOW)

        assert [project.name for project in Project.objects.filter(company=company)] == ["DEFAULT"]

    def test_it_is_in_the_history(self, alice: User) -> None:
        company = companies.create_company(name=" Acme ", founder=alice, caller=caller(alice), now=NOW)

        entry = last_entry()
        assert (entry.event, entry.actor, entry.facts) == ("company-created", alice, {"name": "Acme"})
        assert (entry.company_id, entry.project_id) == (company.pk, Project.objects.get().pk)

    def test_two_companies_may_have_one_name(self, alice: User) -> None:
        for _ in range(2):
            companies.create_company(name="Acme", founder=alice, caller=caller(alice), now=NOW)

        assert Company.objects.count() == 2

    @pytest.mark.parametrize("name", ["", "  ", "x" * 201])
    def test_it_needs_a_name(self, alice: User, name: str) -> None:
        with refused(CompanyNeedsAName):
            companies.create_company(name=name, founder=alice, caller=caller(alice), now=NOW)

    def test_the_same_request_again_is_answered_the_same(self, alice: User) -> None:
        request = caller(alice, key="once")
        first = companies.create_company(name="Acme", founder=alice, caller=request, now=NOW)

        with unchanged():
            second = companies.create_company(name="Acme", founder=alice, caller=request, now=NOW)

        assert second == first

    def test_a_request_id_is_not_for_another_name(self, alice: User) -> None:
        request = caller(alice, key="once")
        companies.create_company(name="Acme", founder=alice, caller=request, now=NOW)

        with refused(IdempotencyKeyReused):
            companies.create_company(name="Other", founder=alice, caller=request, now=NOW)

    def test_a_request_id_is_not_for_another_founder(self, alice: User) -> None:
        request = caller(alice, key="once")
        other = make_user(name="Bob")
        companies.create_company(name="Acme", founder=alice, caller=request, now=NOW)

        with refused(IdempotencyKeyReused):
            companies.create_company(name="Acme", founder=other, caller=request, now=NOW)

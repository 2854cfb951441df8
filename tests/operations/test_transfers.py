"""Transfers between the balances of a company (mission rule 12)."""

import pytest

from accounts.models import Company, Project, User
from licenses import balances
from licenses.balances import OtherCompany, SameBalance
from licenses.ledger import InsufficientLicenses, QuantityOutOfRange
from licenses.models import LogLeaf
from portal.core.acts import IdempotencyKeyReused
from portal.core.models import AuditEntry
from tests.factories import (
    NOW,
    activated,
    caller,
    first_project,
    free,
    get_product,
    make_company,
    make_project,
)
from tests.operations.bookkeeping import refused, unchanged

pytestmark = pytest.mark.usefixtures("catalogue")


def transfer(
    source: Company | Project, destination: Company | Project, quantity: int = 4, *, key: str | None = None
) -> balances.BalanceTransfer:
    return balances.transfer_licenses(
        source=source,
        destination=destination,
        product=get_product(),
        quantity=quantity,
        caller=caller(key=key),
        now=NOW,
    )


class TestTransferring:
    def test_it_goes_from_the_company_to_a_project(self, company: Company, project: Project) -> None:
        activated(company, {"Port": 10})

        done = transfer(company, project)

        assert (free(company), free(project)) == (6, 4)
        assert [(line.product.code, line.quantity) for line in done.transfers] == [("Port", 4)]

    def test_it_goes_back(self, company: Company, project: Project) -> None:
        activated(project, {"Port": 10})

        transfer(project, company, 10)

        assert (free(company), free(project)) == (10, 0)

    def test_it_goes_from_project_to_project(self, company: Company, project: Project) -> None:
        activated(project, {"Port": 10})
        other = make_project(company=company)

        transfer(project, other, 10)

        assert (free(project), free(other)) == (0, 10)

    def test_both_sides_have_it_in_their_history(self, company: Company, project: Project) -> None:
        activated(company, {"Port": 10})

        transfer(company, project)

        entries = AuditEntry.objects.filter(event="licenses-transferred")
        assert {entry.project_id for entry in entries} == {None, project.pk}
        assert {entry.facts["quantity"] for entry in entries} == {4}
        assert {(entry.facts["source"], entry.facts["destination"]) for entry in entries} == {
            (company.name, "DEFAULT")
        }

    def test_the_public_log_says_nothing_since_the_company_is_one_holder(
        self, company: Company, project: Project
    ) -> None:
        activated(company, {"Port": 10})
        before = LogLeaf.objects.count()

        transfer(company, project)

        assert LogLeaf.objects.count() == before

    def test_one_more_than_free_is_refused(self, company: Company, project: Project) -> None:
        activated(company, {"Port": 10})

        with refused(InsufficientLicenses, product="Port 14", wanted=11, available=10):
            transfer(company, project, 11)

    def test_from_an_empty_balance_nothing_goes(self, company: Company, project: Project) -> None:
        with refused(InsufficientLicenses, available=0):
            transfer(project, company, 1)

    @pytest.mark.parametrize("quantity", [0, -4, 1_000_001, 2**63])
    def test_quantities_have_bounds(self, company: Company, project: Project, quantity: int) -> None:
        activated(company, {"Port": 10})

        with refused(QuantityOutOfRange, quantity=quantity):
            transfer(company, project, quantity)

    @pytest.mark.parametrize("to", ["company", "project"])
    def test_it_stays_within_the_company(self, company: Company, charlie: User, to: str) -> None:
        activated(company, {"Port": 10})
        other = make_company(founder=charlie)

        with refused(OtherCompany):
            transfer(company, other if to == "company" else first_project(other))

    def test_a_balance_is_not_its_own_destination(self, company: Company) -> None:
        activated(company, {"Port": 10})

        with refused(SameBalance):
            transfer(company, company)

    def test_the_same_request_again_is_answered_the_same(self, company: Company, project: Project) -> None:
        activated(company, {"Port": 10})
        first = transfer(company, project, key="once")

        with unchanged():
            second = transfer(company, project, key="once")

        assert second == first
        assert (free(company), free(project)) == (6, 4)

    def test_the_same_request_again_is_answered_even_if_nothing_is_left(
        self, company: Company, project: Project
    ) -> None:
        activated(company, {"Port": 4})
        first = transfer(company, project, key="once")

        assert transfer(company, project, key="once") == first

    def test_a_request_id_is_not_for_another_quantity(self, company: Company, project: Project) -> None:
        activated(company, {"Port": 10})
        transfer(company, project, 4, key="once")

        with refused(IdempotencyKeyReused):
            transfer(company, project, 5, key="once")

    def test_a_request_id_is_not_for_the_way_back(self, company: Company, project: Project) -> None:
        activated(company, {"Port": 10})
        transfer(company, project, 4, key="once")

        with refused(IdempotencyKeyReused):
            transfer(project, company, 4, key="once")

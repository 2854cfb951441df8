"""REST doors on products, balances, and transfers between balances."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.doors import Door
from accounts.api.reference import operation
from accounts.models import ApiToken, Company, Project
from accounts.queries import (
    TRANSFER,
    AdminNeeded,
    NoSuchCompany,
    NoSuchProject,
    RightMissing,
    get_company,
    get_project,
)
from accounts.requests import caller, idempotency_key, principal
from accounts.scopes import CompanyImported, ProjectArchived
from licenses import balances, queries
from licenses.api import dry_runs, inputs, outputs
from licenses.balances import OtherCompany, SameBalance
from licenses.ledger import InsufficientLicenses, QuantityOutOfRange
from licenses.queries import NoSuchProduct
from portal.core import acts, clock
from portal.core.problems import MalformedInput


class Products(Door):
    @operation(
        "list-products",
        "List the catalogue",
        scope=ApiToken.Scope.READ,
        answer=outputs.ProductList,
        parameters=(paging.Page,),
        refusals=(MalformedInput,),
    )
    def get(self, request: Request) -> Response:
        """Every product in every version."""
        page = paging.Page.read(request.query_params.dict())
        found, following = paging.by_id(queries.products(), **page)
        return Response(outputs.ProductList({"products": found, "next": following}).data)


class CompanyBalance(Door):
    @operation(
        "get-company-balance",
        "Get a company's balance",
        scope=ApiToken.Scope.READ,
        answer=outputs.Balance,
        refusals=(NoSuchCompany,),
    )
    def get(self, request: Request, company_id: int) -> Response:
        """What the company has free outside its projects. For its members."""
        company = get_company(company_id=company_id, user=principal(request))
        return Response(outputs.Balance({"balance": queries.balance_of_company(company)}).data)


class ProjectBalance(Door):
    @operation(
        "get-project-balance",
        "Get a project's balance",
        scope=ApiToken.Scope.READ,
        answer=outputs.Balance,
        refusals=(NoSuchProject,),
    )
    def get(self, request: Request, project_id: int) -> Response:
        """What the project has free, and what is on its devices."""
        project = get_project(project_id=project_id, user=principal(request))
        return Response(outputs.Balance({"balance": queries.balance_of_project(project)}).data)


class Transfers(Door):
    @operation(
        "transfer-licenses",
        "Transfer licenses between balances",
        scope=ApiToken.Scope.TRANSFER,
        takes=inputs.NewTransfer,
        answer=outputs.Transfer,
        status=HTTPStatus.CREATED,
        dry_run=dry_runs.DryRun,
        parameters=(dry_runs.Asked,),
        refusals=(
            NoSuchCompany,
            NoSuchProject,
            RightMissing,
            AdminNeeded,
            NoSuchProduct,
            QuantityOutOfRange,
            OtherCompany,
            SameBalance,
            InsufficientLicenses,
            ProjectArchived,
            CompanyImported,
        ),
    )
    def post(self, request: Request) -> Response:
        """Between a company's balance and those of its projects, or between two of its projects.

        Needs `manage` in each project that is named; out of the company's balance only admins transfer.
        """
        is_dry_run = dry_runs.is_asked_by(request)
        given = inputs.NewTransfer.read(request.data)
        source = _balance(request, given["source"], spends=True)
        destination = _balance(request, given["destination"], spends=False)
        act: dict[str, Any] = {
            "source": source,
            "destination": destination,
            "product": queries.get_product(code=given["product"], version=given["version"]),
            "quantity": given["quantity"],
            "caller": caller(
                request,
                company=source if isinstance(source, Company) else source.company,
                key=idempotency_key(request),
            ),
            "now": clock.now(),
        }
        if is_dry_run:
            tried = acts.rehearse(
                balances.transfer_licenses,
                observe=lambda: queries.units_of([source, destination]),
                **act,
            )
            return Response(dry_runs.DryRun(dry_runs.told(tried)).data)
        transferred = balances.transfer_licenses(**act)
        return Response(outputs.Transfer(transferred).data, status=HTTPStatus.CREATED)


def _balance(request: HttpRequest, given: dict[str, Any], *, spends: bool) -> Company | Project:
    user = principal(request)
    if "project" in given:
        return get_project(project_id=given["project"], user=user, right=TRANSFER)
    return get_company(company_id=given["company"], user=user, admin=spends)

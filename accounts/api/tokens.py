"""REST doors on API tokens. People make and revoke them; a token only sees itself."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import api_tokens, queries
from accounts.api import inputs, outputs, paging
from accounts.api.doors import Door
from accounts.api.reference import operation
from accounts.api_tokens import (
    ApiTokenEndsInThePast,
    ApiTokenNameTaken,
    ApiTokenNeedsAName,
    ApiTokenScopeUnknown,
)
from accounts.models import ApiToken, Company, Project
from accounts.queries import (
    MANAGE,
    AdminNeeded,
    NoSuchApiToken,
    NoSuchCompany,
    NoSuchProject,
    RightMissing,
    get_api_token,
    get_company,
    get_project,
)
from accounts.requests import caller, idempotency_key, person, principal
from accounts.scopes import CompanyImported, ProjectArchived
from portal.core import clock
from portal.core.problems import MalformedInput, NoSuchThing

CREATION = (
    ApiTokenNeedsAName,
    ApiTokenScopeUnknown,
    ApiTokenEndsInThePast,
    ApiTokenNameTaken,
)
TOKEN_ID = OpenApiParameter("token_id", {"type": "integer"}, OpenApiParameter.PATH)


class OwnToken(Door):
    @operation(
        "get-own-token",
        "Get the API token that is used",
        scope=ApiToken.Scope.READ,
        answer=outputs.ApiToken,
        refusals=(NoSuchThing,),
    )
    def get(self, request: Request) -> Response:
        """For a program: where it is, what it may do, and until when. A person gets `not-found`."""
        token = principal(request)
        if not isinstance(token, ApiToken):
            raise NoSuchThing
        return Response(outputs.ApiToken(token).data)


class CompanyTokens(Door):
    @operation(
        "list-company-tokens",
        "List the API tokens of a company",
        answer=outputs.ApiTokenList,
        parameters=(paging.Page,),
        refusals=(NoSuchCompany, AdminNeeded, MalformedInput),
    )
    def get(self, request: Request, company_id: int) -> Response:
        """The latest first, without those of its projects. For admins of the company."""
        page = paging.Page.read(request.query_params.dict())
        company = get_company(company_id=company_id, user=person(request), admin=True)
        return _list(company, None, page)

    @operation(
        "create-company-token",
        "Make an API token for a company",
        takes=inputs.NewApiToken,
        answer=outputs.MadeApiToken,
        status=HTTPStatus.CREATED,
        refusals=(NoSuchCompany, AdminNeeded, CompanyImported, *CREATION),
    )
    def post(self, request: Request, company_id: int) -> Response:
        """Its secret is shown once. It stays in force when its maker leaves. For admins of the company."""
        given = inputs.NewApiToken.read(request.data)
        company = get_company(company_id=company_id, user=person(request), admin=True)
        return _make(request, company, None, given)


class ProjectTokens(Door):
    @operation(
        "list-project-tokens",
        "List the API tokens of a project",
        answer=outputs.ApiTokenList,
        parameters=(paging.Page,),
        refusals=(NoSuchProject, RightMissing, MalformedInput),
    )
    def get(self, request: Request, project_id: int) -> Response:
        """The latest first. Needs `manage`."""
        page = paging.Page.read(request.query_params.dict())
        project = get_project(project_id=project_id, user=person(request), right=MANAGE)
        return _list(project.company, project, page)

    @operation(
        "create-project-token",
        "Make an API token for a project",
        takes=inputs.NewApiToken,
        answer=outputs.MadeApiToken,
        status=HTTPStatus.CREATED,
        refusals=(NoSuchProject, RightMissing, ProjectArchived, *CREATION),
    )
    def post(self, request: Request, project_id: int) -> Response:
        """Its secret is shown once. It reaches as far as its maker in the project. Needs `manage`."""
        given = inputs.NewApiToken.read(request.data)
        project = get_project(project_id=project_id, user=person(request), right=MANAGE)
        return _make(request, project.company, project, given)


class OneToken(Door):
    http_method_names = ["delete"]

    @operation(
        "revoke-token",
        "Revoke an API token",
        answer=outputs.ApiToken,
        changes=True,
        parameters=(TOKEN_ID,),
        refusals=(NoSuchApiToken,),
    )
    def delete(self, request: Request, token_id: int) -> Response:
        """At once and for good. For admins of its company, and for whoever has `manage` in its project."""
        token = get_api_token(token_id=token_id, user=person(request))
        revoked = api_tokens.revoke_api_token(
            api_token=token,
            caller=caller(request, company=token.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.ApiToken(revoked).data)


def _list(company: Company, project: Project | None, page: dict[str, Any]) -> Response:
    found, following = paging.by_id(
        queries.api_tokens_of(company, project=project), latest_first=True, **page
    )
    return Response(outputs.ApiTokenList({"api_tokens": found, "next": following}).data)


def _make(request: Request, company: Company, project: Project | None, given: dict[str, Any]) -> Response:
    made = api_tokens.create_api_token(
        company=company,
        project=project,
        name=given["name"],
        scopes=given["scopes"],
        expires_at=given["expires_at"],
        maker=person(request),
        caller=caller(request, company=company, key=idempotency_key(request)),
        now=clock.now(),
    )
    return Response(outputs.MadeApiToken(made).data, status=HTTPStatus.CREATED)

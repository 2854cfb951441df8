"""REST doors on the import of a company, and on the archive of projects."""

from http import HTTPStatus

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import paging
from accounts.api.doors import Door
from accounts.api.inputs import Nothing
from accounts.api.outputs import Project as ProjectOutput
from accounts.api.reference import operation
from accounts.models import ApiToken
from accounts.queries import (
    MANAGE,
    AdminNeeded,
    NoSuchCompany,
    NoSuchProject,
    RightMissing,
    get_company,
    get_project,
)
from accounts.requests import caller, idempotency_key, person, principal
from accounts.scopes import CompanyImported
from licenses import archiving, company_import
from licenses import import_queries as queries
from licenses.api import import_outputs, inputs
from licenses.archiving import ProjectNotEmpty
from licenses.company_import import ImportAsked, ImportEnded, NoCompanyOfThatName, SameCompany
from licenses.import_queries import NoSuchImport
from portal.core import clock
from portal.core.problems import MalformedInput
from portal.core.throttle import RateLimited


class ProjectArchiving(Door):
    @operation(
        "archive-project",
        "Archive a project",
        scope=ApiToken.Scope.MANAGE,
        takes=Nothing,
        answer=ProjectOutput,
        refusals=(NoSuchProject, RightMissing, ProjectNotEmpty, CompanyImported),
    )
    def post(self, request: Request, project_id: int) -> Response:
        """Once it has neither devices nor licenses; it takes none then. Needs `manage`."""
        Nothing.read(request.data)
        project = get_project(project_id=project_id, user=principal(request), right=MANAGE)
        archived = archiving.archive_project(
            project=project,
            caller=caller(request, company=project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(ProjectOutput(archived).data)


class ProjectUnarchiving(Door):
    @operation(
        "unarchive-project",
        "Take a project out of the archive",
        scope=ApiToken.Scope.MANAGE,
        takes=Nothing,
        answer=ProjectOutput,
        refusals=(NoSuchProject, RightMissing, CompanyImported),
    )
    def post(self, request: Request, project_id: int) -> Response:
        """It takes devices and licenses again. Needs `manage`."""
        Nothing.read(request.data)
        project = get_project(project_id=project_id, user=principal(request), right=MANAGE)
        opened = archiving.unarchive_project(
            project=project,
            caller=caller(request, company=project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(ProjectOutput(opened).data)


class CompanyImports(Door):
    @operation(
        "list-company-imports",
        "List open imports of a company",
        answer=import_outputs.CompanyImportList,
        parameters=(paging.Page,),
        refusals=(NoSuchCompany, AdminNeeded, MalformedInput),
    )
    def get(self, request: Request, company_id: int) -> Response:
        """What it asked for, and what was asked of it. For admins of the company."""
        page = paging.Page.read(request.query_params.dict())
        company = get_company(company_id=company_id, user=person(request), admin=True)
        found = queries.open_imports_of(company, now=clock.now())
        shown, following = paging.by_id(found, **page)
        return Response(import_outputs.CompanyImportList({"imports": shown, "next": following}).data)

    @operation(
        "ask-for-company",
        "Ask to take in another company",
        takes=inputs.NewImport,
        answer=import_outputs.CompanyImport,
        status=HTTPStatus.CREATED,
        refusals=(
            NoSuchCompany,
            AdminNeeded,
            RateLimited,
            NoCompanyOfThatName,
            SameCompany,
            ImportAsked,
            CompanyImported,
        ),
    )
    def post(self, request: Request, company_id: int) -> Response:
        """One made by accident, by its number and name; its admins are asked by mail. For admins."""
        given = inputs.NewImport.read(request.data)
        user = person(request)
        company = get_company(company_id=company_id, user=user, admin=True)
        wanted = company_import.ask_for_company(
            target=company,
            number=given["company"],
            name=given["name"],
            asker=user,
            caller=caller(request, company=company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(import_outputs.CompanyImport(wanted).data, status=HTTPStatus.CREATED)


class OneImport(Door):
    @operation(
        "look-at-import",
        "Look at what an import would do",
        answer=import_outputs.ImportPreview,
        refusals=(NoSuchCompany, AdminNeeded, NoSuchImport),
    )
    def get(self, request: Request, company_id: int, import_id: int) -> Response:
        """The numbers before. For admins of the company that shall be taken in."""
        company = get_company(company_id=company_id, user=person(request), admin=True)
        wanted = queries.get_import(import_id=import_id, source=company)
        shown = {"wanted": wanted, "preview": company_import.look_at_import(wanted)}
        return Response(import_outputs.ImportPreview(shown).data)


class ImportConsent(Door):
    @operation(
        "consent-to-import",
        "Consent to an import",
        takes=Nothing,
        answer=import_outputs.CompanyImport,
        refusals=(NoSuchCompany, AdminNeeded, NoSuchImport, ImportEnded, CompanyImported),
    )
    def post(self, request: Request, company_id: int, import_id: int) -> Response:
        """Projects, balances and members go to the other company. It cannot be undone.

        For admins of the company that is taken in.
        """
        Nothing.read(request.data)
        user = person(request)
        wanted = queries.get_import_for_consent(import_id=import_id, source_id=company_id, user=user)
        done = company_import.consent_to_import(
            wanted=wanted,
            caller=caller(request, company=wanted.target, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(import_outputs.CompanyImport(done).data)


class ImportRefusal(Door):
    @operation(
        "refuse-import",
        "Refuse an import",
        takes=Nothing,
        answer=import_outputs.CompanyImport,
        refusals=(NoSuchCompany, AdminNeeded, NoSuchImport, ImportEnded),
    )
    def post(self, request: Request, company_id: int, import_id: int) -> Response:
        """For admins of the company that shall be taken in."""
        Nothing.read(request.data)
        company = get_company(company_id=company_id, user=person(request), admin=True)
        refused = company_import.refuse_import(
            wanted=queries.get_import(import_id=import_id, source=company),
            caller=caller(request, company=company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(import_outputs.CompanyImport(refused).data)


class ImportWithdrawal(Door):
    @operation(
        "withdraw-import",
        "Withdraw what was asked for",
        takes=Nothing,
        answer=import_outputs.CompanyImport,
        refusals=(NoSuchCompany, AdminNeeded, NoSuchImport, ImportEnded),
    )
    def post(self, request: Request, company_id: int, import_id: int) -> Response:
        """For admins of the company that asked."""
        Nothing.read(request.data)
        company = get_company(company_id=company_id, user=person(request), admin=True)
        withdrawn = company_import.withdraw_import(
            wanted=queries.get_import(import_id=import_id, target=company),
            caller=caller(request, company=company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(import_outputs.CompanyImport(withdrawn).data)

"""REST doors on people, companies and projects."""

from http import HTTPStatus

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import companies, projects, queries
from accounts.api import inputs, outputs, paging
from accounts.api.doors import Door
from accounts.api.reference import operation
from accounts.companies import CompanyNeedsAName
from accounts.models import ApiToken
from accounts.projects import DescriptionTooLong, ProjectNameTaken, ProjectNeedsAName
from accounts.queries import AdminNeeded, NoSuchCompany, NoSuchProject
from accounts.requests import caller, idempotency_key, person, principal
from accounts.scopes import CompanyImported
from portal.core import clock
from portal.core.problems import MalformedInput


class Me(Door):
    @operation("get-me", "Who is signed in", answer=outputs.Me)
    def get(self, request: Request) -> Response:
        """The person whose session this is, and the companies they belong to."""
        user = person(request)
        return Response(outputs.Me({"user": user, "companies": queries.memberships_of(user)}).data)


class Companies(Door):
    @operation(
        "list-companies",
        "List your companies",
        answer=outputs.CompanyList,
        parameters=(paging.Page,),
        refusals=(MalformedInput,),
    )
    def get(self, request: Request) -> Response:
        """The companies you are a member of. As an end customer of one you do not see it here."""
        page = paging.Page.read(request.query_params.dict())
        memberships = queries.memberships_of(person(request))
        found, following = paging.by_id(memberships, by="company_id", **page)
        return Response(outputs.CompanyList({"companies": found, "next": following}).data)

    @operation(
        "create-company",
        "Create a company",
        takes=inputs.NewCompany,
        answer=outputs.Company,
        status=HTTPStatus.CREATED,
        refusals=(CompanyNeedsAName,),
    )
    def post(self, request: Request) -> Response:
        """You become its first admin; its first project, `DEFAULT`, is made with it."""
        given = inputs.NewCompany.read(request.data)
        user = person(request)
        company = companies.create_company(
            name=given["name"],
            founder=user,
            caller=caller(request, key=idempotency_key(request)),
            now=clock.now(),
        )
        membership = queries.memberships_of(user).get(company=company)
        return Response(outputs.Company(membership).data, status=HTTPStatus.CREATED)


class CompanyProjects(Door):
    @operation(
        "create-project",
        "Create a project",
        scope=ApiToken.Scope.MANAGE,
        takes=inputs.NewProject,
        answer=outputs.Project,
        status=HTTPStatus.CREATED,
        refusals=(
            NoSuchCompany,
            AdminNeeded,
            ProjectNeedsAName,
            DescriptionTooLong,
            ProjectNameTaken,
            CompanyImported,
        ),
    )
    def post(self, request: Request, company_id: int) -> Response:
        """A project of the company, with an empty balance. For admins of the company."""
        given = inputs.NewProject.read(request.data)
        company = queries.get_company(company_id=company_id, user=principal(request), admin=True)
        project = projects.create_project(
            company=company,
            name=given["name"],
            description=given["description"],
            caller=caller(request, company=company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Project(project).data, status=HTTPStatus.CREATED)


class Projects(Door):
    @operation(
        "list-projects",
        "List your projects",
        scope=ApiToken.Scope.READ,
        answer=outputs.ProjectList,
        parameters=(paging.ProjectPage,),
        refusals=(MalformedInput,),
    )
    def get(self, request: Request) -> Response:
        """The projects you may see, by id, archived ones included."""
        page = paging.ProjectPage.read(request.query_params.dict())
        projects = queries.projects_of(principal(request)).filter(name__icontains=page.pop("name"))
        company = page.pop("company")
        if company is not None:
            projects = projects.filter(company__pk=company)
        found, following = paging.by_id(projects, **page)
        return Response(outputs.ProjectList({"projects": found, "next": following}).data)


class OneProject(Door):
    @operation(
        "get-project",
        "Get a project",
        scope=ApiToken.Scope.READ,
        answer=outputs.Project,
        refusals=(NoSuchProject,),
    )
    def get(self, request: Request, project_id: int) -> Response:
        """One project you may see."""
        project = queries.get_project(project_id=project_id, user=principal(request))
        return Response(outputs.Project(project).data)

"""REST doors on what people may do in one project, and on its name."""

from http import HTTPStatus
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import invitation_queries, projects, queries, rights
from accounts.api import inputs, outputs, paging
from accounts.api.doors import Door
from accounts.api.inputs import Nothing
from accounts.api.members import invitation_list
from accounts.api.reference import operation
from accounts.invitations import AddressNeeded, AlreadyInvited
from accounts.models import ApiToken, Project, ProjectRight
from accounts.projects import DescriptionTooLong, ProjectNameTaken, ProjectNeedsAName
from accounts.queries import MANAGE, NoSuchProject, RightMissing
from accounts.requests import caller, idempotency_key, person, principal
from accounts.rights import HasTheRight, NobodyToGiveARight, NoSuchRight
from accounts.scopes import ProjectArchived
from portal.core import clock
from portal.core.problems import MalformedInput
from portal.core.throttle import RateLimited


class ProjectSettings(Door):
    @operation(
        "change-project",
        "Rename and describe a project",
        scope=ApiToken.Scope.MANAGE,
        takes=inputs.NewProject,
        answer=outputs.Project,
        refusals=(NoSuchProject, RightMissing, ProjectNeedsAName, DescriptionTooLong, ProjectNameTaken),
    )
    def post(self, request: Request, project_id: int) -> Response:
        """Both are set to what is sent. Needs `manage`."""
        given = inputs.NewProject.read(request.data)
        project = _managed(request, project_id)
        changed = projects.change_project(
            project=project,
            name=given["name"],
            description=given["description"],
            caller=caller(request, company=project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Project(changed).data)


class Rights(Door):
    @operation(
        "list-rights",
        "List the rights in a project",
        answer=outputs.RightList,
        parameters=(paging.Page,),
        refusals=(NoSuchProject, RightMissing, MalformedInput),
    )
    def get(self, request: Request, project_id: int) -> Response:
        """Of members and end customers; admins of the company manage every project. Needs `manage`."""
        page = paging.Page.read(request.query_params.dict())
        return _rights(_managed(request, project_id), page)

    @operation(
        "set-right",
        "Give or change a right in a project",
        takes=inputs.NewRight,
        answer=outputs.Right,
        refusals=(NoSuchProject, RightMissing, NobodyToGiveARight, NoSuchRight, ProjectArchived),
    )
    def post(self, request: Request, project_id: int) -> Response:
        """To a member of the company, or to somebody who has a right there. Needs `manage`."""
        given = inputs.NewRight.read(request.data)
        project = _managed(request, project_id)
        right = rights.set_right(
            project=project,
            user_id=given["user"],
            level=ProjectRight.Level(given["right"]),
            caller=caller(request, company=project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Right(right).data)


class RightWithdrawal(Door):
    @operation(
        "withdraw-right",
        "Withdraw a right in a project",
        takes=Nothing,
        answer=outputs.RightList,
        refusals=(NoSuchProject, RightMissing, NoSuchRight),
    )
    def post(self, request: Request, project_id: int, user_id: int) -> Response:
        """Answers the rights that are left. Needs `manage`."""
        Nothing.read(request.data)
        project = _managed(request, project_id)
        rights.withdraw_right(
            project=project,
            user_id=user_id,
            caller=caller(request, company=project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return _rights(project, paging.FIRST_PAGE)


class ProjectInvitations(Door):
    @operation(
        "list-project-invitations",
        "List open invitations into a project",
        answer=outputs.InvitationList,
        parameters=(paging.Page,),
        refusals=(NoSuchProject, RightMissing, MalformedInput),
    )
    def get(self, request: Request, project_id: int) -> Response:
        """Those that nobody has answered, expired ones included. Needs `manage`."""
        page = paging.Page.read(request.query_params.dict())
        return invitation_list(invitation_queries.invitations_into(_managed(request, project_id)), page)

    @operation(
        "invite-into-project",
        "Invite somebody into a project",
        takes=inputs.NewInProject,
        answer=outputs.Invitation,
        status=HTTPStatus.CREATED,
        refusals=(
            NoSuchProject,
            RightMissing,
            AddressNeeded,
            RateLimited,
            HasTheRight,
            AlreadyInvited,
            ProjectArchived,
        ),
    )
    def post(self, request: Request, project_id: int) -> Response:
        """By e-mail, with a right; good for 14 days. An end customer sees nothing else. Needs `manage`."""
        given = inputs.NewInProject.read(request.data)
        user = person(request)
        project = _managed(request, project_id)
        invitation = rights.invite_into_project(
            project=project,
            email=given["email"],
            level=ProjectRight.Level(given["right"]),
            inviter=user,
            caller=caller(request, company=project.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Invitation(invitation).data, status=HTTPStatus.CREATED)


def _managed(request: Request, project_id: int) -> Project:
    return queries.get_project(project_id=project_id, user=principal(request), right=MANAGE)


def _rights(project: Project, page: dict[str, Any]) -> Response:
    found, following = paging.by_id(queries.rights_in(project), by="user_id", **page)
    return Response(outputs.RightList({"rights": found, "next": following}).data)

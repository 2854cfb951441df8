"""REST doors on members of companies, and on invitations."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import invitation_queries, membership, queries
from accounts.api import inputs, outputs, paging
from accounts.api.doors import Door
from accounts.api.inputs import Nothing
from accounts.api.reference import operation
from accounts.invitation_queries import NoSuchInvitation
from accounts.invitations import AddressNeeded, AlreadyInvited
from accounts.membership import (
    AlreadyMember,
    InvitationEnded,
    InvitationForAnother,
    NoSuchMember,
)
from accounts.models import Company, Invitation, Membership
from accounts.queries import AdminNeeded, NoSuchCompany, NoSuchMembership
from accounts.requests import caller, idempotency_key, person
from accounts.scopes import CompanyImported, LastAdmin, ProjectArchived
from portal.core import clock
from portal.core.problems import MalformedInput
from portal.core.throttle import RateLimited


class Members(Door):
    @operation(
        "list-members",
        "List the members of a company",
        answer=outputs.MemberList,
        parameters=(paging.Page,),
        refusals=(NoSuchCompany, MalformedInput),
    )
    def get(self, request: Request, company_id: int) -> Response:
        """Who belongs to the company, by id. For its members."""
        page = paging.Page.read(request.query_params.dict())
        company = queries.get_company(company_id=company_id, user=person(request))
        return _members(company, page)


class MemberRole(Door):
    @operation(
        "change-role",
        "Make a member an admin, or an admin a member",
        takes=inputs.NewRole,
        answer=outputs.Member,
        refusals=(NoSuchCompany, AdminNeeded, NoSuchMembership, NoSuchMember, LastAdmin, CompanyImported),
    )
    def post(self, request: Request, company_id: int, user_id: int) -> Response:
        """For admins of the company. A company with members keeps an admin."""
        given = inputs.NewRole.read(request.data)
        company = queries.get_company(company_id=company_id, user=person(request), admin=True)
        changed = membership.change_role(
            membership=queries.get_membership(company=company, user_id=user_id),
            role=Membership.Role(given["role"]),
            caller=caller(request, company=company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Member(changed).data)


class MemberRemoval(Door):
    @operation(
        "remove-member",
        "Remove a member",
        takes=Nothing,
        answer=outputs.MemberList,
        refusals=(NoSuchCompany, AdminNeeded, NoSuchMembership, NoSuchMember, LastAdmin, CompanyImported),
    )
    def post(self, request: Request, company_id: int, user_id: int) -> Response:
        """For admins of the company. Rights in its projects end with it. Answers who is left."""
        Nothing.read(request.data)
        company = queries.get_company(company_id=company_id, user=person(request), admin=True)
        membership.remove_member(
            company=company,
            user_id=user_id,
            caller=caller(request, company=company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return _members(company, paging.FIRST_PAGE)


class Leaving(Door):
    @operation(
        "leave-company",
        "Leave a company",
        takes=Nothing,
        answer=outputs.CompanyList,
        refusals=(NoSuchCompany, NoSuchMembership, NoSuchMember, LastAdmin, CompanyImported),
    )
    def post(self, request: Request, company_id: int) -> Response:
        """Your rights in its projects end with it. Answers which companies you still belong to."""
        Nothing.read(request.data)
        user = person(request)
        membership.leave_company(
            company=queries.get_company_to_leave(company_id=company_id, user=user),
            user=user,
            caller=caller(request, key=idempotency_key(request)),
            now=clock.now(),
        )
        left, following = paging.by_id(queries.memberships_of(user), by="company_id", **paging.FIRST_PAGE)
        return Response(outputs.CompanyList({"companies": left, "next": following}).data)


class CompanyInvitations(Door):
    @operation(
        "list-company-invitations",
        "List open invitations into a company",
        answer=outputs.InvitationList,
        parameters=(paging.Page,),
        refusals=(NoSuchCompany, AdminNeeded, MalformedInput),
    )
    def get(self, request: Request, company_id: int) -> Response:
        """Those that nobody has answered, expired ones included. For admins of the company."""
        page = paging.Page.read(request.query_params.dict())
        company = queries.get_company(company_id=company_id, user=person(request), admin=True)
        return invitation_list(invitation_queries.invitations_into(company), page)

    @operation(
        "invite-member",
        "Invite somebody into a company",
        takes=inputs.NewMember,
        answer=outputs.Invitation,
        status=HTTPStatus.CREATED,
        refusals=(
            NoSuchCompany,
            AdminNeeded,
            AddressNeeded,
            RateLimited,
            AlreadyMember,
            AlreadyInvited,
            CompanyImported,
        ),
    )
    def post(self, request: Request, company_id: int) -> Response:
        """By e-mail, with a role; good for 14 days. For admins of the company."""
        given = inputs.NewMember.read(request.data)
        user = person(request)
        company = queries.get_company(company_id=company_id, user=user, admin=True)
        invitation = membership.invite_member(
            company=company,
            email=given["email"],
            role=Membership.Role(given["role"]),
            inviter=user,
            caller=caller(request, company=company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Invitation(invitation).data, status=HTTPStatus.CREATED)


class InvitationResending(Door):
    @operation(
        "resend-invitation",
        "Send an invitation again",
        takes=Nothing,
        answer=outputs.Invitation,
        refusals=(NoSuchInvitation, InvitationEnded, RateLimited),
    )
    def post(self, request: Request, invitation_id: int) -> Response:
        """With a new link and another 14 days. For whoever may withdraw it."""
        Nothing.read(request.data)
        invitation = invitation_queries.get_invitation(invitation_id=invitation_id, user=person(request))
        sent = membership.resend_invitation(
            invitation=invitation,
            caller=caller(request, company=invitation.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Invitation(sent).data)


class InvitationWithdrawal(Door):
    @operation(
        "withdraw-invitation",
        "Withdraw an invitation",
        takes=Nothing,
        answer=outputs.Invitation,
        refusals=(NoSuchInvitation, InvitationEnded),
    )
    def post(self, request: Request, invitation_id: int) -> Response:
        """For admins of the company; into a project, for whoever has `manage` there."""
        Nothing.read(request.data)
        invitation = invitation_queries.get_invitation(invitation_id=invitation_id, user=person(request))
        ended = membership.withdraw_invitation(
            invitation=invitation,
            caller=caller(request, company=invitation.company, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Invitation(ended).data)


class MyInvitations(Door):
    @operation(
        "list-my-invitations",
        "List what you are invited to",
        answer=outputs.InvitationList,
        parameters=(paging.Page,),
        refusals=(MalformedInput,),
    )
    def get(self, request: Request) -> Response:
        """Open invitations to e-mail addresses that are confirmed as yours."""
        page = paging.Page.read(request.query_params.dict())
        return invitation_list(invitation_queries.invitations_for(person(request), now=clock.now()), page)


class InvitationAcceptance(Door):
    @operation(
        "accept-invitation",
        "Accept an invitation",
        takes=Nothing,
        answer=outputs.Invitation,
        refusals=(
            NoSuchInvitation,
            InvitationEnded,
            InvitationForAnother,
            CompanyImported,
            ProjectArchived,
        ),
    )
    def post(self, request: Request, invitation_id: int) -> Response:
        """You join the company, or get the right in the project."""
        Nothing.read(request.data)
        user = person(request)
        accepted = membership.accept_invitation(
            invitation=invitation_queries.get_invitation_for(invitation_id=invitation_id, user=user),
            user=user,
            caller=caller(request, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Invitation(accepted).data)


class InvitationRefusal(Door):
    @operation(
        "decline-invitation",
        "Decline an invitation",
        takes=Nothing,
        answer=outputs.Invitation,
        refusals=(NoSuchInvitation, InvitationEnded, InvitationForAnother),
    )
    def post(self, request: Request, invitation_id: int) -> Response:
        """It gives you nothing then, and is over."""
        Nothing.read(request.data)
        user = person(request)
        declined = membership.decline_invitation(
            invitation=invitation_queries.get_invitation_for(invitation_id=invitation_id, user=user),
            user=user,
            caller=caller(request, key=idempotency_key(request)),
            now=clock.now(),
        )
        return Response(outputs.Invitation(declined).data)


def invitation_list(invitations: QuerySet[Invitation], page: dict[str, Any]) -> Response:
    """A page of invitations as an answer."""
    found, following = paging.by_id(invitations, **page)
    return Response(outputs.InvitationList({"invitations": found, "next": following}).data)


def _members(company: Company, page: dict[str, Any]) -> Response:
    found, following = paging.by_id(queries.members_of(company), by="user_id", **page)
    return Response(outputs.MemberList({"members": found, "next": following}).data)

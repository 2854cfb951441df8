"""Who belongs to a company: invitations, roles, leaving (mission rules 2 and 5)."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import invitations, mails, notices, queries, scopes
from accounts.models import Company, Invitation, Membership, ProjectRight, User
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Forbidden, NotFound
from portal.core.models import Act


class AlreadyMember(Conflict):
    code = "already-member"
    title = _("This person belongs to the company already.")
    why = _(
        "An invitation gives somebody new a first role or right. Sent to a member, it would change what that "
        "person may do past the list in which everybody sees it."
    )
    way_out = _("Change the role in the list of members, or the rights in a project.")
    source = "mission rule 5"


class InvitationEnded(Conflict):
    code = "invitation-ended"
    title = _("This invitation is not open any more: it was accepted, declined or withdrawn, or is too old.")
    why = _(
        "An invitation works once, and only as long as somebody stands by it. An old mail that turns up "
        "later must not open the company to anybody."
    )
    way_out = _("Ask for a new one, if you still need it.")
    source = "mission rule 2"


class InvitationForAnother(Forbidden):
    """Says nothing about whom it is for."""

    code = "invitation-for-another"
    title = _("This invitation was sent to an e-mail address that is not confirmed as yours.")
    why = _(
        "The company chose a person, by an e-mail address. If whoever has the link could accept it, a "
        "forwarded mail would let strangers in."
    )
    way_out = _("Sign in with the account of that address, or ask for an invitation to this one.")
    source = "mission rule 2"


class NoSuchMember(NotFound):
    code = "no-such-member"
    title = _("There is no such member in this company.")
    why = _(
        "Roles are given to people who belong to the company. Somebody may have left, or been removed, since "
        "your page was loaded."
    )
    way_out = _("Load the list of members again to see who belongs to it now.")
    source = "mission rule 5"


@transaction.atomic(durable=True)
def _invite(
    *, company: Company, email: str, role: Membership.Role, inviter: User, caller: Caller, now: datetime
) -> Invitation:
    act = acts.begin(
        operation="invite-member",
        caller=caller,
        given={"company": company.pk, "email": email, "role": role},
        now=now,
    )
    if act.outcome is not None:
        return Invitation.objects.select_related("company", "project", "invited_by").get(
            pk=act.outcome["invitation"]
        )
    scopes.lock_members(company)
    if Membership.objects.filter(company=company, user__email__iexact=email).exists():
        raise AlreadyMember
    invitation = invitations.open_invitation(
        company=company, project=None, email=email, role=role, level="", inviter=inviter, now=now
    )
    _tell("member-invited", invitation, act=act, caller=caller, now=now, role=str(role))
    acts.finish(act, outcome={"invitation": invitation.pk})
    return invitation


def invite_member(
    *, company: Company, email: str, role: Membership.Role, inviter: User, caller: Caller, now: datetime
) -> Invitation:
    """Invite somebody into a company by e-mail, with a role. The mail's link is good for 14 days.

    :raises AddressNeeded: `email` is no address.
    :raises RateLimited: the company has sent too many invitations within the hour.
    :raises AlreadyMember: a member has this address.
    :raises AlreadyInvited: there is an open invitation into the company for this address.
    :raises CompanyImported: the company is only a name by now.
    """
    address = invitations.canonical_address(email)
    # Outside the transaction: a refusal rolls back, and must be counted all the same.
    invitations.count_mail(company, what={"email": address}, caller=caller, now=now)
    return _invite(company=company, email=address, role=role, inviter=inviter, caller=caller, now=now)


def resend_invitation(*, invitation: Invitation, caller: Caller, now: datetime) -> Invitation:
    """Send an open invitation again, with a new link and another 14 days; expired ones too.

    :raises RateLimited: the company has sent too many invitations within the hour.
    :raises InvitationEnded: it was accepted, declined or withdrawn.
    """
    invitations.count_mail(invitation.company, what={"invitation": invitation.pk}, caller=caller, now=now)
    with transaction.atomic(durable=True):
        act = acts.begin(
            operation="resend-invitation", caller=caller, given={"invitation": invitation.pk}, now=now
        )
        invitation = _lock(invitation)
        if act.outcome is not None:
            return invitation
        if invitation.ended_at is not None:
            raise InvitationEnded
        invitations.renew(invitation, now=now)
        _tell("invitation-resent", invitation, act=act, caller=caller, now=now)
        acts.finish(act, outcome={})
    return invitation


@transaction.atomic(durable=True)
def withdraw_invitation(*, invitation: Invitation, caller: Caller, now: datetime) -> Invitation:
    """Withdraw an open invitation: its link is dead.

    :raises InvitationEnded: it was accepted, declined or withdrawn before.
    """
    return _end(invitation, Invitation.End.WITHDRAWN, event="invitation-withdrawn", caller=caller, now=now)


@transaction.atomic(durable=True)
def decline_invitation(*, invitation: Invitation, user: User, caller: Caller, now: datetime) -> Invitation:
    """Decline an invitation that was sent to an address of the user's.

    :raises InvitationForAnother: the address is not confirmed as the user's.
    :raises InvitationEnded: it is not open any more.
    """
    return _end(
        invitation, Invitation.End.DECLINED, event="invitation-declined", caller=caller, now=now, user=user
    )


@transaction.atomic(durable=True)
def accept_invitation(*, invitation: Invitation, user: User, caller: Caller, now: datetime) -> Invitation:
    """Join the company, or get the right in the project, that the invitation is for.

    Whoever belongs to the company already keeps the role; a right is only ever raised by an invitation.

    :raises InvitationForAnother: the address it was sent to is not confirmed as the user's.
    :raises InvitationEnded: it is not open any more, or too old.
    :raises CompanyImported: the company is only a name by now.
    :raises ProjectArchived: the project is archived.
    """
    act = acts.begin(
        operation="accept-invitation",
        caller=caller,
        given={"invitation": invitation.pk, "user": user.pk},
        now=now,
    )
    if act.outcome is not None:
        return Invitation.objects.select_related("company", "project", "invited_by").get(pk=invitation.pk)
    # The company first, as everywhere: an import of it ends its invitations under the same lock.
    if invitation.project is None:
        scopes.lock_members(invitation.company)
    else:
        scopes.hold_project(invitation.project)
    invitation = _lock(invitation)
    if invitation.ended_at is not None or invitation.expires_at <= now:
        raise InvitationEnded
    _require_addressee(invitation, user)
    if invitation.project is None:
        gets = {"role": invitation.role, "joined_at": now}
        _membership, joined = Membership.objects.get_or_create(
            user=user, company=invitation.company, defaults=gets
        )
        if joined:
            notices.member_joined(user, invitation.company, now=now)
    else:
        _raise_right(user=user, invitation=invitation)
    gives = {"role": invitation.role} if invitation.project is None else {"right": invitation.level}
    invitations.end(invitation, how=Invitation.End.ACCEPTED, now=now, by=user)
    _tell("invitation-accepted", invitation, act=act, caller=caller, now=now, **gives)
    acts.finish(act, outcome={})
    return invitation


@transaction.atomic(durable=True)
def change_role(
    *, membership: Membership, role: Membership.Role, caller: Caller, now: datetime
) -> Membership:
    """Make a member an admin, or an admin a plain member.

    :raises NoSuchMember: the person does not belong to the company any more.
    :raises LastAdmin: the company would be left without an admin. Fact `company`.
    :raises CompanyImported: the company is only a name by now.
    """
    act = acts.begin(
        operation="change-role", caller=caller, given={"membership": membership.pk, "role": role}, now=now
    )
    scopes.lock_members(membership.company)
    membership = _read(membership)
    if act.outcome is not None:
        return membership
    if role != Membership.Role.ADMIN:
        scopes.require_another_admin(membership.company, besides=membership.user_id)
    membership.role = role
    membership.save(update_fields=["role"])
    audit.record(
        "role-changed",
        caller=caller,
        now=now,
        act=act,
        company_id=membership.company_id,
        user=membership.user_id,
        role=str(role),
    )
    acts.finish(act, outcome={})
    return membership


@transaction.atomic(durable=True)
def remove_member(*, company: Company, user_id: int, caller: Caller, now: datetime) -> None:
    """Take somebody out of the company, with all rights in its projects. The person is told by mail.

    :raises NoSuchMembership: the person does not belong to the company.
    :raises NoSuchMember: the person does not belong to the company any more.
    :raises LastAdmin: the company would be left without an admin. Fact `company`.
    :raises CompanyImported: the company is only a name by now.
    """
    act = acts.begin(
        operation="remove-member", caller=caller, given={"company": company.pk, "user": user_id}, now=now
    )
    if act.outcome is not None:
        return
    membership = queries.get_membership(company=company, user_id=user_id)
    _take_out(membership, event="member-removed", act=act, caller=caller, now=now)
    user = membership.user
    mails.write(
        "accounts/email/member_removed",
        to=user.email,
        language=user.language,
        context={"name": user.get_full_name(), "company": membership.company.name},
        recipient=user,
        company_id=company.pk,
        now=now,
    )


@transaction.atomic(durable=True)
def leave_company(*, company: Company, user: User, caller: Caller, now: datetime) -> None:
    """Leave a company, with all rights in its projects.

    The only one who belongs to a company may leave it; balance and projects stay for support to deal with.

    :raises NoSuchMembership: the person does not belong to the company.
    :raises NoSuchMember: the person does not belong to the company any more.
    :raises LastAdmin: others belong to the company, and none of them is an admin. Fact `company`.
    :raises CompanyImported: the company is only a name by now.
    """
    act = acts.begin(operation="leave-company", caller=caller, given={"company": company.pk}, now=now)
    if act.outcome is None:
        membership = queries.get_membership(company=company, user_id=user.pk)
        _take_out(membership, event="member-left", act=act, caller=caller, now=now)


def _raise_right(*, user: User, invitation: Invitation) -> None:
    """Give the right of an invitation into a project, unless the person has a higher one there."""
    assert invitation.project is not None, "asked for invitations into projects only"
    right, _made = ProjectRight.objects.get_or_create(
        user=user, project=invitation.project, defaults={"level": invitation.level}
    )
    if right.level not in ProjectRight.Level(invitation.level).and_above:
        right.level = invitation.level
        right.save(update_fields=["level"])


def _take_out(membership: Membership, *, event: str, act: Act, caller: Caller, now: datetime) -> None:
    scopes.lock_members(membership.company)
    membership = _read(membership)
    scopes.require_another_admin(membership.company, besides=membership.user_id)
    ProjectRight.objects.filter(user=membership.user_id, project__company=membership.company).delete()
    membership.delete()
    company, user = membership.company, membership.user
    notices.member_left(user, company, caller=caller, now=now)
    audit.record(event, caller=caller, now=now, act=act, company_id=company.pk, user=user.pk)
    acts.finish(act, outcome={})


def _end(
    invitation: Invitation,
    how: Invitation.End,
    *,
    event: str,
    caller: Caller,
    now: datetime,
    user: User | None = None,
) -> Invitation:
    act = acts.begin(operation=event, caller=caller, given={"invitation": invitation.pk}, now=now)
    invitation = _lock(invitation)
    if act.outcome is not None:
        return invitation
    if invitation.ended_at is not None:
        raise InvitationEnded
    if user is not None:
        _require_addressee(invitation, user)
    invitations.end(invitation, how=how, now=now, by=user)
    _tell(event, invitation, act=act, caller=caller, now=now)
    acts.finish(act, outcome={})
    return invitation


def _lock(invitation: Invitation) -> Invitation:
    locking = Invitation.objects.select_for_update(of=("self",), no_key=True)
    return locking.select_related("company", "project", "invited_by").get(pk=invitation.pk)


def _read(membership: Membership) -> Membership:
    # Locked, so that a right given at this moment does not outlive the membership (accounts.rights).
    locking = Membership.objects.select_for_update(of=("self",))
    found = locking.select_related("company", "user").filter(pk=membership.pk).first()
    if found is None:
        raise NoSuchMember
    return found


def _require_addressee(invitation: Invitation, user: User) -> None:
    addresses = EmailAddress.objects.filter(user=user, verified=True)
    if not addresses.filter(email__iexact=invitation.email).exists():
        raise InvitationForAnother


def _tell(
    event: str, invitation: Invitation, *, act: Act, caller: Caller, now: datetime, **facts: str
) -> None:
    audit.record(
        event,
        caller=caller,
        now=now,
        act=act,
        company_id=invitation.company_id,
        project_id=invitation.project_id,
        project=invitation.project.name if invitation.project else "",
        **facts,
    )

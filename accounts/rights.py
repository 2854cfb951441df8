"""Rights in one project, for members and for people from outside (mission rule 5)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import invitations, scopes
from accounts.models import Invitation, Membership, Project, ProjectRight, User
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, NotFound
from portal.core.models import Act


class NobodyToGiveARight(NotFound):
    code = "nobody-to-give-a-right"
    title = _("This person neither belongs to the company nor has a right in the project.")
    why = _(
        "A right is given only to people who belong here, or who accepted an invitation. So nobody gets into "
        "a project without their consent, or by a mistake in a list."
    )
    way_out = _("Invite people from outside into the project by e-mail.")
    source = "mission rule 5"


class HasTheRight(Conflict):
    code = "has-the-right"
    title = _("Somebody with this address has a right in the project already.")
    why = _(
        "Each person has one right in a project. A second invitation would leave open which of two rights "
        "counts."
    )
    way_out = _("Change it in the list of rights instead of inviting again.")
    source = "mission rule 5"


class NoSuchRight(NotFound):
    code = "no-such-right"
    title = _("This person has no right of their own in the project.")
    why = _(
        "Only a right that was given in this project can be changed or taken away here. What somebody may do "
        "as an admin comes with the role."
    )
    way_out = _(
        "Load the list of rights again to see who has one. Admins of the company manage every project."
    )
    source = "mission rule 5"


def invite_into_project(
    *, project: Project, email: str, level: ProjectRight.Level, inviter: User, caller: Caller, now: datetime
) -> Invitation:
    """Invite somebody into one project by e-mail: an end customer, who will see nothing else.

    :raises AddressNeeded: `email` is no address.
    :raises RateLimited: the company has sent too many invitations within the hour.
    :raises HasTheRight: somebody with this address has a right there.
    :raises AlreadyInvited: there is an open invitation into the project for this address.
    :raises ProjectArchived: the project is archived.
    """
    address = invitations.canonical_address(email)
    # Outside the transaction: a refusal rolls back, and must be counted all the same.
    invitations.count_mail(
        project.company, what={"project": project.pk, "email": address}, caller=caller, now=now
    )
    with transaction.atomic(durable=True):
        act = acts.begin(
            operation="invite-into-project",
            caller=caller,
            given={"project": project.pk, "email": address, "level": level},
            now=now,
        )
        if act.outcome is not None:
            return Invitation.objects.select_related("company", "project", "invited_by").get(
                pk=act.outcome["invitation"]
            )
        project = scopes.hold_project(project)
        if ProjectRight.objects.filter(project=project, user__email__iexact=address).exists():
            raise HasTheRight
        invitation = invitations.open_invitation(
            company=project.company,
            project=project,
            email=address,
            role="",
            level=level,
            inviter=inviter,
            now=now,
        )
        audit.record(
            "invited-into-project",
            caller=caller,
            now=now,
            act=act,
            company_id=project.company_id,
            project_id=project.pk,
            project=project.name,
            right=str(level),
        )
        acts.finish(act, outcome={"invitation": invitation.pk})
    return invitation


@transaction.atomic(durable=True)
def set_right(
    *, project: Project, user_id: int, level: ProjectRight.Level, caller: Caller, now: datetime
) -> ProjectRight:
    """Give a member a right in the project, or change the right that somebody has there.

    :raises NobodyToGiveARight: the person is no member and has no right in the project.
    :raises ProjectArchived: the project is archived.
    """
    act = acts.begin(
        operation="set-right",
        caller=caller,
        given={"project": project.pk, "user": user_id, "level": level},
        now=now,
    )
    project = scopes.hold_project(project)
    rights = ProjectRight.objects.select_related("user", "project__company")
    if act.outcome is not None:
        found = rights.filter(project=project, user__pk=user_id).first()
        if found is None:
            raise NoSuchRight
        return found
    # By `user__pk`: unlike `user_id`, it bears a number that is larger than any the database holds.
    # Locked, so that a member who is removed at this moment does not keep a right.
    membership = (
        Membership.objects.select_for_update(of=("self",))
        .filter(company=project.company_id, user__pk=user_id)
        .first()
    )
    if membership is None and not rights.filter(project=project, user__pk=user_id).exists():
        raise NobodyToGiveARight
    ProjectRight.objects.update_or_create(project=project, user_id=user_id, defaults={"level": level})
    _tell("right-set", project, user_id, act=act, caller=caller, now=now, right=str(level))
    acts.finish(act, outcome={})
    return rights.get(project=project, user_id=user_id)


@transaction.atomic(durable=True)
def withdraw_right(*, project: Project, user_id: int, caller: Caller, now: datetime) -> None:
    """Take somebody's right in the project. An end customer sees nothing of it any more.

    :raises NoSuchRight: the person has none of their own.
    """
    act = acts.begin(
        operation="withdraw-right", caller=caller, given={"project": project.pk, "user": user_id}, now=now
    )
    if act.outcome is not None:
        return
    removed, _by_model = ProjectRight.objects.filter(project=project, user__pk=user_id).delete()
    if not removed:
        raise NoSuchRight
    _tell("right-withdrawn", project, user_id, act=act, caller=caller, now=now)
    acts.finish(act, outcome={})


def _tell(
    event: str,
    project: Project,
    user_id: int,
    *,
    act: Act,
    caller: Caller,
    now: datetime,
    **facts: str,
) -> None:
    audit.record(
        event,
        caller=caller,
        now=now,
        act=act,
        company_id=project.company_id,
        project_id=project.pk,
        project=project.name,
        user=user_id,
        **facts,
    )

"""Invitations, as those may see them who sent them, or to whom they were sent."""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts import invitations
from accounts.models import Company, Invitation, Project, User
from accounts.queries import MANAGE, is_admin, reaches, right_in
from portal.core.errors import UNSEEN, NotFound


class NoSuchInvitation(NotFound):
    code = "no-such-invitation"
    title = _("There is no such invitation, or none that you may see.")
    why = UNSEEN
    way_out = _("Open the link of the newest mail, or ask for a new invitation.")
    source = "mission rule 5"


def invitations_into(scope: Company | Project) -> QuerySet[Invitation]:
    """What a company, or a project, has sent and nobody has answered, expired ones included; oldest first."""
    into = {"company": scope, "project": None} if isinstance(scope, Company) else {"project": scope}
    return (
        Invitation.objects.filter(**into, ended_at__isnull=True)
        .select_related("company", "project", "invited_by")
        .order_by("invited_at", "pk")
    )


def get_invitation(*, invitation_id: int, user: User) -> Invitation:
    """One invitation, open or not, for somebody who may withdraw it: an admin of the company, or who manages
    the project.

    :raises NoSuchInvitation: there is none, or the user may not see it.
    """
    found = _invitations().filter(pk=invitation_id).first()
    if found is None:
        raise NoSuchInvitation
    if found.project is None:
        allowed = is_admin(company=found.company, user=user)
    else:
        allowed = reaches(right_in(project=found.project, user=user), needed=MANAGE)
    if not allowed:
        raise NoSuchInvitation
    return found


def invitations_for(user: User, *, now: datetime) -> QuerySet[Invitation]:
    """What somebody is invited to: open invitations to addresses that are confirmed as theirs."""
    return (
        _invitations()
        .filter(ended_at=None, email__in=_addresses(user), expires_at__gt=now)
        .order_by("invited_at", "pk")
    )


def get_invitation_for(*, invitation_id: int, user: User) -> Invitation:
    """One invitation to somebody, open, too old, or answered by them.

    :raises NoSuchInvitation: there is none to them.
    """
    to_them = Q(ended_at=None, email__in=_addresses(user)) | Q(answered_by=user)
    found = _invitations().filter(to_them, pk=invitation_id).first()
    if found is None:
        raise NoSuchInvitation
    return found


def invitation_behind(token: str) -> Invitation:
    """The open invitation of a mail's link; whoever holds the link may see it.

    :raises NoSuchInvitation: the link is used, dead, or no link.
    """
    found = _invitations().filter(ended_at=None, token_sha256=invitations.hash_of(token)).first()
    if found is None:
        raise NoSuchInvitation
    return found


def _invitations() -> QuerySet[Invitation]:
    return Invitation.objects.select_related("company", "project__company", "invited_by")


def _addresses(user: User) -> QuerySet[User, str]:
    # By way of the user: devices' pool does without allauth, and this module is everybody's.
    confirmed = User.objects.filter(pk=user.pk, emailaddress__verified=True)
    return confirmed.values_list(Lower("emailaddress__email"), flat=True)

"""Companies and projects, as one person may see them. The only way for doors to get at either.

A stranger and a missing row get the same NotFound (architecture.md, "Tenancy").
"""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import invitations
from accounts.models import Company, CustomerAccount, Invitation, Membership, Project, ProjectRight, User
from portal.core.errors import UNSEEN, Forbidden, NotFound

VIEW, OPERATE, MANAGE = "view", "operate", "manage"
_AT_LEAST = {VIEW: [VIEW, OPERATE, MANAGE], OPERATE: [OPERATE, MANAGE], MANAGE: [MANAGE]}


class NoSuchProject(NotFound):
    code = "no-such-project"
    title = _("There is no such project, or none that you may see.")
    why = UNSEEN
    way_out = _("Choose a project from your list, or ask an admin of the company for the right to see it.")
    source = "mission rule 5"


class NoSuchCompany(NotFound):
    code = "no-such-company"
    title = _("There is no such company, or none that you belong to.")
    why = UNSEEN
    way_out = _("Choose a company from your list, or ask one of its admins for an invitation.")
    source = "mission rule 5"


class RightMissing(Forbidden):
    code = "right-missing"
    title = _("You may see this project, but not do this: it needs the right “%(needed)s”.")
    why = _(
        "Who may look into a project is not always meant to change it. The company decides for each person, "
        "so that nobody changes licenses or devices without its consent."
    )
    way_out = _("Ask an admin of the company for the right.")
    source = "mission rule 5"


class AdminNeeded(Forbidden):
    code = "admin-needed"
    title = _("Only an admin of the company may do this.")
    why = _(
        "This touches the whole company: its members, its balance or all of its projects. A few people whom "
        "the company chose answer for that."
    )
    way_out = _("Ask one of the admins of the company.")
    source = "mission rule 5"


class NoSuchInvitation(NotFound):
    code = "no-such-invitation"
    title = _("There is no such invitation, or none that you may see.")
    why = UNSEEN
    way_out = _("Open the link of the newest mail, or ask for a new invitation.")
    source = "mission rule 5"


class NoSuchMembership(NotFound):
    code = "no-such-membership"
    title = _("There is no such member in this company, or none that you may see.")
    why = UNSEEN
    way_out = _("Choose somebody from the company's list of members.")
    source = "mission rule 5"


def projects_of(user: User, *, right: str = VIEW) -> QuerySet[Project]:
    """Projects in which the user has at least the right: as company admin all, otherwise as given.

    Archived ones included; ordered by company and name.
    """
    by_admin = Membership.objects.filter(user=user, company=OuterRef("company"), role=Membership.Role.ADMIN)
    by_right = ProjectRight.objects.filter(user=user, project=OuterRef("pk"), level__in=_AT_LEAST[right])
    return (
        Project.objects.filter(Exists(by_admin) | Exists(by_right))
        .select_related("company")
        .order_by("company__name", "name", "pk")
    )


def get_project(*, project_id: int, user: User, right: str = VIEW) -> Project:
    """One project, for somebody with the right.

    :raises NoSuchProject: there is none, or the user may not see it.
    :raises RightMissing: the user may see it, but has less than `right`.
    """
    project = projects_of(user).filter(pk=project_id).first()
    if project is None:
        raise NoSuchProject
    if right != VIEW and not projects_of(user, right=right).filter(pk=project_id).exists():
        raise RightMissing(needed=right)
    return project


def right_in(*, project: Project, user: User) -> str:
    """The user's right in a project, "" for a stranger: what a page shows follows from it."""
    admin = Membership.objects.filter(
        user=user, company_id=project.company_id, role=Membership.Role.ADMIN
    ).exists()
    if admin:
        return MANAGE
    return (
        ProjectRight.objects.filter(user=user, project=project).values_list("level", flat=True).first() or ""
    )


def reaches(right: str, *, needed: str) -> bool:
    """Whether a right is at least another: `manage` holds `operate`, which holds `view`."""
    return right in _AT_LEAST[needed]


def companies_of(user: User) -> QuerySet[Company]:
    """Companies the user is a member of, by name."""
    return Company.objects.filter(memberships__user=user).order_by("name", "pk")


def get_company(*, company_id: int, user: User, admin: bool = False) -> Company:
    """One company of the user's.

    :raises NoSuchCompany: there is none, or the user is no member.
    :raises AdminNeeded: `admin` was asked for, and the user is a plain member.
    """
    # By `company__pk`: unlike `company_id`, it bears a number that is larger than any the database holds.
    memberships = Membership.objects.filter(company__pk=company_id, user=user)
    membership = memberships.select_related("company").first()
    if membership is None:
        raise NoSuchCompany
    if admin and membership.role != Membership.Role.ADMIN:
        raise AdminNeeded
    return membership.company


def memberships_of(user: User) -> QuerySet[Membership]:
    """The user's memberships with their companies, by the company's name."""
    return Membership.objects.filter(user=user).select_related("company").order_by("company__name", "pk")


def members_of(company: Company) -> QuerySet[Membership]:
    """Who belongs to a company, by surname."""
    return (
        Membership.objects.filter(company=company)
        .select_related("user")
        .order_by("user__surname", "user__forename", "pk")
    )


def is_member(*, company: Company, user: User) -> bool:
    """Whether the user belongs to the company, unlike its end customers."""
    return Membership.objects.filter(company=company, user=user).exists()


def is_admin(*, company: Company, user: User) -> bool:
    """Whether the user is an admin of the company."""
    return Membership.objects.filter(company=company, user=user, role=Membership.Role.ADMIN).exists()


def require_member(*, project: Project, user: User) -> None:
    """Hold what is for members of the project's company only, never for end customers (mission rule 5).

    :raises NoSuchCompany: the user has a right in the project, but is no member of its company.
    """
    get_company(company_id=project.company_id, user=user)


def get_membership(*, company: Company, user_id: int) -> Membership:
    """One member of a company.

    :raises NoSuchMembership: the person does not belong to it.
    """
    found = (
        Membership.objects.filter(company=company, user__pk=user_id).select_related("company", "user").first()
    )
    if found is None:
        raise NoSuchMembership
    return found


def rights_in(project: Project) -> QuerySet[ProjectRight]:
    """Who has a right of their own in a project, by surname; admins of the company need none."""
    return (
        ProjectRight.objects.filter(project=project)
        .select_related("user")
        .order_by("user__surname", "user__forename", "pk")
    )


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


def _addresses(user: User) -> list[str]:
    # By way of the user: devices' pool does without allauth, and this module is everybody's.
    confirmed = User.objects.filter(pk=user.pk, emailaddress__verified=True)
    return [address.lower() for address in confirmed.values_list("emailaddress__email", flat=True)]


def customer_account_of(company: Company) -> CustomerAccount | None:
    """The account in the vendor's customer list that the company is linked to (mission rule 2)."""
    return CustomerAccount.objects.filter(company=company).first()

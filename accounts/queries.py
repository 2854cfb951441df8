"""Companies and projects, as one person may see them. The only way for doors to get at either.

A stranger and a missing row get the same NotFound (architecture.md, "Tenancy").
"""

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from accounts import kept_reads
from accounts.kept_reads import Standing
from accounts.models import (
    ApiToken,
    Company,
    CustomerAccount,
    Membership,
    Principal,
    Project,
    ProjectRight,
    User,
)
from portal.core.errors import UNSEEN, Forbidden, NotFound
from portal.core.models import AuditEntry

VIEW, OPERATE, MANAGE = "view", "operate", "manage"
# What transfers need in each project: of a person the right `manage`, of a token a scope of its own.
TRANSFER = "transfer"
_AT_LEAST = {level.value: level.and_above for level in ProjectRight.Level}
_AT_LEAST[TRANSFER] = ProjectRight.Level.MANAGE.and_above
_SCOPE = {
    VIEW: ApiToken.Scope.READ,
    OPERATE: ApiToken.Scope.OPERATE,
    MANAGE: ApiToken.Scope.MANAGE,
    TRANSFER: ApiToken.Scope.TRANSFER,
}


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


class NoSuchApiToken(NotFound):
    code = "no-such-api-token"
    title = _("There is no such API token, or none that you may see.")
    why = UNSEEN
    way_out = _("Look at the list of tokens of your company or project.")
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


class NoSuchMembership(NotFound):
    code = "no-such-membership"
    title = _("There is no such member in this company, or none that you may see.")
    why = UNSEEN
    way_out = _("Choose somebody from the company's list of members.")
    source = "mission rule 5"


def projects_of(user: Principal, *, right: str = VIEW) -> QuerySet[Project]:
    """Projects in which somebody has at least the right: as company admin all, otherwise as given; a token
    has it by its scopes.

    Archived ones included; ordered by company and name.
    """
    return (
        Project.objects.filter(_within_reach(user, right))
        .select_related("company")
        .order_by("company__name", "name", "pk")
    )


def _within_reach(user: Principal, right: str) -> Q:
    if isinstance(user, ApiToken):
        if _SCOPE[right] not in user.granted:
            return Q(pk__in=[])
        if user.project_id is None:
            return Q(company=user.company_id)
        # A project's token reaches as far as its maker does now: taking the right from a person takes it
        # from the tokens they made there (docs/decisions/0016).
        return Q(api_tokens=user.pk) & _within_reach(user.made_by, right)
    if user.viewing is not None:
        return Q(company=user.viewing) if right == VIEW else Q(pk__in=[])
    by_admin = Membership.objects.filter(user=user, company=OuterRef("company"), role=Membership.Role.ADMIN)
    by_right = ProjectRight.objects.filter(user=user, project=OuterRef("pk"), level__in=_AT_LEAST[right])
    return Q(Exists(by_admin) | Exists(by_right))


def get_project(
    *, project_id: int, user: Principal, right: str = VIEW, members_only: bool = False
) -> Project:
    """One project, for somebody with the right.

    :param members_only: what is done is for members of the project's company, never for end customers.
    :raises NoSuchProject: there is none, or the user may not see it.
    :raises RightMissing: the user may see it, but has less than `right`.
    :raises NoSuchCompany: the user has the right, but is no member of the company.
    """
    if isinstance(user, User) and user.viewing is None:
        standing = kept_reads.project(project_id, user_id=user.pk)
        if standing is None or not held_by(standing):
            raise NoSuchProject
        require_right(standing, right)
        if members_only and not standing.role:
            raise NoSuchCompany
        return standing.project
    project = _project_by_scopes(project_id=project_id, user=user, right=right)
    if members_only:
        require_member(project=project, user=user)
    return project


def held_by(standing: Standing) -> str:
    """The right of a person in a project, "" for a stranger: an admin of the company has them all."""
    return MANAGE if standing.is_admin else standing.level


def require_right(standing: Standing, right: str) -> None:
    """:raises RightMissing: the person, who may see the project, has less than `right` there."""
    if not reaches(held_by(standing), needed=right):
        raise _missing(right)


def _missing(right: str) -> RightMissing:
    return RightMissing(needed=MANAGE if right == TRANSFER else right)


def _project_by_scopes(*, project_id: int, user: Principal, right: str) -> Project:
    """For a token, whose scopes say what it may; and for whoever views a company as it sees itself."""
    project = projects_of(user, right=right).filter(pk=project_id).first()
    if project is None and right != VIEW and projects_of(user).filter(pk=project_id).exists():
        raise _missing(right)
    if project is None:
        raise NoSuchProject
    return project


def right_in(*, project: Project, user: User) -> str:
    """The user's right in a project, "" for a stranger: what a page shows follows from it."""
    return standing_in(project=project, user=user)[0]


def standing_in(*, project: Project, user: User) -> tuple[str, bool]:
    """The user's right in a project, and whether they belong to its company, unlike its end customers."""
    if user.viewing is not None:
        return (VIEW, True) if project.company_id == user.viewing else ("", False)
    roles = Membership.objects.filter(user=user, company_id=project.company_id)
    levels = ProjectRight.objects.filter(user=user, project=project)
    both = roles.values_list(Value("role"), "role").union(
        levels.values_list(Value("level"), "level"), all=True
    )
    found = dict(both.order_by())
    if found.get("role") == Membership.Role.ADMIN:
        return MANAGE, True
    return found.get("level", ""), "role" in found


def reaches(right: str, *, needed: str) -> bool:
    """Whether a right is at least another: `manage` holds `operate`, which holds `view`."""
    return right in _AT_LEAST[needed]


def companies_of(user: User) -> QuerySet[Company]:
    """Companies the user is a member of, by name."""
    if user.viewing is not None:
        return Company.objects.filter(pk=user.viewing)
    return Company.objects.filter(memberships__user=user).order_by("name", "pk")


def get_company(*, company_id: int, user: Principal, admin: bool = False) -> Company:
    """One company of the user's, or the one that a company's token is of. Its scopes, which the doors hold,
    say what it may do there.

    :raises NoSuchCompany: there is none, or the user is no member.
    :raises AdminNeeded: `admin` was asked for, and the user is a plain member.
    """
    if isinstance(user, ApiToken):
        if user.project_id is not None or user.company_id != company_id:
            raise NoSuchCompany
        return user.company
    if user.viewing is not None:
        viewed = companies_of(user).filter(pk=company_id).first()
        if viewed is None:
            raise NoSuchCompany
        if admin:
            raise AdminNeeded
        return viewed
    # By `company__pk`: unlike `company_id`, it bears a number that is larger than any the database holds.
    memberships = Membership.objects.filter(company__pk=company_id, user=user)
    membership = memberships.select_related("company").first()
    if membership is None:
        raise NoSuchCompany
    if admin and membership.role != Membership.Role.ADMIN:
        raise AdminNeeded
    return membership.company


def get_company_to_leave(*, company_id: int, user: User) -> Company:
    """A company of the user's; also one that they left, to ask again what came of it.

    :raises NoSuchCompany: there is none, or the user never was a member.
    """
    try:
        return get_company(company_id=company_id, user=user)
    except NoSuchCompany:
        left = AuditEntry.objects.filter(event="member-left", actor=user, company_id=company_id)
        company = Company.objects.filter(pk=company_id).first() if left.exists() else None
        if company is None:
            raise
        return company


def memberships_of(user: User) -> QuerySet[Membership]:
    """The user's memberships with their companies, by the company's name; for whoever views a company as it
    sees itself, that of one of its admins."""
    if user.viewing is not None:
        admins = Membership.objects.filter(company=user.viewing, role=Membership.Role.ADMIN)
        return admins.filter(pk__in=admins.order_by("pk").values("pk")[:1]).select_related("company")
    return Membership.objects.filter(user=user).select_related("company").order_by("company__name", "pk")


def members_of(company: Company) -> QuerySet[Membership]:
    """Who belongs to a company, by surname."""
    return (
        Membership.objects.filter(company=company)
        .select_related("user")
        .order_by("user__surname", "user__forename", "pk")
    )


def is_member(*, company: Company, user: Principal) -> bool:
    """Whether somebody belongs to the company, unlike its end customers, and tokens of one project."""
    if isinstance(user, ApiToken):
        return user.project_id is None and user.company_id == company.pk
    if user.viewing is not None:
        return company.pk == user.viewing
    return Membership.objects.filter(company=company, user=user).exists()


def is_admin(*, company: Company, user: User) -> bool:
    """Whether the user is an admin of the company."""
    if user.viewing is not None:
        return False
    return Membership.objects.filter(company=company, user=user, role=Membership.Role.ADMIN).exists()


def require_member(*, project: Project, user: Principal) -> None:
    """Hold what is for members of the project's company only, never for end customers (mission rule 5).

    :raises NoSuchCompany: the user has a right in the project, but is no member of its company.
    """
    get_company(company_id=project.company_id, user=user)


def api_tokens_of(company: Company, *, project: Project | None = None) -> QuerySet[ApiToken]:
    """The tokens of a company, or of one of its projects, with their last use; the latest first."""
    return (
        ApiToken.objects.filter(company=company, project=project)
        .select_related("company", "project", "made_by", "use")
        .order_by("-pk")
    )


def get_api_token(*, token_id: int, user: User) -> ApiToken:
    """One token that the user may revoke: of a company as its admin, of a project with `manage` there.

    :raises NoSuchApiToken: there is none, or the user may not.
    """
    token = (
        ApiToken.objects.select_related("company", "project", "made_by", "use").filter(pk=token_id).first()
    )
    if token is None:
        raise NoSuchApiToken
    admin = is_admin(company=token.company, user=user)
    if not admin and not projects_of(user, right=MANAGE).filter(api_tokens=token).exists():
        raise NoSuchApiToken
    return token


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


def customer_account_of(company: Company) -> CustomerAccount | None:
    """The account in the vendor's customer list that the company is linked to (mission rule 2)."""
    return CustomerAccount.objects.filter(company=company).first()

"""Companies and projects held still while something is changed in them.

Whoever puts something into a company or a project holds the company (a shared lock, until the commit).
Whoever archives a project or imports the company into another one closes the company against them.
So nothing comes to rest in what has just been closed. The order of locks: the act, then the key or device,
then companies, then everything else (docs/decisions/0015).
"""

from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, Membership, Project
from portal.core.errors import Conflict


class CompanyImported(Conflict):
    code = "company-imported"
    title = _("This company was imported into another one, and is only a name by now.")
    why = _(
        "Everything of value went to the other company, and the old name stays only for the history. "
        "Whatever came in here now would be lost to its owner."
    )
    way_out = _("Go on in the company it was imported into: its projects and licenses are there.")
    source = "mission rule 3"


class ProjectArchived(Conflict):
    code = "project-archived"
    title = _("The project %(name)s is archived: no key, license or device can come into it.")
    why = _(
        "An archived project is out of sight in everyday work. A license or device that came into it would "
        "be forgotten there."
    )
    way_out = _("Choose another project, or ask somebody who may manage it to take it out of the archive.")
    source = "mission rule 4"


class LastAdmin(Conflict):
    code = "last-admin"
    title = _("This would leave %(company)s without an admin, while others belong to it.")
    why = _(
        "Only an admin can invite, remove or give rights. Without one, the others could not even make a new "
        "admin, and would be locked in."
    )
    way_out = _("Make another one of its members an admin first.")
    source = "mission rule 5"


def hold(company_id: int) -> bool:
    """Take the shared lock on a company; whether it was imported, and by now is only a name."""
    # Django has no FOR KEY SHARE, the weakest row lock, which foreign keys take as well. SQLite has one
    # writer at a time, who holds everything.
    share = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT imported_into_id FROM accounts_company WHERE id = %s{share}", [company_id])  # noqa: S608
        row = cursor.fetchone()
    return row is not None and row[0] is not None


def hold_company(company: Company) -> None:
    """Keep the company as it is until the transaction ends: nobody imports it, or archives a project of it.

    Many may hold a company at once.

    :raises CompanyImported: it was imported.
    """
    if hold(company.pk):
        raise CompanyImported


def hold_project(project: Project) -> Project:
    """Hold the company of the project, whichever that is by now, and read the project anew.

    :raises ProjectArchived: nothing may come into it.
    """
    held = hold_wherever_it_is(project)
    require_open(held)
    return held


def hold_wherever_it_is(project: Project) -> Project:
    """As `hold_project`, for what leaves the project: it may be archived."""
    company_id = project.company_id
    while True:
        hold(company_id)
        held = Project.objects.select_related("company").get(pk=project.pk)
        if held.company_id == company_id:
            return held
        company_id = held.company_id  # it came over to another company while this one was waited for


def require_open(project: Project) -> None:
    """Refuse to put something into an archived project. The project was read while its company was held.

    :raises ProjectArchived: it is archived.
    """
    if project.archived_at is not None:
        raise ProjectArchived(name=project.name)


def close_company(company: Company, *, beside: Iterable[Company] = ()) -> Company:
    """Lock the company against everybody who holds it, hold the others, and read the company anew.

    :raises CompanyImported: the company, or one of the others, was imported.
    """
    # In the order of ids, so that two companies that shall take in each other do not wait in a circle.
    for pk in sorted({company.pk, *(one.pk for one in beside)}):
        if pk == company.pk:
            Company.objects.select_for_update(of=("self",)).get(pk=pk)
        elif hold(pk):
            raise CompanyImported
    closed = Company.objects.get(pk=company.pk)
    if closed.imported_into_id is not None:
        raise CompanyImported
    return closed


def lock_members(company: Company) -> None:
    """Lock who belongs to the company: two admins that leave at once must not each count on the other.

    :raises CompanyImported: it was imported.
    """
    count_alone(company)


def count_alone(company: Company) -> None:
    """Let nobody else count, until the commit, what the company may have only so many of.

    :raises CompanyImported: it was imported.
    """
    # Not as strong as a closed company: who only puts something into it need not wait for this.
    locked = Company.objects.select_for_update(of=("self",), no_key=True).get(pk=company.pk)
    if locked.imported_into_id is not None:
        raise CompanyImported


def require_another_admin(company: Company, *, besides: int) -> None:
    """Hold that a company with members has an admin. The members are locked.

    :param besides: id of the user who will be no admin any more.
    :raises LastAdmin: others belong to the company, and none of them is an admin. Fact `company`.
    """
    others = Membership.objects.filter(company=company).exclude(user_id=besides)
    if others.exists() and not others.filter(role=Membership.Role.ADMIN).exists():
        raise LastAdmin(company=company.name)

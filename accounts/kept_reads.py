"""What nearly every request of a signed-in person reads, with plans that are kept (docs/decisions/0017).

The session, the person, and a project with what the person may do there: by the ORM they were a third of a
request that assigns licenses.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from accounts.models import Company, Membership, Project, User
from portal.core.kept_queries import LARGEST_ID, Columns, KeptQuery, columns_of, listed

_USER, _PROJECT, _COMPANY = columns_of(User), columns_of(Project), columns_of(Company)
SESSION = KeptQuery(
    function="accounts_session",
    parameters=("session_key", "now"),
    sql="""
    SELECT session_data FROM django_session
    WHERE session_key = %(session_key)s AND expire_date > %(now)s
    """,
)
USER = KeptQuery(
    function="accounts_person",
    parameters=("user_id",),
    sql=f"SELECT {listed('person', _USER)} FROM accounts_user person WHERE person.id = %(user_id)s",  # noqa: S608
)
RIGHTS = """
           (SELECT role FROM accounts_membership
            WHERE user_id = %(user_id)s AND company_id = project.company_id),
           (SELECT level FROM accounts_projectright
            WHERE user_id = %(user_id)s AND project_id = project.id)
"""
"""The role of a person in the company of a `project`, and the right in it, each null without one."""
PROJECT = KeptQuery(
    function="accounts_project_of_person",
    parameters=("project_id", "user_id"),
    sql=f"""
    SELECT {RIGHTS}, {listed("project", _PROJECT)}, {listed("company", _COMPANY)}
    FROM accounts_project project JOIN accounts_company company ON company.id = project.company_id
    WHERE project.id = %(project_id)s
    """,  # noqa: S608 (the columns are models')
)
"""A change of one of them is a migration as well: PostgreSQL has them as functions."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A project with its company, and how a person stands there: role and right, "" without one."""

    project: Project
    role: str
    level: str

    @property
    def is_admin(self) -> bool:
        """Whether the person is an admin of the company, who has every right in its projects."""
        return self.role == Membership.Role.ADMIN


def session_data(session_key: str, *, now: datetime) -> str | None:
    """What a session holds, as it is stored; None if there is none, or it has ended."""
    given = {"session_key": session_key, "now": connection.ops.adapt_datetimefield_value(now)}
    row = SESSION.first_row(given)
    return None if row is None else str(row[0])


def user(user_id: int) -> User | None:
    """The person of an id, whoever that is."""
    row = USER.row({"user_id": user_id})
    return None if row is None else Columns(row).row(User, _USER)


def project(project_id: int, *, user_id: int) -> Standing | None:
    """A project and a person's standing in it; None if there is none of that id."""
    if not 0 < project_id <= LARGEST_ID:
        return None
    row = PROJECT.row({"project_id": project_id, "user_id": user_id})
    return None if row is None else standing(Columns(row))


def standing(read: Columns) -> Standing:
    """What a query reads by `RIGHTS`, then all columns of the project and of its company."""
    role, level = read.values(2)
    found = read.row(Project, _PROJECT)
    found.company = read.row(Company, _COMPANY)
    return Standing(project=found, role=role or "", level=level or "")

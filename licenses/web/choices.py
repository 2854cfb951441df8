"""Balances as forms name them: `company:7`, `project:12`."""

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from accounts import queries
from accounts.models import Company, Project, User
from accounts.queries import NoSuchProject

_NAME = re.compile(r"(company|project):([0-9]{1,18})")


def name_of(balance: Company | Project) -> str:
    """The value of a balance in a form."""
    return f"{balance._meta.model_name}:{balance.pk}"


def label_of(balance: Company | Project) -> str:
    """What a balance is called on screen."""
    if isinstance(balance, Company):
        return _("Company balance of %(name)s") % {"name": balance.name}
    return _("Project %(name)s") % {"name": balance.name}


def company_of(balance: Company | Project) -> Company:
    """The company a balance belongs to."""
    return balance if isinstance(balance, Company) else balance.company


def offered(balances: Iterable[Company | Project]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Balances as the choices of a select, grouped by company; in the order given."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for balance in balances:
        groups.setdefault(company_of(balance).name, []).append((name_of(balance), label_of(balance)))
    return list(groups.items())


def find_balance(name: str, *, user: User, right: str, admin: bool = False) -> Company | Project:
    """The balance that a form names: a project with the right, a company with membership, or as admin.

    :raises NoSuchProject: the name is none, or names no project of the user's.
    :raises RightMissing: the user may see the project, but has less than `right`.
    :raises NoSuchCompany: the user is no member.
    :raises AdminNeeded: `admin` was asked for, and the user is a plain member.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise NoSuchProject
    number = int(match[2])
    if match[1] == "company":
        return queries.get_company(company_id=number, user=user, admin=admin)
    return queries.get_project(project_id=number, user=user, right=right)

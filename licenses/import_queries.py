"""Imports of companies, for the admins of both sides."""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, User
from accounts.queries import get_company
from licenses.models import CompanyImport
from portal.core.errors import UNSEEN, NotFound


class NoSuchImport(NotFound):
    code = "no-such-import"
    title = _("There is no such import of a company, or none that you may see.")
    why = UNSEEN
    way_out = _("Look at the company's list of imports.")
    source = "mission rule 5"


def open_imports_of(company: Company, *, now: datetime) -> QuerySet[CompanyImport]:
    """What the company asked for and what was asked of it, while it can be consented to; oldest first."""
    concerned = Q(source=company) | Q(target=company)
    return (
        CompanyImport.objects.filter(concerned, ended_at=None, expires_at__gt=now)
        .select_related("source", "target", "asked_by")
        .order_by("asked_at", "pk")
    )


def get_import(
    *, import_id: int, source: Company | None = None, target: Company | None = None
) -> CompanyImport:
    """One import, open or not, that was asked of `source` or by `target`.

    :raises NoSuchImport: there is none.
    """
    sides = {name: side for name, side in (("source", source), ("target", target)) if side is not None}
    found = CompanyImport.objects.filter(pk=import_id, **sides)
    wanted = found.select_related("source", "target", "asked_by").first()
    if wanted is None:
        raise NoSuchImport
    return wanted


def get_import_for_consent(*, import_id: int, source_id: int, user: User) -> CompanyImport:
    """One import that was asked of a company, for an admin of it.

    Whoever has just consented is no admin any more, since nobody is: they may ask what came of it.

    :raises NoSuchCompany: there is none, or the user is no member.
    :raises AdminNeeded: the user is a plain member.
    :raises NoSuchImport: there is none.
    """
    done = CompanyImport.objects.filter(pk=import_id, source__pk=source_id, done_by__actor=user)
    wanted = done.select_related("source", "target", "asked_by").first()
    if wanted is not None:
        return wanted
    return get_import(import_id=import_id, source=get_company(company_id=source_id, user=user, admin=True))

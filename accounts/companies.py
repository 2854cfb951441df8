"""Operations on companies."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, Membership, Project, User
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Invalid

FIRST_PROJECT = "DEFAULT"


class CompanyNeedsAName(Invalid):
    code = "company-needs-a-name"
    title = _("A company needs a name.")
    why = _(
        "Projects, devices and licenses belong to a company. Its name tells members, support and later "
        "readers of the history whose they are."
    )
    way_out = _("Enter the company's name, at most 200 characters.")
    source = "mission rule 2"


@transaction.atomic(durable=True)
def create_company(*, name: str, founder: User, caller: Caller, now: datetime) -> Company:
    """Create a company with its founder as admin and its first project, `DEFAULT` (mission rules 2, 4).

    :raises CompanyNeedsAName: the name is empty or too long.
    """
    name = name.strip()
    if not 0 < len(name) <= 200:
        raise CompanyNeedsAName
    act = acts.begin(
        operation="create-company", caller=caller, given={"name": name, "founder": founder.pk}, now=now
    )
    if act.outcome is not None:
        return Company.objects.get(pk=act.outcome["company"])
    company = Company.objects.create(name=name, created_at=now)
    Membership.objects.create(user=founder, company=company, role=Membership.Role.ADMIN, joined_at=now)
    project = Project.objects.create(company=company, name=FIRST_PROJECT, created_at=now)
    audit.record(
        "company-created",
        caller=caller,
        now=now,
        act=act,
        company_id=company.pk,
        project_id=project.pk,
        name=name,
    )
    acts.finish(act, outcome={"company": company.pk})
    return company

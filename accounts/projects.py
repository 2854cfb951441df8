"""Operations on projects."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, Project
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid


class ProjectNeedsAName(Invalid):
    code = "project-needs-a-name"
    title = _("A project needs a name.")
    way_out = _("Enter a name of at most 100 characters.")


class ProjectNameTaken(Conflict):
    code = "project-name-taken"
    title = _("The company has a project named “%(name)s” already.")
    way_out = _("Choose another name, or use the project that is there.")


@transaction.atomic(durable=True)
def create_project(
    *, company: Company, name: str, description: str = "", caller: Caller, now: datetime
) -> Project:
    """Create a project with a balance of its own (mission rule 4).

    :raises ProjectNeedsAName: the name is empty or too long.
    :raises ProjectNameTaken: names are unique in a company, upper and lower case alike.
    """
    name = name.strip()
    if not 0 < len(name) <= 100:
        raise ProjectNeedsAName
    act = acts.begin(
        operation="create-project",
        caller=caller,
        given={"company": company.pk, "name": name, "description": description},
        now=now,
    )
    if act.outcome is not None:
        return Project.objects.get(pk=act.outcome["project"])
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            project = Project.objects.create(
                company=company, name=name, description=description, created_at=now
            )
    except IntegrityError as error:
        raise ProjectNameTaken(name=name) from error
    audit.record(
        "project-created",
        caller=caller,
        now=now,
        act=act,
        company_id=company.pk,
        project_id=project.pk,
        name=name,
    )
    acts.finish(act, outcome={"project": project.pk})
    return project

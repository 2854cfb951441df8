"""Operations on projects."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import scopes
from accounts.models import Company, Project
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict, Invalid


class ProjectNeedsAName(Invalid):
    code = "project-needs-a-name"
    title = _("A project needs a name.")
    why = _(
        "Licenses and devices are put into a project by its name. Without one, people could not tell two "
        "projects apart."
    )
    way_out = _("Enter a name of at most 100 characters.")
    source = "mission rule 4"


class ProjectNameTaken(Conflict):
    code = "project-name-taken"
    title = _("The company has a project named “%(name)s” already.")
    why = _(
        "With two projects of one name, licenses and devices would sooner or later go into the wrong one."
    )
    way_out = _("Choose another name, or use the project that is there.")
    source = "mission rule 4"


LONGEST_DESCRIPTION = 10_000


class DescriptionTooLong(Invalid):
    code = "description-too-long"
    title = _("The description of the project is too long.")
    why = _(
        "The description is shown on the project's page, above its devices. The limit keeps that page quick "
        "and readable for everybody."
    )
    way_out = _("Use at most 10,000 characters.")
    source = "mission rule 4"


@transaction.atomic(durable=True)
def create_project(
    *, company: Company, name: str, description: str = "", caller: Caller, now: datetime
) -> Project:
    """Create a project with a balance of its own (mission rule 4).

    :raises ProjectNeedsAName: the name is empty or too long.
    :raises DescriptionTooLong: it has more than 10,000 characters.
    :raises ProjectNameTaken: names are unique in a company, upper and lower case alike.
    :raises CompanyImported: the company is only a name by now.
    """
    name = _require_sound(name, description)
    act = acts.begin(
        operation="create-project",
        caller=caller,
        given={"company": company.pk, "name": name, "description": description},
        now=now,
    )
    if act.outcome is not None:
        return Project.objects.get(pk=act.outcome["project"])
    scopes.hold_company(company)
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


@transaction.atomic(durable=True)
def change_project(
    *, project: Project, name: str, description: str, caller: Caller, now: datetime
) -> Project:
    """Rename and describe a project. Histories keep saying what it was called then.

    :raises ProjectNeedsAName: the name is empty or too long.
    :raises DescriptionTooLong: it has more than 10,000 characters.
    :raises ProjectNameTaken: another project of the company has the name.
    """
    name = _require_sound(name, description)
    act = acts.begin(
        operation="change-project",
        caller=caller,
        given={"project": project.pk, "name": name, "description": description},
        now=now,
    )
    # Without its company: that may be another one by the time the lock is there.
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if act.outcome is not None:
        return project
    earlier = project.name
    project.name, project.description = name, description
    try:
        with transaction.atomic():  # the unique index decides, also between two at once
            project.save(update_fields=["name", "description"])
    except IntegrityError as error:
        raise ProjectNameTaken(name=name) from error
    audit.record(
        "project-changed",
        caller=caller,
        now=now,
        act=act,
        company_id=project.company_id,
        project_id=project.pk,
        name=name,
        earlier=earlier,
    )
    acts.finish(act, outcome={})
    return project


def _require_sound(name: str, description: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= 100:
        raise ProjectNeedsAName
    if len(description) > LONGEST_DESCRIPTION:
        raise DescriptionTooLong
    return name

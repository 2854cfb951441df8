"""Archiving a project once it is empty, and taking it out of the archive (mission rule 5).

Which licenses are in the way is known here and not in accounts.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from accounts import scopes
from accounts.models import Project
from devices.models import Device
from licenses.models import Holding
from portal.core import acts, audit
from portal.core.acts import Caller
from portal.core.errors import Conflict
from portal.core.models import Act


class ProjectNotEmpty(Conflict):
    code = "project-not-empty"
    title = _("The project has %(devices)s devices and %(licenses)s free licenses.")
    why = _(
        "What is in the archive is out of sight. Devices and licenses in it would be forgotten, although "
        "they are paid for."
    )
    way_out = _(
        "Release its devices or put them into another project, and transfer its licenses to the company."
    )
    source = "mission rule 12"


@transaction.atomic(durable=True)
def archive_project(*, project: Project, caller: Caller, now: datetime) -> Project:
    """Put an empty project away: it takes no key, license, device or person any more. Twice is once.

    :raises ProjectNotEmpty: it has devices or a balance. Facts `devices`, `licenses`: how many.
    """
    act = acts.begin(operation="archive-project", caller=caller, given={"project": project.pk}, now=now)
    if act.outcome is not None:
        return Project.objects.select_related("company").get(pk=project.pk)
    # Whoever puts something into a project of the company waits here, or is waited for.
    scopes.close_company(project.company)
    devices = Device.objects.filter(project=project, released_at=None).count()
    held = Holding.objects.filter(holder__project=project).aggregate(free=Sum("balance"))["free"] or 0
    if devices or held:
        raise ProjectNotEmpty(devices=devices, licenses=held)
    return _set(project, archived_at=now, event="project-archived", act=act, caller=caller, now=now)


@transaction.atomic(durable=True)
def unarchive_project(*, project: Project, caller: Caller, now: datetime) -> Project:
    """Take a project out of the archive. Twice is once.

    :raises CompanyImported: its company is only a name by now.
    """
    act = acts.begin(operation="unarchive-project", caller=caller, given={"project": project.pk}, now=now)
    if act.outcome is not None:
        return Project.objects.select_related("company").get(pk=project.pk)
    scopes.close_company(project.company)
    return _set(project, archived_at=None, event="project-unarchived", act=act, caller=caller, now=now)


def _set(
    project: Project,
    *,
    archived_at: datetime | None,
    event: str,
    act: Act,
    caller: Caller,
    now: datetime,
) -> Project:
    project = Project.objects.select_related("company").get(pk=project.pk)
    if (project.archived_at is None) != (archived_at is None):
        project.archived_at = archived_at
        project.save(update_fields=["archived_at"])
        audit.record(
            event,
            caller=caller,
            now=now,
            act=act,
            company_id=project.company_id,
            project_id=project.pk,
            name=project.name,
        )
    acts.finish(act, outcome={})
    return project

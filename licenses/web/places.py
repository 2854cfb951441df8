"""Where a device belongs, and whether a project is open: change, release, archive (mission rules 5, 7)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as accounts
from accounts.queries import MANAGE
from accounts.requests import caller, person, signed_in
from accounts.web.question import Question, ask
from devices import queries as devices
from licenses import archiving, device_projects
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, OfferedField, respond


class ProjectOfDeviceForm(ActForm):
    project = OfferedField(label=gettext_lazy("New project"))


@signed_in
def change_project(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """Put the device into another project of its company."""
    user = person(request)
    device = devices.get_device(hardware_id=hardware_id, user=user, right=MANAGE)
    form = ProjectOfDeviceForm(request.POST or None)
    others = accounts.projects_of(user, right=MANAGE).filter(company=device.project.company, archived_at=None)
    choices = [(one.pk, one.name) for one in others.exclude(pk=device.project_id)]
    field = form.fields["project"]
    assert isinstance(field, OfferedField), "set by the form's class"
    field.offer(choices)
    if form.is_valid():
        number = form.cleaned_data["project"]
        try:
            changed = device_projects.change_project(
                device=device,
                project=accounts.get_project(
                    project_id=int(number) if number.isdecimal() and number.isascii() else 0,
                    user=user,
                    right=MANAGE,
                ),
                caller=caller(request, company=device.project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="project")
        else:
            messages.success(
                request, _("The device is in the project %(name)s now.") % {"name": changed.project.name}
            )
            return redirect("device", hardware_id=hardware_id)
    context = {
        "device": device,
        "project": device.project,
        "company": device.project.company,
        "is_member": accounts.is_member(company=device.project.company, user=user),
        "choices": choices,
    }
    return respond(request, "licenses/device_project.html", context, form=form)


@signed_in
def release(request: HttpRequest, hardware_id: str) -> HttpResponse:
    """Let the device go, after a question."""
    user = person(request)
    device = devices.get_device_to_release(hardware_id=hardware_id, user=user)

    def do(key: str) -> HttpResponse:
        device_projects.release_device(
            device=device, caller=caller(request, company=device.project.company, key=key), now=clock.now()
        )
        messages.success(request, _("The device %(hardware_id)s is released.") % {"hardware_id": hardware_id})
        return redirect("project", project_id=device.project_id)

    question = Question(
        title=_("Release %(hardware_id)s?") % {"hardware_id": device.hardware_id},
        meaning=[
            _("It leaves the project %(name)s, and anybody may add it then.") % {"name": device.project.name},
            _("Licenses that stay with the hardware go with it. All others must be returned first."),
        ],
        yes=_("Release the device"),
        back=reverse("device", args=[hardware_id]),
    )
    return ask(request, question, do=do)


@signed_in
def archive(request: HttpRequest, project_id: int) -> HttpResponse:
    """Put an empty project away, after a question."""
    project = accounts.get_project(project_id=project_id, user=person(request), right=MANAGE)

    def do(key: str) -> HttpResponse:
        archiving.archive_project(
            project=project, caller=caller(request, company=project.company, key=key), now=clock.now()
        )
        messages.success(request, _("The project %(name)s is archived.") % {"name": project.name})
        return redirect("project", project_id=project.pk)

    question = Question(
        title=_("Archive the project %(name)s?") % {"name": project.name},
        meaning=[_("It takes no key, license or device any more. Its history stays.")],
        yes=_("Archive the project"),
        back=reverse("project-settings", args=[project.pk]),
    )
    return ask(request, question, do=do)


@signed_in
def unarchive(request: HttpRequest, project_id: int) -> HttpResponse:
    """Take a project out of the archive, after a question."""
    project = accounts.get_project(project_id=project_id, user=person(request), right=MANAGE)

    def do(key: str) -> HttpResponse:
        archiving.unarchive_project(
            project=project, caller=caller(request, company=project.company, key=key), now=clock.now()
        )
        messages.success(request, _("The project %(name)s is out of the archive.") % {"name": project.name})
        return redirect("project", project_id=project.pk)

    question = Question(
        title=_("Take the project %(name)s out of the archive?") % {"name": project.name},
        meaning=[_("It takes keys, licenses and devices again.")],
        yes=_("Take out of the archive"),
        back=reverse("project-settings", args=[project.pk]),
    )
    return ask(request, question, do=do)

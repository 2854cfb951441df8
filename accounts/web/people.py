"""Who may do what in one project, in the browser: rights of members and of end customers."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import invitation_queries, projects, queries, rights
from accounts.models import Membership, Project, ProjectRight
from accounts.queries import MANAGE
from accounts.requests import caller, person, signed_in
from accounts.web import active
from accounts.web.companies import ProjectForm
from accounts.web.question import Question, ask
from portal.core import clock
from portal.core.errors import DomainError, NotFound
from portal.core.forms import ActForm, OfferedField, PortalForm, respond

LEVELS = [
    (ProjectRight.Level.VIEW, gettext_lazy("View: see devices, licenses and history")),
    (ProjectRight.Level.OPERATE, gettext_lazy("Operate: also add devices, assign and download")),
    (ProjectRight.Level.MANAGE, gettext_lazy("Manage: also rights, settings and transfers")),
]
SHORT_LEVELS = [
    (ProjectRight.Level.VIEW, gettext_lazy("May view")),
    (ProjectRight.Level.OPERATE, gettext_lazy("May operate")),
    (ProjectRight.Level.MANAGE, gettext_lazy("May manage")),
]


class RightForm(ActForm):
    user = OfferedField(label=gettext_lazy("Member"))
    level = forms.ChoiceField(label=gettext_lazy("Right"), choices=LEVELS)


class InviteForm(ActForm):
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        help_text=gettext_lazy("The person gets a mail with a link that is good for 14 days."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    level = forms.ChoiceField(label=gettext_lazy("Right"), choices=LEVELS)


@signed_in
def people(request: HttpRequest, project_id: int) -> HttpResponse:
    """Rights and open invitations, and the forms to give and to invite."""
    return _page(request, _managed(request, project_id))


@signed_in
def set_right(request: HttpRequest, project_id: int) -> HttpResponse:
    """Give a member a right, or change one; the forms are on the project's page of people."""
    if request.method != "POST":
        return redirect("project-people", project_id=project_id)
    project = _managed(request, project_id)
    form = RightForm(request.POST)
    if form.is_valid():
        number = form.cleaned_data["user"]
        try:
            right = rights.set_right(
                project=project,
                user_id=int(number) if number.isdecimal() and number.isascii() else 0,
                level=ProjectRight.Level(form.cleaned_data["level"]),
                caller=caller(request, company=project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="user" if isinstance(refusal, NotFound) else None)
        else:
            messages.success(
                request, _("The right of %(name)s is set.") % {"name": right.user.get_full_name()}
            )
            if right.user_id == person(request).pk:
                return redirect("project", project_id=project.pk)  # it may not reach this page any more
            return redirect("project-people", project_id=project.pk)
    return _page(request, project, right_form=form)


@signed_in
def invite(request: HttpRequest, project_id: int) -> HttpResponse:
    """Invite somebody from outside into the project."""
    if request.method != "POST":
        return redirect("project-people", project_id=project_id)
    project = _managed(request, project_id)
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            invitation = rights.invite_into_project(
                project=project,
                email=form.cleaned_data["email"],
                level=ProjectRight.Level(form.cleaned_data["level"]),
                inviter=person(request),
                caller=caller(request, company=project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="email")
        else:
            messages.success(
                request, _("The invitation to %(email)s is on its way.") % {"email": invitation.email}
            )
            return redirect("project-people", project_id=project.pk)
    return _page(request, project, invite_form=form)


@signed_in
def withdraw_right(request: HttpRequest, project_id: int, user_id: int) -> HttpResponse:
    """Take somebody's right, after a question."""
    project = _managed(request, project_id)
    right = queries.rights_in(project).filter(user__pk=user_id).first()
    if right is None:
        raise rights.NoSuchRight
    name = right.user.get_full_name()

    def do(key: str) -> HttpResponse:
        rights.withdraw_right(
            project=project,
            user_id=user_id,
            caller=caller(request, company=project.company, key=key),
            now=clock.now(),
        )
        messages.success(request, _("The right of %(name)s is withdrawn.") % {"name": name})
        if user_id == person(request).pk:
            return redirect("home")
        return redirect("project-people", project_id=project.pk)

    question = Question(
        title=_("Withdraw the right of %(name)s?") % {"name": name},
        meaning=[
            _("The person cannot see the project %(project)s any more.") % {"project": project.name},
            _("Admins of the company manage every project, with or without a right of their own."),
        ],
        yes=_("Withdraw the right"),
        back=reverse("project-people", args=[project.pk]),
    )
    return ask(request, question, do=do)


@signed_in
def settings(request: HttpRequest, project_id: int) -> HttpResponse:
    """Rename and describe the project; the buttons of the archive are here as well."""
    project = _managed(request, project_id)
    form = ProjectForm(
        request.POST or None, initial={"name": project.name, "description": project.description}
    )
    if form.is_valid():
        try:
            projects.change_project(
                project=project,
                name=form.cleaned_data["name"],
                description=form.cleaned_data["description"],
                caller=caller(request, company=project.company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="name")
        else:
            messages.success(request, _("The project is changed."))
            return redirect("project", project_id=project.pk)
    active.work_in(request, project)
    is_member = queries.is_member(company=project.company, user=person(request))
    context = {"project": project, "company": project.company, "is_member": is_member}
    return respond(request, "accounts/project_settings.html", context, form=form)


def _managed(request: HttpRequest, project_id: int) -> Project:
    return queries.get_project(project_id=project_id, user=person(request), right=MANAGE)


def _page(
    request: HttpRequest,
    project: Project,
    *,
    right_form: RightForm | None = None,
    invite_form: InviteForm | None = None,
) -> HttpResponse:
    active.work_in(request, project)
    user = person(request)
    sent: PortalForm = right_form or invite_form or InviteForm()
    right_form = right_form or RightForm(initial={"level": "operate"})
    granted = list(queries.rights_in(project))
    held = {right.user_id for right in granted}
    plain = queries.members_of(project.company).exclude(role=Membership.Role.ADMIN)
    members = [row.user for row in plain]
    field = right_form.fields["user"]
    assert isinstance(field, OfferedField), "set by the form's class"
    field.offer([(one.pk, f"{one.get_full_name()} ({one.email})") for one in members if one.pk not in held])
    inside = {one.pk for one in members}
    is_member = queries.is_member(company=project.company, user=user)
    context = {
        "project": project,
        "company": project.company,
        "is_member": is_member,
        "rights": [(right, right.user_id in inside) for right in granted],
        "short_levels": SHORT_LEVELS,
        "admins": queries.members_of(project.company).filter(role=Membership.Role.ADMIN),
        "invitations": invitation_queries.invitations_into(project),
        "now": clock.now(),
        "has_choice": len(inside - held) > 0,
        "right_form": right_form,
        "invite_form": invite_form or InviteForm(initial={"level": "view"}),
    }
    return respond(request, "accounts/project_people.html", context, form=sent)

"""Members of a company in the browser: the list, invitations, roles, leaving."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import invitation_queries, membership, queries
from accounts.models import Company, Membership, User
from accounts.requests import caller, person, signed_in
from accounts.web import active
from accounts.web.question import Question, ask
from portal.core import clock
from portal.core.errors import DomainError
from portal.core.forms import ActForm, PortalForm, respond

ROLES = [
    (Membership.Role.MEMBER, gettext_lazy("Member: rights project by project")),
    (Membership.Role.ADMIN, gettext_lazy("Admin: manages members and every project")),
]


class InviteForm(ActForm):
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        help_text=gettext_lazy("The person gets a mail with a link that is good for 14 days."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=ROLES)


class RoleForm(ActForm):
    role = forms.ChoiceField(choices=ROLES, widget=forms.HiddenInput)


@signed_in
def members(request: HttpRequest, company_id: int) -> HttpResponse:
    """Who belongs to the company; for admins also who is invited, and the form to invite."""
    user = person(request)
    invites = request.method == "POST"
    company = queries.get_company(company_id=company_id, user=user, admin=invites)
    form = InviteForm(request.POST or None)
    if form.is_valid():
        try:
            invitation = membership.invite_member(
                company=company,
                email=form.cleaned_data["email"],
                role=Membership.Role(form.cleaned_data["role"]),
                inviter=user,
                caller=caller(request, company=company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal, field="email")
        else:
            messages.success(
                request, _("The invitation to %(email)s is on its way.") % {"email": invitation.email}
            )
            return redirect("members", company_id=company.pk)
    return _page(request, company, user, form)


@signed_in
def change_role(request: HttpRequest, company_id: int, user_id: int) -> HttpResponse:
    """Make a member an admin, or an admin a member; the button is in the list."""
    if request.method != "POST":
        return redirect("members", company_id=company_id)
    user = person(request)
    company = queries.get_company(company_id=company_id, user=user, admin=True)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            changed = membership.change_role(
                membership=queries.get_membership(company=company, user_id=user_id),
                role=Membership.Role(form.cleaned_data["role"]),
                caller=caller(request, company=company, key=form.cleaned_data["act_key"]),
                now=clock.now(),
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            done = (
                _("%(name)s is an admin now.") if changed.role == "admin" else _("%(name)s is a member now.")
            )
            messages.success(request, done % {"name": changed.user.get_full_name()})
            return redirect("members", company_id=company.pk)
    is_admin = queries.is_admin(company=company, user=user)
    return _page(request, company, user, InviteForm(), refused=form) if is_admin else redirect("home")


@signed_in
def remove(request: HttpRequest, company_id: int, user_id: int) -> HttpResponse:
    """Take somebody out of the company, after a question."""
    company = queries.get_company(company_id=company_id, user=person(request), admin=True)
    name = queries.get_membership(company=company, user_id=user_id).user.get_full_name()

    def do(key: str) -> HttpResponse:
        membership.remove_member(
            company=company,
            user_id=user_id,
            caller=caller(request, company=company, key=key),
            now=clock.now(),
        )
        messages.success(request, _("%(name)s does not belong to the company any more.") % {"name": name})
        return redirect("members", company_id=company.pk)

    question = Question(
        title=_("Remove %(name)s from %(company)s?") % {"name": name, "company": company.name},
        meaning=[
            _("All rights in projects of the company end at once. The person is told by mail."),
            _("What the person did stays in the histories."),
        ],
        yes=_("Remove"),
        back=reverse("members", args=[company.pk]),
    )
    return ask(request, question, do=do)


@signed_in
def leave(request: HttpRequest, company_id: int) -> HttpResponse:
    """Leave a company, after a question."""
    user = person(request)
    company = queries.get_company_to_leave(company_id=company_id, user=user)

    def do(key: str) -> HttpResponse:
        membership.leave_company(company=company, user=user, caller=caller(request, key=key), now=clock.now())
        messages.success(request, _("You do not belong to %(name)s any more.") % {"name": company.name})
        return redirect("home")

    question = Question(
        title=_("Leave %(name)s?") % {"name": company.name},
        meaning=[
            _("Your rights in its projects end at once. To come back you need an invitation."),
            _("What you did stays in the histories."),
        ],
        yes=_("Leave the company"),
        back=reverse("members", args=[company.pk]),
    )
    return ask(request, question, do=do)


def _page(
    request: HttpRequest,
    company: Company,
    user: User,
    form: InviteForm,
    *,
    refused: PortalForm | None = None,
) -> HttpResponse:
    active.work_in(request, company)
    is_admin = queries.is_admin(company=company, user=user)
    context = {
        "company": company,
        "is_admin": is_admin,
        "me": user,
        "members": queries.members_of(company),
        "invitations": invitation_queries.invitations_into(company) if is_admin else [],
        "now": clock.now(),
        "invite_form": form,
        "refused": refused,
    }
    return respond(request, "accounts/members.html", context, form=refused or form)

"""Invitations in the browser: the link of a mail, accepting, declining, sending again, withdrawing."""

from allauth.account.models import EmailAddress
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts import invitation_queries, membership
from accounts.membership import InvitationForAnother
from accounts.models import Invitation
from accounts.requests import caller, person, signed_in
from portal.core import clock
from portal.core.forms import ActForm


@never_cache
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link of a mail leads: to the question, after signing in or registering."""
    invitation = invitation_queries.invitation_behind(token)
    if invitation.expires_at <= clock.now():
        raise membership.InvitationEnded
    if request.user.is_authenticated:
        mine = EmailAddress.objects.filter(user=person(request), verified=True)
        if not mine.filter(email__iexact=invitation.email).exists():
            raise InvitationForAnother
    return render(request, "accounts/invitation.html", {"invitation": invitation})


@signed_in
def accept(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Join the company, or get the right in the project."""
    invitation, key = _answered(request, invitation_id)
    if not key:
        return redirect("home")
    membership.accept_invitation(
        invitation=invitation, user=person(request), caller=caller(request, key=key), now=clock.now()
    )
    if invitation.project is not None:
        messages.success(
            request, _("You have a right in the project %(name)s now.") % {"name": invitation.project.name}
        )
        return redirect("project", project_id=invitation.project.pk)
    messages.success(request, _("You belong to %(name)s now.") % {"name": invitation.company.name})
    return redirect("company", company_id=invitation.company_id)


@signed_in
def decline(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Decline: nothing changes, and the invitation is over."""
    invitation, key = _answered(request, invitation_id)
    if key:
        membership.decline_invitation(
            invitation=invitation, user=person(request), caller=caller(request, key=key), now=clock.now()
        )
        messages.success(request, _("You declined the invitation."))
    return redirect("home")


@signed_in
def resend(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Send it again, with a new link."""
    invitation, key = _own(request, invitation_id)
    if key:
        sent = membership.resend_invitation(
            invitation=invitation,
            caller=caller(request, company=invitation.company, key=key),
            now=clock.now(),
        )
        messages.success(request, _("The invitation to %(email)s is on its way.") % {"email": sent.email})
    return _back(invitation)


@signed_in
def withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Withdraw it: the link in the mail is dead."""
    invitation, key = _own(request, invitation_id)
    if key:
        membership.withdraw_invitation(
            invitation=invitation,
            caller=caller(request, company=invitation.company, key=key),
            now=clock.now(),
        )
        messages.success(request, _("The invitation is withdrawn; its link does not work any more."))
    return _back(invitation)


def _answered(request: HttpRequest, invitation_id: int) -> tuple[Invitation, str]:
    user = person(request)
    return invitation_queries.get_invitation_for(invitation_id=invitation_id, user=user), _key(request)


def _own(request: HttpRequest, invitation_id: int) -> tuple[Invitation, str]:
    return invitation_queries.get_invitation(invitation_id=invitation_id, user=person(request)), _key(request)


def _key(request: HttpRequest) -> str:
    """The act's key of a button's form; "" if the address was only opened."""
    form = ActForm(request.POST) if request.method == "POST" else None
    return form.cleaned_data["act_key"] if form is not None and form.is_valid() else ""


def _back(invitation: Invitation) -> HttpResponse:
    if invitation.project is not None:
        return redirect("project-people", project_id=invitation.project.pk)
    return redirect("members", company_id=invitation.company_id)

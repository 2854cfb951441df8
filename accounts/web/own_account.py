"""A person's own account: name and language, address, sessions, data, and its end."""

import json

from allauth.account.decorators import reauthentication_required
from allauth.account.models import EmailAddress
from allauth.account.views import EmailView
from allauth.mfa.models import Authenticator
from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts import leaving, people, personal_data, terms
from accounts.adapter import speak
from accounts.middleware import open_without_terms
from accounts.requests import caller, inside, person, signed_in
from accounts.web import browsers
from accounts.web.forms import name_field
from accounts.web.page import OwnPage
from portal.core import clock
from portal.core.errors import DomainError, NotFound
from portal.core.forms import ActForm, PortalForm, respond


class NoSuchSession(NotFound):
    code = "no-such-session"
    title = gettext_lazy("There is no such session of yours.")
    why = gettext_lazy(
        "You can end only your own sessions. One that is not yours gets the same answer as one that is not "
        "there, so that nobody learns who is signed in."
    )
    way_out = gettext_lazy("It may have ended. Look at the list of sessions.")


class ProfileForm(PortalForm):
    """What a name is, the operation says."""

    forename = name_field(gettext_lazy("Forename"), "given-name")
    surname = name_field(gettext_lazy("Surname"), "family-name")
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=settings.LANGUAGES,
        help_text=gettext_lazy("Of pages and mails."),
    )


class AcceptTermsForm(PortalForm):
    version = forms.CharField(max_length=40, widget=forms.HiddenInput)
    next = forms.CharField(required=False, widget=forms.HiddenInput)


@signed_in
def overview(request: HttpRequest) -> HttpResponse:
    """Everything about the account, each with the way to change it."""
    user = person(request)
    factors = list(Authenticator.objects.filter(user=user).order_by("pk"))
    by_kind = {kind: [one for one in factors if one.type == kind] for kind in Authenticator.Type}
    context = {
        "app": by_kind[Authenticator.Type.TOTP],
        "passkeys": [one.wrap() for one in by_kind[Authenticator.Type.WEBAUTHN]],
        "codes": [len(one.wrap().get_unused_codes()) for one in by_kind[Authenticator.Type.RECOVERY_CODES]],
        "new_address": EmailAddress.objects.filter(user=user, verified=False).order_by("pk").last(),
        "spoken": dict(settings.LANGUAGES).get(user.language, user.language),
    }
    return render(request, "account/overview.html", context)


@signed_in
def profile(request: HttpRequest) -> HttpResponse:
    """Name and language."""
    user = person(request)
    known = {name: getattr(user, name) for name in ("forename", "surname", "language")}
    form = ProfileForm(request.POST or None, initial=known)
    if form.is_valid():
        try:
            people.change_profile(user=user, caller=caller(request), now=clock.now(), **form.cleaned_data)
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            with translation.override(user.language):
                messages.success(request, _("Name and language are saved."))
            return speak(redirect("account"), user.language)
    return respond(request, "account/profile.html", {}, form=form)


@method_decorator(reauthentication_required(app="allauth.account"), name="dispatch")
class ChangeAddress(OwnPage, EmailView):
    """A new e-mail address; it counts once the link in the mail to it is followed."""


@signed_in
def sessions(request: HttpRequest) -> HttpResponse:
    """Where the person is signed in."""
    listed = sorted(
        UserSession.objects.purge_and_list(person(request)),
        key=lambda session: session.created_at,
        reverse=True,
    )
    rows = [{"session": session, "browser": browsers.told(session.user_agent)} for session in listed]
    return render(request, "usersessions/usersession_list.html", {"rows": rows})


@require_POST
@signed_in
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out elsewhere, or here."""
    session = UserSession.objects.filter(user=person(request), pk=session_id).first()
    if session is None:
        raise NoSuchSession
    end_sessions(request, [session])
    messages.success(request, _("That session is signed out."))
    return redirect("usersessions_list")


@require_POST
@signed_in
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    others = [one for one in UserSession.objects.filter(user=person(request)) if not one.is_current()]
    end_sessions(request, others)
    messages.success(request, _("You are signed out everywhere but here."))
    return redirect("usersessions_list")


# Also for somebody who does not accept new terms: they may take what is theirs and leave.
@open_without_terms
@require_GET
@signed_in
@reauthentication_required(app="allauth.account")
def export(request: HttpRequest) -> HttpResponse:
    """All the portal knows of the person, as one JSON file."""
    text = json.dumps(
        personal_data.everything_about(person(request)), cls=DjangoJSONEncoder, ensure_ascii=False, indent=2
    )
    response = HttpResponse(text, content_type="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


@open_without_terms
@signed_in
@reauthentication_required(app="allauth.account")
def delete(request: HttpRequest) -> HttpResponse:
    """Say what goes and what stays, then delete the account."""
    form = ActForm(request.POST or None)
    if form.is_valid():
        user = person(request)
        try:
            leaving.delete_account(
                user=user, caller=caller(request, key=form.cleaned_data["act_key"]), now=clock.now()
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            request.session.flush()
            messages.success(request, _("Your account is deleted. Thank you for the time with us."))
            return redirect("sign-in")
    return respond(request, "account/delete.html", {}, form=form)


@open_without_terms
def read_terms(request: HttpRequest) -> HttpResponse:
    """The terms, for everybody."""
    return render(request, "account/terms.html", {"version": settings.TERMS_VERSION})


@open_without_terms
@signed_in
def accept_terms(request: HttpRequest) -> HttpResponse:
    """New terms, before anything else."""
    user = person(request)
    target = request.POST.get("next", request.GET.get("next", ""))
    form = AcceptTermsForm(request.POST or None, initial={"version": settings.TERMS_VERSION, "next": target})
    if form.is_valid():
        try:
            terms.accept(
                user=user, version=form.cleaned_data["version"], caller=caller(request), now=clock.now()
            )
        except DomainError as refusal:
            form = AcceptTermsForm(initial={"version": settings.TERMS_VERSION, "next": target})
            form.refuse(refusal)
        else:
            return redirect(inside(request, target))
    context = {"version": settings.TERMS_VERSION, "earlier": user.terms_version}
    return respond(request, "account/accept_terms.html", context, form=form)

"""Signing in and out, with e-mail address and password."""

import hashlib
from datetime import datetime

from django import forms
from django.conf import settings
from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.models import User
from accounts.requests import caller
from portal.core import acts, audit, clock, throttle
from portal.core.acts import Caller
from portal.core.addresses import address_of
from portal.core.errors import DomainError, Unauthenticated
from portal.core.forms import ActForm, respond
from portal.core.throttle import Limit

# Ten guesses at one person, and what a whole office behind one address may need.
BY_EMAIL = Limit(name="sign-in-email", times=10, seconds=900)
BY_ADDRESS = Limit(name="sign-in-address", times=100, seconds=900)


class SignInFailed(Unauthenticated):
    """One answer to an unknown address and to a wrong password: it tells a guesser nothing."""

    code = "sign-in-failed"
    title = gettext_lazy("The e-mail address and the password do not belong together.")
    way_out = gettext_lazy("Check both, also whether Caps Lock is on, and try again.")


class SignInForm(ActForm):
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    next = forms.CharField(required=False, widget=forms.HiddenInput)


@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for e-mail address and password, then lead to the page that was asked for."""
    if request.user.is_authenticated:
        return redirect("home")
    form = SignInForm(request.POST or None, initial={"next": request.GET.get("next", "")})
    if form.is_valid():
        now = clock.now()
        try:
            user = _authenticate(
                request, email=form.cleaned_data["email"], password=form.cleaned_data["password"], now=now
            )
        except DomainError as refusal:
            form.refuse(refusal)
        else:
            auth.login(request, user)
            audit.record("signed-in", caller=caller(request), now=now)
            return redirect(_inside(request, form.cleaned_data["next"]))
    return respond(request, "accounts/sign_in.html", {}, form=form)


def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session. An address that was only opened signs nobody out: links are followed by themselves."""
    if request.method != "POST":
        return redirect("home")
    if request.user.is_authenticated:
        audit.record("signed-out", caller=caller(request), now=clock.now())
        auth.logout(request)
        messages.success(request, _("You are signed out."))
    return redirect("sign-in")


def _authenticate(request: HttpRequest, *, email: str, password: str, now: datetime) -> User:
    """The user of this address and password.

    :raises RateLimited: too many tries for this e-mail address, or from this network address.
    :raises SignInFailed: there is no such user, the password is another, or the user is not active.
    """
    # Every try counts, before the password is looked at: a guesser must not learn that the last was right.
    throttle.hit(BY_EMAIL, hashlib.sha256(email.casefold().encode()).hexdigest(), now=now)
    throttle.hit(BY_ADDRESS, str(address_of(request)), now=now)
    user = auth.authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        stranger = Caller(scope="sign-in", key=acts.new_key(), name=email[:200], address=address_of(request))
        audit.record("sign-in-failed", caller=stranger, now=now)
        raise SignInFailed
    return user


def _inside(request: HttpRequest, target: str) -> str:
    """Where to go after signing in: never to another site."""
    inside = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if inside else settings.LOGIN_REDIRECT_URL

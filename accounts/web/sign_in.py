"""Signing in and out: e-mail address and password, or a passkey; then the second factor if there is one."""

from allauth.account.internal import flows
from allauth.account.models import Login
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.adapter import AccountAdapter
from accounts.middleware import open_without_terms
from accounts.models import User
from accounts.requests import inside
from accounts.web.page import Page
from portal.core import pages
from portal.core.errors import DomainError, Unauthenticated
from portal.core.forms import ActForm, respond
from portal.core.pages import TooManyTries


class SignInFailed(Unauthenticated):
    """One answer to an unknown address and to a wrong password: it tells a guesser nothing."""

    code = "sign-in-failed"
    title = gettext_lazy("The e-mail address and the password do not belong together.")
    why = gettext_lazy(
        "The answer does not say which of the two is wrong. Otherwise anybody could find out by trying who "
        "has an account here."
    )
    way_out = gettext_lazy("Check both, also whether Caps Lock is on, and try again.")


class SignInForm(ActForm):
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username webauthn", "autofocus": True}),
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
    """Ask for e-mail address and password, then lead to the page that was asked for.

    On the way there may be the second factor, and for an address that was never confirmed a mail to it.
    """
    if request.user.is_authenticated:
        return redirect("home")
    form = SignInForm(request.POST or None, initial={"next": request.GET.get("next", "")})
    if form.is_valid():
        # A refusal leaves an entry in the history, so it must not reach the edge of the transaction.
        with transaction.atomic():
            try:
                return _enter(request, form)
            except DomainError as refusal:
                form.refuse(refusal)
    return respond(request, "account/login.html", {}, form=form)


@open_without_terms
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session. An address that was only opened signs nobody out: links are followed by themselves."""
    if request.method != "POST":
        return redirect("home")
    was_in = request.user.is_authenticated
    flows.logout.logout(request, show_message=False)  # also half a sign-in, before its second factor
    if was_in:
        messages.success(request, _("You are signed out."))
    return redirect("sign-in")


class SecondFactor(Page, AuthenticateView):
    """Behind a right password: a code of an app, a recovery code, or a passkey."""


class Passkey(Page, LoginWebAuthnView):
    """Sign in with a passkey alone; what the page's script asks, and what it sends."""


def _enter(request: HttpRequest, form: SignInForm) -> HttpResponse:
    known = {name: form.cleaned_data[name] for name in ("email", "password")}
    user = _authenticate(request, **known)
    login = Login(user=user, email=user.email, redirect_url=inside(request, form.cleaned_data["next"]))
    response: HttpResponse = flows.login.perform_password_login(request, known, login)
    return response


def _authenticate(request: HttpRequest, *, email: str, password: str) -> User:
    """The user of this address and password.

    :raises TooManyTries: too many wrong ones for this e-mail address, or from this network address.
    :raises SignInFailed: there is no such user, the password is another, or the user is not active.
    """
    try:
        user = AccountAdapter(request).authenticate(request, email=email.lower(), password=password)
    except forms.ValidationError as error:  # the limit, counted before the password is looked at
        raise TooManyTries(seconds=pages.TRIES_AGAIN) from error
    if not isinstance(user, User) or not user.is_active:
        raise SignInFailed
    return user

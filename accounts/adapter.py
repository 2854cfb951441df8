"""Where django-allauth asks us: mails into the outbox, our words, addresses, names, audit entries."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as current
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts import mails, requests
from accounts.models import User
from accounts.people import UNCONFIRMED_KEPT
from portal.core import acts, audit, clock, outbox
from portal.core.acts import Caller
from portal.core.addresses import address_of
from portal.core.forms import TOO_OFTEN, leading_to_why
from portal.core.pages import TooManyTries

NOWHERE = "0.0.0.0"  # noqa: S104 - stands in a list of sessions where the address is not known
_ACCOUNT_ERRORS = {
    "account_inactive": gettext_lazy("This account is not active."),
    "duplicate_email": gettext_lazy("This is your address already."),
    "email_taken": gettext_lazy("Another account has this address."),
    "enter_current_password": gettext_lazy("This is not your password."),
    "incorrect_code": gettext_lazy("This code is not right, or was used before."),
    "incorrect_password": gettext_lazy("This is not your password."),
    "invalid_password_reset": gettext_lazy("This link is used up or too old."),
    "rate_limited": gettext_lazy("That was too often in a short time. Please wait a few minutes."),
    "same_as_current": gettext_lazy("This is what it is already."),
    "too_many_login_attempts": gettext_lazy("These were too many tries. Please wait a few minutes."),
}
_FACTOR_ERRORS = {
    "cannot_delete_authenticator": gettext_lazy("This second factor cannot be removed."),
    "cannot_generate_recovery_codes": gettext_lazy(
        "Recovery codes come with a second factor: add one first."
    ),
    "incorrect_code": gettext_lazy("This code is not right, or was used before."),
    "unverified_email": gettext_lazy("Confirm your new e-mail address first, or cancel the change of it."),
}


def display(user: User) -> str:
    """How allauth names a person."""
    return user.get_full_name() or user.email


class AccountAdapter(DefaultAccountAdapter):
    """People's accounts as the portal wants them."""

    error_messages = {**DefaultAccountAdapter.error_messages, **_ACCOUNT_ERRORS}

    def validation_error(self, code: str, *facts: Any) -> ValidationError:
        """An error of a form by its code; what was too often leads to why, like every refusal."""
        error: ValidationError = super().validation_error(code, *facts)
        if code in TOO_OFTEN:
            error.message = leading_to_why(error.message, TooManyTries)
        return error

    def get_login_stages(self) -> list[str]:
        """What a sign-in goes through: the address is confirmed, then the second factor."""
        return ["allauth.account.stages.EmailVerificationStage", "allauth.mfa.stages.AuthenticateStage"]

    def get_client_ip(self, request: HttpRequest) -> str:
        """The one rule about proxies (portal.core.addresses); never a reason to fail."""
        return address_of(request) or NOWHERE

    def is_safe_url(self, url: str) -> bool:
        """Only pages of the host that is asked: never another of our names, never another site."""
        return url_has_allowed_host_and_scheme(
            url,
            allowed_hosts={current.request.get_host()},
            require_https=current.request.is_secure(),
        )

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def save_user(
        self, request: HttpRequest, user: AbstractBaseUser, form: BaseForm, commit: bool = True
    ) -> AbstractBaseUser:
        """Fill the new user from the registration form; the language is the one the form was read in."""
        assert isinstance(user, User)
        given = form.cleaned_data
        user.email, user.forename, user.surname = given["email"], given["forename"], given["surname"]
        user.language = get_language() or settings.LANGUAGE_CODE
        user.set_password(given["password1"])
        user.save()
        now = clock.now()
        outbox.put("forget-registration", now=now, due_at=now + UNCONFIRMED_KEPT, user_id=user.pk)
        return user

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write the mail into the outbox, in the language of whoever gets it."""
        owner = context.get("user") or User.objects.filter(email__iexact=email).first()
        words = {name: value for name, value in context.items() if name not in {"request", "key", "uid"}}
        links = {name: _link(value) for name, value in words.items() if name.endswith("_url")}
        mails.write(
            template_prefix,
            to=email,
            language=owner.language if owner else get_language() or settings.LANGUAGE_CODE,
            context={**words, **links, "owner": owner, "email": email},
            now=clock.now(),
        )

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """All stages are passed: the session begins, and the history says so."""
        super().login(request, user)
        audit.record("signed-in", caller=requests.caller(request), now=clock.now())

    def logout(self, request: HttpRequest) -> None:
        """The session ends, and the history says so."""
        if request.user.is_authenticated:
            audit.record("signed-out", caller=requests.caller(request), now=clock.now())
        super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong password. The entry names the user it was for, never the address that was typed: that may
        be a stranger's, and entries stay for ever."""
        user = User.objects.filter(email__iexact=credentials.get("email", "")).first()
        stranger = Caller(scope="sign-in", key=acts.new_key(), name="somebody", address=address_of(request))
        audit.record("sign-in-failed", caller=stranger, now=clock.now(), user=user.pk if user else None)

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **options: Any) -> HttpResponse:
        """From here on the pages of this browser speak the person's language."""
        assert isinstance(user, User)
        return speak(super().post_login(request, user, **options), user.language)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors as the portal wants them."""

    error_messages = {**DefaultMFAAdapter.error_messages, **_FACTOR_ERRORS}

    def encrypt(self, text: str) -> str:
        """Who reads the database cannot make codes."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What encrypt() made, under any of the keys of the settings."""
        return _box().decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:  # noqa: A002 - allauth's name
        """What a new passkey is called until the person says otherwise."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(number)s") % {"number": count + 1}

    def _get_site_name(self) -> str:
        return settings.MFA_TOTP_ISSUER


def speak(response: HttpResponse, language: str) -> HttpResponse:
    """Let the browser ask for a language from now on, as Django's own language switch does."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 60 * 60,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _link(url: str) -> str:
    """The same page under an origin of ours: the one the person uses, otherwise the first."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return url if origin in settings.PORTAL_ORIGINS else f"{settings.PORTAL_ORIGINS[0]}{parts.path}"


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.SECOND_FACTOR_KEYS])

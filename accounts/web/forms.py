"""The forms of django-allauth in the portal's words.

Labels, hints and order are ours; what is checked is allauth's, the rule about names accounts.names'.
"""

import struct
from typing import Any

from allauth.account import forms as account
from allauth.core import context as current
from allauth.mfa.base import forms as factor
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from cryptography.exceptions import InvalidSignature
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.adapter import SecondFactorAdapter
from accounts.models import User
from accounts.names import NameOfAPersonNeeded
from portal.core import acts, audit, clock
from portal.core.acts import Caller
from portal.core.addresses import address_of
from portal.core.forms import field_error

LONGEST_PASSWORD = 4096
# What reading a passkey's answer may raise, apart from the ValidationErrors that allauth makes of some of it.
UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError, InvalidSignature, struct.error)


def _good_password() -> str:
    return " ".join(password_validators_help_texts())


GOOD_PASSWORD = lazy(_good_password, str)()


def name_field(label: Any, autocomplete: str) -> forms.CharField:
    """One part of a person's name."""
    return forms.CharField(
        label=label,
        max_length=names.LONGEST,
        widget=forms.TextInput(attrs={"autocomplete": autocomplete}),
    )


def _password(label: Any, *, new: bool = False, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_PASSWORD,
        strip=False,
        help_text=help_text,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password" if new else "current-password"},
        ),
    )


def _new_password() -> account.SetPasswordField:
    """Asked for once: browsers show a password on demand, and a mistyped one is chosen anew by mail."""
    field = account.SetPasswordField(label=_("New password"), help_text=GOOD_PASSWORD)
    field.max_length = LONGEST_PASSWORD
    del field.widget.attrs["placeholder"]
    return field


def _address(label: Any, help_text: Any = "") -> forms.EmailField:
    return forms.EmailField(
        label=label,
        max_length=254,
        help_text=help_text,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class RegistrationForm(account.SignupForm):
    """E-mail address, forename, surname, password, terms (mission rule 1)."""

    forename = name_field(_("Forename"), "given-name")
    surname = name_field(_("Surname"), "family-name")
    terms = forms.BooleanField(label=_("I have read the terms and agree to them."))
    field_order = ["forename", "surname", "email", "password1", "terms"]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.fields["email"] = _address(
            _("E-mail address"), _("You get a mail with a link that activates the account.")
        )
        self.fields["password1"] = _password(_("Password"), new=True, help_text=GOOD_PASSWORD)
        self.order_fields(self.field_order)

    def clean_forename(self) -> str:
        """:raises ValidationError: it is no name of a person."""
        return _person(self.cleaned_data["forename"])

    def clean_surname(self) -> str:
        """:raises ValidationError: it is no name of a person."""
        return _person(self.cleaned_data["surname"])

    def try_save(self, request: HttpRequest) -> tuple[Any, Any]:
        """As allauth does it: an address that has an account gets a mail, and the same answer."""
        if self.account_already_exists:
            # The answer must not come sooner, either, than one for which a password was hashed.
            make_password(self.cleaned_data["password1"])
        saved: tuple[Any, Any] = super().try_save(request)
        return saved


class ForgotPasswordForm(account.ResetPasswordForm):
    email = _address(_("E-mail address"))


class NewPasswordForm(account.ResetPasswordKeyForm):
    password1 = _new_password()
    password2 = None


class ChangePasswordForm(account.ChangePasswordForm):
    oldpassword = _password(_("Password until now"))
    password1 = _new_password()
    password2 = None


class SetPasswordForm(account.SetPasswordForm):
    password1 = _new_password()
    password2 = None


class PasswordAgainForm(account.ReauthenticateForm):
    password = _password(_("Password"))


class NewAddressForm(account.AddEmailForm):
    email = _address(_("New e-mail address"), _("It counts once you follow the link in the mail sent there."))


class _Code(forms.CharField):
    def __init__(self, *, label: Any, help_text: Any = "") -> None:
        super().__init__(
            label=label,
            max_length=40,
            help_text=help_text,
            widget=forms.TextInput(
                attrs={"autocomplete": "one-time-code", "autofocus": True, "class": "mono"}
            ),
        )


class _OnceOnly:
    """A code of an app is taken once as long as it is good: a minute and a half, with the tolerance for
    clocks. allauth by itself forgets it after half a minute."""

    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        """:raises ValidationError: it is wrong, or was used before."""
        code: str = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == Authenticator.Type.TOTP:
            used = f"totp-used:{self.user.pk}:{code}"
            good_for = settings.MFA_TOTP_PERIOD * (1 + 2 * settings.MFA_TOTP_TOLERANCE)
            if not cache.add(used, "y", timeout=good_for):
                raise _not_right()
        return code


class _Credential:
    """What the page's script sends comes from outside: whatever is wrong with it is a refusal, not a bug.

    allauth leaves some of what fido2 raises for its caller to meet.
    """

    def clean_credential(self) -> Any:
        """:raises ValidationError: no passkey of this person made it, or not for this question."""
        try:
            return super().clean_credential()  # type: ignore[misc]
        except UNREADABLE as error:
            raise _not_right() from error


def _not_right() -> forms.ValidationError:
    error: forms.ValidationError = SecondFactorAdapter().validation_error("incorrect_code")
    return error


class SecondFactorForm(_OnceOnly, factor.AuthenticateForm):
    code = _Code(label=_("Code"), help_text=_("From your authenticator app, or one of your recovery codes."))

    def _emit_authentication_failed(self, authenticator: Any) -> None:
        """A wrong code behind a right password is worth an entry."""
        request = current.request
        stranger = Caller(scope="sign-in", key=acts.new_key(), name="somebody", address=address_of(request))
        audit.record("second-factor-failed", caller=stranger, now=clock.now(), user=self.user.pk)


class CodeAgainForm(_OnceOnly, factor.ReauthenticateForm):
    code = _Code(label=_("Code"), help_text=_("From your authenticator app, or one of your recovery codes."))


class AuthenticatorAppForm(totp.ActivateTOTPForm):
    code = _Code(label=_("Code"), help_text=_("The six digits that the app shows now."))


class PasskeySignInForm(_Credential, webauthn.LoginWebAuthnForm):
    """A passkey instead of the password."""


class PasskeyFactorForm(_Credential, webauthn.AuthenticateWebAuthnForm):
    """A passkey behind the password."""


class PasskeyAgainForm(_Credential, webauthn.ReauthenticateWebAuthnForm):
    """A passkey, to say that it is still the same person."""


class PasskeyForm(webauthn.AddWebAuthnForm):
    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        required=False,
        help_text=_("So that you know it again: the device it is on, or its color."),
    )
    passwordless = forms.BooleanField(
        label=_("Sign in with it alone, without a password"),
        required=False,
        initial=True,
        help_text=_(
            "It then asks for a PIN, a finger or a face. Otherwise it is asked for after the password."
        ),
    )

    def clean(self) -> dict[str, Any]:
        """:raises ValidationError: no passkey made it, or not for this question."""
        try:
            given: dict[str, Any] = super().clean()
        except UNREADABLE as error:
            raise _not_right() from error
        return given


class PasskeyNameForm(webauthn.EditWebAuthnForm):
    name = forms.CharField(label=_("Name"), max_length=60)


def _person(text: str) -> str:
    try:
        return names.read(text)
    except NameOfAPersonNeeded as refusal:
        raise field_error(refusal) from refusal

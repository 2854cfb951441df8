"""Authenticator app, passkeys, recovery codes; and the question whether it is still the same person."""

from allauth.account.decorators import reauthentication_required
from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import ReauthenticateView as CodeView
from allauth.mfa.recovery_codes.views import (
    DownloadRecoveryCodesView,
    GenerateRecoveryCodesView,
    ViewRecoveryCodesView,
)
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    EditWebAuthnView,
    ReauthenticateWebAuthnView,
    RemoveWebAuthnView,
)
from django.utils.decorators import method_decorator

from accounts.middleware import open_without_terms
from accounts.web.page import OwnPage

# Also before a page is shown: who asks for the password behind a filled-in form has it filled in again.
_same_person = method_decorator(reauthentication_required(app="allauth.mfa"), name="dispatch")

# Leaving asks the same question, and is open to somebody who does not accept new terms.
_also_without_terms = method_decorator(open_without_terms, name="dispatch")


@_also_without_terms
class PasswordAgain(OwnPage, ReauthenticateView):
    """Before a change of what secures an account."""


@_also_without_terms
class CodeAgain(OwnPage, CodeView):
    """The same with a code."""


@_also_without_terms
class PasskeyAgain(OwnPage, ReauthenticateWebAuthnView):
    """The same with a passkey."""


class AddApp(OwnPage, ActivateTOTPView):
    """Scan a code, type what the app shows."""


class RemoveApp(OwnPage, DeactivateTOTPView):
    """Without another second factor, the recovery codes go with it."""


class AddPasskey(OwnPage, AddWebAuthnView):
    """A passkey, for a sign-in without password or behind it."""


class RenamePasskey(OwnPage, EditWebAuthnView):
    """So that two can be told apart."""


class RemovePasskey(OwnPage, RemoveWebAuthnView):
    """It is worth nothing from then on."""


@_same_person
class RecoveryCodes(OwnPage, ViewRecoveryCodesView):
    """Those that are left."""


class NewRecoveryCodes(OwnPage, GenerateRecoveryCodesView):
    """The earlier ones are worth nothing from then on."""


@_same_person
class RecoveryCodesAsFile(OwnPage, DownloadRecoveryCodesView):
    """To print."""
